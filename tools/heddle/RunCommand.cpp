// heddle run FILE MODULE --in IN --out OUT [--grad]: one evaluation of a module, or of a train block's losses, on tensors
// from a file. This is how anyone checks Heddle against another framework.
#include "tools/heddle/Compilation.h"
#include "tools/heddle/Door.h"
#include "tools/heddle/RunTensors.h"
#include "tools/heddle/SubCommand.h"

#include "ir/graph/interpreter/Interpreter.h"
#include "runtime/RunError.h"
#include "runtime/Session.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstring>
#include <fmt/format.h>

namespace heddle {
namespace {

struct Options {
  Compilation compilation;
  std::string name, in, params, out, backend = "jit", stage = "grad", target;
  bool grad = false;
  uint64_t seed = 0;
  int threads = 0;
};

using Tensors = std::map<std::string, HostTensor>;

struct Result {
  std::string name;
  int64_t repeats;
  HostTensor tensor;
};

std::vector<Result> resultsOf(mlir::func::FuncOp entry) {
  std::vector<Result> results;
  for (unsigned i = 0; i < entry.getNumResults(); ++i) {
    auto repeats = entry.getResultAttrOfType<mlir::IntegerAttr>(i, kRepeatsAttr);
    results.push_back({entry.getResultAttrOfType<mlir::StringAttr>(i, kNameAttr).str(), repeats ? repeats.getInt() : 0,
                       {llvm::cast<Tensor>(entry.getResultTypes()[i]), {}}});
  }
  return results;
}

void interpretRun(mlir::func::FuncOp entry, const Tensors &inputs, const Tensors &variables,
                  std::vector<Result> &results) {
  std::map<std::string, Array> arrays, state;
  for (auto &[name, tensor] : inputs)
    arrays.emplace(name, toArray(tensor));
  for (auto &[name, tensor] : variables)
    state.emplace(name, toArray(tensor));
  llvm::Expected<Interpretation> done = interpret(entry, arrays, state);
  if (!done)
    throw RunError(kData, llvm::toString(done.takeError()));
  for (Result &result : results)
    result.tensor = toHost(reordered(done->results.at(result.name), result.tensor.type));
}

void execute(const HeddleProgram &program, const Options &options, const Tensors &inputs, const Tensors &variables,
             std::vector<Result> &results) {
  Session session(program, options.threads > 0 ? options.threads : ThreadPool::availableCores(), options.target);
  for (auto &[name, tensor] : variables)
    std::memcpy(session.memory(*session.findVariable(name)), tensor.words.data(), tensor.words.size() * 4);
  const HeddleEntry &entry = session.entry("run");
  for (auto &[name, tensor] : inputs)
    std::memcpy(session.memory(*session.findInput(entry, name)), tensor.words.data(), tensor.words.size() * 4);
  session.run(entry);
  for (Result &result : results) {
    result.tensor.words.resize(result.tensor.type.getNumElements());
    std::memcpy(result.tensor.words.data(), session.memory(*session.findOutput(entry, result.name)),
                result.tensor.words.size() * 4);
  }
}

int run(Options &options) {
  if (options.backend != "interp" && options.backend != "jit" && options.backend != "aot")
    return complain(exitUsage, fmt::format("--backend={}: there are interp, jit and aot", options.backend));
  Compilation &compilation = options.compilation;
  SafetensorsFile in(options.in);
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const SafetensorsEntry &tensor : in.tensors())
    shapes[tensor.name] = tensor.shape;
  if (int code = compilation.buildRun(options.name, shapes); code != exitDone)
    return code;
  auto entry = compilation.module->lookupSymbol<mlir::func::FuncOp>("run");
  if (options.grad) {
    if (!entry->hasAttr("heddle.minimise"))
      return complain(exitProgramErrors, fmt::format("--grad needs a scalar loss, and `{}` has none", options.name));
    entry->setAttr("heddle.input_gradients", mlir::UnitAttr::get(&compilation.context));
  } else {
    entry->removeAttr("heddle.minimise");
  }
  const TargetInfo *target = &chooseTargetInfo(options.target);
  std::optional<Stage> stage = findStage(options.stage);
  if (!stage || *stage == Stage::graph || *stage == Stage::kernel)
    return complain(exitUsage, fmt::format("--stage={}: the interpreter runs grad, fused and plan", options.stage));
  if (int code = compilation.lowerTo(*stage, *target); code != exitDone)
    return code;
  entry = compilation.module->lookupSymbol<mlir::func::FuncOp>("run");
  Tensors inputs = readInputs(entry, in);
  std::unique_ptr<SafetensorsFile> params;
  if (!options.params.empty())
    params = std::make_unique<SafetensorsFile>(options.params);
  Tensors variables = readVariables(*compilation.module, params.get(), options.seed);
  std::vector<Result> results = resultsOf(entry);
  if (options.backend == "interp") {
    interpretRun(entry, inputs, variables, results);
  } else {
    int code = exitInternal;
    auto loaded = options.backend == "jit" ? loadByJit(compilation, *target) : loadByCpp(compilation, *target, code);
    if (!loaded)
      return code;
    execute(loaded->program(), options, inputs, variables, results);
  }
  SafetensorsWriter writer;
  for (const Result &result : results)
    addResult(writer, result.name, result.repeats, result.tensor);
  writer.write(options.out);
  return exitDone;
}

} // namespace

SubCommand addRunCommand(CLI::App &root) {
  auto options = std::make_shared<Options>();
  CLI::App *app = root.add_subcommand("run", "run a module once, on tensors from a file");
  app->add_option("FILE", options->compilation.file, "a .heddle file; - is stdin")->required();
  app->add_option("MODULE", options->name, "a module, or a train block for its losses")->required();
  app->add_option("--in", options->in, "safetensors: the inputs, by the names of the module's arguments")->required();
  app->add_option("--out", options->out, "safetensors: the results, `out` or `out.0`, `out.1`, ...")->required();
  app->add_option("--params", options->params, "safetensors: the parameters, as a checkpoint has them; without it, "
                                               "initial values from the seed");
  app->add_flag("--grad", options->grad, "also grad.NAME for every parameter and float input of a scalar loss");
  addSettingFlags(*app, options->compilation.flags);
  app->add_option("--seed", options->seed, "of initial values (0)");
  app->add_option("--backend", options->backend, "interp (in double precision), jit or aot");
  app->add_option("--stage", options->stage, "the stage that interp runs: grad, fused or plan");
  app->add_option("--target", options->target, "target class: avx512, avx2 or baseline");
  app->add_option("-j", options->threads, "threads");
  return {app, [options] {
            try {
              return run(*options);
            } catch (const RunError &problem) {
              return complain(problem);
            }
          }};
}

} // namespace heddle
