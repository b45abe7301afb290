// What may refuse memory, asked before training rather than met in the middle of it (Arena.h).
//
// A control group's limit is met by a kill without a word, and overcommitted physical memory too, so both are compared
// with the plan beforehand. Resource limits make mmap fail, which Arena tells; but a plan of several arenas should be
// refused as a whole, with its sum.
#include "runtime/Arena.h"
#include "runtime/RunError.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <fstream>

namespace heddle {
namespace {

std::string megabytes(int64_t bytes) { return fmt::format("{:.1f} MiB ({} bytes)", double(bytes) / 1048576, bytes); }

// The number that a file of one number holds; -1 if there is none ("max", no such file).
int64_t numberIn(const std::string& path) {
  std::string text;
  int64_t value;
  if (!(std::ifstream(path) >> text)) return -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : -1;
}

// Limits of the group at `path` of a hierarchy mounted at `mount`, and of every group above it.
void addGroups(const std::string& mount, std::string path, const char* file, std::vector<MemoryLimit>& limits) {
  while (true) {
    int64_t value = numberIn(mount + path + "/" + file);
    // v1 says "no limit" by a number near 2^63.
    if (value > 0 && value < int64_t(1) << 60)
      limits.push_back({value, fmt::format("the memory limit (control group {}) is", path.empty() ? "/" : path)});
    if (path.empty()) return;
    path.resize(path.rfind('/'));
  }
}

// "VmSize:   123 kB" of /proc/self/status, in bytes.
int64_t statusBytes(const std::string& root, const std::string& key) {
  std::ifstream file(root + "/proc/self/status");
  for (std::string word; file >> word;) {
    int64_t kilobytes;
    if (word == key + ":" && file >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

std::vector<MemoryLimit> memoryLimits(const std::string& root) {
  std::vector<MemoryLimit> limits;
  if (int64_t bytes = int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE); bytes > 0)
    limits.push_back({bytes, "this machine has"});

  // "0::/a/b" of v2, "9:memory:/a/b" of v1; in a container the path may be one that only the host can see, and its
  // parents, of which the last is the container's own group, are then what can be read.
  std::string v2, v1;
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    std::string controllers = fmt::format(",{},", line.substr(first + 1, second - first - 1));
    std::string path = line.substr(second + 1);
    if (path == "/" || path.empty() || path[0] != '/') path.clear();
    if (controllers == ",,") v2 = path;
    if (controllers.find(",memory,") != std::string::npos) v1 = path;
  }
  addGroups(root + "/sys/fs/cgroup", v2, "memory.max", limits);
  addGroups(root + "/sys/fs/cgroup/memory", v1, "memory.limit_in_bytes", limits);

  struct Resource {
    __rlimit_resource_t resource;
    const char *used, *name;
  };
  for (Resource r : {Resource{RLIMIT_AS, "VmSize", "`ulimit -v`"}, Resource{RLIMIT_DATA, "VmData", "`ulimit -d`"}}) {
    struct rlimit limit;
    if (getrlimit(r.resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) continue;
    int64_t all = int64_t(std::min<uint64_t>(limit.rlim_cur, uint64_t(1) << 62));
    limits.push_back({std::max<int64_t>(0, all - statusBytes(root, r.used)) + Arena::mapped(),
                      fmt::format("of {} under {} there are", megabytes(all), r.name)});
  }
  return limits;
}

MemoryLimit narrowestLimit(const std::string& root) {
  MemoryLimit narrowest;
  for (const MemoryLimit& limit : memoryLimits(root))
    if (narrowest.source.empty() || limit.bytes < narrowest.bytes) narrowest = limit;
  return narrowest;
}

void checkMemory(int64_t plannedBytes, const std::string& root) {
  MemoryLimit limit = narrowestLimit(root);
  if (!limit.source.empty() && plannedBytes > limit.bytes)
    throw RunError(kData, fmt::format("the plan needs {}, but {} {}", megabytes(plannedBytes), limit.source,
                                      megabytes(limit.bytes)),
                   "a smaller batch or model, or a higher memory limit (`--dry-run` prints the plan)");
}

}  // namespace heddle
