// A directory for one test, removed with everything in it at the end; whole files in one call; the text of an error.
#ifndef HEDDLE_TESTS_RUNTIME_TEMPDIR_H
#define HEDDLE_TESTS_RUNTIME_TEMPDIR_H
#include "runtime/RunError.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace heddle {

struct TempDir {
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "heddle-test-XXXXXX").string();
    if (!mkdtemp(name.data())) abort();
    path = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

inline void writeFile(const std::string& path, const std::string& text) {
  std::filesystem::remove(path);  // replacing contents in place makes some file systems write them out at once
  std::ofstream(path, std::ios::binary) << text;
}
inline std::string readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The text of the RunError that `f` throws, its exit code first: "3: error: ..."; "" if it throws none.
template <typename F> std::string errorOf(F&& f) {
  try {
    f();
  } catch (const RunError& e) {
    return std::to_string(e.exitCode) + ": " + e.text();
  }
  return "";
}

}  // namespace heddle
#endif  // HEDDLE_TESTS_RUNTIME_TEMPDIR_H
