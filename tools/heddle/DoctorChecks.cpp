// See Doctor.h. Each check says what training itself would say, by asking the same functions.
#include "tools/heddle/Doctor.h"
#include "tools/heddle/Door.h"

#include "codegen/cpp/NativeParts.h"
#include "codegen/cpp/TemporaryFolder.h"
#include "codegen/llvm/ObjectCache.h"
#include "runtime/Arena.h"
#include "runtime/FloatMode.h"
#include "runtime/Options.h"
#include "runtime/RunError.h"
#include "runtime/TargetClass.h"
#include "runtime/ThreadPool.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <limits>

namespace heddle {

std::vector<Finding> checkCommand() {
  Finding command{"heddle", Finding::ok, fmt::format("{} ({}, ABI {})", ownExecutable(), HEDDLE_VERSION, HEDDLE_ABI_VERSION)};
  if (ownExecutable().empty()) {
    command.health = Finding::missing;
    command.found = "its own path cannot be read: /proc is not mounted";
    command.mend = "mount /proc, or set HEDDLE_HOME to where Heddle is installed";
    command.onlyNative = true;
  }
  const char *home = std::getenv("HEDDLE_HOME");
  bool set = home && *home;
  return {command, {"parts", Finding::ok, fmt::format("{} ({})", nativeRoot(ownExecutable()),
                                                      set ? "HEDDLE_HOME" : "beside the command; HEDDLE_HOME is not set")}};
}

std::vector<Finding> checkNativeParts() {
  std::vector<Finding> findings;
  const char *home = std::getenv("HEDDLE_HOME");
  for (const NativePart &part : inspectNativeParts(ownExecutable())) {
    Finding finding{part.name, Finding::ok, part.found, "", true};
    if (!part.problems.empty()) {
      finding.health = Finding::missing;
      finding.found = fmt::format("{}", fmt::join(part.problems, "; "));
      finding.mend = home && *home ? "unset HEDDLE_HOME, or set it to where this version of Heddle is installed"
                     : part.name == "Highway" ? "install Heddle again, or Highway's headers (Debian: libhwy-dev)"
                                              : "install Heddle again";
    }
    findings.push_back(finding);
  }
  return findings;
}

Finding checkTemporaryFolder() {
  Finding finding{"TMPDIR", Finding::ok, temporaryPlace(), "", true};
  const char *wanted = std::getenv("TMPDIR");
  if (!wanted || !*wanted)
    finding.found += " (TMPDIR is not set)";
  llvm::Expected<TemporaryFolder> folder = TemporaryFolder::make();
  if (!folder) {
    finding.health = Finding::missing;
    finding.found = llvm::toString(folder.takeError());
    finding.mend = "set TMPDIR to a folder that can be written";
  } else if (!folder->allowsCode()) {
    finding.health = Finding::missing;
    finding.found += ": the file system is mounted noexec, so --aot cannot load code from it";
    finding.mend = "set TMPDIR to another folder";
  }
  return finding;
}

Finding checkCache() {
  ObjectCache cache(ObjectCache::chosenFolder());
  if (!cache.enabled() && std::getenv("HEDDLE_CACHE"))
    return {"cache", Finding::ok, "off (HEDDLE_CACHE)"};
  std::string mend = "set HEDDLE_CACHE to a folder of yours: programs that were compiled before then start at once";
  if (!cache.enabled())
    return {"cache", Finding::slower, "there is no folder for it: HOME is not set", mend};
  if (llvm::Error error = cache.prepare())
    return {"cache", Finding::slower, llvm::toString(std::move(error)), mend};
  return {"cache", Finding::ok,
          fmt::format("{}, {:.1f} MiB of at most {}", cache.path(), double(cache.size()) / double(1 << 20),
                      ObjectCache::kMostBytes >> 20)};
}

Finding checkProcessor() {
  Finding finding{"CPU class"};
  try {
    std::string chosen = chooseTargetClass();
    finding.found = fmt::format("{} (this CPU runs {})", chosen, fmt::join(runnableTargetClasses(), ", "));
  } catch (const RunError &problem) {
    finding.health = Finding::missing;
    finding.found = problem.what();
    finding.mend = std::getenv("HEDDLE_TARGET") ? "unset HEDDLE_TARGET" : "a CPU of the years since 2009";
  }
  return finding;
}

Finding checkCores() {
  Finding finding{"cores", Finding::ok, fmt::format("{}", ThreadPool::availableCores())};
  try {
    if (int threads = threadCount(RunOptions()); threads != ThreadPool::availableCores())
      finding.found += fmt::format(" (HEDDLE_THREADS asks for {} threads)", threads);
  } catch (const RunError &problem) {
    return {"cores", Finding::missing, problem.what(), "unset HEDDLE_THREADS"};
  }
  return finding;
}

Finding checkMemorySize() {
  MemoryLimit limit = narrowestLimit();
  if (limit.source.empty())
    return {"memory", Finding::slower, "neither the machine nor a limit says how much there is",
            "mount /proc and /sys: a run that is too large is then told before it starts"};
  return {"memory", Finding::ok,
          fmt::format("{} {:.1f} GiB", limit.source, double(limit.bytes) / double(1 << 30))};
}

Finding checkHugePages() {
  const char *path = "/sys/kernel/mm/transparent_hugepage/enabled";
  std::string text;
  std::ifstream file(path);
  std::getline(file, text);
  size_t open = text.find('['), close = text.find(']');
  std::string mode = open == std::string::npos || close < open ? "" : text.substr(open + 1, close - open - 1);
  if (mode == "always" || mode == "madvise")
    return {"huge pages", Finding::ok, mode};
  return {"huge pages", Finding::slower, mode.empty() ? fmt::format("{} cannot be read", path) : mode,
          fmt::format("large models train faster after: echo madvise > {}", path)};
}

Finding checkDenormals() {
  volatile float smallest = std::numeric_limits<float>::min(), half = 0.5f, flushed = 1;
  unsigned before = _mm_getcsr();
  {
    FloatMode mode;
    flushed = smallest * half;
  }
  if (flushed != 0 || _mm_getcsr() != (before | (_mm_getcsr() & 0x3Fu)))
    return {"denormals", Finding::missing, "this CPU does not flush them to zero when told to",
            "another machine: results here would differ from those elsewhere"};
  bool preset = before & 0x8040u;
  return {"denormals", Finding::ok, fmt::format("kernels count them as zero; this process {}", preset ? "does too" : "keeps them")};
}

} // namespace heddle
