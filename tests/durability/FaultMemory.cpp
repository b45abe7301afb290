// The plan of failures, and malloc with its relatives: operator new ends here too. See FaultShim.cpp.
#include "FaultShim.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fault {
namespace {

const char* const names[] = {"open", "close", "read",  "write",  "fsync", "fdatasync", "ftruncate", "rename", "unlink",
                             "mkdir", "flock", "stat", "mmap", "thread", "malloc"};
constexpr int kCalls = sizeof names / sizeof *names;

long counts[kCalls];
int failing = -1, error = 0;
long first = 0;
bool allAfter = false, shortWrites = false, shortNow = false, armed = false;

}  // namespace

void readPlan() {
  armed = true;
  const char* text = getenv("FAULT_FAIL");
  if (!text) return;
  const char *n = strchr(text, ':'), *what = n ? strchr(n + 1, ':') : nullptr;
  for (int i = 0; i < kCalls && what; ++i)
    if (strlen(names[i]) == size_t(n - text) && strncmp(names[i], text, size_t(n - text)) == 0) failing = i;
  if (failing < 0) {
    fprintf(stderr, "FAULT_FAIL=%s is not CALL:N:WHAT\n", text);
    _exit(99);
  }
  first = atol(n + 1), allAfter = what[-1] == '+';
  shortWrites = strcmp(what + 1, "short") == 0, error = atoi(what + 1);
}

bool fails(Call call) {
  if (!armed) return false;
  long count = __atomic_add_fetch(&counts[int(call)], 1, __ATOMIC_RELAXED);
  bool now = int(call) == failing && (allAfter ? count >= first : count == first);
  if (call == Call::kWrite) shortNow = now && shortWrites;
  if (!now || shortWrites) return false;
  errno = error;
  return true;
}

bool writesShort() { return shortNow; }

void writeCounts() {
  const char* path = getenv("FAULT_COUNTS");
  if (!path) return;
  armed = false;
  int fd = int(syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0666));
  for (int i = 0; i < kCalls; ++i) {
    char line[64];
    int n = snprintf(line, sizeof line, "%s %ld\n", names[i], counts[i]);
    syscall(SYS_write, fd, line, n);
  }
  syscall(SYS_close, fd);
}

}  // namespace fault

// glibc's own names of its allocator.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t bytes) { return fault::fails(fault::Call::kMalloc) ? nullptr : __libc_malloc(bytes); }
void* calloc(size_t n, size_t bytes) { return fault::fails(fault::Call::kMalloc) ? nullptr : __libc_calloc(n, bytes); }
void* realloc(void* old, size_t bytes) {
  return fault::fails(fault::Call::kMalloc) ? nullptr : __libc_realloc(old, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  return fault::fails(fault::Call::kMalloc) ? nullptr : __libc_memalign(alignment, bytes);
}
int posix_memalign(void** out, size_t alignment, size_t bytes) {
  void* p = fault::fails(fault::Call::kMalloc) ? nullptr : __libc_memalign(alignment, bytes);
  if (p) *out = p;
  return p ? 0 : ENOMEM;
}
}
