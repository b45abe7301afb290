// Counts what a training process asks the system for, step by step: calls of malloc and its family, mmap, pthread_create.
//
// Two ways into a process: as a library by LD_PRELOAD, where these functions take the place of libc's; and as an object
// linked into a static program with -Wl,--wrap (COUNT_CALLS_WRAPPED), where calls of malloc reach __wrap_malloc. The
// steps are told apart by what every step writes: a line of metrics.jsonl. What is counted for step N was called after
// step N-1's line and up to step N's: so a save after step N counts for N+1.
//
// The report goes to the file that HEDDLE_CALLS names, at exit: "step calls bytes largest mmaps threads" per step, and
// "arenas PEAK", the most bytes that the main program itself (not libc, not LLVM) had mapped at a time. Nothing here
// allocates.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Counts {
  long step;
  uint64_t calls, bytes, largest, mmaps, threads;
};

constexpr int kMaxSteps = 4096;
Counts steps[kMaxSteps];
int stepCount = 0;
std::atomic<uint64_t> calls, bytes, largest, mmaps, threads;
std::atomic<int64_t> mapped, mappedMost;

void countMalloc(size_t size) {
  calls += 1, bytes += size;
  uint64_t most = largest;
  while (size > most && !largest.compare_exchange_weak(most, size)) {}
}

void countMapped(int64_t size) {
  int64_t now = mapped += size, most = mappedMost;
  while (now > most && !mappedMost.compare_exchange_weak(most, now)) {}
}

void noteWrite(const void* data, size_t size) {
  constexpr char kStart[] = "{\"step\":";
  if (size < sizeof kStart || memcmp(data, kStart, sizeof kStart - 1) || stepCount == kMaxSteps) return;
  steps[stepCount++] = {atol(static_cast<const char*>(data) + sizeof kStart - 1), calls.exchange(0), bytes.exchange(0),
                        largest.exchange(0), mmaps.exchange(0), threads.exchange(0)};
}

__attribute__((destructor)) void report() {
  const char* path = getenv("HEDDLE_CALLS");
  int file = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
  if (file < 0) return;
  char line[200];
  for (int i = 0; i < stepCount; ++i) {
    const Counts& s = steps[i];
    int n = snprintf(line, sizeof line, "%ld %lu %lu %lu %lu %lu\n", s.step, s.calls, s.bytes, s.largest, s.mmaps, s.threads);
    if (syscall(SYS_write, file, line, n) < 0) _exit(99);
  }
  int n = snprintf(line, sizeof line, "arenas %ld\n", long(mappedMost));
  if (syscall(SYS_write, file, line, n) < 0) _exit(99);
  close(file);
}

void* mapMemory(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
  return reinterpret_cast<void*>(syscall(SYS_mmap, address, size, protection, flags, fd, offset));
}

}  // namespace

#ifdef COUNT_CALLS_WRAPPED
#define INTERCEPT(name) __wrap_##name
extern "C" {
void* __real_malloc(size_t);
void* __real_calloc(size_t, size_t);
void* __real_realloc(void*, size_t);
void* __real_memalign(size_t, size_t);
int __real_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
}
#define REAL_MALLOC __real_malloc
#define REAL_CALLOC __real_calloc
#define REAL_REALLOC __real_realloc
#define REAL_MEMALIGN __real_memalign
#else
#define INTERCEPT(name) name
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
}
#define REAL_MALLOC __libc_malloc
#define REAL_CALLOC __libc_calloc
#define REAL_REALLOC __libc_realloc
#define REAL_MEMALIGN __libc_memalign
#endif

namespace {

// Does the caller's code belong to the main program? In a static one everything does, but libc maps its own memory by a
// name that is not wrapped.
bool fromMainProgram(void* caller) {
#ifdef COUNT_CALLS_WRAPPED
  return caller != nullptr;
#else
  Dl_info of_caller, of_main;
  return dladdr(caller, &of_caller) && dladdr(reinterpret_cast<void*>(getauxval(AT_ENTRY)), &of_main) &&
         of_caller.dli_fbase == of_main.dli_fbase;
#endif
}

}  // namespace

extern "C" {

void* INTERCEPT(malloc)(size_t size) {
  countMalloc(size);
  return REAL_MALLOC(size);
}
void* INTERCEPT(calloc)(size_t n, size_t size) {
  countMalloc(n * size);
  return REAL_CALLOC(n, size);
}
void* INTERCEPT(realloc)(void* old, size_t size) {
  countMalloc(size);
  return REAL_REALLOC(old, size);
}
void* INTERCEPT(memalign)(size_t alignment, size_t size) {
  countMalloc(size);
  return REAL_MEMALIGN(alignment, size);
}
void* INTERCEPT(aligned_alloc)(size_t alignment, size_t size) {
  countMalloc(size);
  return REAL_MEMALIGN(alignment, size);
}
int INTERCEPT(posix_memalign)(void** out, size_t alignment, size_t size) {
  countMalloc(size);
  *out = REAL_MEMALIGN(alignment, size);
  return *out ? 0 : ENOMEM;
}

void* INTERCEPT(mmap)(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
  mmaps += 1;
  void* p = mapMemory(address, size, protection, flags, fd, offset);
  if (p != MAP_FAILED && (flags & MAP_ANONYMOUS) && fromMainProgram(__builtin_return_address(0))) countMapped(int64_t(size));
  return p;
}
int INTERCEPT(munmap)(void* address, size_t size) {
  if (fromMainProgram(__builtin_return_address(0))) countMapped(-int64_t(size));
  return int(syscall(SYS_munmap, address, size));
}

int INTERCEPT(pthread_create)(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) {
  threads += 1;
#ifdef COUNT_CALLS_WRAPPED
  return __real_pthread_create(thread, attributes, run, argument);
#else
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto real = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  return real(thread, attributes, run, argument);
#endif
}

ssize_t INTERCEPT(write)(int fd, const void* data, size_t size) {
  noteWrite(data, size);
  return syscall(SYS_write, fd, data, size);
}
}
