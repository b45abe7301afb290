// A run directory in any state, resumed. The bytes are a small archive (Archive.h): its entries become the files of a
// directory, which a tiny program then resumes from, evaluates and samples. Whatever stands there:
// - the run succeeds, or throws RunError of the exit codes 2, 3 and 4;
// - nothing but the directory's own files is changed, and no checkpoint that could be loaded before is lost;
// - after a success the metrics hold each step once, in order, up to the last, and the next --resume finds the last step.
#include "Archive.h"
#include "Budget.h"

#include "runtime/Commands.h"
#include "runtime/InputFile.h"
#include "runtime/Resume.h"
#include "runtime/RunDirectory.h"
#include "runtime/RunError.h"
#include "runtime/TrainLoop.h"
#include "tests/runtime/TempDir.h"
#include "tests/runtime/TinyProgram.h"

#include <cstring>
#include <filesystem>

using namespace heddle;
using namespace heddle::fuzz;
namespace fs = std::filesystem;

namespace {

// In memory where the machine has such a place: saving calls fsync.
std::string workplace() {
  std::error_code ignored;
  fs::path base = fs::is_directory("/dev/shm", ignored) ? "/dev/shm" : fs::temp_directory_path();
  std::string name = (base / "heddle-fuzz-XXXXXX").string();
  if (!mkdtemp(name.data()))
    std::_Exit(1);
  return name;
}

struct Workplace {
  std::string path = workplace();
  ~Workplace() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

const char *config() {
  static const Workplace corpus;
  static const std::string text = [] {
    writeFile(corpus.path + "/corpus.txt", archiveCorpus());
    return R"({"program": "tiny", "base": ")" + corpus.path + R"(", "steps": 6, "seed": 7, "minimise": "lm",
      "data": {"kind": "text", "path": "corpus.txt", "tokenizer": "char", "split": 0.8},
      "every": [{"n": 2, "do": "save"}, {"n": 3, "do": "eval", "loss": "lm", "batches": 1}]})";
  }();
  return text.c_str();
}

template <typename Action> bool succeeds(const char *what, Action action) {
  try {
    action();
    return true;
  } catch (const RunError &error) {
    if (error.exitCode != kUsage && error.exitCode != kData && error.exitCode != kStopped)
      finding(std::string(what) + ": " + error.text());
    return false;
  }
}

// The step that another --resume would go on from, or -1.
int64_t newestStep(const std::string &path, const HeddleProgram &program) {
  Session session(program, 1);
  int64_t step = -1;
  succeeds("load", [&] { step = loadNewest(path, session, LoadPart::kEverything, [](auto &) {}).info.step; });
  return step;
}

void checkMetrics(const std::string &directory) {
  std::string text = InputFile(directory + "/metrics.jsonl").readAll(); // throws if it is a FIFO
  int64_t before = -1;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == std::string::npos)
      finding("metrics.jsonl ends within a line");
    long long step = -1;
    if (std::sscanf(text.c_str() + at, "{\"step\":%lld", &step) != 1 || step <= before)
      finding("metrics.jsonl: step " + std::to_string(step) + " stands behind " + std::to_string(before));
    before = step, at = end + 1;
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Budget budget;
  static const HeddleProgram program = tiny::make(config());
  Workplace place;
  std::string run = place.path + "/run", outside = place.path + "/outside";
  writeFile(outside, "not of the run");
  unpack({reinterpret_cast<const char *>(data), size}, run);

  RunOptions options;
  options.out = options.checkpoint = run, options.threads = 1, options.resume = true;
  std::vector<CheckpointFile> before;
  succeeds("list", [&] { before = findCheckpoints(run); });
  bool done = succeeds("resume", [&] { train(program, options); });
  if (done) {
    checkMetrics(run);
    if (int64_t step = newestStep(run, program); step < 6)
      finding("a run ended well, but another --resume would go on from step " + std::to_string(step));
  }
  for (const CheckpointFile &file : before)
    if (!fs::exists(fs::symlink_status(file.path)))
      finding(file.path + " is gone");
  if (readFile(outside) != "not of the run")
    finding("a file outside of the run was written");
  succeeds("evaluate", [&] {
    options.command = Command::kEval, options.resume = false;
    if (int code = runCommand(program, options); code != kDone && code != kUsage && code != kData)
      finding("eval ends with " + std::to_string(code));
  });
  succeeds("sample", [&] {
    options.command = Command::kSample, options.sample.tokens = 8;
    if (int code = runCommand(program, options); code != kDone && code != kUsage && code != kData)
      finding("sample ends with " + std::to_string(code));
  });
  // Without --resume nothing is started over a run.
  if (!before.empty() && succeeds("start", [&] {
        options.command = Command::kTrain;
        train(program, options);
      }))
    finding("a run was started over another");
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  return mutateArchive(data, size, maxSize, seed);
}
