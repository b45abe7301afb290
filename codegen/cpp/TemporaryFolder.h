// A folder of one's own, for as long as it is needed.
#pragma once
#include "llvm/Support/Error.h"
#include <string>

namespace heddle {

/// A folder in TMPDIR (/tmp without it), removed with all that is in it.
class TemporaryFolder {
 public:
  /// The error names the place, what is wrong with it and TMPDIR.
  static llvm::Expected<TemporaryFolder> make();
  TemporaryFolder(TemporaryFolder &&other) : folder(std::move(other.folder)) { other.folder.clear(); }
  TemporaryFolder &operator=(TemporaryFolder &&) = delete;
  ~TemporaryFolder();

  /// An absolute path.
  const std::string &path() const { return folder; }
  std::string file(const char *name) const { return folder + "/" + name; }
  /// May what lies here be executed or loaded as code? False on a file system mounted noexec.
  bool allowsCode() const;

 private:
  explicit TemporaryFolder(std::string path) : folder(std::move(path)) {}
  std::string folder;
};

/// Where temporary folders are made: TMPDIR, or /tmp.
std::string temporaryPlace();

}  // namespace heddle
