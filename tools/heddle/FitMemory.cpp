// See FitMemory.h. Each trial goes through the whole pipeline, since what a value takes depends on all that is fused and placed
// after it; a threshold among the costs there are is found by bisection.
#include "tools/heddle/FitMemory.h"
#include "tools/heddle/SubCommand.h"

#include "codegen/ProgramTables.h"
#include "codegen/SourcePlace.h"
#include "passes/graph/SavedValues.h"
#include "runtime/DataSource.h"
#include "runtime/RunConfig.h"
#include "runtime/RunError.h"
#include "runtime/Session.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

namespace heddle {

namespace {

struct Trial {
  int64_t peak = 0;
  double flops = 0; // of a step
};

// 900M; 0: it is no size.
int64_t sizeOf(std::string_view text) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit = text.substr(size_t(end - text.data()));
  if (error != std::errc() || !(number > 0) || number > 1e15)
    return 0;
  for (auto [name, factor] : {std::pair("", 1.0), {"K", 0x1p10}, {"M", 0x1p20}, {"G", 0x1p30}, {"T", 0x1p40}})
    if (unit == name)
      return int64_t(std::min(number * factor, 0x1p62));
  return 0;
}

// Rounded up, so that `--memory` with the size that is told is enough.
std::string megabytes(int64_t bytes) { return fmt::format("{:.2f}M", std::ceil(100 * double(bytes) / 0x1p20) / 100); }

class Fit {
public:
  Fit(Compilation &compilation, const TargetInfo &target, int threads)
      : compilation(compilation), target(target), threads(threads) {
    config = RunConfig::parse((*compilation.module)->getAttrOfType<mlir::StringAttr>("heddle.config").str().c_str());
    data = describeData(config, compilation.flags.data).bytes;
  }

  int run(int64_t most) {
    Trial without = trial(-1);
    if (code != exitDone || without.peak <= most)
      return code;
    std::vector<double> costs = findCosts();
    if (code != exitDone)
      return code;
    // Peaks fall as more is computed again, but not always. Some thresholds up to the last find whether any fits.
    Trial found = without;
    size_t low = 0, high = 0; // of `costs`, low - 1 does not fit, and high - 1 does
    for (size_t i = 1, steps = std::min<size_t>(8, costs.size()); i <= steps && !high; ++i) {
      size_t at = costs.size() * i / steps;
      Trial tried = trial(costs[at - 1]);
      if (code != exitDone)
        return code;
      if (tried.peak < found.peak)
        found = tried;
      (tried.peak <= most ? high : low) = at;
    }
    if (!high)
      return complain(RunError(kData, fmt::format("training does not fit in {}: it takes {}, and {} at least, with all computed again "
                                                  "in backward that pays", *compilation.pipeline.memory, megabytes(without.peak),
                                                  megabytes(found.peak)),
                               "a smaller batch or shorter sequences need less, and fewer threads (-j) a little"));
    while (high - low > 1) {
      size_t middle = low + (high - low) / 2;
      Trial tried = trial(costs[middle - 1]);
      if (code != exitDone)
        return code;
      if (tried.peak <= most)
        high = middle, found = tried;
      else
        low = middle;
    }
    compilation.pipeline.recomputeUpTo = costs[high - 1];
    fmt::print(stderr, "note: to fit in {}, backward computes again: {}. The peak is {} instead of {}, for {:.1f}% more FLOPs\n",
               *compilation.pipeline.memory, dropped(costs[high - 1]), megabytes(found.peak), megabytes(without.peak),
               100 * (found.flops / std::max(1.0, without.flops) - 1));
    return exitDone;
  }

private:
  // The program with a threshold, at a stage; null with `code` set.
  mlir::OwningOpRef<mlir::ModuleOp> lowered(Stage stage, double upTo) {
    PipelineFlags given = compilation.pipeline;
    compilation.pipeline.remarks = false;
    compilation.pipeline.temps.clear();
    compilation.pipeline.recomputeUpTo = upTo;
    mlir::OwningOpRef<mlir::ModuleOp> module = compilation.copyAt(stage, target, code);
    compilation.pipeline = given;
    return module;
  }
  Trial trial(double upTo) {
    mlir::OwningOpRef<mlir::ModuleOp> module = lowered(Stage::kernel, upTo);
    if (!module)
      return {};
    ProgramTables tables(*module);
    const HeddleProgram &program = tables.program();
    Trial found{plannedBytes(program, program.targets[0], threads, config.samples() ? Caches::kept : Caches::none) + data};
    for (const HeddleEntry *entry : trainingEntries(program.targets[0]))
      found.flops = double(entry->flops); // of the largest, which is the last
    return found;
  }
  std::vector<double> findCosts() {
    module = lowered(Stage::grad, -1);
    std::set<double> costs;
    if (!module)
      return {};
    values = savedValues(*module);
    for (const SavedValue &value : values)
      for (size_t n = 0; n <= 2 * values.size(); ++n)
        costs.insert(value.flopsPerByte * (1 + kCostStep * (double(n) + 0.5)));
    if (!costs.empty())
      costs.insert(2 * *costs.rbegin());
    return {costs.begin(), costs.end()};
  }
  static std::vector<std::string> namesOf(const std::vector<SavedValue> &values) {
    std::vector<std::string> names;
    for (const SavedValue &value : values)
      names.push_back(fmt::format("{} ({})", userName(value.value.getLoc()).str(), sourcePlace(value.value.getLoc()).text()));
    return names;
  }
  // What is saved no more with a threshold.
  std::string dropped(double upTo) {
    mlir::OwningOpRef<mlir::ModuleOp> fitted = lowered(Stage::grad, upTo);
    std::vector<std::string> kept = namesOf(savedValues(*fitted)), names;
    for (const std::string &name : namesOf(values)) {
      auto still = std::find(kept.begin(), kept.end(), name);
      if (still != kept.end())
        kept.erase(still);
      else if (std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
    }
    return fmt::format("{}", fmt::join(names, ", "));
  }

  Compilation &compilation;
  const TargetInfo &target;
  int threads, code = exitDone;
  RunConfig config;
  int64_t data = 0;
  mlir::OwningOpRef<mlir::ModuleOp> module; // with gradients, nothing computed again
  std::vector<SavedValue> values;           // of it
};

} // namespace

int fitMemory(Compilation &compilation, const TargetInfo &target, int threads) {
  if (!compilation.pipeline.memory)
    return exitDone;
  const std::string &given = *compilation.pipeline.memory;
  int64_t most = sizeOf(given);
  if (!most)
    return complain(exitUsage, fmt::format("--memory wants a size, such as 900M or 2.5G, not '{}'", given));
  if (compilation.stage != Stage::graph)
    return complain(exitUsage, fmt::format("--memory goes with a program: in the text of stage {} it is decided what backward "
                                           "computes again", stageName(compilation.stage).str()));
  return Fit(compilation, target, threads).run(most);
}

} // namespace heddle
