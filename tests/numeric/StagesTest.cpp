// Passes over the graph keep its meaning: every case, after every pass up to the fused stage, by the interpreter in
// double precision. What a pass may change is the order of sums, so results agree to a few units of 1e-16 times n.
#include "passes/Passes.h"
#include "passes/Pipeline.h"
#include "tests/numeric/Graph.h"
#include "tests/numeric/OpTable.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include <cmath>
#include <gtest/gtest.h>
#include <mutex>

using namespace mlir;
using namespace heddle;

namespace {
// Null if all results agree, else what differs.
std::string difference(const std::map<std::string, Array> &want, const std::map<std::string, Array> &got) {
  if (want.size() != got.size()) return "another number of results";
  for (auto &[name, expected] : want) {
    auto found = got.find(name);
    if (found == got.end()) return "no result " + name;
    Array actual = reordered(found->second, expected.type);
    double largest = 1;
    for (double y : expected.elements)
      if (std::isfinite(y)) largest = std::fmax(largest, std::fabs(y));
    for (size_t i = 0; i < expected.elements.size(); ++i) {
      double y = expected.elements[i], z = actual.elements[i];
      bool same = y == z || (std::isnan(y) && std::isnan(z)) || std::fabs(y - z) <= 1e-12 * largest;
      if (!same) return name + "[" + std::to_string(i) + "] is " + std::to_string(z) + ", not " + std::to_string(y);
    }
  }
  return "";
}
class Stages : public testing::TestWithParam<OpRow> {};
}  // namespace

TEST_P(Stages, PassesKeepTheMeaning) {
  static std::once_flag once;
  std::call_once(once, [] {
    registerHeddlePasses();
    registerCanonicalizerPass();
    registerCSEPass();
  });
  for (const Case &tested : casesOf(GetParam())) {
    auto module = parseGraph(tested.text);
    auto inputs = inputsOf(tested);
    auto before = llvm::cantFail(interpret(entryOf(*module), inputs));
    for (const PipelineStep &step : pipelineSteps()) {
      if (step.stage > Stage::fused) break;
      PassManager manager(&testContext());
      ASSERT_TRUE(succeeded(parsePassPipeline(step.pipeline, manager))) << step.pipeline;
      ASSERT_TRUE(succeeded(manager.run(*module)) && succeeded(verify(*module))) << tested.name << " " << step.pipeline;
      auto after = interpret(entryOf(*module), inputs);
      ASSERT_TRUE(bool(after)) << tested.name << " after " << step.pipeline << ": "
                               << llvm::toString(after.takeError());
      std::string differs = difference(before.results, after->results);
      ASSERT_EQ(differs, "") << tested.name << " after " << step.pipeline;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Op, Stages, testing::ValuesIn(opTable()),
                         [](const testing::TestParamInfo<OpRow> &row) { return row.param.op; });
