// Writes a file so that, whatever happens, its name stands for the whole old or the whole new contents.
//
// The contents go to a temporary in the same directory, which is synchronised, renamed, and made durable by
// synchronising the directory too (a rename is not durable before that). After a failed fsync the kernel may have
// dropped the pages, so that file is abandoned and never retried; the old one stays.
#ifndef HEDDLE_RUNTIME_DURABLEFILE_H
#define HEDDLE_RUNTIME_DURABLEFILE_H
#include <cstdint>
#include <string>

namespace heddle {

class DurableFile {
public:
  /// Opens the temporary beside `path`. Throws RunError(kData), also if `path` is there and not a regular file.
  explicit DurableFile(const std::string& path);
  ~DurableFile();  // removes the temporary, unless committed
  DurableFile(const DurableFile&) = delete;

  void write(const void* data, uint64_t bytes);
  /// Makes the file durable under its name. Throws RunError(kData): the name then stands for the old contents, or,
  /// if only the directory could not be synchronised, for the new ones, which a power cut may still take back.
  void commit();

  /// Does a directory entry look like a temporary that a killed process left behind?
  static bool isTemporary(const std::string& fileName);

private:
  std::string path, directory, temporary;
  int fd = -1;
};

/// Makes the names in a directory durable. Throws RunError(kData).
void syncDirectory(const std::string& path);

/// Makes `path` a directory that survives a power cut, with those above it that are missing. Throws RunError(kData).
void createDurableDirectory(const std::string& path);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_DURABLEFILE_H
