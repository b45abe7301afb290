// See DurableFile.h for the order of the steps and its reasons.
#include "runtime/DurableFile.h"

#include "runtime/RunError.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

namespace heddle {
namespace {

constexpr char kSuffix[] = ".heddle-tmp";

[[noreturn]] void fail(const std::string& path, const char* what, int error = errno) {
  throw RunError(kData, fmt::format("{}: cannot be {}: {}", path, what, strerror(error)),
                 error == ENOSPC || error == EDQUOT ? "free some space on that disk" : "");
}

std::string parentOf(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// An interrupted fsync has reported no failed write, so it may be repeated; after any other error it must not.
int sync(int fd) {
  int result;
  do result = fsync(fd);
  while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

// Returns 0 or the error. EINVAL: the file system has no such call for directories and keeps their order by itself.
int trySync(const std::string& path) {
  int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return errno;
  int error = sync(directory);
  close(directory);
  return error == EINVAL ? 0 : error;
}

bool isDirectory(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

DurableFile::DurableFile(const std::string& p) : path(p), directory(parentOf(p)) {
  std::string name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  struct stat status;
  if (lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    throw RunError(kData, fmt::format("{}: is there and not a regular file; it is not overwritten", path));
  temporary = fmt::format("{}/.{}.{}{}", directory, name, getpid(), kSuffix);
  do fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
  while (fd < 0 && errno == EINTR);
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
    if (n <= 0) fail(path, "written", n < 0 ? errno : EIO);  // 0 would be asked for again for ever
    from += n, bytes -= uint64_t(n);
  }
}

void DurableFile::commit() {
  if (int error = sync(fd)) fail(path, "made durable", error);
  int closing = fd;
  fd = -1;
  if (close(closing) != 0 && errno != EINTR) fail(path, "closed");  // it is closed, and durable, all the same
  if (rename(temporary.c_str(), path.c_str()) != 0) fail(path, "renamed into place");
  temporary.clear();
  syncDirectory(directory);
}

bool DurableFile::isTemporary(const std::string& name) {
  return name.size() > sizeof kSuffix && name[0] == '.' && name.ends_with(kSuffix);
}

void syncDirectory(const std::string& path) {
  if (int error = trySync(path)) fail(path, "made durable", error);
}

void createDurableDirectory(const std::string& path) {
  std::string parent = parentOf(path);
  if (path.size() >= PATH_MAX) fail(path, "created", ENAMETOOLONG);  // also bounds the recursion
  if (isDirectory(path)) {
    // Of the directories that a killed process was making, this, the deepest, may not be synchronised. Where the one
    // above may not be read or written, no such process made this one.
    int error = trySync(parent);
    if (error && error != EACCES && error != EPERM && error != EROFS) fail(parent, "made durable", error);
    return;
  }
  if (parent == path) fail(path, "read", ENOENT);
  createDurableDirectory(parent);
  if (mkdir(path.c_str(), 0777) != 0 && (errno != EEXIST || !isDirectory(path))) fail(path, "created");
  syncDirectory(parent);
}

}  // namespace heddle
