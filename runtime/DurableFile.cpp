// See DurableFile.h for the order of the steps and its reasons.
#include "runtime/DurableFile.h"

#include "runtime/RunError.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace heddle {
namespace {

constexpr char kSuffix[] = ".heddle-tmp";

[[noreturn]] void fail(const std::string& path, const char* what) {
  int error = errno;
  throw RunError(kData, fmt::format("{}: cannot be {}: {}", path, what, strerror(error)),
                 error == ENOSPC || error == EDQUOT ? "free some space on that disk" : "");
}

}  // namespace

DurableFile::DurableFile(const std::string& p) : path(p) {
  size_t slash = path.rfind('/');
  directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  struct stat status;
  if (lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    throw RunError(kData, fmt::format("{}: is there and not a regular file; it is not overwritten", path));
  temporary = fmt::format("{}/.{}.{}{}", directory, name, getpid(), kSuffix);
  fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) fail(path, "written");
}

DurableFile::~DurableFile() {
  if (fd >= 0) close(fd);
  if (!temporary.empty()) unlink(temporary.c_str());
}

void DurableFile::write(const void* data, uint64_t bytes) {
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    ssize_t n = ::write(fd, from, std::min<uint64_t>(bytes, 1 << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, "written");
    from += n, bytes -= uint64_t(n);
  }
}

void DurableFile::commit() {
  if (fsync(fd) != 0) fail(path, "made durable");
  int closing = fd;
  fd = -1;
  if (close(closing) != 0) fail(path, "closed");
  if (rename(temporary.c_str(), path.c_str()) != 0) fail(path, "renamed into place");
  temporary.clear();
  int dir = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) fail(directory, "opened");
  int result = fsync(dir);
  close(dir);
  if (result != 0) fail(directory, "made durable");
}

bool DurableFile::isTemporary(const std::string& name) {
  return name.size() > sizeof kSuffix && name[0] == '.' && name.ends_with(kSuffix);
}

}  // namespace heddle
