// See Compilation.h.
#include "tools/heddle/Compilation.h"
#include "tools/heddle/SubCommand.h"

#include "frontend/BuildGraph.h"
#include "runtime/RunError.h"
#include "runtime/TargetClass.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/xxhash.h"

#include <cstdio>
#include <filesystem>
#include <fmt/format.h>

namespace heddle {

namespace {

// Which program a checkpoint belongs to: 16 hex digits of what is computed from which variables. The optimizer's numbers
// and the runtime's settings are left out, so that a run may be resumed with another rate or length.
std::string hashOf(mlir::ModuleOp module) {
  mlir::OwningOpRef<mlir::ModuleOp> copy = module.clone();
  for (llvm::StringRef name : {"heddle.config", "heddle.optimizer"})
    (*copy)->removeAttr(name);
  std::string text;
  llvm::raw_string_ostream stream(text);
  copy->print(stream);
  return fmt::format("{:016x}", llvm::xxh3_64bits(text));
}

} // namespace

Compilation::Compilation() : context(mlir::MLIRContext::Threading::DISABLED) {
  loadDialects(context);
  context.printOpOnDiagnostic(false);
}

int Compilation::parse() {
  int code = parseFile(file, parsed);
  if (code != exitInputOutput && code != exitDone)
    printDiagnostics(parsed.diagnostics);
  return code;
}

int Compilation::finish() {
  printDiagnostics(parsed.diagnostics);
  if (!module)
    return exitProgramErrors;
  if (mlir::failed(mlir::verify(*module)))
    return complain(exitInternal, "internal error: the frontend built a graph that does not verify");
  (*module)->setAttr("heddle.hash", mlir::StringAttr::get(&context, hashOf(*module)));
  return exitDone;
}

int Compilation::buildTrain() {
  if (!from.empty())
    return readStage();
  BuildSettings settings;
  if (int code = readSettings(flags, file, settings); code != exitDone)
    return code;
  if (int code = parse(); code != exitDone)
    return code;
  module = heddle::buildTrain(*parsed.file, block, parsed.diagnostics, context, settings);
  return finish();
}

int Compilation::buildRun(const std::string &name, const std::map<std::string, std::vector<int64_t>> &shapes) {
  BuildSettings settings;
  if (int code = readSettings(flags, file, settings); code != exitDone)
    return code;
  if (int code = parse(); code != exitDone)
    return code;
  module = heddle::buildRun(*parsed.file, name, shapes, parsed.diagnostics, context, settings);
  return finish();
}

int Compilation::readStage() {
  std::optional<Stage> found = findStage(from);
  if (!found)
    return complain(exitUsage, fmt::format("--from={}: there is no such stage; there are graph, grad, fused, plan and "
                                           "kernel", from));
  if (file != "-" && !std::filesystem::is_regular_file(file))
    return complain(exitInputOutput, fmt::format("{}: no such file", file));
  module = mlir::parseSourceFile<mlir::ModuleOp>(file, mlir::ParserConfig(&context));
  stage = *found;
  return module ? exitDone : exitProgramErrors;
}

int Compilation::lowerTo(Stage to, const TargetInfo &target) {
  if (mlir::failed(runPipeline(*module, stage, to, target)))
    return complain(exitInternal, fmt::format("internal error on the way from stage {} to {}",
                                              stageName(stage).str(), stageName(to).str()));
  stage = to;
  return exitDone;
}

std::string Compilation::sourceLine(const std::string &name, unsigned line) const {
  const Source *source = parsed.sources.find(name);
  return source && line >= 1 && line <= source->lineCount() ? std::string(source->line(line)) : "";
}

mlir::OwningOpRef<mlir::ModuleOp> Compilation::kernelsFor(const TargetInfo &target) {
  mlir::OwningOpRef<mlir::ModuleOp> copy = module->clone();
  if (mlir::succeeded(runPipeline(*copy, stage, Stage::kernel, target)))
    return copy;
  complain(exitInternal, fmt::format("internal error while lowering to kernels for {}", target.name.str()));
  return {};
}

const TargetInfo &chooseTargetInfo(const std::string &wanted) { return *findTargetClass(chooseTargetClass(wanted)); }

} // namespace heddle
