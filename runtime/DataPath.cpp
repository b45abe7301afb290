// The words of the path are checked first, then where its links lead.
#include "runtime/DataPath.h"

#include "runtime/RunError.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

namespace heddle {
namespace {

constexpr char kHelp[] = "`--data PATH` on the command line may name any file";

std::string realPath(const std::string& path) {
  std::unique_ptr<char, void (*)(void*)> real(realpath(path.c_str(), nullptr), free);
  if (!real) throw RunError(kData, fmt::format("{}: cannot be read: {}", path, strerror(errno)), kHelp);
  return real.get();
}

}  // namespace

std::string resolveDataPath(const std::string& base, const std::string& path) {
  namespace fs = std::filesystem;
  if (path.empty()) throw RunError(kData, "the program's data path is empty", kHelp);
  if (fs::path(path).is_absolute()) throw RunError(kData, fmt::format("data path '{}' is absolute", path), kHelp);
  for (const fs::path& word : fs::path(path))
    if (word == "..")
      throw RunError(kData, fmt::format("data path '{}' leaves the program's directory by '..'", path), kHelp);
  std::string directory = realPath(base.empty() ? "." : base), file = realPath(directory + "/" + path);
  if (!file.starts_with(directory == "/" ? "/" : directory + "/"))
    throw RunError(kData, fmt::format("data path '{}' leads to {}, out of the program's directory", path, file), kHelp);
  return file;
}

}  // namespace heddle
