// heddle compile FILE [--emit=STAGE] [-o OUT]: the program at a stage of its way down, or a native program.
#include "tools/heddle/Compilation.h"
#include "tools/heddle/CompileObserver.h"
#include "tools/heddle/CompileTime.h"
#include "tools/heddle/Door.h"
#include "tools/heddle/FitMemory.h"
#include "tools/heddle/InternalError.h"
#include "tools/heddle/SubCommand.h"

#include "codegen/llvm/Jit.h"
#include "frontend/DidYouMean.h"
#include "frontend/PrintAst.h"
#include "runtime/Options.h"
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
  bool locations = false, grad = false;
};

const std::vector<std::string> emissions = {"ast", "graph", "grad", "fused", "plan", "kernel",
                                            "cpp", "llvm",  "asm",  "obj",   "exe"};

int emitAst(Options &options) {
  Compilation &compilation = options.compilation;
  if (!compilation.pipeline.from.empty())
    return complain(exitUsage, fmt::format("--emit=ast: the syntax tree is behind --from={}", compilation.pipeline.from));
  int code = parseFile(compilation.file, compilation.flags.use, compilation.parsed);
  if (code == exitInputOutput)
    return code;
  printDiagnostics(compilation.parsed.diagnostics);
  return code == exitDone ? writeOutput(options.output, printAst(*compilation.parsed.file)) : code;
}

int emitStage(Options &options, Stage stage, const TargetInfo &target) {
  if (stage < options.compilation.stage)
    return complain(exitUsage, fmt::format("--emit={}: it is behind --from={}", options.emit,
                                           options.compilation.pipeline.from));
  if (int code = options.compilation.lowerTo(stage, target); code != exitDone)
    return code;
  return writeOutput(options.output, stageText(*options.compilation.module, options.locations));
}

int emitFromLlvm(Options &options, const TargetInfo &target) {
  int code = exitDone;
  mlir::OwningOpRef<mlir::ModuleOp> kernels = options.compilation.kernelsFor(target, code);
  if (!kernels)
    return code;
  LlvmOutput output = options.emit == "llvm"  ? LlvmOutput::ir
                      : options.emit == "asm" ? LlvmOutput::assembly
                                              : LlvmOutput::object;
  llvm::Expected<std::string> text = emitLlvm(*kernels, target, output);
  if (!text)
    internalError(llvm::toString(text.takeError()));
  if (int code = saveLlvm(options.compilation, *kernels, target); code != exitDone)
    return code;
  return writeOutput(options.output, *text);
}

// What an emitted file calls itself: its own name, if that can stand in an #include of any build system.
std::string emittedName(const std::string &output) {
  std::string name = std::filesystem::path(output).filename().string();
  bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return c < 128 && (std::isalnum(c) || c == '.' || c == '_' || c == '-');
  });
  return plain && name[0] != '-' ? name : "program.cpp";
}

int emit(Options &options, const TargetInfo &target, bool allClasses) {
  if (std::optional<Stage> stage = findStage(options.emit))
    return emitStage(options, *stage, target);
  if (options.emit == "llvm" || options.emit == "asm" || options.emit == "obj")
    return emitFromLlvm(options, target);
  std::vector<const TargetInfo *> classes;
  for (const TargetInfo &info : targetClasses())
    if (allClasses || &info == &target)
      classes.push_back(&info);
  if (options.emit == "exe")
    return buildProgram(options.compilation, classes, options.output);
  std::string text;
  int code = cppOf(options.compilation, classes, text, emittedName(options.output));
  return code == exitDone ? writeOutput(options.output, text) : code;
}

// Output in the way of something is told before anything is compiled.
int checkDestination(const Options &options) {
  if (options.output.empty() || options.output == "-") {
    if (options.emit == "exe" || options.emit == "obj")
      return complain(exitUsage, fmt::format("--emit={} writes a binary file: say which with -o FILE", options.emit));
    return exitDone;
  }
  return checkOutput(options.output, {options.compilation.file});
}

// Flags that say nothing together: one of them would be ignored.
int checkFlags(const Options &options) {
  const Compilation &compilation = options.compilation;
  bool stage = findStage(options.emit).has_value();
  if (!options.module.empty() && !compilation.block.empty())
    return complain(exitUsage, "--module and --train exclude each other: one or the other is compiled");
  if (!compilation.pipeline.from.empty() && !options.module.empty())
    return complain(exitUsage, "--from and --module exclude each other: a stage is a whole program");
  if (options.locations && !stage)
    return complain(exitUsage, fmt::format("--locations and --emit={} exclude each other: places are printed at the "
                                           "stages graph to kernel", options.emit));
  return exitDone;
}

int run(Options &options) {
  if (std::find(emissions.begin(), emissions.end(), options.emit) == emissions.end()) {
    std::string guess = didYouMean(std::string_view(options.emit), emissions);
    return complain(exitUsage, fmt::format("there is no stage `{}`; {}", options.emit,
                                           guess.empty() ? fmt::format("there are: {}", fmt::join(emissions, ", "))
                                                         : guess));
  }
  if (int code = checkFlags(options); code != exitDone)
    return code;
  if (int code = checkDestination(options); code != exitDone)
    return code;
  if (options.emit == "ast")
    return emitAst(options);
  if (options.grad && options.module.empty())
    return complain(exitUsage, "--grad goes with --module: a train block has its gradients anyway");
  CompileTime time(options.compilation.pipeline.time);
  int built = options.module.empty() ? options.compilation.buildTrain()
                                     : options.compilation.buildRun(options.module, {});
  if (built != exitDone)
    return built;
  if (!options.module.empty() && (options.grad || options.emit != "graph"))
    if (int code = options.compilation.chooseGradients(options.grad); code != exitDone)
      return code;
  bool native = options.emit == "cpp" || options.emit == "exe";
  bool allClasses = options.target.empty() && native && options.compilation.stage != Stage::kernel;
  const TargetInfo *target = &targetClasses().front();
  if (!allClasses)
    if (int code = options.compilation.chooseTarget(options.target, target); code != exitDone)
      return code;
  if (!options.module.empty() && options.compilation.pipeline.memory)
    return complain(exitUsage, "--memory and --module exclude each other: a module alone does not train");
  if (int code = fitMemory(options.compilation, *target, threadCount({})); code != exitDone)
    return code;
  int code = emit(options, *target, allClasses);
  return code == exitDone ? time.finish() : code;
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
  app->add_flag("--grad", options->grad, "with --module: gradients of its scalar loss too");
  addSettingFlags(*app, options->compilation.flags);
  addPipelineFlags(*app, options->compilation.pipeline);
  addMemoryFlag(*app, options->compilation.pipeline);
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
