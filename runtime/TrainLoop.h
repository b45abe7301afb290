// Training: batches in, steps run, losses out, checkpoints kept.
#ifndef HEDDLE_RUNTIME_TRAINLOOP_H
#define HEDDLE_RUNTIME_TRAINLOOP_H
#include "runtime/Abi.h"
#include "runtime/Options.h"

namespace heddle {

/// Trains `program` as its configuration and `options` say, in a run directory. Every step writes a line to
/// metrics.jsonl. Returns kDone, or kInterrupted after SIGINT or SIGTERM (the step was finished and saved). Throws
/// RunError: kData for data, directory and checkpoints, kStopped when a loss or the gradient is not finite (the last
/// checkpoint stays). A failed save is told and tried again at the next; only the last one's failure is an error. If
/// the run directory was deleted or moved, the next save makes it again; if it is another run's by then, that is kData.
int train(const HeddleProgram& program, const RunOptions& options);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TRAINLOOP_H
