// See InputFile.h. Opened with O_NONBLOCK, since opening a FIFO would otherwise wait for its other end.
#include "runtime/InputFile.h"

#include "runtime/RunError.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace heddle {

InputFile::InputFile(const std::string& path) : name(path) {
  fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) throw RunError(kData, fmt::format("{}: cannot be read: {}", path, strerror(errno)));
  struct stat status;
  bool known = fstat(fd, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    const char* kind = known && S_ISDIR(status.st_mode) ? "a directory" : "not a regular file";
    close(fd);
    throw RunError(kData, fmt::format("{}: is {}", path, kind), "give a plain file");
  }
  bytes = uint64_t(status.st_size);
}

InputFile::~InputFile() {
  if (fd >= 0) close(fd);
}

void InputFile::read(uint64_t offset, void* out, uint64_t count) const {
  char* to = static_cast<char*>(out);
  while (count > 0) {
    ssize_t n = pread(fd, to, std::min<uint64_t>(count, 1 << 30), off_t(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw RunError(kData, fmt::format("{}: byte {}: cannot be read: {}", name, offset, strerror(errno)));
    if (n == 0)
      throw RunError(kData, fmt::format("{}: byte {}: the file ends here, {} bytes early", name, offset, count),
                     "it was cut short, perhaps while it was being read");
    to += n, offset += uint64_t(n), count -= uint64_t(n);
  }
}

std::string InputFile::readAll() const {
  std::string text(bytes, '\0');
  read(0, text.data(), bytes);
  return text;
}

}  // namespace heddle
