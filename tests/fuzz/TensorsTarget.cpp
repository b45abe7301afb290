// A safetensors file wherever Heddle takes one: every tensor read as every type, a checkpoint to be loaded, weights to
// start from, batches of data, and the inputs of `heddle run`. Whatever the bytes, each of them succeeds or throws
// RunError(kData): nothing else may come out.
#include "Budget.h"
#include "CheckpointBytes.h"
#include "MemoryFile.h"

#include "frontend/BuildGraph.h"
#include "frontend/Parser.h"
#include "runtime/Checkpoint.h"
#include "runtime/DataSource.h"
#include "runtime/RunConfig.h"
#include "runtime/RunError.h"
#include "runtime/Safetensors.h"
#include "runtime/StartFrom.h"
#include "tests/runtime/TinyProgram.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"

#include <cstring>
#include <memory>

using namespace heddle;
using namespace heddle::fuzz;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

namespace {

// True if `action` succeeds; a finding if it fails in another way than by the data.
template <typename Action> bool succeeds(const char *what, Action action) {
  try {
    action();
    return true;
  } catch (const RunError &error) {
    if (error.exitCode != kData)
      finding(std::string(what) + ": " + error.text());
    return false;
  }
}

Session &session() {
  static HeddleProgram program = tiny::make("{}");
  static Session session(program, 1);
  return session;
}

void readAll(const SafetensorsFile &file) {
  for (const SafetensorsEntry &tensor : file.tensors()) {
    std::vector<uint32_t> words(size_t(tensor.elements()));
    for (int32_t type : {HEDDLE_F32, HEDDLE_I32, HEDDLE_BOOL})
      succeeds("read", [&] { file.read(tensor, type, words.data()); });
    file.find(tensor.name);
  }
}

void feed(const std::string &path) {
  RunConfig config;
  config.data = {"tensors", path, "", 1};
  config.ranges = {{"data.ids", tiny::V}, {"data.next", tiny::V}};
  const HeddleEntry &entry = session().entry("train");
  std::unique_ptr<DataSource> source = openDataSource(config, path);
  source->check(session(), entry, false);
  source->fingerprint();
  for (int64_t step : {1, 2, 2147483647})
    succeeds("batch", [&] { source->fillTraining(session(), entry, 7, step, 0); });
  succeeds("batch", [&] { source->fillEvaluation(session(), entry, 3, 5); });
}

// `heddle run` takes the sizes of open dims from the file.
void buildFor(const SafetensorsFile &file) {
  static const Source source("run.heddle", "dim T, D = 4\n"
                                           "module Net(x: f32[.., T], ids: i32[T], dim O = 3) -> f32[.., T, D] {\n"
                                           "  param w: f32[T,D] ~ normal(0.1)\n"
                                           "  param table: f32[O,D] ~ zeros\n"
                                           "  return x[+D] * w[T = 0] + table[O = clamp(ids, 0, 2)]\n"
                                           "}\n");
  static Diagnostics none;
  static const auto program = parse(source, none);
  InputShapes shapes;
  for (const SafetensorsEntry &tensor : file.tensors())
    shapes[tensor.name] = tensor.shape;
  if (!shapes.count("x") && !shapes.count("ids"))
    return;
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  Diagnostics diagnostics;
  auto graph = buildRun(*program, "Net", shapes, diagnostics, context, {});
  if (!graph != diagnostics.hasErrors())
    finding("a graph and errors, or neither:\n" + renderText(diagnostics, false));
  if (!none.shown().empty())
    finding("the module of this target is wrong");
  if (graph && mlir::failed(mlir::verify(*graph)))
    finding("the graph does not verify");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Budget budget;
  MemoryFile bytes(data, size);
  bool good = succeeds("open", [&] {
    SafetensorsFile file(bytes.path);
    readAll(file);
    buildFor(file);
  });
  // All three open the file again, as their commands do.
  bool loaded = succeeds("checkpoint", [&] { loadCheckpoint(bytes.path, session(), LoadPart::kEverything); });
  bool started = succeeds("weights", [&] { startFrom(bytes.path, session()); });
  succeeds("batches", [&] { feed(bytes.path); });
  if ((loaded || started) && !good)
    finding("a file that cannot be opened was loaded");
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, maxSize);
  if (seed % 3 == 0)
    return size;
  std::string bytes(reinterpret_cast<char *>(data), size);
  repairCheckpoint(bytes);
  std::memcpy(data, bytes.data(), size);
  return size;
}
