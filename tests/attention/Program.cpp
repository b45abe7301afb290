// Builds with the frontend as `heddle run` does, and moves values into and out of arenas.
#include "tests/attention/Program.h"
#include "frontend/Parser.h"
#include "passes/graph/ApplyOptimizer.h"
#include "passes/graph/DeriveBackward.h"
#include "passes/graph/GraphBuilder.h"
#include "tests/BufferValues.h"
#include "tests/random/Program.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace mlir;
using namespace heddle;

MLIRContext &heddle::attentionContext() {
  static MLIRContext *context = [] {
    auto *made = new MLIRContext(MLIRContext::Threading::DISABLED);
    loadDialects(*made);
    return made;
  }();
  return *context;
}

std::map<std::string, std::string> heddle::sizesOf(const AttentionShape &shape, const Variant &variant) {
  int64_t heads = variant.groups ? 2 * shape.h : shape.h;
  return {{"D", std::to_string(shape.k * heads)}, {variant.groups ? "G" : "H", std::to_string(shape.h)}};
}

namespace {
/// A parsed example.
struct Example {
  SourceManager sources;
  Diagnostics diagnostics;
  std::unique_ptr<ast::File> file;

  explicit Example(const Variant &variant) {
    std::string error;
    const Source *source = sources.read(HEDDLE_EXAMPLES "/attention/" + variant.name + ".heddle", error);
    if (source) file = parse(*source, diagnostics);
    EXPECT_TRUE(source) << error;
  }
  OwningOpRef<ModuleOp> checked(OwningOpRef<ModuleOp> module) {
    EXPECT_TRUE(module) << renderText(diagnostics, false);
    return module;
  }
};
}  // namespace

OwningOpRef<ModuleOp> heddle::buildTrainBlock(const Variant &variant, const AttentionShape &shape) {
  Example example(variant);
  BuildSettings settings;
  settings.set = sizesOf(shape, variant);
  settings.set["B"] = std::to_string(shape.b);
  settings.set["T"] = std::to_string(shape.t);
  if (variant.twoTexts) settings.set["S"] = std::to_string(shape.s);
  auto module = example.checked(buildTrain(*example.file, "", example.diagnostics, attentionContext(), settings));
  if (!module) return {};
  dropOptimizer(*module);
  module->lookupSymbol("eval")->erase();
  return module;
}

OwningOpRef<ModuleOp> heddle::buildAttention(const Variant &variant, const AttentionShape &shape) {
  auto *context = &attentionContext();
  if (variant.dropout) {
    OwningOpRef<ModuleOp> module = buildTrainBlock(variant, shape);
    if (module) module->lookupSymbol("train")->setAttr(kInputGradientsAttr, UnitAttr::get(context));
    return module;
  }
  Example example(variant);
  BuildSettings settings;
  settings.set = sizesOf(shape, variant);
  int64_t width = std::stoll(settings.set["D"]);
  InputShapes shapes{{"x", {shape.b, shape.t, width}}};
  if (variant.twoTexts) shapes["memory"] = {shape.b, shape.s, width};
  auto module =
      example.checked(buildRun(*example.file, "Attention", shapes, example.diagnostics, *context, settings));
  if (!module) return {};
  auto entry = cast<func::FuncOp>(module->lookupSymbol("run"));
  Operation *end = entry.getBody().front().getTerminator();
  OpBuilder builder(end);
  GraphBuilder graph(builder, entry.getLoc());
  auto name = [&](StringRef text) {
    return builder.getDictionaryAttr(builder.getNamedAttr(kNameAttr, builder.getStringAttr(text)));
  };
  Value out = end->getOperand(0);
  unsigned number = entry.getNumArguments();
  EXPECT_TRUE(succeeded(entry.insertArgument(number, out.getType(), name("weight"), entry.getLoc())));
  Value loss = graph.sum(graph.mul(out, entry.getArgument(number)), SmallVector<StringAttr>(tensorOf(out).getNames()));
  end->insertOperands(1, loss);
  EXPECT_TRUE(succeeded(entry.insertResult(1, loss.getType(), name("loss"))));
  entry->setAttr(kMinimiseAttr, builder.getStringAttr("loss"));
  entry->setAttr(kInputGradientsAttr, builder.getUnitAttr());
  return module;
}

bool heddle::lower(ModuleOp module, Stage from, Stage to, bool fuseAttention, const TargetInfo &target) {
  PipelineOptions options;
  options.fuseAttention = fuseAttention;
  bool passed = succeeded(runPipeline(module, from, to, target, options));
  EXPECT_TRUE(passed) << "the pipeline fails on the way to " << stageName(to).str();
  return passed;
}

//===------------------------------------------------------------------------------------------------- values
static double normal(Random &random) {  // Box and Muller
  double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
  return radius * std::cos(2 * M_PI * random.uniform());
}

static Array inputArray(StringRef name, Tensor type, const AttentionCase &tested) {
  Random random(tested.number, name);
  Array array(type);
  name.consume_front("data.");
  int64_t tokens = type.getRank() > 1 ? type.getSizes()[1] : 1;
  double scale = tested.shape.large && (name == "x" || name == "memory") ? tested.variant.large : 1;
  double last = 0;
  for (size_t i = 0; i < array.elements.size(); ++i) {
    int64_t token = i % tokens, sequence = i / tokens;
    double &element = array.elements[i];
    if (type.isFloat()) element = static_cast<float>(scale * normal(random));
    else if (name == "document") element = last = token && random.chance(0.8) ? last : last + 1;
    else if (name == "is_global") element = random.chance(0.25) && !(tested.shape.keyless && sequence == 0);
    else if (name == "valid") last = token ? last : random.below(tokens) + 1,
      element = token < last && !(tested.shape.keyless && sequence == 0);
    else if (name == "prefix") element = random.below(tested.shape.t + 1);
    else if (name == "$seed") element = 7 + i;
    else if (name == "$step") element = 3;
    else ADD_FAILURE() << "no values for " << name.str();
  }
  return array;
}

Values heddle::randomValues(ModuleOp module, const AttentionCase &tested) {
  Values values;
  for (auto variable : module.getOps<VariableOp>()) {
    std::string name = variable.getSymName().str();
    double a = variable.getA().convertToDouble(), b = variable.getB().convertToDouble();
    Random random(tested.number, name);
    Array array(cast<Tensor>(variable.getType()));
    for (double &element : array.elements)
      element = static_cast<float>(variable.getInit() == "constant" ? a
                                   : variable.getInit() == "normal" ? a + b * normal(random)
                                                                    : a + (b - a) * random.uniform());
    values.variables.insert({name, array});
  }
  func::FuncOp entry = entriesOf(module).front();
  for (BlockArgument argument : entry.getArguments()) {
    auto name = entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr);
    values.inputs.insert({name.str(), inputArray(name, cast<Tensor>(argument.getType()), tested)});
  }
  return values;
}

static Results runOnce(Session &session, const HeddleEntry &entry, const Values &values) {
  std::memset(session.workspace.data(), 0xA5, entry.workspace_bytes);
  for (int i = 0; i < entry.input_count; ++i)
    store(values.inputs.at(entry.inputs[i].name), typeOf(entry.inputs[i], attentionContext()), session.memory(entry.inputs[i]));
  session.run(entry);
  Results results;
  for (int i = 0; i < entry.output_count; ++i) {
    const HeddleBuffer &output = entry.outputs[i];
    Array array = load(typeOf(output, attentionContext()), session.memory(output));
    auto words = static_cast<const uint32_t *>(session.memory(output));
    results.bits[output.name].assign(words, words + array.elements.size());
    results.arrays.insert({output.name, array});
  }
  return results;
}

Results heddle::execute(const HeddleProgram &program, int threads, const std::string &targetClass,
                        const Values &values) {
  Session session(program, threads, targetClass);
  for (int i = 0; i < program.variable_count; ++i) {
    const HeddleVariable &variable = program.variables[i];
    store(values.variables.at(variable.name), typeOf(variable, attentionContext()), session.memory(variable));
  }
  Results results = runOnce(session, session.target.entries[0], values);
  EXPECT_EQ(results.bits, runOnce(session, session.target.entries[0], values).bits) << "the second run differs";
  return results;
}
