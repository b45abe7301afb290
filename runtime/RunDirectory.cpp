// The lock is flock's: the system drops it when the process ends, however it ends, so no stale lock needs breaking.
//
// metrics.jsonl is appended to in place. Up to `metricsBytes` it holds whole lines; whatever a failed write leaves behind
// them is cut off before the next one. Lines up to a checkpoint's step are durable before the checkpoint is, so that a
// power cut can only tear lines that a resumed run writes again.
#include "runtime/RunDirectory.h"

#include "runtime/DurableFile.h"
#include "runtime/InputFile.h"
#include "runtime/RunError.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <memory>

namespace heddle {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void cannot(const std::string& path, const std::string& what, int error = errno) {
  throw RunError(kData, fmt::format("{}: cannot be {}: {}", path, what, strerror(error)));
}

// Not by std::filesystem's iterator: that one ends the process when its memory runs out.
std::vector<std::string> fileNames(const std::string& directory) {
  std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(directory.c_str()), closedir);
  if (!stream) cannot(directory, "read");
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (!entry && errno) cannot(directory, "read");
    if (!entry) return names;
    names.push_back(entry->d_name);
  }
}

// The step of a line of metrics.jsonl, which this program has written: {"step":N,... ; -1 for anything else.
int64_t stepOf(std::string_view line) {
  constexpr std::string_view kStart = "{\"step\":";
  int64_t step = -1;
  if (line.starts_with(kStart)) std::from_chars(line.data() + kStart.size(), line.data() + line.size(), step);
  return step;
}

bool sameFile(int fd, const struct stat& there) {
  struct stat ours;
  return fstat(fd, &ours) == 0 && ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

// O_NOFOLLOW: a link in somebody else's directory must not lead to a file of ours.
int openPlain(const std::string& path, int flags) {
  int fd;
  do fd = open(path.c_str(), flags | O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  while (fd < 0 && errno == EINTR);
  if (fd < 0 && errno == ELOOP) throw RunError(kData, fmt::format("{}: is a symbolic link; it is not followed", path));
  if (fd < 0) cannot(path, "written");
  struct stat status;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) return fd;
  close(fd);
  throw RunError(kData, fmt::format("{}: is not a regular file; it is not written to", path));
}

int truncateTo(int fd, int64_t bytes) {
  int result;
  do result = ftruncate(fd, off_t(bytes));
  while (result != 0 && errno == EINTR);
  return result;
}

}  // namespace

std::vector<CheckpointFile> findCheckpoints(const std::string& directory) {
  constexpr std::string_view kPrefix = "step-", kSuffix = ".safetensors";
  std::vector<CheckpointFile> found;
  for (const std::string& name : fileNames(directory)) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    const char *from = name.data() + kPrefix.size(), *to = name.data() + name.size() - kSuffix.size();
    int64_t step = -1;
    if (from < to && std::from_chars(from, to, step).ptr == to && step >= 0)
      found.push_back({step, directory + "/" + name});
  }
  std::sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.step > b.step; });
  return found;
}

RunDirectory::RunDirectory(const std::string& path, bool resume)
    : directory(path), metricsPath(path + "/metrics.jsonl") {
  pending.reserve(4096);  // a line, so that training need not allocate for it
  std::error_code error;
  if (resume && !fs::is_directory(path, error))
    throw RunError(kData, fmt::format("{}: there is no such run to resume", path), "leave out --resume to start one");
  createDurableDirectory(path);
  if (access(path.c_str(), W_OK | X_OK) != 0) cannot(path, "written");
  try {
    takeLock();
    struct stat status;
    bool hasMetrics = stat(metricsPath.c_str(), &status) == 0 && status.st_size > 0;
    bool hasCheckpoints = !findCheckpoints(path).empty();
    if (!resume && (hasMetrics || hasCheckpoints))
      throw RunError(kData, fmt::format("{}: holds a run already", path),
                     hasCheckpoints ? "continue it with --resume, or give another --out"
                                    : "it ended before its first checkpoint: remove it, or give another --out");
    for (const std::string& name : fileNames(path))
      if (DurableFile::isTemporary(name)) unlink((path + "/" + name).c_str());
    openMetrics();
    syncDirectory(path);  // a checkpoint must not outlive the metrics that lead to it
  } catch (...) {
    if (metrics >= 0) close(metrics);
    if (lock >= 0) close(lock);
    throw;
  }
}

RunDirectory::~RunDirectory() {
  if (metrics >= 0) close(metrics);
  if (lock >= 0) close(lock);
}

std::string RunDirectory::checkpointPath(int64_t step) const {
  return fmt::format("{}/step-{}.safetensors", directory, step);
}

void RunDirectory::takeLock() {
  int fd = openPlain(directory + "/.lock", 0);
  int result;
  do result = flock(fd, LOCK_EX | LOCK_NB);
  while (result != 0 && errno == EINTR);
  if (result != 0) {
    bool held = errno == EWOULDBLOCK;
    std::string cause = held ? "another process is training in it" : fmt::format("cannot be locked: {}", strerror(errno));
    close(fd);
    throw RunError(kData, fmt::format("{}: {}", directory, cause), held ? "wait for it, or give another --out" : "");
  }
  if (lock >= 0) close(lock);
  lock = fd;
}

void RunDirectory::openMetrics() {
  int fd = openPlain(metricsPath, O_APPEND);
  struct stat status;
  if (fstat(fd, &status) != 0) {
    int error = errno;
    close(fd);
    cannot(metricsPath, "read", error);
  }
  if (metrics >= 0) close(metrics);
  metrics = fd, metricsBytes = status.st_size;
}

std::string RunDirectory::restore() {
  struct stat there;
  if (stat((directory + "/.lock").c_str(), &there) == 0) {
    if (!sameFile(lock, there))
      throw DirectoryTaken(kData, fmt::format("{}: was deleted or moved while training, and is another run's now; nothing "
                                              "is written to it", directory), "give each run an --out of its own");
    if (stat(metricsPath.c_str(), &there) == 0 ? sameFile(metrics, there) : errno != ENOENT) return "";
    rewriteMetrics();
    return fmt::format("{}: was deleted or replaced while training; written again", metricsPath);
  }
  if (errno != ENOENT) cannot(directory, "read");
  std::error_code error;
  bool gone = !fs::exists(directory, error);
  createDurableDirectory(directory);
  takeLock();
  metricsSuspect = true;  // until they are written again, by the next call that succeeds
  rewriteMetrics();
  return fmt::format("{}: {} while training; made again, with all metrics, {}", directory,
                     gone ? "was deleted or moved" : "its .lock was deleted",
                     gone ? "but the checkpoints before this one are gone" : "and locked");
}

// Reads by the descriptor, which also reaches a file that was deleted.
void RunDirectory::rewriteMetrics() {
  std::string text(size_t(metricsBytes), '\0');
  for (size_t done = 0; done < text.size();) {
    ssize_t n = pread(metrics, text.data() + done, text.size() - done, off_t(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) cannot(metricsPath, "read", n < 0 ? errno : EIO);
    done += size_t(n);
  }
  text += pending;
  DurableFile file(metricsPath);
  file.write(text.data(), text.size());
  file.commit();
  openMetrics();
  pending.clear();
  metricsSuspect = false;
}

int64_t RunDirectory::truncateMetrics(int64_t step) {
  std::string text = InputFile(metricsPath).readAll();
  size_t keep = 0;
  int64_t lines = 0, before = -1;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == std::string::npos) break;  // a line that a killed process did not finish
    int64_t at_step = stepOf(std::string_view(text).substr(at, end - at));
    if (at_step <= before || at_step > step) break;
    before = at_step;
    at = keep = end + 1;
    ++lines;
  }
  if (truncateTo(metrics, int64_t(keep)) != 0) cannot(metricsPath, fmt::format("cut to step {}", step));
  metricsBytes = int64_t(keep);
  return lines;
}

int RunDirectory::appendMetrics(std::string_view line) {
  pending += line;
  pending += '\n';
  return flushMetrics();
}

int RunDirectory::flushMetrics() {
  struct stat status;
  if (fstat(metrics, &status) != 0) return errno;
  if (status.st_size > metricsBytes && truncateTo(metrics, metricsBytes) != 0) return errno;
  size_t done = 0;
  while (done < pending.size()) {
    ssize_t n = write(metrics, pending.data() + done, pending.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      int error = n < 0 ? errno : EIO;
      if (done > 0) truncateTo(metrics, metricsBytes);  // else the next call does it
      return error;
    }
    done += size_t(n);
  }
  metricsBytes += int64_t(done);
  pending.clear();
  return 0;
}

void RunDirectory::syncMetrics() {
  if (metricsSuspect) return rewriteMetrics();
  if (int error = flushMetrics()) cannot(metricsPath, "written", error);
  int result;
  do result = fdatasync(metrics);
  while (result != 0 && errno == EINTR);
  if (result == 0) return;
  metricsSuspect = true;
  rewriteMetrics();
}

}  // namespace heddle
