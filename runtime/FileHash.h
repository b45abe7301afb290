// XXH64 of bytes that come in pieces: what a fingerprint of data holds.
#ifndef HEDDLE_RUNTIME_FILEHASH_H
#define HEDDLE_RUNTIME_FILEHASH_H
#include <cstdint>
#include <memory>
#include <string_view>

namespace heddle {

class FileHash {
public:
  FileHash();
  ~FileHash();
  FileHash(FileHash&&) noexcept;
  void add(std::string_view piece);
  uint64_t digest() const;

private:
  struct State;
  std::unique_ptr<State> state;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_FILEHASH_H
