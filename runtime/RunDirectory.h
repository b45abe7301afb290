// The directory of a run (`--out DIR`): its lock, its checkpoints step-N.safetensors and its metrics.jsonl.
#ifndef HEDDLE_RUNTIME_RUNDIRECTORY_H
#define HEDDLE_RUNTIME_RUNDIRECTORY_H
#include <cstdint>
#include <string>
#include <vector>

namespace heddle {

struct CheckpointFile {
  int64_t step;
  std::string path;
};

/// The checkpoints in a directory, newest first.
std::vector<CheckpointFile> findCheckpoints(const std::string& directory);

class RunDirectory {
public:
  /// Takes the directory for this process: creates it, locks it, removes temporaries that a killed process left.
  /// Throws RunError(kData) if it cannot be written, if another process holds it, and, unless `resume`, if it holds a
  /// run already; with `resume`, if it is not there.
  RunDirectory(const std::string& path, bool resume);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;

  const std::string& path() const { return directory; }
  std::string checkpointPath(int64_t step) const;

  /// Cuts metrics.jsonl behind the line of `step`, so that a resumed run writes each step once.
  void truncateMetrics(int64_t step);
  /// Appends one line (without its newline) to metrics.jsonl: the whole line or, on a full disk, nothing and false.
  bool appendMetrics(const std::string& line);
  /// Makes the metrics so far durable; called before the checkpoint that they lead to.
  void syncMetrics();

private:
  std::string directory;
  int lock = -1, metrics = -1;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_RUNDIRECTORY_H
