// Forward and all gradients of every variant over shapes: fused attention is about as exact as unfused, and both doors
// and all numbers of threads give the same bits.
#include "codegen/llvm/Jit.h"
#include "passes/graph/GraphBuilder.h"
#include "runtime/TargetClass.h"
#include "tests/attention/RoundingFloor.h"
#include "tests/random/Execution.h"
#include "tests/random/Program.h"
#include <filesystem>
#include <gtest/gtest.h>

using namespace mlir;
using namespace heddle;

namespace {
class AttentionShapes : public testing::TestWithParam<AttentionCase> {};
class AttentionNative : public testing::TestWithParam<AttentionCase> {};

OwningOpRef<ModuleOp> lowered(ModuleOp graph, Stage to, bool fuseAttention, const TargetInfo &target) {
  OwningOpRef<ModuleOp> module = graph.clone();
  return lower(*module, Stage::graph, to, fuseAttention, target) ? std::move(module) : OwningOpRef<ModuleOp>();
}

const TargetInfo &classOf(const AttentionCase &tested) {
  std::vector<std::string> classes = runnableTargetClasses();
  return *findTargetClass(classes[(tested.number + tested.number / 3) % classes.size()]);  // all in every third shape
}

bool holdsAttention(ModuleOp module) {
  return module.walk([](AttentionOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

std::vector<AttentionCase> nativeCases() {
  std::vector<AttentionCase> native;
  std::map<std::string, size_t> counts;
  for (const AttentionCase &each : attentionCases()) {
    size_t count = counts[each.variant.name]++, numbered = counts.size() - 1;
    if (allShapes() ? each.number % 3 == 2 : numbered % 3 == 1 && count == 4 + numbered / 3 % 4) native.push_back(each);
  }
  return native;
}

std::string caseName(const testing::TestParamInfo<AttentionCase> &info) {
  std::string name = info.param.variant.name + "_" + std::to_string(info.param.number) + "_" + shapeName(info.param.shape);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
}  // namespace

TEST(AttentionVariants, AreTheExamples) {
  std::set<std::string> files, known;
  for (auto &entry : std::filesystem::directory_iterator(HEDDLE_EXAMPLES "/attention"))
    if (entry.path().extension() == ".heddle") files.insert(entry.path().stem());
  for (const Variant &each : variants()) known.insert(each.name);
  EXPECT_EQ(files, known);
  EXPECT_GE(attentionShapes().size(), 30u);
}

TEST_P(AttentionShapes, FusedIsAsExactAsUnfused) {
  const AttentionCase &tested = GetParam();
  const TargetInfo &target = classOf(tested);
  SCOPED_TRACE(target.name.str());
  OwningOpRef<ModuleOp> graph = buildAttention(tested.variant, tested.shape);
  ASSERT_TRUE(graph);
  Values values = randomValues(*graph, tested);
  auto plain = lowered(*graph, Stage::grad, false, target), fused = lowered(*graph, Stage::grad, true, target);
  ASSERT_TRUE(plain && fused);
  ASSERT_FALSE(holdsAttention(*plain));
  ASSERT_TRUE(holdsAttention(*fused));
  auto exact = interpret(entriesOf(*plain).front(), values.inputs, values.variables);
  ASSERT_TRUE(bool(exact)) << llvm::toString(exact.takeError());
  auto floors = roundingFloors(*fused, values, exact->results, tested.shape);
  ASSERT_TRUE(bool(floors)) << llvm::toString(floors.takeError());

  Results unfused, one, three;
  for (bool fuse : {false, true}) {
    ModuleOp module = fuse ? *fused : *plain;
    ASSERT_TRUE(lower(module, Stage::grad, Stage::kernel, fuse, target));
    auto jit = jitProgram(module, target);
    ASSERT_TRUE(bool(jit)) << llvm::toString(jit.takeError());
    (fuse ? one : unfused) = execute((*jit)->program(), 1, target.name.str(), values);
    if (fuse) three = execute((*jit)->program(), 3, target.name.str(), values);
  }
  EXPECT_EQ(one.bits, three.bits) << "1 and 3 threads differ";
  ASSERT_EQ(exact->results.size(), one.arrays.size());
  double used = 0;  // of what is allowed, in the report of --gtest_output
  for (auto &[name, want] : exact->results) {
    if (isLoss(name)) continue;
    double error = distance(want, one.arrays.at(name)), other = distance(want, unfused.arrays.at(name));
    double floor = floors->at(name);
    EXPECT_LE(error, 2 * other + floor) << name << ", of magnitude " << largestOf(want) << ": unfused errs by " << other
                                        << ", and the floor is " << floor;
    used = std::max(used, error / (2 * other + floor));
  }
  RecordProperty("used", std::to_string(used));
}
INSTANTIATE_TEST_SUITE_P(Case, AttentionShapes, testing::ValuesIn(attentionCases()), caseName);

TEST_P(AttentionNative, HasTheBitsOfTheJit) {
  const AttentionCase &tested = GetParam();
  const TargetInfo &target = classOf(tested);
  OwningOpRef<ModuleOp> graph = buildAttention(tested.variant, tested.shape);
  ASSERT_TRUE(graph);
  Values values = randomValues(*graph, tested);
  auto kernels = lowered(*graph, Stage::kernel, true, target);
  ASSERT_TRUE(kernels);
  auto jit = jitProgram(*kernels, target);
  ASSERT_TRUE(bool(jit)) << llvm::toString(jit.takeError());
  auto native = NativeLibrary::build(*kernels);
  ASSERT_TRUE(bool(native)) << llvm::toString(native.takeError());
  Results x = execute((*jit)->program(), 2, target.name.str(), values);
  Results y = execute((*native)->program(), 2, target.name.str(), values);
  Snapshot left, right;  // which forgives what KernelForm leaves open: the sign of a select between equals
  for (auto &[name, bits] : x.bits) left.bits["f " + name] = bits;
  for (auto &[name, bits] : y.bits) right.bits["f " + name] = bits;
  EXPECT_EQ(differentBits(left, right, true), "") << target.name.str();
}
INSTANTIATE_TEST_SUITE_P(Case, AttentionNative, testing::ValuesIn(nativeCases()), caseName);
