// `bench`: where the time of a training step goes, kernel by kernel, beside what the machine can do at most.
#ifndef HEDDLE_RUNTIME_BENCH_H
#define HEDDLE_RUNTIME_BENCH_H
#include "runtime/Options.h"
#include "runtime/Roofs.h"

#include <string>
#include <vector>

namespace heddle {

/// The calls of one kernel from one place of the source, of one training step.
struct KernelWork {
  std::string kernel, where;
  double calls = 0;  // a step; a mean where steps differ (length buckets)
  int64_t flops = 0, bytes = 0;  // of one call
  double seconds = 0;  // a step
  /// The least time that a step's calls could take: the longer of arithmetic and memory.
  double limit(const Roofs& roofs) const;
};

/// The calls of an entry, loops counted through, in the order of the first calls. Without times.
std::vector<KernelWork> countWork(const HeddleTarget& target, const HeddleEntry& entry);

/// The least time of a step: FLOPs of its matrix products at the one roof, and at the other each trained parameter with its
/// gradient and optimizer state, read and written (AdamW: 28 bytes).
struct StepLimit {
  double flops = 0, bytes = 0;
  double seconds(const Roofs& roofs) const { return flops / roofs.flops + bytes / roofs.bytes; }
};
double optimizerBytes(const HeddleProgram& program);

/// Runs training steps from initial values, writes nothing, and returns a table, or with options.json an object. With
/// options.dryRun nothing runs: it has work alone, the same on every machine. Throws RunError, as training does.
std::string bench(const HeddleProgram& program, const RunOptions& options);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_BENCH_H
