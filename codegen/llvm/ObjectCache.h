// Machine code that was compiled before, in a folder that outlives the process.
//
// The name of a file is the hash of what its code was compiled from and of the compiler itself, so nothing in the folder is
// ever out of date, and nothing has to be removed but for its size. A file holds its key and a checksum: one that is
// damaged, cut short or somebody else's counts as not there, and is written again. Whoever may write the folder may run code as
// its user, so it is used only if nobody else can write it.
#pragma once
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>

namespace heddle {

class ObjectCache {
 public:
  static constexpr uint64_t kMostBytes = uint64_t(256) << 20;

  /// Files in `folder`, which need not exist yet; empty: nothing is kept.
  explicit ObjectCache(std::string folder, uint64_t mostBytes = kMostBytes)
      : folder(std::move(folder)), mostBytes(mostBytes) {}
  /// The folder that the environment asks for: HEDDLE_CACHE (empty where it is `off` or empty), else
  /// XDG_CACHE_HOME/heddle, else HOME/.cache/heddle, else empty.
  static std::string chosenFolder();

  const std::string &path() const { return folder; }
  bool enabled() const { return !folder.empty(); }

  /// The key of what is compiled from `source` (the program, the target, what else has a say) by this very build of the
  /// compiler and of LLVM.
  static std::string keyOf(llvm::StringRef source);
  /// What was stored under a key, bit by bit, or nothing.
  std::optional<std::string> load(llvm::StringRef key) const;
  /// Keeps `content`. Whoever cannot goes on without: the error says why, for those who want to know.
  llvm::Error store(llvm::StringRef key, llvm::StringRef content) const;
  /// Brings the files down to `mostBytes` together: those used least recently are removed. Whoever stores calls it once.
  void trim() const;
  /// Makes the folder if it is missing. The error says why nothing can be kept in it.
  llvm::Error prepare() const;
  /// Bytes of the files in the folder.
  uint64_t size() const;

 private:
  std::string fileOf(llvm::StringRef key) const;
  std::string folder;
  uint64_t mostBytes;
};

}  // namespace heddle
