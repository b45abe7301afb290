// make-seeds DIR: the seeds that only the runtime can write, checkpoints and run directories of the tiny program.
// (The texts come from the tests and examples: see `seeds`.)
#include "Archive.h"

#include "runtime/TrainLoop.h"
#include "tests/runtime/TempDir.h"
#include "tests/runtime/TinyProgram.h"

#include <cstdio>
#include <set>

using namespace heddle;
using namespace heddle::fuzz;

int main(int, char **argv) {
  std::string out = argv[1];
  for (const char *target : {"/tensors", "/rundir"})
    std::filesystem::create_directories(out + target);
  TempDir dir;
  writeFile(dir / "corpus.txt", archiveCorpus());
  HeddleProgram program = tiny::make(R"({"program": "tiny", "base": ")" + dir.path + R"(", "steps": 6, "seed": 7,
    "data": {"kind": "text", "path": "corpus.txt", "tokenizer": "char", "split": 0.8},
    "every": [{"n": 2, "do": "save"}]})");
  RunOptions options;
  options.out = dir / "run", options.threads = 1, options.steps = 4;
  train(program, options);
  std::string two = readFile(dir / "run/step-2.safetensors"), four = readFile(dir / "run/step-4.safetensors");
  std::string metrics = readFile(dir / "run/metrics.jsonl");
  writeFile(out + "/tensors/checkpoint", four);
  std::vector<ArchiveEntry> whole = {{'f', "step-2.safetensors", two}, {'f', "step-4.safetensors", four},
                                     {'f', "metrics.jsonl", metrics}, {'f', ".lock", ""}};
  auto put = [&](const char *name, const std::vector<ArchiveEntry> &entries) {
    writeFile(out + "/rundir/" + name, writeArchive(entries));
  };
  put("whole", whole);
  put("one", {whole[0], whole[2]});
  put("torn", {{'f', "step-4.safetensors", four.substr(0, four.size() / 2)}, whole[0],
               {'f', "metrics.jsonl", metrics.substr(0, metrics.size() - 7)},
               {'f', ".step-4.safetensors.99.heddle-tmp", four.substr(0, 100)}});
  put("odd", {{'d', "step-4.safetensors", ""}, {'l', "step-6.safetensors", "step-2.safetensors"}, whole[0],
              {'l', "metrics.jsonl", "/outside"}});
  put("pipe", {whole[0], {'p', ".lock", ""}, {'p', "metrics.jsonl", ""}});
  return 0;
}
