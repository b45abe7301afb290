// Loaded before libc (LD_PRELOAD) into a program under test: counts its calls on files below one directory, and at a
// chosen one kills the process, makes the call fail, or writes down what happened. Variables of the environment:
//
//   FAULT_ROOT=DIR         the calls that count are those on paths in DIR (absolute, without links)
//   FAULT_KILL=N           SIGKILL before the N-th event; a write is two events, so that every second one is torn
//   FAULT_KILL_IN_SAVE=N   the same, of the events inside saves: from the fdatasync of the metrics to the fsync of the
//                          directory that makes the checkpoint's rename durable
//   FAULT_FAIL=CALL:N:WHAT the N-th CALL (open, write, ...) fails with the error number WHAT, or, for `short`, writes half;
//                          N+ stands for the N-th and all after it
//   FAULT_COUNTS=FILE      at the end: how often each call was made, a line "CALL N" each
//   FAULT_COMMITS=FILE     appends the name of every checkpoint when its directory has been synchronised
//   FAULT_TRACE=FILE       appends every successful change, in the form that PowerCut.cpp reads
//
// What the shim does for itself goes by syscall(), past its own functions.
#include "FaultShim.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

using namespace fault;

namespace {

constexpr int kFiles = 256;
struct OpenFile {
  char path[512];  // "" if not below FAULT_ROOT
  bool directory;
} files[kFiles];

char root[512];
int traceFile = -1, commitsFile = -1;
long killAt = 0, killInSaveAt = 0, events = 0, eventsInSave = 0;
bool inSave = false;
char renamed[512];  // the checkpoint whose rename is not durable yet

int openLog(const char* variable) {
  const char* path = getenv(variable);
  return path ? int(syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) : -1;
}

// The path below FAULT_ROOT, or null. Does not resolve links: the tests use none on the way to FAULT_ROOT.
const char* below(const char* path, char (&out)[512]) {
  if (!root[0]) return nullptr;
  char full[1024];
  if (path[0] == '/') {
    snprintf(full, sizeof full, "%s", path);
  } else {
    char here[512];
    if (syscall(SYS_getcwd, here, sizeof here) < 0) return nullptr;
    snprintf(full, sizeof full, "%s/%s", here, strncmp(path, "./", 2) == 0 ? path + 2 : path);
  }
  size_t n = strlen(root);
  if (strncmp(full, root, n) != 0 || (full[n] != '/' && full[n] != 0)) return nullptr;
  snprintf(out, sizeof out, "%.500s", full[n] == 0 || strcmp(full + n, "/.") == 0 ? "." : full + n + 1);
  return out;
}

const char* pathOf(int fd) { return fd >= 0 && fd < kFiles && files[fd].path[0] ? files[fd].path : nullptr; }

void trace(const char* format, ...) {
  if (traceFile < 0) return;
  char line[1024];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  syscall(SYS_write, traceFile, line, n);
}

void traceWrite(int fd, long at, const void* data, size_t bytes) {
  if (traceFile < 0) return;
  trace("write %d %ld ", fd, at);
  static char hex[2 * 65536];
  auto* from = static_cast<const uint8_t*>(data);
  for (size_t done = 0; done < bytes;) {
    size_t n = bytes - done < 65536 ? bytes - done : 65536;
    for (size_t i = 0; i < n; ++i) {
      hex[2 * i] = "0123456789abcdef"[from[done + i] >> 4];
      hex[2 * i + 1] = "0123456789abcdef"[from[done + i] & 15];
    }
    syscall(SYS_write, traceFile, hex, 2 * n);
    done += n;
  }
  syscall(SYS_write, traceFile, "\n", 1);
}

// A moment at which the process may be killed.
void event() {
  if ((killAt && ++events == killAt) || (inSave && killInSaveAt && ++eventsInSave == killInSaveAt)) {
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) pause();
  }
}

template <typename F> F* next(F*, const char* name) { return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name)); }
#define NEXT(name) static auto* real = next(&name, #name)

__attribute__((constructor)) void begin() {
  if (const char* text = getenv("FAULT_ROOT")) snprintf(root, sizeof root, "%s", text);
  if (const char* text = getenv("FAULT_KILL")) killAt = atol(text);
  if (const char* text = getenv("FAULT_KILL_IN_SAVE")) killInSaveAt = atol(text);
  traceFile = openLog("FAULT_TRACE");
  commitsFile = openLog("FAULT_COMMITS");
  readPlan();
  trace("process\n");
}
__attribute__((destructor)) void end() { writeCounts(); }

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  NEXT(open);
  va_list args;
  va_start(args, flags);
  mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
  va_end(args);
  char name[512];
  const char* known = below(path, name);
  if (!known) return real(path, flags, mode);
  if (fails(Call::kOpen)) return -1;
  if (flags & O_CREAT) event();
  bool fresh = (flags & O_CREAT) && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
  int fd = real(path, flags, mode);
  if (fd < 0 || fd >= kFiles) return fd;
  strcpy(files[fd].path, known);
  files[fd].directory = flags & O_DIRECTORY;
  if (flags & (O_CREAT | O_WRONLY | O_RDWR | O_DIRECTORY))
    trace("open %d %s %s\n", fd, flags & O_DIRECTORY ? "directory" : fresh ? "new" : flags & O_TRUNC ? "cut" : "old", known);
  return fd;
}
int open64(const char* path, int flags, ...) __attribute__((alias("open")));

int openat(int directory, const char* path, int flags, ...) {
  NEXT(openat);
  va_list args;
  va_start(args, flags);
  mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
  va_end(args);
  char name[512];
  return directory == AT_FDCWD && below(path, name) && fails(Call::kOpen) ? -1 : real(directory, path, flags, mode);
}
int openat64(int directory, const char* path, int flags, ...) __attribute__((alias("openat")));

int close(int fd) {
  NEXT(close);
  if (!pathOf(fd)) return real(fd);
  bool failing = fails(Call::kClose);
  int error = errno;
  trace("close %d\n", fd);
  files[fd].path[0] = 0;
  int result = real(fd);  // as Linux does it: closed in any case
  if (failing) errno = error;
  return failing ? -1 : result;
}

DIR* opendir(const char* path) {
  NEXT(opendir);
  char name[512];
  return below(path, name) && fails(Call::kOpen) ? nullptr : real(path);
}

ssize_t read(int fd, void* data, size_t bytes) {
  NEXT(read);
  return pathOf(fd) && fails(Call::kRead) ? -1 : real(fd, data, bytes);
}
ssize_t pread(int fd, void* data, size_t bytes, off_t at) {
  NEXT(pread);
  return pathOf(fd) && fails(Call::kRead) ? -1 : real(fd, data, bytes, at);
}
ssize_t pread64(int fd, void* data, size_t bytes, off_t at) __attribute__((alias("pread")));

ssize_t write(int fd, const void* data, size_t bytes) {
  NEXT(write);
  if (!pathOf(fd)) return real(fd, data, bytes);
  if (fails(Call::kWrite)) return -1;
  bool append = fcntl(fd, F_GETFL) & O_APPEND;
  long at = syscall(SYS_lseek, fd, 0, append ? SEEK_END : SEEK_CUR);
  size_t half = bytes / 2;
  event();
  if (writesShort() && half > 0) {
    ssize_t n = real(fd, data, half);
    if (n > 0) traceWrite(fd, at, data, size_t(n));
    return n;
  }
  if ((killAt || killInSaveAt) && half > 0) {  // torn: half of it is there at the event
    if (real(fd, data, half) != ssize_t(half)) return -1;
    traceWrite(fd, at, data, half);
    event();
    ssize_t rest = real(fd, static_cast<const char*>(data) + half, bytes - half);
    if (rest > 0) traceWrite(fd, at + long(half), static_cast<const char*>(data) + half, size_t(rest));
    return rest < 0 ? ssize_t(half) : ssize_t(half) + rest;
  }
  ssize_t n = real(fd, data, bytes);
  if (n > 0) traceWrite(fd, at, data, size_t(n));
  return n;
}

int fsync(int fd) {
  NEXT(fsync);
  const char* path = pathOf(fd);
  if (!path) return real(fd);
  if (fails(Call::kFsync)) return -1;
  event();
  int result = real(fd);
  if (result != 0) return result;
  trace("sync %d\n", fd);
  if (files[fd].directory && renamed[0]) {
    if (commitsFile >= 0) {
      strcat(renamed, "\n");
      syscall(SYS_write, commitsFile, renamed, strlen(renamed));
    }
    renamed[0] = 0;
    inSave = false;
  }
  return result;
}

int fdatasync(int fd) {
  NEXT(fdatasync);
  if (!pathOf(fd)) return real(fd);
  inSave = true;
  if (fails(Call::kFdatasync)) return -1;
  event();
  int result = real(fd);
  if (result == 0) trace("sync %d\n", fd);
  return result;
}

int ftruncate(int fd, off_t bytes) {
  NEXT(ftruncate);
  if (!pathOf(fd)) return real(fd, bytes);
  if (fails(Call::kFtruncate)) return -1;
  event();
  int result = real(fd, bytes);
  if (result == 0) trace("truncate %d %ld\n", fd, long(bytes));
  return result;
}
int ftruncate64(int fd, off_t bytes) __attribute__((alias("ftruncate")));

int rename(const char* from, const char* to) {
  NEXT(rename);
  char a[512], b[512];
  if (!below(from, a) || !below(to, b)) return real(from, to);
  if (fails(Call::kRename)) return -1;
  event();
  int result = real(from, to);
  if (result != 0) return result;
  trace("rename %s %s\n", a, b);
  if (strstr(b, "step-")) strcpy(renamed, b);
  return result;
}

int unlink(const char* path) {
  NEXT(unlink);
  char name[512];
  if (!below(path, name)) return real(path);
  if (fails(Call::kUnlink)) return -1;
  event();
  int result = real(path);
  if (result == 0) trace("unlink %s\n", name);
  return result;
}

int mkdir(const char* path, mode_t mode) {
  NEXT(mkdir);
  char name[512];
  if (!below(path, name)) return real(path, mode);
  if (fails(Call::kMkdir)) return -1;
  event();
  int result = real(path, mode);
  if (result == 0) trace("mkdir %s\n", name);
  return result;
}

int flock(int fd, int operation) {
  NEXT(flock);
  return pathOf(fd) && fails(Call::kFlock) ? -1 : real(fd, operation);
}
int stat(const char* path, struct stat* out) {
  NEXT(stat);
  char name[512];
  return below(path, name) && fails(Call::kStat) ? -1 : real(path, out);
}
int lstat(const char* path, struct stat* out) {
  NEXT(lstat);
  char name[512];
  return below(path, name) && fails(Call::kStat) ? -1 : real(path, out);
}
int fstat(int fd, struct stat* out) {
  NEXT(fstat);
  return pathOf(fd) && fails(Call::kStat) ? -1 : real(fd, out);
}

void* mmap(void* where, size_t bytes, int protection, int flags, int fd, off_t at) {
  if (fd < 0 && fails(Call::kMmap)) return MAP_FAILED;
  return reinterpret_cast<void*>(syscall(SYS_mmap, where, bytes, protection, flags, fd, at));
}
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) {
  NEXT(pthread_create);
  return fails(Call::kThread) ? errno : real(thread, attributes, run, argument);
}

}  // extern "C"
