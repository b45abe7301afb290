// Finding the checkpoint to go on from.
#ifndef HEDDLE_RUNTIME_RESUME_H
#define HEDDLE_RUNTIME_RESUME_H
#include "runtime/Checkpoint.h"

#include <functional>
#include <string>

namespace heddle {

struct LoadedCheckpoint {
  CheckpointInfo info;
  std::string path;
};

/// Loads `path`: a checkpoint, or a directory, of which the newest good one is taken. Damaged ones are told to `say`
/// and passed over. Throws RunError(kData) when there is none, naming what was found; CheckpointMismatch when the
/// newest well-formed one is another program's: an older one must not be taken in its stead.
LoadedCheckpoint loadNewest(const std::string& path, Session& session, LoadPart part,
                            const std::function<void(const std::string&)>& say);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_RESUME_H
