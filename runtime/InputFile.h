// Read-only access to a regular file by position.
//
// pread rather than mmap: a file that is cut short while the program runs is then an error with a place, not SIGBUS.
// FIFOs, devices and directories are refused before anything is read from them.
#ifndef HEDDLE_RUNTIME_INPUTFILE_H
#define HEDDLE_RUNTIME_INPUTFILE_H
#include <cstdint>
#include <string>

namespace heddle {

class InputFile {
public:
  /// Throws RunError(kData) if `path` is missing, unreadable or not a regular file.
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(InputFile&& other) noexcept : name(std::move(other.name)), fd(other.fd), bytes(other.bytes) { other.fd = -1; }
  InputFile& operator=(InputFile&&) = delete;

  const std::string& path() const { return name; }
  uint64_t size() const { return bytes; }  // when it was opened

  /// Reads exactly `count` bytes from byte `offset`. Throws RunError(kData) with the offset otherwise.
  void read(uint64_t offset, void* out, uint64_t count) const;
  std::string readAll() const;

private:
  std::string name;
  int fd = -1;
  uint64_t bytes = 0;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_INPUTFILE_H
