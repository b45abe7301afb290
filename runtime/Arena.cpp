// mmap'ed memory; see Arena.h. Huge pages are only advised: where there are none, training is slower, not wrong.
#include "runtime/Arena.h"

#include "runtime/Abi.h"
#include "runtime/RunError.h"

#include <fmt/format.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace heddle {
namespace {

// Under AddressSanitizer, what no kernel may touch behind the padding.
void guard(char* base, int64_t bytes, bool on) {
#ifdef __SANITIZE_ADDRESS__
  char* begin = base + bytes + HEDDLE_PADDING;
  size_t length = size_t(base + Arena::reserved(bytes) - begin);
  on ? __asan_poison_memory_region(begin, length) : __asan_unpoison_memory_region(begin, length);
#else
  (void)base, (void)bytes, (void)on;
#endif
}

constexpr int64_t kHugePage = int64_t(2) << 20;  // x86-64's second page size

std::atomic<int64_t> mappedNow{0}, mappedMost{0};

void count(int64_t bytes) {
  int64_t now = mappedNow.fetch_add(bytes) + bytes, most = mappedMost.load();
  while (now > most && !mappedMost.compare_exchange_weak(most, now)) {}
}

}  // namespace

int64_t Arena::reserved(int64_t bytes) {
  if (bytes <= 0) return 0;
  int64_t unit = bytes >= 2 * kHugePage ? kHugePage : sysconf(_SC_PAGESIZE);
  return (bytes + HEDDLE_PADDING + unit - 1) / unit * unit;
}

int64_t Arena::mapped() { return mappedNow; }
int64_t Arena::peakMapped() { return mappedMost; }

Arena::Arena(int64_t size, const char* what) : bytes(size) {
  if (size < 0 || size > (int64_t(1) << 46))
    throw RunError(kInternal, fmt::format("the {} would take {} bytes", what, size));
  if (size == 0) return;
  void* p = mmap(nullptr, reserved(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED)
    throw RunError(kData, fmt::format("no memory for the {}: {:.1f} MiB ({} bytes) planned, {}", what, size / 1048576.0,
                                      size, strerror(errno)),
                   "a smaller batch or model, or a higher memory limit (`--dry-run` prints the plan)");
  base = static_cast<char*>(p);
  count(reserved(size));
  if (size >= 2 * kHugePage) madvise(base, reserved(size), MADV_HUGEPAGE);
  guard(base, bytes, true);
}

Arena::~Arena() {
  if (!base) return;
  guard(base, bytes, false);
  munmap(base, reserved(bytes));
  count(-reserved(bytes));
}

void Arena::clear() {
  if (!base) return;
  guard(base, bytes, false);
  if (madvise(base, reserved(bytes), MADV_DONTNEED) != 0) memset(base, 0, reserved(bytes));  // locked memory is kept
  guard(base, bytes, true);
}

Arena::Arena(Arena&& other) noexcept : base(std::exchange(other.base, nullptr)), bytes(std::exchange(other.bytes, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(base, other.base);
  std::swap(bytes, other.bytes);
  return *this;
}

}  // namespace heddle
