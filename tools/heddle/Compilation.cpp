// See Compilation.h. Text of a stage is untrusted: it is checked before MLIR parses it (StageText), by MLIR's verifiers, and
// against the contract of its stage (StageForm). What a pass refuses after that is told as an error of the text; of a
// program that the frontend built, it is an internal error.
#include "tools/heddle/Compilation.h"

#include "frontend/BuildGraph.h"
#include "frontend/DidYouMean.h"
#include "passes/StageForm.h"
#include "passes/graph/DeriveBackward.h"
#include "runtime/RunConfig.h"
#include "runtime/RunError.h"
#include "runtime/TargetClass.h"
#include "tools/heddle/CompileObserver.h"
#include "tools/heddle/InternalError.h"
#include "tools/heddle/RunTensors.h"
#include "tools/heddle/StageText.h"
#include "tools/heddle/SubCommand.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TimeProfiler.h"
#include "llvm/Support/xxhash.h"

#include <set>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <malloc.h>

namespace heddle {

namespace {

// Which program a checkpoint belongs to: 16 hex digits of what is computed from which variables. The optimizer's numbers
// and the runtime's settings are left out, so that a run may be resumed with another rate or length.
std::string hashOf(mlir::ModuleOp module) {
  mlir::OwningOpRef<mlir::ModuleOp> copy = module.clone();
  for (llvm::StringRef name : {llvm::StringRef("heddle.config"), llvm::StringRef("heddle.optimizer"), llvm::StringRef(kCommentsAttr)})
    (*copy)->removeAttr(name);
  std::string text;
  llvm::raw_string_ostream stream(text);
  copy->print(stream);
  return fmt::format("{:016x}", llvm::xxh3_64bits(text));
}

// FILE:LINE:COLUMN: error: MESSAGE. Without the line, which in the text of a stage may have thousands of characters.
std::string placeOf(const mlir::Diagnostic &diagnostic) {
  auto file = diagnostic.getLocation()->findInstanceOf<mlir::FileLineColLoc>();
  return file ? fmt::format("{}:{}:{}: ", file.getFilename().str(), file.getLine(), file.getColumn()) : "";
}
mlir::LogicalResult printProblem(mlir::Diagnostic &diagnostic) {
  fmt::print(stderr, "{}error: {}\n", placeOf(diagnostic), diagnostic.str());
  return mlir::success();
}
// What a pass says that it did, or why it did not; its notes are places that took part. What is said of the same line in
// several entries is said once. Returns what is new, by lines.
std::vector<std::string> newRemark(mlir::Diagnostic &diagnostic, std::set<std::string> &said) {
  std::vector<std::string> lines{fmt::format("{}remark: {}", placeOf(diagnostic), diagnostic.str())};
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    lines.push_back(fmt::format("{}note: {}", placeOf(note), note.str()));
  return said.insert(llvm::join(lines, "\n")).second ? lines : std::vector<std::string>();
}

int textError(const std::string &file, const std::string &what, const std::string &help) {
  fmt::print(stderr, "error: {}: {}\n  help: {}\n", file, what, help);
  return exitProgramErrors;
}

} // namespace

Compilation::Compilation() : context(mlir::MLIRContext::Threading::DISABLED) {
  loadDialects(context);
  context.printOpOnDiagnostic(false);
}

int Compilation::parse() {
  llvm::TimeTraceScope timed("frontend", "parse");
  noteFile(file);
  int code = parseFile(file, flags.use, parsed);
  if (code != exitInputOutput && code != exitDone)
    printDiagnostics(parsed.diagnostics);
  if (file == "-" && parsed.file)
    noteInput(parsed.sources.find("<stdin>")->text());
  return code;
}

int Compilation::finish() {
  printDiagnostics(parsed.diagnostics);
  if (!module)
    return exitProgramErrors;
  if (mlir::failed(mlir::verify(*module)))
    internalError("the frontend built a graph that does not verify");
  (*module)->setAttr("heddle.hash", mlir::StringAttr::get(&context, hashOf(*module)));
  return saveTemp("1-graph.mlir", pipeline.temps.empty() ? "" : stageText(*module));
}

int Compilation::buildTrain() {
  if (!pipeline.from.empty())
    return readStage();
  BuildSettings settings;
  if (int code = readSettings(flags, file, settings); code != exitDone)
    return code;
  if (int code = parse(); code != exitDone)
    return code;
  {
    llvm::TimeTraceScope timed("frontend", "build the graph");
    module = heddle::buildTrain(*parsed.file, block, parsed.diagnostics, context, settings);
  }
  return finish();
}

int Compilation::buildRun(const std::string &name, const std::map<std::string, std::vector<int64_t>> &shapes) {
  if (!pipeline.from.empty()) {
    if (int code = readStage(); code != exitDone)
      return code;
    auto program = (*module)->getAttrOfType<mlir::StringAttr>("heddle.program");
    if (!name.empty() && name != program.getValue())
      return complain(exitUsage, fmt::format("{} is the program `{}`, not `{}`", file, program.str(), name));
    if (!module->lookupSymbol("run"))
      return textError(file, "it has no entry @run",
                       fmt::format("`heddle compile PROGRAM --module=NAME --emit={}` prints a text with one", pipeline.from));
    return exitDone;
  }
  BuildSettings settings;
  if (int code = readSettings(flags, file, settings); code != exitDone)
    return code;
  if (int code = parse(); code != exitDone)
    return code;
  {
    llvm::TimeTraceScope timed("frontend", "build the graph");
    module = heddle::buildRun(*parsed.file, name, shapes, parsed.diagnostics, context, settings);
  }
  return finish();
}

int Compilation::buildEntry(const std::string &train, const std::string &entry) {
  if (pipeline.from.empty())
    block = train;
  if (int code = buildTrain(); code != exitDone)
    return code;
  if (module->lookupSymbol(entry))
    return exitDone;
  return complain(exitUsage, fmt::format("--entry={}: `{}` has no such entry", entry, programName()));
}

int Compilation::chooseGradients(bool grad) {
  if (stage != Stage::graph) {
    std::vector<Port> outputs = portsOf(*module, "run").outputs;
    if (!grad || llvm::any_of(outputs, [](const Port &port) { return port.name.starts_with("grad."); }))
      return exitDone;
    return complain(exitUsage, fmt::format("--grad: gradients are derived on the way from graph to grad, and FILE is at "
                                           "stage {}: print it with --grad", stageName(stage).str()));
  }
  auto entry = module->lookupSymbol<mlir::func::FuncOp>("run");
  if (!grad) {
    entry->removeAttr(kMinimiseAttr);
    entry->removeAttr(kInputGradientsAttr);
    return exitDone;
  }
  if (!entry->hasAttr(kMinimiseAttr))
    return complain(exitProgramErrors, fmt::format("--grad needs a scalar loss, and `{}` has none", programName()));
  entry->setAttr(kInputGradientsAttr, mlir::UnitAttr::get(&context));
  return exitDone;
}

int Compilation::readStage() {
  std::optional<Stage> found = findStage(pipeline.from);
  if (!found) {
    std::string guess = didYouMean(pipeline.from, {"graph", "grad", "fused", "plan", "kernel"});
    return complain(exitUsage, fmt::format("--from={}: there is no such stage; {}", pipeline.from,
                                           guess.empty() ? "there are graph, grad, fused, plan and kernel" : guess));
  }
  if (!flags.set.empty() || !block.empty())
    return complain(exitUsage, fmt::format("{} has no meaning with --from: a stage is of one program, with its sizes",
                                           block.empty() ? "--set" : "--train"));
  llvm::TimeTraceScope timed("frontend", "parse");
  noteFile(file);
  std::string text;
  try {
    text = readStageText(file);
  } catch (const RunError &problem) {
    return complain(problem);
  }
  if (file == "-")
    noteInput(text);
  std::string shown = file == "-" ? "<stdin>" : file;
  std::string help = fmt::format("`heddle compile PROGRAM --emit={}` prints the text of this stage", pipeline.from);
  if (std::optional<StageTextProblem> problem = checkStageText(text))
    return textError(fmt::format("{}:{}:{}", shown, problem->line, problem->column), problem->message, help);

  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBuffer(text, shown), llvm::SMLoc());
  mlir::ScopedDiagnosticHandler handler(&context, printProblem);
  module = mlir::parseSourceFile<mlir::ModuleOp>(sources, mlir::ParserConfig(&context));
  if (!module)
    return textError(shown, fmt::format("it is not the text of stage {}", pipeline.from), help);
  if (std::string wrong = wrongLocation(*module); !wrong.empty())
    return textError(shown, wrong, help);
  if (mlir::failed(verifyStage(*module, *found))) {
    Stage likely = likelyStage(*module);
    if (likely != *found)
      help = fmt::format("this looks like stage {0}: say --from={0}", stageName(likely).str());
    return textError(shown, fmt::format("it is not a program at stage {}", pipeline.from), help);
  }
  try {
    RunConfig::parse((*module)->getAttrOfType<mlir::StringAttr>("heddle.config").str().c_str());
  } catch (const RunError &problem) {
    return textError(shown, fmt::format("heddle.config: {}", problem.what()), help);
  }
  stage = *found;
  addComments(*module, commentsOf(text));
  if (!(*module)->hasAttr("heddle.hash"))
    (*module)->setAttr("heddle.hash", mlir::StringAttr::get(&context, hashOf(*module)));
  return exitDone;
}

int Compilation::chooseTarget(const std::string &wanted, const TargetInfo *&target) const {
  const char *preset = std::getenv("HEDDLE_TARGET");
  std::string named = !wanted.empty() ? wanted : preset ? preset : "";
  std::string lowered;
  if (stage == Stage::kernel)
    lowered = (*module)->getAttrOfType<mlir::StringAttr>("heddle.target").str();
  if (!lowered.empty() && !named.empty() && named != lowered)
    return complain(exitUsage, fmt::format("{}{}: the kernels of {} are those of {}; leave it out, or emit the stage again "
                                           "for {}", wanted.empty() ? "HEDDLE_TARGET=" : "--target=", named, file, lowered,
                                           named));
  try {
    target = findTargetClass(chooseTargetClass(lowered.empty() ? wanted : lowered));
    return exitDone;
  } catch (const RunError &problem) {
    return complain(problem);
  }
}

std::string Compilation::programName() const {
  auto name = (*module)->getAttrOfType<mlir::StringAttr>("heddle.program");
  return name ? name.str() : "program";
}

int Compilation::saveTemp(const std::string &suffix, std::string_view text) const {
  return heddle::saveTemp(pipeline, programName(), suffix, text);
}

int Compilation::advance(mlir::ModuleOp which, Stage to, const TargetInfo &target, RewriteCount &count) {
  std::string program = programName(), said;
  std::set<std::string> remarks;
  CompileObserver observer(pipeline, program);
  PipelineOptions options = pipeline.options();
  options.rewrites = &count;
  options.observer = &observer;
  // What is said is kept for a report, and still said.
  mlir::ScopedDiagnosticHandler keep(&context, [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Remark) {
      std::vector<std::string> lines = newRemark(diagnostic, remarks);
      addComments(which, lines);
      for (const std::string &line : lines)
        if (pipeline.remarks)
          fmt::print(stderr, "{}\n", line);
      return mlir::success();
    }
    if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error)
      return mlir::failure();
    if (said.empty())
      said = diagnostic.str();
    return printProblem(diagnostic);
  });
  try {
    if (mlir::succeeded(runPipeline(which, stage, to, target, options))) {
      tellPassLimit(count);
      if (pipeline.passes)
        fmt::print(stderr, "heddle: stopped behind {}\n", observer.lastPass.empty() ? "no pass" : observer.lastPass);
      return observer.code;
    }
  } catch (const std::exception &error) {
    internalError(error.what()); // here, where it is still known which pass ran
  }
  if (observer.outcome == PassOutcome::refused && !pipeline.from.empty() && !said.empty())
    return textError(file, fmt::format("stage {} cannot be compiled on: {} refuses it", pipeline.from, observer.failedPass),
                     "the error above says what the text must hold");
  if (observer.outcome == PassOutcome::tooLarge) {
    fmt::print(stderr, "  help: make its dims smaller, or fewer iterations where a loop keeps it\n");
    return exitProgramErrors;
  }
  internalError(fmt::format("pass {} {}{}", observer.failedPass,
                            observer.outcome == PassOutcome::refused ? "failed" : "left an invalid program",
                            said.empty() ? "" : ": " + said));
}

// Where a pass limit stopped, for whoever bisects.
void Compilation::tellPassLimit(const RewriteCount &count) const {
  if (!pipeline.passLimit)
    return;
  if (!count.stopped)
    fmt::print(stderr, "heddle: pass limit {}: all {} optional rewrites were done\n", *pipeline.passLimit, count.done);
  else
    fmt::print(stderr, "heddle: pass limit {}: the last rewrite was {}\n", *pipeline.passLimit,
               count.last.empty() ? "none" : count.last);
}

int Compilation::lowerTo(Stage to, const TargetInfo &target) {
  int code = to == stage ? exitDone : advance(*module, to, target, rewrites);
  stage = to;
  return code;
}

mlir::OwningOpRef<mlir::ModuleOp> Compilation::kernelsFor(const TargetInfo &target, int &code) {
  return copyAt(Stage::kernel, target, code);
}

mlir::OwningOpRef<mlir::ModuleOp> Compilation::copyAt(Stage to, const TargetInfo &target, int &code) {
  mlir::OwningOpRef<mlir::ModuleOp> copy = module->clone();
  RewriteCount count = rewrites;
  if (pipeline.passes) {
    code = complain(exitUsage, "--passes stops between stages: what is there can be printed or interpreted, not run");
    return {};
  }
  code = stage == to ? exitDone : advance(*copy, to, target, count);
  return code == exitDone ? std::move(copy) : mlir::OwningOpRef<mlir::ModuleOp>();
}

void Compilation::release() {
  module = {}; // the sources stay: a report of an internal error holds their text
  malloc_trim(0); // the compiler's free pages, which would otherwise stay in the process
}

std::string Compilation::sourceLine(const std::string &name, unsigned line) const {
  const Source *source = parsed.sources.find(name);
  return source && line >= 1 && line <= source->lineCount() ? std::string(source->line(line)) : "";
}

} // namespace heddle
