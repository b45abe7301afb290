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
/// and passed over. Throws RunError(kData) when there is none, naming every candidate with the reason why not;
/// CheckpointMismatch when the newest undamaged one is another program's or another version's, and names what else
/// there is: an older one must not be taken in its stead.
LoadedCheckpoint loadNewest(const std::string& path, Session& session, LoadPart part,
                            const std::function<void(const std::string&)>& say);

/// The newest undamaged checkpoint, of any program, beside the file `path`, or "".
std::string lastGoodBeside(const std::string& path);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_RESUME_H
