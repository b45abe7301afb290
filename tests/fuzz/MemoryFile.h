// The fuzzer's bytes as a file that needs no disk: the readers take paths, and a memfd has one.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace heddle::fuzz {

class MemoryFile {
public:
  MemoryFile(const uint8_t *data, size_t size) : fd(memfd_create("input", MFD_CLOEXEC)) {
    if (fd < 0 || write(fd, data, size) != ssize_t(size))
      std::_Exit(1); // of the machine, not of the input
    path = "/proc/self/fd/" + std::to_string(fd);
  }
  ~MemoryFile() { close(fd); }
  MemoryFile(const MemoryFile &) = delete;
  std::string path;

private:
  int fd;
};

} // namespace heddle::fuzz
