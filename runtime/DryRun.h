// What a run would take, told without running: `--dry-run`.
#ifndef HEDDLE_RUNTIME_DRYRUN_H
#define HEDDLE_RUNTIME_DRYRUN_H
#include "runtime/Abi.h"

#include <string>

namespace heddle {

/// Every parameter with name and shape, FLOPs of a training step (matrix products) and the exact peak of planned
/// memory for `threads` threads; as text, or as JSON (docs/runtime.md).
std::string describeRun(const HeddleProgram& program, const HeddleTarget& target, int threads, bool json);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_DRYRUN_H
