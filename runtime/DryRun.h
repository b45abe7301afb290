// What a run would take, told without running: `--dry-run`.
#ifndef HEDDLE_RUNTIME_DRYRUN_H
#define HEDDLE_RUNTIME_DRYRUN_H
#include "runtime/Abi.h"

#include <optional>
#include <string>

namespace heddle {

/// Every parameter with name and shape, FLOPs of a training step (matrix products) and the exact peak of planned
/// memory for `threads` threads; as text, or as JSON (docs/runtime.md). `dataBytes` is what the data take in memory,
/// nothing if that is not known: the peak is then without it.
std::string describeRun(const HeddleProgram& program, const HeddleTarget& target, int threads,
                        std::optional<int64_t> dataBytes, bool json);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_DRYRUN_H
