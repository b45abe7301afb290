// One zeroed, aligned block of memory for the variables, the workspace, the threads' scratch or the tokens of a text.
//
// Taken with mmap rather than malloc: the pages arrive zeroed and are only touched when used, big blocks can ask for
// huge pages, and a refusal is an error that names the planned bytes. HEDDLE_PADDING readable bytes follow the block,
// because kernels may load a full vector at its end. All arenas are counted, so that the plan can be compared with
// what was mapped.
#ifndef HEDDLE_RUNTIME_ARENA_H
#define HEDDLE_RUNTIME_ARENA_H
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace heddle {

class Arena {
public:
  Arena() = default;
  /// `bytes` may be 0 (then data() is null). `what` names the block in the error. Throws RunError(kData).
  Arena(int64_t bytes, const char* what);
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  char* data() const { return base; }
  int64_t size() const { return bytes; }
  /// Zeroes it, by giving its pages back: nothing is written, and what was never touched costs nothing.
  void clear();
  /// Bytes of address space that an arena of `bytes` takes: padding and whole pages included.
  static int64_t reserved(int64_t bytes);
  /// Bytes that the process's arenas take now, and the most that they have taken.
  static int64_t mapped();
  static int64_t peakMapped();

private:
  char* base = nullptr;
  int64_t bytes = 0;
};

/// How much memory something lets this process take from now on, in bytes.
struct MemoryLimit {
  int64_t bytes = 0;
  std::string source;  // the start of a sentence: "this machine has"
};
/// The machine's memory, the limits of the process's control group and those above it (v2 and v1), and what the
/// resource limits on address space and data leave beside what is in use. `root` stands before /proc and /sys.
std::vector<MemoryLimit> memoryLimits(const std::string& root = {});
/// The one that leaves the least; 0 bytes if nothing tells.
MemoryLimit narrowestLimit(const std::string& root = {});

/// Throws RunError(kData) with the planned bytes if arenas of `plannedBytes` are more than the narrowest limit, of
/// which the arenas that exist already are part.
void checkMemory(int64_t plannedBytes, const std::string& root = {});

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_ARENA_H
