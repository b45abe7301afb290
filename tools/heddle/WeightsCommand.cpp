// heddle import | export FILE ... --table TABLE: weights of other programs, both ways (docs/weights.md). The runtime maps
// them; here stands which program they are of, and where they go.
#include "tools/heddle/Compilation.h"
#include "tools/heddle/Door.h"
#include "tools/heddle/InternalError.h"
#include "tools/heddle/ProgramWeights.h"
#include "tools/heddle/SubCommand.h"

#include "runtime/Checkpoint.h"
#include "runtime/DataSource.h"
#include "runtime/MapWeights.h"
#include "runtime/RunConfig.h"
#include "runtime/RunDirectory.h"
#include "runtime/RunError.h"
#include "runtime/StartFrom.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <new>

namespace heddle {
namespace {

struct Options {
  Compilation compilation;
  std::string module, weights, table, out, dtype = "F32";
  bool force = false, initial = false;
};

void say(const std::string &text) { fmt::print(stderr, "heddle: {}\n", text); }

// The graph of the train block, or of the module alone.
int build(Options &options) {
  Compilation &compilation = options.compilation;
  return options.module.empty() ? compilation.buildTrain() : compilation.buildRun(options.module, {});
}

RunConfig configOf(const Compilation &compilation) {
  return RunConfig::parse((*compilation.module)->getAttrOfType<mlir::StringAttr>("heddle.config").str().c_str());
}

int checkNew(const std::string &path, bool force, const std::vector<std::string> &inputs) {
  if (int code = checkOutput(path, inputs); code != exitDone)
    return code;
  std::error_code ignored;
  if (force || !std::filesystem::exists(path, ignored))
    return exitDone;
  return complain(exitInputOutput, fmt::format("`{}` is there already; --force writes over it", path));
}

void tellImported(const ImportedWeights &imported, const std::string &from, const std::string &to) {
  std::string text = fmt::format("{} tensors of {} are now {}", imported.tensors, from, to);
  for (auto &[dtype, count] : imported.converted)
    text += fmt::format("; {} were {}, {} to F32", count, dtype, dtype == "F64" ? "rounded" : "converted exactly");
  if (!imported.ignored.empty())
    text += fmt::format("; {} ignored", imported.ignored.size());
  say(text);
  for (const std::string &name : imported.initial)
    say(fmt::format("note: {} keeps its initial value", name));
}

// A checkpoint of step 0 remembers the data, and the tokenizer, that the run is to go on with.
CheckpointInfo startOf(const RunConfig &config, const std::string &data) {
  CheckpointInfo info;
  info.seed = config.seed;
  try {
    if (std::unique_ptr<DataSource> source = openDataSource(config, data)) {
      info.data = source->fingerprint();
      if (source->tokenizer())
        info.tokenizer = source->tokenizer()->toJson();
    }
  } catch (const RunError &problem) {
    if (problem.exitCode != kData)
      throw;
    say(fmt::format("note: without the data, the run cannot be trained on by --resume (`from` can): {}", problem.what()));
    if (std::string tokenizer = resolveTokenizer(config.base, config.data.tokenizer); isTokenizerFile(tokenizer))
      info.tokenizer = Tokenizer::load(tokenizer).toJson();
  }
  return info;
}

// Into a run of the train block, with all that training adds to the parameters at its start.
int importRun(Options &options, const WeightTable &table, const WeightFiles &files) {
  Compilation &compilation = options.compilation;
  RunConfig config = configOf(compilation);
  std::string out = options.out.empty() ? "out/" + config.program : options.out;
  std::error_code ignored;
  if (std::filesystem::is_directory(out, ignored) && !findCheckpoints(out).empty())
    throw RunError(kData, fmt::format("{}: holds a run already", out), "give another --out");
  ProgramWeights weights(*compilation.module, nullptr, config.seed);
  ImportedWeights imported = importWeights(table, files, weights.parameters());

  const TargetInfo *target = nullptr;
  if (int code = compilation.chooseTarget("", target); code != exitDone)
    return code;
  int code = exitDone;
  std::unique_ptr<LoadedProgram> loaded = loadByJit(compilation, *target, code);
  if (!loaded)
    return code;
  Session session(loaded->program(), 1, target->name.str());
  session.initialise(config.seed);
  Parameters places(session.program.variables, session.program.variable_count, session.variables.data());
  const std::vector<ParameterTensor> &from = weights.parameters().tensors, &to = places.tensors;
  for (size_t i = 0; i < from.size(); ++i) {
    if (i >= to.size() || from[i].name != to[i].name || from[i].dims != to[i].dims)
      internalError(fmt::format("the compiled program has another parameter than its graph: {}", from[i].name));
    int64_t elements = 1;
    for (auto &[dim, size] : from[i].dims)
      elements *= size;
    std::copy_n(from[i].values, elements, to[i].values);
  }
  RunDirectory directory(out, false);
  saveCheckpoint(directory.checkpointPath(0), session, startOf(config, compilation.flags.data));
  tellImported(imported, options.weights, directory.checkpointPath(0));
  return exitDone;
}

int importWeightsOf(Options &options) {
  Compilation &compilation = options.compilation;
  std::vector<std::string> inputs{compilation.file, options.table, options.weights};
  if (!options.module.empty()) {
    if (options.out.empty())
      return complain(exitUsage, "--module: say by --out which file to write");
    if (int code = checkNew(options.out, options.force, inputs); code != exitDone)
      return code;
  }
  WeightTable table = WeightTable::read(options.table);
  WeightFiles files(options.weights);
  if (int code = build(options); code != exitDone)
    return code;
  if (options.module.empty())
    return importRun(options, table, files);
  ProgramWeights weights(*compilation.module, nullptr, configOf(compilation).seed);
  ImportedWeights imported = importWeights(table, files, weights.parameters());
  weights.write(options.out);
  tellImported(imported, options.weights, options.out);
  return exitDone;
}

// A run of another program must not lose what this one has no parameter for.
void checkProgram(const SafetensorsFile &file, mlir::ModuleOp module) {
  auto found = file.metadata().find("heddle.hash");
  std::string hash = module->getAttrOfType<mlir::StringAttr>("heddle.hash").str();
  if (found != file.metadata().end() && found->second != hash)
    throw RunError(kData, fmt::format("{}: is a checkpoint of a program with hash {}, not {}", file.path(), found->second, hash),
                   "name the train block and the settings that the run was started with; --module NAME takes "
                   "parameters by their names alone");
}

int exportWeightsOf(Options &options) {
  Compilation &compilation = options.compilation;
  if (options.initial != options.weights.empty() && (options.initial || !options.module.empty()))
    return complain(exitUsage, options.initial ? "RUN and --initial exclude each other"
                                               : "--module: say which file of parameters, or --initial");
  std::vector<std::string> inputs{compilation.file, options.table};
  if (!options.weights.empty())
    inputs.push_back(options.weights);
  if (int code = checkNew(options.out, options.force, inputs); code != exitDone)
    return code;
  WeightTable table = WeightTable::read(options.table);
  if (int code = build(options); code != exitDone)
    return code;
  RunConfig config = configOf(compilation);
  std::unique_ptr<SafetensorsFile> file;
  if (!options.initial) {
    file = std::make_unique<SafetensorsFile>(openWeights(options.weights.empty() ? "out/" + config.program : options.weights));
    if (options.module.empty())
      checkProgram(*file, *compilation.module);
  }
  ProgramWeights weights(*compilation.module, file.get(), config.seed);
  ExportedWeights exported = exportWeights(table, weights.parameters(), options.out, options.dtype);
  say(fmt::format("{} tensors of {} are now {}", exported.tensors, file ? file->path() : "the initial values", options.out));
  for (const std::string &name : exported.left)
    say(fmt::format("note: {} is left out, as `init` in the table says", name));
  return exitDone;
}

CLI::App *addFlags(CLI::App &root, Options &options, const std::string &name, const std::string &purpose) {
  CLI::App *app = root.add_subcommand(name, purpose);
  app->add_option("FILE", options.compilation.file, "a .heddle file; - is stdin")->required();
  app->add_option("--table", options.table, "which tensor is which parameter: docs/weights.md")->required();
  app->add_option("--train", options.compilation.block, "the train block, where the file has several");
  app->add_option("--module", options.module, "a module alone, as `heddle run` builds it, instead of a train block");
  addSettingFlags(*app, options.compilation.flags);
  app->add_flag("--force", options.force, "write over a file that is there");
  return app;
}

std::function<int()> runner(std::shared_ptr<Options> options, int (*run)(Options &)) {
  return [=] {
    try {
      if (!options->module.empty() && !options->compilation.block.empty())
        return complain(exitUsage, "--module and --train exclude each other");
      return run(*options);
    } catch (const RunError &problem) {
      return complain(problem);
    } catch (const std::bad_alloc &) {
      return complain(exitInputOutput, "out of memory");
    }
  };
}

} // namespace

SubCommand addImportCommand(CLI::App &root) {
  auto options = std::make_shared<Options>();
  CLI::App *app = addFlags(root, *options, "import", "weights of a safetensors file as a run of this program");
  app->add_option("WEIGHTS", options->weights, "model.safetensors, or model.safetensors.index.json")->required();
  app->add_option("--out", options->out, "the run's directory (out/NAME); with --module the file to write");
  return {app, runner(options, importWeightsOf)};
}

SubCommand addExportCommand(CLI::App &root) {
  auto options = std::make_shared<Options>();
  CLI::App *app = addFlags(root, *options, "export", "the weights of a run as other programs name them");
  app->add_option("RUN", options->weights, "a run's directory (out/NAME), a checkpoint, or a file of parameters");
  app->add_option("--out", options->out, "the safetensors file to write")->required();
  app->add_flag("--initial", options->initial, "initial values, from the seed, instead of a run");
  app->add_option("--dtype", options->dtype, "F32 (by default), F16 or BF16")->check(CLI::IsMember({"F32", "F16", "BF16"}));
  return {app, runner(options, exportWeightsOf)};
}

} // namespace heddle
