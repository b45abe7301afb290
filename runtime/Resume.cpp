// See Resume.h.
#include "runtime/Resume.h"

#include "runtime/RunDirectory.h"

#include <fmt/format.h>

#include <cstring>
#include <filesystem>

namespace heddle {
namespace {

std::string nameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// What there is besides a checkpoint that is refused: a line for each, down to the first good one.
std::string olderOnes(const std::vector<CheckpointFile>& found, size_t from, const Session& session) {
  std::string lines;
  for (size_t i = from; i < found.size(); ++i) {
    try {
      verifyCheckpoint(found[i].path, session, LoadPart::kEverything);
      lines += fmt::format("\n  {} is good", nameOf(found[i].path));
      if (size_t rest = found.size() - i - 1) lines += fmt::format("; {} older ones were not looked at", rest);
      break;
    } catch (const RunError& e) {
      lines += fmt::format("\n  {}", e.what());
    }
  }
  return lines.empty() ? "" : "\nbesides:" + lines;
}

LoadedCheckpoint loadFile(const std::string& path, Session& session, LoadPart part) {
  try {
    return {loadCheckpoint(path, session, part), path};
  } catch (const CheckpointMismatch&) {
    throw;
  } catch (const RunError& e) {
    std::string good = lastGoodBeside(path);
    throw RunError(e.exitCode, e.what(), good.empty() ? e.help : "the last good checkpoint beside it is " + good);
  }
}

}  // namespace

std::string lastGoodBeside(const std::string& path) {
  size_t slash = path.rfind('/');
  std::string directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) return "";
  for (const CheckpointFile& file : findCheckpoints(directory)) {
    if (nameOf(file.path) == nameOf(path)) continue;
    try {
      verifyChecksums(SafetensorsFile(file.path));
      return file.path;
    } catch (const RunError&) {
    }
  }
  return "";
}

LoadedCheckpoint loadNewest(const std::string& path, Session& session, LoadPart part,
                            const std::function<void(const std::string&)>& say) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return loadFile(path, session, part);
  auto found = findCheckpoints(path);
  if (found.empty()) throw RunError(kData, fmt::format("{}: holds no checkpoint (step-N.safetensors)", path));
  std::string refused;
  for (size_t i = 0; i < found.size(); ++i) {
    const std::string& file = found[i].path;
    try {
      LoadedCheckpoint loaded{loadCheckpoint(file, session, part), file};
      // Else what is saved after it would not be the newest by name, and the next run would go back to this one.
      if (loaded.info.step != found[i].step)
        throw RunError(kData, fmt::format("{}: holds step {}: it was renamed", file, loaded.info.step));
      if (loaded.info.target != session.target.name)
        say(fmt::format("note: {} was written on target class {}; on {} the bits will differ from those of an "
                        "uninterrupted run", file, loaded.info.target, session.target.name));
      return loaded;
    } catch (const CheckpointMismatch& e) {
      throw CheckpointMismatch(e.exitCode, e.what() + olderOnes(found, i + 1, session), e.help);
    } catch (const RunError& e) {
      say(fmt::format("warning: {}; passed over", e.what()));
      refused += fmt::format("\n  {}", e.what());
    }
  }
  throw RunError(kData, fmt::format("{}: none of its {} checkpoints can be read:{}", path, found.size(), refused));
}

}  // namespace heddle
