// The directory of a run (`--out DIR`): its lock, its checkpoints step-N.safetensors and its metrics.jsonl.
#ifndef HEDDLE_RUNTIME_RUNDIRECTORY_H
#define HEDDLE_RUNTIME_RUNDIRECTORY_H
#include "runtime/RunError.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

struct CheckpointFile {
  int64_t step;
  std::string path;
};

/// The directory of a run is another one's by now: nothing may be written to it.
class DirectoryTaken : public RunError {
public:
  using RunError::RunError;
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

  /// Called before a save: if the directory or metrics.jsonl was deleted or moved while the run went on, makes it again,
  /// with the lock and all metrics, so that the weights in memory find their place. Returns what happened, in a sentence,
  /// or "". Throws DirectoryTaken if the path holds another run by now, RunError(kData) when it cannot be made again.
  std::string restore();

  /// Cuts metrics.jsonl behind the line of `step`, so that a resumed run writes each step once. Returns the lines left.
  int64_t truncateMetrics(int64_t step);
  /// Appends one line (without its newline) to metrics.jsonl. Returns 0, or the error (errno) for which no part of it is
  /// there; it is then kept, and written before the next one.
  int appendMetrics(std::string_view line);
  /// Makes the metrics so far durable; called before the checkpoint that they lead to. If the file cannot be synchronised,
  /// it is abandoned, and a new one written. Throws RunError(kData); all that is not durable is kept for the next call.
  void syncMetrics();

private:
  void takeLock();
  void openMetrics();
  void rewriteMetrics();
  int flushMetrics();

  std::string directory, metricsPath;
  int lock = -1, metrics = -1;
  std::string pending;         // lines that could not be written yet
  int64_t metricsBytes = 0;    // whole lines in the file
  bool metricsSuspect = false; // a synchronisation failed: what is on the disk is not known
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_RUNDIRECTORY_H
