// What the two doors' tests share.
#include "tests/numeric/Executors.h"
#include "passes/Pipeline.h"
#include "tests/BufferValues.h"
#include "tests/numeric/Graph.h"
#include "mlir/IR/Builders.h"
#include <cfloat>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace mlir;
using namespace heddle;

OwningOpRef<ModuleOp> heddle::lowerCases(const std::vector<Case> &cases, const std::string &targetClass) {
  loadDialects(testContext());
  OwningOpRef<ModuleOp> program = ModuleOp::create(UnknownLoc::get(&testContext()));
  Builder builder(&testContext());
  for (size_t i = 0; i < cases.size(); ++i) {
    OwningOpRef<ModuleOp> module = parseGraph(cases[i].text);
    func::FuncOp entry = entryOf(*module);
    entry.setSymName("c" + std::to_string(i));
    for (unsigned k = 0; k < entry.getNumArguments(); ++k)
      entry.setArgAttr(k, kNameAttr, builder.getStringAttr("arg" + Twine(k)));
    for (unsigned k = 0; k < entry.getNumResults(); ++k)
      entry.setResultAttr(k, kNameAttr, builder.getStringAttr("result" + Twine(k)));
    entry->moveBefore(program->getBody(), program->getBody()->end());
  }
  const TargetInfo *target = findTargetClass(targetClass);
  if (target && succeeded(runPipeline(*program, Stage::graph, Stage::kernel, *target))) return program;
  ADD_FAILURE() << "the pipeline fails for " << targetClass;
  return {};
}

std::map<std::string, Array> heddle::runCase(Session &session, size_t i, const Case &tested) {
  const HeddleEntry &entry = session.entry("c" + std::to_string(i));
  std::memset(session.workspace.data(), 0xA5, entry.workspace_bytes);
  std::map<std::string, Array> inputs = inputsOf(tested), results;
  for (int k = 0; k < entry.input_count; ++k) {
    const HeddleBuffer &input = entry.inputs[k];
    store(inputs.at(input.name), typeOf(input, testContext()), session.memory(input));
  }
  session.run(entry);
  for (int k = 0; k < entry.output_count; ++k) {
    const HeddleBuffer &output = entry.outputs[k];
    results.insert({output.name, load(typeOf(output, testContext()), session.memory(output))});
  }
  return results;
}

static bool within(double got, double want, double error) {
  double rounded = static_cast<float>(want);
  if (std::isnan(want)) return std::isnan(got);
  if (got == rounded) return true;
  // A result close to the largest number may round to infinity, and the other way round.
  if (std::isinf(got) || std::isinf(rounded))
    return !std::isinf(want) && (got > 0) == (want > 0) &&
           std::fabs(std::fabs(want) - FLT_MAX) <= error + FLT_MAX * kUnit;
  return std::fabs(got - want) <= error + FLT_MIN;
}

void heddle::expectWithinBounds(const Case &tested, const std::map<std::string, Array> &got) {
  OwningOpRef<ModuleOp> graph = parseGraph(tested.text);
  for (auto &[name, expected] : llvm::cantFail(interpret(entryOf(*graph), inputsOf(tested))).results) {
    auto found = got.find(name);
    ASSERT_NE(found, got.end()) << tested.name << " has no " << name;
    Array actual = reordered(found->second, expected.type);
    std::vector<double> errors = tested.bound(tested, name, expected);
    size_t wrong = 0, first = 0;
    for (size_t i = 0; i < errors.size(); ++i)
      if (!within(actual.elements[i], expected.elements[i], errors[i]) && !wrong++) first = i;
    EXPECT_EQ(wrong, 0u) << tested.name << ": " << wrong << " of " << errors.size() << " elements of " << name
                         << " are wrong; [" << first << "] is " << actual.elements[first] << ", not "
                         << expected.elements[first] << " within " << errors[first];
  }
}
