// The lock is flock's: the system drops it when the process ends, however it ends, so no stale lock needs breaking.
#include "runtime/RunDirectory.h"

#include "runtime/DurableFile.h"
#include "runtime/InputFile.h"
#include "runtime/RunError.h"

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

namespace heddle {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> fileNames(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator i(directory, error), end; !error && i != end; i.increment(error))
    names.push_back(i->path().filename());
  if (error) throw RunError(kData, fmt::format("{}: cannot be read: {}", directory, error.message()));
  return names;
}

// The step of a line of metrics.jsonl, which this program has written: {"step":N,... ; -1 for anything else.
int64_t stepOf(std::string_view line) {
  constexpr std::string_view kStart = "{\"step\":";
  int64_t step = -1;
  if (line.starts_with(kStart)) std::from_chars(line.data() + kStart.size(), line.data() + line.size(), step);
  return step;
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

RunDirectory::RunDirectory(const std::string& path, bool resume) : directory(path) {
  std::error_code error;
  if (resume && !fs::is_directory(path, error))
    throw RunError(kData, fmt::format("{}: there is no such run to resume", path), "leave out --resume to start one");
  if (!resume) fs::create_directories(path, error);
  if (error) throw RunError(kData, fmt::format("{}: cannot be created: {}", path, error.message()));
  std::string lockPath = path + "/.lock";
  lock = open(lockPath.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (lock < 0) throw RunError(kData, fmt::format("{}: cannot be written: {}", path, strerror(errno)));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    bool held = errno == EWOULDBLOCK;
    std::string cause = held ? "another process is training in it" : strerror(errno);
    close(lock);
    throw RunError(kData, fmt::format("{}: {}", path, cause), held ? "wait for it, or give another --out" : "");
  }
  try {
    std::string metricsPath = path + "/metrics.jsonl";
    struct stat status;
    bool hasMetrics = stat(metricsPath.c_str(), &status) == 0 && status.st_size > 0;
    if (!resume && (hasMetrics || !findCheckpoints(path).empty()))
      throw RunError(kData, fmt::format("{}: holds a run already", path),
                     "continue it with --resume, or give another --out");
    for (const std::string& name : fileNames(path))
      if (DurableFile::isTemporary(name)) unlink((path + "/" + name).c_str());
    metrics = open(metricsPath.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_APPEND, 0666);
    if (metrics < 0) throw RunError(kData, fmt::format("{}: cannot be written: {}", metricsPath, strerror(errno)));
  } catch (...) {
    close(lock);
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

void RunDirectory::truncateMetrics(int64_t step) {
  std::string path = directory + "/metrics.jsonl", text = InputFile(path).readAll();
  size_t keep = 0;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == std::string::npos) break;  // a line that a killed process did not finish
    int64_t at_step = stepOf(std::string_view(text).substr(at, end - at));
    if (at_step < 0 || at_step > step) break;
    at = keep = end + 1;
  }
  if (ftruncate(metrics, off_t(keep)) != 0)
    throw RunError(kData, fmt::format("{}: cannot be cut to step {}: {}", path, step, strerror(errno)));
}

bool RunDirectory::appendMetrics(const std::string& line) {
  std::string text = line + "\n";
  off_t before = lseek(metrics, 0, SEEK_END);
  size_t done = 0;
  while (done < text.size()) {
    ssize_t n = write(metrics, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      int error = errno;
      if (done > 0 && ftruncate(metrics, before) != 0) error = errno;
      errno = error;
      return false;
    }
    done += size_t(n);
  }
  return true;
}

void RunDirectory::syncMetrics() { fdatasync(metrics); }

}  // namespace heddle
