// heddle run FILE MODULE --in IN --out OUT [--grad]: one evaluation of a module, or of a train block's losses, on tensors
// from a file. This is how anyone checks Heddle against another framework.
#include "tools/heddle/Compilation.h"
#include "tools/heddle/CompileTime.h"
#include "tools/heddle/Door.h"
#include "tools/heddle/InternalError.h"
#include "tools/heddle/RunTensors.h"
#include "tools/heddle/SubCommand.h"

#include "ir/graph/interpreter/Interpreter.h"
#include "runtime/RunError.h"
#include "runtime/Session.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstring>
#include <new>
#include <fmt/format.h>

namespace heddle {
namespace {

struct Options {
  Compilation compilation;
  std::string name, in, params, out, backend = "jit", stage, target, entry = "run";
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

std::vector<Result> resultsOf(mlir::ModuleOp module, const std::string &entry) {
  std::vector<Result> results;
  for (const Port &port : portsOf(module, entry).outputs)
    results.push_back({port.name, port.repeats, {port.type, {}}});
  return results;
}

// The stage that the interpreter runs: grad, or where the text stands; graph has no gradients.
int chooseStage(const Options &options, Stage &stage) {
  const Compilation &compilation = options.compilation;
  stage = std::max(compilation.stage, Stage::grad);
  if (!options.stage.empty()) {
    std::optional<Stage> found = findStage(options.stage);
    if (!found || *found == Stage::kernel)
      return complain(exitUsage, fmt::format("--stage={}: the interpreter runs graph, grad, fused and plan", options.stage));
    if (*found < compilation.stage)
      return complain(exitUsage, fmt::format("--stage={}: it is behind --from={}", options.stage, compilation.pipeline.from));
    if (*found == Stage::graph && options.grad)
      return complain(exitUsage, "--stage=graph has no gradients: leave out --grad, or choose grad, fused or plan");
    stage = *found;
  }
  if (options.backend.starts_with("interp") && stage == Stage::kernel)
    return complain(exitUsage, "--backend=interp: kernels run by jit or aot; the interpreter runs graph, grad, fused and plan");
  return exitDone;
}

// Variables as an entry leaves them, `variable.NAME`: of @run nothing is written.
void addVariables(mlir::ModuleOp module, std::vector<Result> &results) {
  for (VariableOp op : module.getOps<VariableOp>())
    results.push_back({"variable." + op.getSymName().str(), int64_t(op.getRepeats()), {llvm::cast<Tensor>(op.getType()), {}}});
}
const char *variableOf(const Result &result) {
  return result.name.starts_with("variable.") ? result.name.c_str() + 9 : nullptr;
}

void interpretRun(mlir::func::FuncOp entry, const Tensors &inputs, const Tensors &variables, bool rounded,
                  std::vector<Result> &results) {
  std::map<std::string, Array> arrays, state;
  for (auto &[name, tensor] : inputs)
    arrays.emplace(name, toArray(tensor));
  for (auto &[name, tensor] : variables)
    state.emplace(name, toArray(tensor));
  llvm::Expected<Interpretation> done = interpret(entry, arrays, state, {.roundToFloat = rounded});
  if (!done)
    throw RunError(kData, llvm::toString(done.takeError()));
  for (Result &result : results)
    result.tensor = toHost(reordered(variableOf(result) ? done->variables.at(variableOf(result)) : done->results.at(result.name),
                                     result.tensor.type));
}

void execute(const HeddleProgram &program, const Options &options, const Tensors &inputs, const Tensors &variables,
             std::vector<Result> &results) {
  Session session(program, options.threads > 0 ? options.threads : ThreadPool::availableCores(), options.target);
  for (auto &[name, tensor] : variables)
    std::memcpy(session.memory(*session.findVariable(name)), tensor.words.data(), tensor.words.size() * 4);
  const HeddleEntry &entry = session.entry(options.entry);
  for (auto &[name, tensor] : inputs)
    std::memcpy(session.memory(*session.findInput(entry, name)), tensor.words.data(), tensor.words.size() * 4);
  session.run(entry);
  for (Result &result : results) {
    result.tensor.words.resize(result.tensor.type.getNumElements());
    const char *variable = variableOf(result);
    std::memcpy(result.tensor.words.data(), variable ? session.memory(*session.findVariable(variable))
                                                     : session.memory(*session.findOutput(entry, result.name)),
                result.tensor.words.size() * 4);
  }
}

int run(Options &options) {
  bool interprets = options.backend == "interp" || options.backend == "interp-f32";
  if (!interprets && options.backend != "jit" && options.backend != "aot")
    return complain(exitUsage, fmt::format("--backend={}: there are interp, interp-f32, jit and aot", options.backend));
  Compilation &compilation = options.compilation;
  if (options.name.empty() && compilation.pipeline.from.empty() && options.entry == "run")
    return complain(exitUsage, "which module? heddle run FILE MODULE");
  CompileTime time(compilation.pipeline.time);
  noteFile(options.in);
  noteFile(options.params);
  for (const std::string &pair : compilation.flags.set)
    if (pair.starts_with("seed=") && options.seed)
      return complain(exitUsage, fmt::format("--set {} and --seed exclude each other", pair));
  std::vector<std::string> files{compilation.file, options.in};
  if (!options.params.empty())
    files.push_back(options.params);
  if (int code = checkOutput(options.out, files); code != exitDone)
    return code;
  SafetensorsFile in(options.in);
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const SafetensorsEntry &tensor : in.tensors())
    shapes[tensor.name] = tensor.shape;
  bool isRun = options.entry == "run";
  int built = isRun ? compilation.buildRun(options.name, shapes) : compilation.buildEntry(options.name, options.entry);
  if (built != exitDone)
    return built;
  if (options.grad && !isRun)
    return complain(exitUsage, "--grad goes with a module: @train has its gradients anyway");
  if (int code = isRun ? compilation.chooseGradients(options.grad) : exitDone; code != exitDone)
    return code;
  const TargetInfo *target = nullptr;
  if (int code = compilation.chooseTarget(options.target, target); code != exitDone)
    return code;
  Stage stage;
  if (int code = chooseStage(options, stage); code != exitDone)
    return code;
  if (int code = compilation.lowerTo(stage, *target); code != exitDone)
    return code;
  Tensors inputs = readInputs(*compilation.module, options.entry, in, options.seed);
  std::unique_ptr<SafetensorsFile> params;
  if (!options.params.empty())
    params = std::make_unique<SafetensorsFile>(options.params);
  Tensors variables = readVariables(*compilation.module, params.get(), options.seed);
  std::vector<Result> results = resultsOf(*compilation.module, options.entry);
  if (!isRun)
    addVariables(*compilation.module, results);
  if (interprets) {
    if (int code = time.finish(); code != exitDone)
      return code;
    interpretRun(compilation.module->lookupSymbol<mlir::func::FuncOp>(options.entry), inputs, variables,
                 options.backend == "interp-f32", results);
  } else {
    int code = exitDone;
    auto loaded = options.backend == "jit" ? loadByJit(compilation, *target, code) : loadByCpp(compilation, *target, code);
    if (loaded)
      code = time.finish();
    if (code != exitDone)
      return code;
    options.target = target->name.str();
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
  app->add_option("MODULE", options->name, "a module, or a train block for its losses; --from has it in its text");
  app->add_option("--in", options->in, "safetensors: the inputs, by the names of the module's arguments")->required();
  app->add_option("--out", options->out, "safetensors: the results, `out` or `out.0`, `out.1`, ...")->required();
  app->add_option("--params", options->params, "safetensors: the parameters, and states, as a checkpoint has them; "
                                               "without it, initial values from the seed");
  app->add_flag("--grad", options->grad, "also grad.NAME for every parameter and float input of a scalar loss");
  addSettingFlags(*app, options->compilation.flags);
  addPipelineFlags(*app, options->compilation.pipeline);
  app->add_option("--seed", options->seed, "of initial values (0)");
  app->add_option("--backend", options->backend, "interp (in double precision), interp-f32 (every op rounded), jit (by default) or aot");
  app->add_option("--entry", options->entry, "train, eval or sample: an entry of the train block MODULE, once, with the variables after it");
  app->add_option("--stage", options->stage, "the stage that interp runs: graph, grad (by default), fused or plan");
  app->add_option("--target", options->target, "target class: avx512, avx2 or baseline");
  app->add_option("-j", options->threads, "threads");
  return {app, [options] {
            try {
              return run(*options);
            } catch (const RunError &problem) {
              return complain(problem);
            } catch (const std::bad_alloc &) {
              return complain(exitInputOutput, "out of memory");
            }
          }};
}

} // namespace heddle
