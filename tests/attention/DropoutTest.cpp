// Dropout of attention's weights. The mask shows in the results: scores are 0 and values are the identity, so that the
// result of a row is its weights; and the target lies far below 0 on the diagonal, so that the gradient of the values is
// the weights again, as the backward has them, but for what is smaller by far.
#include "codegen/llvm/Jit.h"
#include "runtime/TargetClass.h"
#include "tests/attention/RoundingFloor.h"
#include "tests/random/Execution.h"
#include "tests/random/Program.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;
using namespace heddle;

namespace {
constexpr int64_t kTokens = 97;  // rows, keys and channels; a block and a half
constexpr double kFar = 64;
constexpr double kKeep = 0.9;    // of dropout.heddle
constexpr double kWeight = 1 / (kTokens * kKeep);

Values revealing(ModuleOp graph, int step) {
  Values values = randomValues(graph, {variant("dropout"), {1, 1, kTokens, kTokens, kTokens}, 0});
  auto diagonal = [](Array &array, double number) {
    for (size_t i = 0; i < array.elements.size(); ++i) array.elements[i] = i % (kTokens + 1) ? 0 : number;
  };
  diagonal(values.inputs.at("data.x"), 1);
  diagonal(values.inputs.at("data.target"), -kFar);
  diagonal(values.variables.at("wv"), 1);
  diagonal(values.variables.at("wo"), 1);
  diagonal(values.variables.at("wq"), 0);
  values.inputs.at("$step").elements[0] = step;
  return values;
}

/// Which weights are kept, by row and key.
std::vector<bool> maskOf(const Array &gradient, bool byRow, double half) {
  std::vector<bool> mask(kTokens * kTokens);
  for (int64_t i = 0; i < kTokens; ++i)
    for (int64_t j = 0; j < kTokens; ++j)
      mask[byRow ? i * kTokens + j : j * kTokens + i] = gradient.elements[i * kTokens + j] > half;
  return mask;
}
constexpr double kScale = 2.0 / (kTokens * kTokens);  // of the gradient of a mean of squares

/// As the forward has them: result - target is what the gradient of the target has, negative.
std::vector<bool> forwardMask(const Arrays &results) {
  Array result = results.at("grad.data.target");
  for (size_t i = 0; i < result.elements.size(); ++i)
    result.elements[i] = -result.elements[i] / kScale - (i % (kTokens + 1) ? 0 : kFar);
  return maskOf(result, true, kWeight / 2);
}
/// As the backward has them: element [channel of the text = key, channel of the value = row].
std::vector<bool> backwardMask(const Arrays &results) {
  return maskOf(results.at("grad.wv"), false, kScale * kFar * kWeight / 2);
}

Snapshot bitsOf(const Results &results) {
  Snapshot snapshot;
  for (auto &[name, bits] : results.bits) snapshot.bits["f " + name] = bits;
  return snapshot;
}
}  // namespace

TEST(AttentionDropout, HasOneMaskForwardAndBackwardByEveryExecutor) {
  OwningOpRef<ModuleOp> graph = buildAttention(variant("dropout"), {1, 1, kTokens, kTokens, kTokens});
  ASSERT_TRUE(graph);
  Values values = revealing(*graph, 3);
  for (const std::string &name : runnableTargetClasses()) {
    SCOPED_TRACE(name);
    const TargetInfo &target = *findTargetClass(name);
    OwningOpRef<ModuleOp> plain = graph->clone(), fused = graph->clone();
    ASSERT_TRUE(lower(*plain, Stage::graph, Stage::grad, false, target));
    auto exact = interpret(entriesOf(*plain).front(), values.inputs, values.variables);
    ASSERT_TRUE(bool(exact)) << llvm::toString(exact.takeError());
    std::vector<bool> mask = forwardMask(exact->results);
    EXPECT_EQ(mask, backwardMask(exact->results));

    ASSERT_TRUE(lower(*plain, Stage::grad, Stage::kernel, false, target));
    ASSERT_TRUE(lower(*fused, Stage::graph, Stage::kernel, true, target));
    auto unfusedJit = jitProgram(*plain, target), jit = jitProgram(*fused, target);
    ASSERT_TRUE(unfusedJit && jit);
    Results unfused = execute((*unfusedJit)->program(), 2, name, values);
    Results one = execute((*jit)->program(), 1, name, values);
    for (const Results *results : {&unfused, &one}) {
      EXPECT_EQ(mask, forwardMask(results->arrays));
      EXPECT_EQ(mask, backwardMask(results->arrays));
    }
    for (int threads : {2, 3}) EXPECT_EQ(one.bits, execute((*jit)->program(), threads, name, values).bits) << threads;
    if (name == runnableTargetClasses().front()) {  // the C++ compiler takes ten seconds
      auto native = NativeLibrary::build(*fused);
      ASSERT_TRUE(bool(native)) << llvm::toString(native.takeError());
      Results compiled = execute((*native)->program(), 2, name, values);
      EXPECT_EQ(differentBits(bitsOf(compiled), bitsOf(one), true), "");
    }
    // By value: the same weights, summed in another order. A sum of n terms, in any order, errs by n u of the sum of their
    // absolute values, which here is the largest element's but for a factor of 2.
    for (auto &[result, array] : one.arrays) {
      const Array &other = unfused.arrays.at(result);
      if (isLoss(result)) continue;
      EXPECT_LE(distance(array, other), 4 * kTokens * kSingleUnit * largestOf(other)) << result;
    }
  }
}

TEST(AttentionDropout, LeavesOutAsManyAsItSaysAndOthersAtEachStep) {
  OwningOpRef<ModuleOp> graph = buildAttention(variant("dropout"), {1, 1, kTokens, kTokens, kTokens});
  ASSERT_TRUE(graph);
  const std::string name = runnableTargetClasses().front();
  OwningOpRef<ModuleOp> fused = graph->clone();
  ASSERT_TRUE(lower(*fused, Stage::graph, Stage::kernel, true, *findTargetClass(name)));
  auto jit = jitProgram(*fused, *findTargetClass(name));
  ASSERT_TRUE(bool(jit)) << llvm::toString(jit.takeError());
  const double all = kTokens * kTokens, sigma = std::sqrt(all * kKeep * (1 - kKeep));
  std::set<std::vector<bool>> masks;
  for (int step = 1; step <= 8; ++step) {
    std::vector<bool> mask = forwardMask(execute((*jit)->program(), 2, name, revealing(*graph, step)).arrays);
    EXPECT_NEAR(std::count(mask.begin(), mask.end(), true), all * kKeep, 4 * sigma) << step;
    masks.insert(mask);
  }
  EXPECT_EQ(masks.size(), 8u);
}
