// heddle check FILE [--json]: is the program right? Prints every error that can be found without running it.
#include "tools/heddle/SubCommand.h"
#include "tools/heddle/ParsedFile.h"
#include "tools/heddle/Settings.h"

#include "frontend/BuildGraph.h"

#include <memory>

namespace heddle {
namespace {

struct Options {
  std::string file;
  bool json = false;
  std::vector<std::string> use;
};

int run(const Options &options) {
  ParsedFile parsed;
  int code = parseFile(options.file, options.use, parsed);
  if (code == exitInputOutput)
    return code;
  if (code == exitDone) {
    checkFile(*parsed.file, parsed.diagnostics);
    code = parsed.diagnostics.hasErrors() ? exitProgramErrors : exitDone;
  }
  if (options.json) {
    int written = writeOutput("", renderJson(parsed.diagnostics));
    return written == exitDone ? code : written;
  }
  printDiagnostics(parsed.diagnostics);
  return code;
}

} // namespace

SubCommand addCheckCommand(CLI::App &root) {
  auto options = std::make_shared<Options>();
  CLI::App *app = root.add_subcommand("check", "find the errors of a program");
  app->add_option("FILE", options->file, "a .heddle file; - is stdin")->required();
  addUseFlag(*app, options->use);
  app->add_flag("--json", options->json, "print the diagnostics as JSON, to stdout");
  return {app, [options] { return run(*options); }};
}

} // namespace heddle
