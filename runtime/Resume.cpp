// See Resume.h.
#include "runtime/Resume.h"

#include "runtime/RunDirectory.h"

#include <fmt/format.h>

#include <cstring>
#include <filesystem>

namespace heddle {

LoadedCheckpoint loadNewest(const std::string& path, Session& session, LoadPart part,
                            const std::function<void(const std::string&)>& say) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return {loadCheckpoint(path, session, part), path};
  auto found = findCheckpoints(path);
  if (found.empty()) throw RunError(kData, fmt::format("{}: holds no checkpoint (step-N.safetensors)", path));
  for (const CheckpointFile& file : found) {
    try {
      LoadedCheckpoint loaded{loadCheckpoint(file.path, session, part), file.path};
      if (loaded.info.target != session.target.name)
        say(fmt::format("note: {} was written on target class {}; on {} the bits will differ from those of an "
                        "uninterrupted run", file.path, loaded.info.target, session.target.name));
      return loaded;
    } catch (const CheckpointMismatch&) {
      throw;
    } catch (const RunError& e) {
      say(fmt::format("warning: {}; passed over", e.what()));
    }
  }
  throw RunError(kData, fmt::format("{}: none of its {} checkpoints can be read", path, found.size()));
}

}  // namespace heddle
