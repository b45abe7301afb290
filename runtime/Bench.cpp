// See Bench.h. Times are medians of calls, since whatever else runs on a machine only ever adds to some of them.
#include "runtime/Bench.h"

#include "runtime/DataSource.h"
#include "runtime/Interrupt.h"
#include "runtime/RunConfig.h"
#include "runtime/RunError.h"
#include "runtime/Session.h"
#include "runtime/TargetClass.h"
#include "runtime/TrainingSteps.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

namespace heddle {

double KernelWork::limit(const Roofs& roofs) const {
  return calls * std::max(double(flops) / roofs.flops, double(bytes) / roofs.bytes);
}

double optimizerBytes(const HeddleProgram& program) {
  double bytes = 0;
  for (int i = 0; i < program.variable_count; ++i) {
    const HeddleVariable& v = program.variables[i];
    double size = 4.0 * double(elementCount(v));
    if (v.kind == HEDDLE_PARAMETER && !v.frozen) bytes += 3 * size;  // its gradient is read too
    if (v.kind == HEDDLE_OPTIMIZER) bytes += 2 * size;
  }
  return bytes;
}

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double median(std::vector<double>& values) {
  auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

KernelWork workOf(const HeddleTarget& target, const HeddleStep& step) {
  const HeddleWork none = {};
  const HeddleWork& work = target.kernel_work ? target.kernel_work[step.kernel] : none;
  return {target.kernel_names ? target.kernel_names[step.kernel] : "", step.where ? step.where : "", 0, work.flops, work.bytes};
}

double total(const std::vector<KernelWork>& kernels, int64_t KernelWork::*of) {
  double sum = 0;
  for (auto& k : kernels) sum += k.calls * double(k.*of);
  return sum;
}
double totalFlops(const std::vector<KernelWork>& kernels) { return total(kernels, &KernelWork::flops); }
double totalBytes(const std::vector<KernelWork>& kernels) { return total(kernels, &KernelWork::bytes); }

// The row of a call's kernel and place; a new one behind the others if there is none.
size_t rowOf(const HeddleTarget& target, const HeddleStep& step, std::vector<KernelWork>& kernels) {
  KernelWork work = workOf(target, step);
  auto same = std::find_if(kernels.begin(), kernels.end(),
                           [&](auto& k) { return k.kernel == work.kernel && k.where == work.where; });
  if (same == kernels.end()) same = kernels.insert(kernels.end(), work);
  return size_t(same - kernels.begin());
}

// What steps were seen to do.
class Measurement {
public:
  explicit Measurement(const HeddleTarget& target) : target(target) {}

  void add(const StepTrace& trace) {
    auto [entry, fresh] = index.try_emplace(trace.step);
    if (fresh) {
      entry->second = rowOf(target, *trace.step, kernels);
      calls.resize(kernels.size());
    }
    calls[entry->second].push_back(trace.seconds);
  }
  void addStep(size_t entry, double seconds) { steps[entry].push_back(seconds); }
  void addRoofs(const Roofs& found) { flops.push_back(found.flops), bytes.push_back(found.bytes); }

  /// The slowest first.
  std::vector<KernelWork> table() {
    double n = double(count());
    for (size_t i = 0; i < kernels.size(); ++i) {
      kernels[i].calls = double(calls[i].size()) / n;
      kernels[i].seconds = kernels[i].calls * median(calls[i]);
    }
    std::vector<KernelWork> sorted = kernels;
    std::stable_sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.seconds > b.seconds; });
    return sorted;
  }
  double stepSeconds() {
    double sum = 0, n = double(count());
    for (auto& [entry, times] : steps) sum += median(times) * double(times.size()) / n;
    return sum;
  }
  size_t count() const {
    size_t n = 0;
    for (auto& [entry, times] : steps) n += times.size();
    return n;
  }
  Roofs roofs() { return {median(flops), median(bytes)}; }

private:
  const HeddleTarget& target;
  std::vector<KernelWork> kernels;
  std::vector<std::vector<double>> calls;  // seconds of each
  std::map<const HeddleStep*, size_t> index;
  std::map<size_t, std::vector<double>> steps;  // of each entry
  std::vector<double> flops, bytes;
};

std::string count(double x) {
  const char* units[] = {"", "k", "M", "G", "T"};
  int unit = 0;
  while (x >= 999.5 && unit < 4) x /= 1000, ++unit;
  return fmt::format("{:.{}f} {}", x, !unit || x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2, units[unit]);
}

std::string workTable(const std::vector<KernelWork>& kernels) {
  std::string text = fmt::format("{:>7} {:>9} {:>9}  kernel\n", "calls", "FLOPs", "bytes");
  for (auto& k : kernels)
    text += fmt::format("{:>7g} {:>9} {:>9}  {}  {}\n", k.calls, count(k.calls * double(k.flops)), count(k.calls * double(k.bytes)),
                        k.kernel, k.where);
  text += fmt::format("{:>7} {:>9} {:>9}  a step\n", "", count(totalFlops(kernels)), count(totalBytes(kernels)));
  return text;
}

nlohmann::ordered_json asJson(const std::vector<KernelWork>& kernels, const Roofs* roofs) {
  auto list = nlohmann::ordered_json::array();
  for (auto& k : kernels) {
    nlohmann::ordered_json row = {{"kernel", k.kernel}, {"where", k.where}, {"calls", k.calls}, {"flops", k.calls * double(k.flops)},
                                  {"bytes", k.calls * double(k.bytes)}};
    if (roofs) row["ms"] = 1e3 * k.seconds, row["limit_ms"] = 1e3 * k.limit(*roofs);
    list.push_back(row);
  }
  return list;
}

std::string counted(const HeddleProgram& program, const RunOptions& options) {
  const HeddleTarget& target = chooseTarget(program, options.target);
  std::string text;
  nlohmann::ordered_json json = {{"program", program.name}, {"target", target.name}, {"optimizer_bytes", optimizerBytes(program)}};
  for (const HeddleEntry* entry : trainingEntries(target)) {
    std::vector<KernelWork> kernels = countWork(target, *entry);
    json["entries"][entry->name] = {{"flops", totalFlops(kernels)}, {"bytes", totalBytes(kernels)}, {"kernels", asJson(kernels, nullptr)}};
    text += fmt::format("{}{}: {}, work of a step\n", text.empty() ? "" : "\n", program.name, entry->name) + workTable(kernels);
  }
  return options.json ? json.dump(1) + "\n" : text;
}

std::string timeTable(const std::vector<KernelWork>& kernels, const Roofs& roofs) {
  std::string text = fmt::format("{:>9} {:>9} {:>9} {:>6} {:>8} {:>6}  kernel\n", "ms", "lost ms", "GFLOP/s", "GB/s", "of limit", "calls");
  for (auto& k : kernels) {
    double limit = k.limit(roofs);
    std::string rate = k.flops ? fmt::format("{:.1f}", k.calls * double(k.flops) / k.seconds * 1e-9) : "";
    text += fmt::format("{:9.3f} {:9.3f} {:>9} {:6.1f} {:>7.0f}% {:>6g}  {}  {}\n", 1e3 * k.seconds, 1e3 * (k.seconds - limit), rate,
                        k.calls * double(k.bytes) / k.seconds * 1e-9, 100 * limit / k.seconds, k.calls, k.kernel, k.where);
  }
  return text;
}

}  // namespace

std::vector<KernelWork> countWork(const HeddleTarget& target, const HeddleEntry& entry) {
  std::vector<KernelWork> kernels;
  std::vector<double> times = {1};
  for (int i = 0; i < entry.step_count; ++i) {
    const HeddleStep& step = entry.steps[i];
    if (step.kind == HEDDLE_END) {
      times.pop_back();
    } else if (step.kind != HEDDLE_CALL) {
      times.push_back(times.back() * double(step.count));
    } else {
      kernels[rowOf(target, step, kernels)].calls += times.back();
    }
  }
  return kernels;
}

std::string bench(const HeddleProgram& program, const RunOptions& options) {
  if (options.dryRun) return counted(program, options);
  constexpr int64_t kWarmUp = 2, kRoofs = 5;
  RunConfig config = RunConfig::parse(program.config);
  Session session(program, threadCount(options), options.target, Caches::none);
  auto source = openDataSource(config, options.data);
  TrainingSteps inputs(session, source.get());
  std::vector<const HeddleEntry*> entries = session.trainingEntries();
  const int64_t steps = options.steps.value_or(20) + kWarmUp;
  const uint64_t seed = options.seed.value_or(config.seed);
  session.initialise(seed);
  inputs.start(seed);
  RoofMeter meter(session.pool, session.target.name);

  Interrupt interrupt;
  Measurement seen(session.target);
  for (int64_t step = 1; step <= steps && !Interrupt::requested(); ++step) {
    if ((step - 1) % std::max<int64_t>(1, steps / kRoofs) == 0) seen.addRoofs(meter.measure());
    auto start = Clock::now();
    size_t entry = inputs.fill(step);
    if (step < steps) inputs.makeAhead(step + 1);
    if (step > kWarmUp) session.executor.trace = [&](const StepTrace& trace) { seen.add(trace); };
    session.run(*entries[entry]);
    if (step > kWarmUp) seen.addStep(entry, secondsSince(start));
  }
  if (!seen.count()) throw RunError(kInterrupted, "interrupted before a step was measured");

  Roofs roofs = seen.roofs();
  std::vector<KernelWork> kernels = seen.table();
  StepLimit least{totalFlops(kernels), optimizerBytes(program)};
  double step = seen.stepSeconds(), limit = least.seconds(roofs), inKernels = 0;
  for (auto& k : kernels) inKernels += k.seconds;
  if (options.json) {
    nlohmann::ordered_json json = {{"program", program.name}, {"target", session.target.name}, {"threads", session.pool.threads()},
                                   {"steps", seen.count()}, {"step_ms", 1e3 * step}, {"limit_ms", 1e3 * limit},
                                   {"of_limit", limit / step}, {"roof_gflops", roofs.flops * 1e-9}, {"roof_gb_s", roofs.bytes * 1e-9},
                                   {"flops", least.flops}, {"bytes", totalBytes(kernels)}, {"optimizer_bytes", least.bytes},
                                   {"peak_bytes", plannedBytes(program, session.target, session.pool.threads(), Caches::none)},
                                   {"kernels", asJson(kernels, &roofs)}};
    return json.dump(1) + "\n";
  }
  std::string text = fmt::format("{}: {} steps, {} thread{} ({}). This machine at most: {:.1f} GFLOP/s, {:.1f} GB/s\n\n", program.name,
                                 seen.count(), session.pool.threads(), session.pool.threads() == 1 ? "" : "s", session.target.name,
                                 roofs.flops * 1e-9, roofs.bytes * 1e-9);
  text += timeTable(kernels, roofs);
  text += fmt::format("\nstep   {:.3f} ms, of which {:.3f} in kernels\n", 1e3 * step, 1e3 * inKernels);
  text += fmt::format("limit  {:.3f} ms: {}FLOPs of matrix products, {}bytes of parameters, gradients and optimizer state\n", 1e3 * limit,
                      count(least.flops), count(least.bytes));
  text += fmt::format("       {:.0f}% of it reached; kernels read and write {}bytes\n", 100 * limit / step, count(totalBytes(kernels)));
  return text;
}

}  // namespace heddle
