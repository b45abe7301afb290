// heddle train | eval | sample | predict | bench FILE: compiles a program and runs it. The runtime does the work and knows the options
// (runtime/Options.h): a native program has the same ones.
#include "tools/heddle/Compilation.h"
#include "tools/heddle/CompileTime.h"
#include "tools/heddle/Door.h"
#include "tools/heddle/FitMemory.h"
#include "tools/heddle/InternalError.h"
#include "tools/heddle/SubCommand.h"

#include "runtime/Commands.h"
#include "runtime/DataSource.h"
#include "runtime/Options.h"
#include "runtime/RunConfig.h"
#include "runtime/RunError.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

namespace heddle {
namespace {

struct Options {
  Compilation compilation;
  RunOptions run;
  bool jit = false, aot = false;
};

// The data, for the report of a crash. What is wrong with them, the runtime says.
void noteData(const Compilation &compilation, const std::string &given) {
  RunConfig config = RunConfig::parse((*compilation.module)->getAttrOfType<mlir::StringAttr>("heddle.config").str().c_str());
  try {
    for (const std::string &file : dataFiles(config, given))
      noteFile(file);
  } catch (const RunError &) {
  }
}

// Code for what the command never runs would only delay its first step.
void dropUnusedEntries(Compilation &compilation, Command command) {
  if (command == Command::kBench) {
    for (const char *entry : {"eval", "report", "sample", "predict"})
      if (mlir::Operation *op = compilation.module->lookupSymbol(entry))
        op->erase();
    return;
  }
  RunConfig config = RunConfig::parse((*compilation.module)->getAttrOfType<mlir::StringAttr>("heddle.config").str().c_str());
  for (const char *entry : {"sample", "predict"})
    if (mlir::Operation *op = compilation.module->lookupSymbol(entry); op && !(config.samples() && entry == std::string_view("sample")))
      op->erase();
}

int run(Options &options) {
  if (options.jit && options.aot)
    return complain(exitUsage, "--jit and --aot exclude each other");
  Compilation &compilation = options.compilation;
  for (const std::string &pair : compilation.flags.set)
    if ((options.run.steps && pair.starts_with("steps=")) || (options.run.seed && pair.starts_with("seed=")))
      return complain(exitUsage, fmt::format("--set {} and --{} exclude each other", pair, pair.substr(0, pair.find('='))));
  options.run.data = compilation.flags.data;
  CompileTime time(compilation.pipeline.time);
  if (int code = compilation.buildTrain(); code != exitDone)
    return code;
  noteData(compilation, compilation.flags.data);
  bool trains = options.run.command == Command::kTrain || options.run.command == Command::kBench;
  if (trains && compilation.pipeline.from.empty())
    dropUnusedEntries(compilation, options.run.command);
  const TargetInfo *target = nullptr;
  int code = compilation.chooseTarget(options.run.target, target);
  if (code != exitDone)
    return code;
  if (code = fitMemory(compilation, *target, threadCount(options.run)); code != exitDone)
    return code;
  bool counts = options.run.command == Command::kBench && options.run.dryRun;
  auto loaded = counts        ? loadPlan(compilation, *target, code)
                : options.aot ? loadByCpp(compilation, *target, code)
                              : loadByJit(compilation, *target, code);
  if (loaded)
    code = time.finish();
  if (code == exitDone) {
    compilation.release();
    code = runCommand(loaded->program(), options.run);
  }
  if (code == exitInternal)
    internalError("the runtime ended so: its message stands above");
  return code;
}

SubCommand addRuntimeCommand(CLI::App &root, Command command, const std::string &name, const std::string &purpose) {
  auto options = std::make_shared<Options>();
  options->run.command = command;
  CLI::App *app = root.add_subcommand(name, purpose);
  app->add_option("FILE", options->compilation.file, "a .heddle file; - is stdin")->required();
  app->add_option("--train", options->compilation.block, "the train block, where the file has several");
  addSettingFlags(*app, options->compilation.flags);
  addPipelineFlags(*app, options->compilation.pipeline);
  if (command == Command::kTrain || command == Command::kBench)
    addMemoryFlag(*app, options->compilation.pipeline);
  app->add_flag("--jit", options->jit, "compile in memory, with LLVM (what happens by default)");
  app->add_flag("--aot", options->aot, "compile the emitted C++ with the system's compiler");
  for (const OptionSpec &spec : runOptionSpecs(command, options->run)) {
    if (spec.name == "--data")
      continue; // among the settings: the vocabulary depends on it
    std::string names = spec.alias.empty() ? spec.name : spec.alias + "," + spec.name;
    if (spec.value.empty())
      app->add_flag_callback(names, [set = spec.set] { set(""); }, spec.help);
    else
      app->add_option_function<std::string>(names, spec.set, spec.help)->type_name(spec.value);
  }
  return {app, [options] {
            try {
              return run(*options);
            } catch (const RunError &problem) {
              return complain(problem);
            }
          }};
}

} // namespace

SubCommand addTrainCommand(CLI::App &root) {
  return addRuntimeCommand(root, Command::kTrain, "train", "train a program");
}
SubCommand addEvalCommand(CLI::App &root) {
  return addRuntimeCommand(root, Command::kEval, "eval", "the losses of a trained program on held-out data");
}
SubCommand addSampleCommand(CLI::App &root) {
  return addRuntimeCommand(root, Command::kSample, "sample", "text from a trained language model");
}
SubCommand addPredictCommand(CLI::App &root) {
  return addRuntimeCommand(root, Command::kPredict, "predict", "the classes of records, as a trained classifier tells them");
}

SubCommand addBenchCommand(CLI::App &root) {
  return addRuntimeCommand(root, Command::kBench, "bench", "where the time of a training step goes, kernel by kernel");
}

} // namespace heddle
