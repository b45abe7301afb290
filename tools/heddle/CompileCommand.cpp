// heddle compile FILE [--emit=STAGE] [-o OUT]: the program at a stage of its way down, or a native program.
#include "tools/heddle/Compilation.h"
#include "tools/heddle/Door.h"
#include "tools/heddle/SubCommand.h"

#include "codegen/llvm/Jit.h"
#include "frontend/DidYouMean.h"
#include "frontend/PrintAst.h"
#include "runtime/RunError.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>

namespace heddle {
namespace {

struct Options {
  Compilation compilation;
  std::string emit = "exe", output, target, module;
  bool locations = false;
};

const std::vector<std::string> emissions = {"ast", "graph", "grad", "fused", "plan", "kernel",
                                            "cpp", "llvm",  "asm",  "obj",   "exe"};

int emitAst(Options &options) {
  Compilation &compilation = options.compilation;
  int code = parseFile(compilation.file, compilation.parsed);
  if (code == exitInputOutput)
    return code;
  printDiagnostics(compilation.parsed.diagnostics);
  return code == exitDone ? writeOutput(options.output, printAst(*compilation.parsed.file)) : code;
}

int emitStage(Options &options, Stage stage, const TargetInfo &target) {
  if (stage < options.compilation.stage)
    return complain(exitUsage, fmt::format("--from={} is behind --emit={}", options.compilation.from, options.emit));
  if (int code = options.compilation.lowerTo(stage, target); code != exitDone)
    return code;
  std::string text;
  llvm::raw_string_ostream stream(text);
  mlir::OpPrintingFlags flags;
  flags.enableDebugInfo(options.locations);
  if (options.locations)
    flags.useLocalScope(); // places stand at their ops, not in a list of their own
  options.compilation.module->print(stream, flags);
  return writeOutput(options.output, text + "\n");
}

int emitFromLlvm(Options &options, const TargetInfo &target) {
  mlir::OwningOpRef<mlir::ModuleOp> kernels = options.compilation.kernelsFor(target);
  if (!kernels)
    return exitInternal;
  LlvmOutput output = options.emit == "llvm"  ? LlvmOutput::ir
                      : options.emit == "asm" ? LlvmOutput::assembly
                                              : LlvmOutput::object;
  llvm::Expected<std::string> text = emitLlvm(*kernels, target, output);
  if (!text)
    return complain(exitInternal, fmt::format("internal error: {}", llvm::toString(text.takeError())));
  return writeOutput(options.output, *text);
}

// Output in the way of something is told before anything is compiled.
int checkOutput(const Options &options) {
  if (options.output.empty() || options.output == "-") {
    if (options.emit == "exe" || options.emit == "obj")
      return complain(exitUsage, fmt::format("--emit={} writes a binary file: say which with -o FILE", options.emit));
    return exitDone;
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(options.output, ignored))
    return complain(exitInputOutput, fmt::format("`{}` is a directory", options.output));
  if (std::filesystem::equivalent(options.output, options.compilation.file, ignored))
    return complain(exitUsage, "the output would overwrite the program");
  return exitDone;
}

// What an emitted file calls itself: its own name, if that can stand in an #include of any build system.
std::string emittedName(const std::string &output) {
  std::string name = std::filesystem::path(output).filename().string();
  bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return c < 128 && (std::isalnum(c) || c == '.' || c == '_' || c == '-');
  });
  return plain && name[0] != '-' ? name : "program.cpp";
}

int run(Options &options) {
  if (std::find(emissions.begin(), emissions.end(), options.emit) == emissions.end()) {
    std::string guess = didYouMean(std::string_view(options.emit), emissions);
    return complain(exitUsage, fmt::format("there is no stage `{}`; {}", options.emit,
                                           guess.empty() ? fmt::format("there are: {}", fmt::join(emissions, ", "))
                                                         : guess));
  }
  if (int code = checkOutput(options); code != exitDone)
    return code;
  if (options.emit == "ast")
    return emitAst(options);
  bool allClasses = options.target.empty() && (options.emit == "cpp" || options.emit == "exe");
  const TargetInfo *target = allClasses ? &targetClasses().front() : &chooseTargetInfo(options.target);
  int built = options.module.empty() ? options.compilation.buildTrain()
                                     : options.compilation.buildRun(options.module, {});
  if (built != exitDone)
    return built;
  if (std::optional<Stage> stage = findStage(options.emit))
    return emitStage(options, *stage, *target);
  if (options.emit == "llvm" || options.emit == "asm" || options.emit == "obj")
    return emitFromLlvm(options, *target);
  std::vector<const TargetInfo *> classes;
  for (const TargetInfo &info : targetClasses())
    if (allClasses || &info == target)
      classes.push_back(&info);
  if (options.emit == "exe")
    return buildProgram(options.compilation, classes, options.output);
  std::string text;
  int code = cppOf(options.compilation, classes, text, emittedName(options.output));
  return code == exitDone ? writeOutput(options.output, text) : code;
}

} // namespace

SubCommand addCompileCommand(CLI::App &root) {
  auto options = std::make_shared<Options>();
  CLI::App *app = root.add_subcommand("compile", "compile a program to a native one, or print it at a stage");
  app->add_option("FILE", options->compilation.file, "a .heddle file; - is stdin")->required();
  app->add_option("--emit", options->emit, fmt::format("{} (exe)", fmt::join(emissions, ", ")));
  app->add_option("-o", options->output, "the file to write; stdout if there is none");
  app->add_option("--train", options->compilation.block, "the train block, where the file has several");
  app->add_option("--module", options->module, "a module alone, as `heddle run` builds it, instead of a train block");
  app->add_flag("--locations", options->locations, "print where in the program each op comes from");
  addSettingFlags(*app, options->compilation.flags);
  app->add_option("--from", options->compilation.from, "FILE is the text of a stage: graph, grad, fused or plan");
  app->add_option("--target", options->target,
                  "target class: avx512, avx2 or baseline; without it, C++ and native programs hold all");
  return {app, [options] {
            try {
              return run(*options);
            } catch (const RunError &problem) {
              return complain(problem);
            }
          }};
}

} // namespace heddle
