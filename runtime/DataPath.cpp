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

std::string realPath(const std::string& path, const char* help) {
  std::unique_ptr<char, void (*)(void*)> real(realpath(path.c_str(), nullptr), free);
  if (!real) throw RunError(kData, fmt::format("{}: cannot be read: {}", path, strerror(errno)), help);
  return real.get();
}

}  // namespace

std::string resolveDataPath(const std::string& base, const std::string& path, const char* what, const char* help) {
  namespace fs = std::filesystem;
  if (path.empty()) throw RunError(kData, fmt::format("the program's {} is empty", what), help);
  if (fs::path(path).is_absolute()) throw RunError(kData, fmt::format("{} '{}' is absolute", what, path), help);
  for (const fs::path& word : fs::path(path))
    if (word == "..")
      throw RunError(kData, fmt::format("{} '{}' leaves the program's directory by '..'", what, path), help);
  std::string directory = realPath(base.empty() ? "." : base, help), file = realPath(directory + "/" + path, help);
  if (!file.starts_with(directory == "/" ? "/" : directory + "/"))
    throw RunError(kData, fmt::format("{} '{}' leads to {}, out of the program's directory", what, path, file), help);
  return file;
}

}  // namespace heddle
