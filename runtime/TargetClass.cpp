// CPUID by way of the compiler's builtins, which also ask whether the system saves the wide registers.
#include "runtime/TargetClass.h"

#include "runtime/RunError.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

namespace heddle {
namespace {

constexpr const char* kClasses[] = {"avx512", "avx2", "baseline"};  // best first

std::string wantedClass(const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  const char* variable = getenv("HEDDLE_TARGET");
  return variable ? variable : "";
}

// HEDDLE_CPU=CLASS: this CPU counts as one that runs no better class than that; `none` leaves none. It can only take
// away, so a test on any machine can be one on a lesser machine.
bool aboveLimit(const std::string& name) {
  const char* variable = getenv("HEDDLE_CPU");
  if (!variable || !*variable) return false;
  std::string limit = variable;
  auto rank = [](const std::string& c) { return size_t(std::find(std::begin(kClasses), std::end(kClasses), c) - kClasses); };
  if (limit != "none" && rank(limit) == std::size(kClasses))
    throw RunError(kUsage, fmt::format("HEDDLE_CPU is '{}'", limit), "one of avx512, avx2, baseline, none");
  return limit == "none" || rank(name) < rank(limit);
}

void refuseUnknown(const std::string& name) {
  for (auto* known : kClasses)
    if (name == known) return;
  throw RunError(kUsage, fmt::format("unknown target class '{}'", name), "one of avx512, avx2, baseline");
}

RunError cpuLacks(const std::string& name) {
  auto runs = runnableTargetClasses();
  return RunError(kData, fmt::format("this CPU does not run the target class '{}'", name),
                  fmt::format("it runs {}", runs.empty() ? "none of them" : fmt::format("{}", fmt::join(runs, ", "))));
}

}  // namespace

bool cpuRuns(const std::string& name) {
  if (aboveLimit(name)) return false;
  __builtin_cpu_init();
  bool baseline = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("popcnt");
  bool avx2 = baseline && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
              __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  if (name == "baseline") return baseline;
  if (name == "avx2") return avx2;
  if (name == "avx512")
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
  return false;
}

std::vector<std::string> runnableTargetClasses() {
  std::vector<std::string> names;
  for (auto* name : kClasses)
    if (cpuRuns(name)) names.push_back(name);
  return names;
}

std::string chooseTargetClass(const std::string& wantedName) {
  std::string wanted = wantedClass(wantedName);
  if (!wanted.empty()) {
    refuseUnknown(wanted);
    if (!cpuRuns(wanted)) throw cpuLacks(wanted);
    return wanted;
  }
  auto names = runnableTargetClasses();
  if (names.empty()) throw RunError(kData, "this CPU lacks x86-64-v2 (SSE4.2, POPCNT), the least that Heddle needs");
  return names.front();
}

const HeddleTarget& chooseTarget(const HeddleProgram& program, const std::string& wantedName) {
  std::string wanted = wantedClass(wantedName);
  if (!wanted.empty()) refuseUnknown(wanted);
  std::vector<std::string> present;
  const HeddleTarget* chosen = nullptr;
  for (int i = 0; i < program.target_count; ++i) {
    const HeddleTarget& target = program.targets[i];
    present.push_back(target.name);
    if (!chosen && (wanted.empty() ? cpuRuns(target.name) : wanted == target.name)) chosen = &target;
  }
  if (chosen && !cpuRuns(chosen->name)) throw cpuLacks(chosen->name);
  if (chosen) return *chosen;
  if (!wanted.empty())
    throw RunError(kData, fmt::format("'{}' was not compiled for the target class '{}'", program.name, wanted),
                   fmt::format("it was compiled for {}", fmt::join(present, ", ")));
  throw RunError(kData, fmt::format("'{}' was compiled for {}, which this CPU does not run", program.name,
                                    fmt::join(present, ", ")),
                 std::find(present.begin(), present.end(), "baseline") == present.end()
                     ? "compile it for the target class `baseline`"
                     : "it needs a CPU with x86-64-v2 (SSE4.2, POPCNT)");
}

}  // namespace heddle
