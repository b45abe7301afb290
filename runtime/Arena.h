// One zeroed, aligned block of memory for the variables, the workspace or the threads' scratch.
//
// Taken with mmap rather than malloc: the pages arrive zeroed and are only touched when used, big blocks can ask for
// huge pages, and a refusal is an error that names the planned bytes. HEDDLE_PADDING readable bytes follow the block,
// because kernels may load a full vector at its end.
#ifndef HEDDLE_RUNTIME_ARENA_H
#define HEDDLE_RUNTIME_ARENA_H
#include <cstddef>
#include <cstdint>

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
  /// Bytes of address space that an arena of `bytes` takes: padding and whole pages included.
  static int64_t reserved(int64_t bytes);

private:
  char* base = nullptr;
  int64_t bytes = 0;
};

/// How much memory a run can ever get; 0 bytes if nothing tells.
struct MemoryLimit {
  int64_t bytes = 0;
  bool isLimit = false;  // of a control group, below what the machine has
};
MemoryLimit memoryLimit();

/// Throws RunError(kData) with the planned bytes if they exceed what this machine or its memory limit can ever give.
void checkMemory(int64_t plannedBytes);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_ARENA_H
