// See Models.h. Each model is trained by a block of the same text.
#include "tests/generation/Models.h"
#include "frontend/BuildGraph.h"
#include "frontend/Parser.h"
#include "passes/Pipeline.h"
#include "passes/graph/ApplyOptimizer.h"
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace mlir;
using namespace heddle;

std::vector<Generator> heddle::generators() {
  return {{"Gpt"}, {"Written"}, {"Window"}, {"Llama"}, {"Collected"}, {"Sums"},
          {"Xl", "segments", "data.ids, data.first"},
          {"Transformer", "pairs", "data.src, data.src_valid, data.tgt, data.tgt_valid", ", where = data.tgt_valid"}};
}

static std::string textOf(const Generator &model) {
  std::ifstream file(HEDDLE_MODELS);
  std::ostringstream text;
  text << file.rdbuf();
  return fmt::format("{}\ntrain generate {{\n  data = {}(\"none\", tokenizer = \"byte\")\n  size B = 2\n"
                     "  loss lm = cross_entropy({}({}), data.next, over V{})\n  optim = sgd(lr = 1)\n  steps = 1\n}}\n",
                     text.str(), model.kind, model.name, model.fields, model.where);
}

std::unique_ptr<JitProgram> heddle::compileGenerator(const Generator &model, const std::string &targetClass, std::string *remarks) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  loadDialects(context);
  ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    if (remarks && diagnostic.getSeverity() == DiagnosticSeverity::Remark) *remarks += diagnostic.str() + "\n";
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error) ADD_FAILURE() << diagnostic.str();
    return success();
  });
  SourceManager sources;
  Diagnostics diagnostics;
  const Source &source = sources.add("models.heddle", textOf(model));
  auto file = parse(source, diagnostics);
  auto module = file ? buildTrain(*file, "", diagnostics, context, {}) : OwningOpRef<ModuleOp>();
  if (!module) {
    ADD_FAILURE() << renderText(diagnostics, false);
    return {};
  }
  dropOptimizer(*module);
  for (const char *entry : {"train", "eval", "report"})
    if (Operation *op = module->lookupSymbol(entry)) op->erase();
  const TargetInfo &target = *findTargetClass(targetClass);
  if (failed(runPipeline(*module, Stage::graph, Stage::kernel, target))) {
    ADD_FAILURE() << "the pipeline fails";
    return {};
  }
  auto jit = jitProgram(*module, target);
  if (jit) return std::move(*jit);
  ADD_FAILURE() << llvm::toString(jit.takeError());
  return {};
}
