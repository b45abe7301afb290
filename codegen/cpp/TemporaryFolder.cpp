// See TemporaryFolder.h. No second place is tried where TMPDIR is wrong: who sets it means it.
#include "codegen/cpp/TemporaryFolder.h"
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sys/statvfs.h>

using namespace heddle;
namespace fs = std::filesystem;

std::string heddle::temporaryPlace() {
  const char *wanted = std::getenv("TMPDIR");
  return wanted && *wanted ? wanted : "/tmp";
}

llvm::Expected<TemporaryFolder> TemporaryFolder::make() {
  std::error_code error;
  std::string place = temporaryPlace();
  fs::path absolute = fs::absolute(place, error);
  std::string pattern = ((error ? fs::path(place) : absolute) / "heddle-XXXXXX").string();
  if (mkdtemp(pattern.data())) return TemporaryFolder(pattern);
  return llvm::createStringError("cannot make a temporary folder in `%s`: %s; set TMPDIR to a folder that can be written",
                                 place.c_str(), std::strerror(errno));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!folder.empty()) fs::remove_all(folder, ignored);
}

bool TemporaryFolder::allowsCode() const {
  struct statvfs system {};
  return statvfs(folder.c_str(), &system) != 0 || !(system.f_flag & ST_NOEXEC);
}
