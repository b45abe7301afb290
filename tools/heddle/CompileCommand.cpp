// heddle compile FILE [--emit=STAGE] [-o OUT]: the program at a stage of its way down.
#include "tools/heddle/SubCommand.h"
#include "tools/heddle/ParsedFile.h"
#include "tools/heddle/Settings.h"

#include "frontend/BuildGraph.h"
#include "frontend/DidYouMean.h"
#include "frontend/PrintAst.h"

#include "mlir/IR/Verifier.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>

namespace heddle {
namespace {

struct Options {
  std::string file;
  std::string emit = "ast";
  std::string output;
  std::string train;
  SettingFlags settings;
};

const std::vector<std::string> stages = {"ast", "graph"};

/// The graph of the train block, as MLIR prints it.
int emitGraph(const Options &options, ParsedFile &parsed) {
  BuildSettings settings;
  if (int code = readSettings(options.settings, options.file, settings))
    return code;
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  auto graph = buildTrain(*parsed.file, options.train, parsed.diagnostics, context, settings);
  printDiagnostics(parsed.diagnostics);
  if (!graph)
    return exitProgramErrors;
  if (mlir::failed(mlir::verify(*graph)))
    return complain(exitInternal, "the graph is malformed: this is a bug in Heddle");
  std::string text;
  llvm::raw_string_ostream stream(text);
  graph->print(stream);
  return writeOutput(options.output, text + "\n");
}

int run(const Options &options) {
  if (std::find(stages.begin(), stages.end(), options.emit) == stages.end()) {
    std::string guess = didYouMean(options.emit, stages);
    return complain(exitUsage, fmt::format("there is no stage `{}`; {}", options.emit,
                                           guess.empty() ? fmt::format("there are: {}", fmt::join(stages, ", "))
                                                         : guess));
  }
  ParsedFile parsed;
  int code = parseFile(options.file, parsed);
  if (code == exitInputOutput)
    return code;
  if (code == exitDone && options.emit == "graph")
    return emitGraph(options, parsed);
  printDiagnostics(parsed.diagnostics);
  if (code != exitDone)
    return code;
  return writeOutput(options.output, printAst(*parsed.file));
}

} // namespace

SubCommand addCompileCommand(CLI::App &root) {
  auto options = std::make_shared<Options>();
  CLI::App *app = root.add_subcommand("compile", "compile a program, or print it at a stage of compilation");
  app->add_option("FILE", options->file, "a .heddle file; - is stdin")->required();
  app->add_option("--emit", options->emit, fmt::format("the stage: {}", fmt::join(stages, ", ")));
  app->add_option("-o", options->output, "the file to write; stdout if there is none");
  app->add_option("--train", options->train, "the train block, if the file has several");
  addSettingFlags(*app, options->settings);
  return {app, [options] { return run(*options); }};
}

} // namespace heddle
