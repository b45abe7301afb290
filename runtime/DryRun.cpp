// See DryRun.h. The text folds the layers of a stack into one line; the JSON has one object per tensor, under the
// names that a checkpoint uses.
#include "runtime/DryRun.h"

#include "runtime/Checkpoint.h"
#include "runtime/Initialise.h"
#include "runtime/RunConfig.h"
#include "runtime/Session.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

namespace heddle {
namespace {

const HeddleEntry* mainEntry(const HeddleTarget& target) {
  for (int i = 0; i < target.entry_count; ++i)
    if (!strcmp(target.entries[i].name, "train")) return &target.entries[i];
  return target.entry_count ? &target.entries[0] : nullptr;
}

// Those of the length buckets whose entries are not the main one.
std::vector<const HeddleEntry*> smallerBuckets(const HeddleTarget& target) {
  std::vector<const HeddleEntry*> entries = trainingEntries(target);
  if (!entries.empty()) entries.pop_back();
  return entries;
}

int64_t parameterCount(const HeddleProgram& program) {
  int64_t n = 0;
  for (int i = 0; i < program.variable_count; ++i)
    if (program.variables[i].kind == HEDDLE_PARAMETER) n += elementCount(program.variables[i]);
  return n;
}

struct GroupSize {
  int64_t tensors = 0, parameters = 0;
};

// A layer's tensor counts by itself, as it does in a checkpoint.
GroupSize sizeOf(const HeddleProgram& program, const OptimizerGroup& group) {
  GroupSize size;
  for (int i = 0; i < program.variable_count; ++i) {
    const HeddleVariable& v = program.variables[i];
    if (v.kind != HEDDLE_PARAMETER || std::find(group.parameters.begin(), group.parameters.end(), v.name) == group.parameters.end())
      continue;
    size.tensors += layerCount(v), size.parameters += elementCount(v);
  }
  return size;
}

struct Memory {
  int64_t variables, workspace, scratch, peak;
};

Memory memoryOf(const HeddleProgram& program, const HeddleTarget& target, int threads, std::optional<int64_t> data) {
  Caches caches = RunConfig::parse(program.config).samples() ? Caches::kept : Caches::none;
  Memory m{0, Arena::reserved(workspaceBytes(target)), Executor::scratchBytes(target, threads),
           plannedBytes(program, target, threads, caches) + data.value_or(0)};
  m.variables = m.peak - data.value_or(0) - m.workspace - m.scratch;  // with what evaluations keep of them
  return m;
}

std::string asJson(const HeddleProgram& program, const HeddleTarget& target, int threads, std::optional<int64_t> data) {
  Memory memory = memoryOf(program, target, threads, data);
  const HeddleEntry* entry = mainEntry(target);
  nlohmann::ordered_json root = {{"program", program.name},
                                 {"hash", program.hash},
                                 {"target", target.name},
                                 {"threads", threads},
                                 {"parameter_count", parameterCount(program)},
                                 {"flops_per_step", entry ? entry->flops : 0},
                                 {"variables_bytes", memory.variables},
                                 {"workspace_bytes", memory.workspace},
                                 {"scratch_bytes", memory.scratch},
                                 {"data_bytes", data ? nlohmann::ordered_json(*data) : nlohmann::ordered_json()},
                                 {"peak_bytes", memory.peak},
                                 {"parameters", nlohmann::ordered_json::array()},
                                 {"groups", nlohmann::ordered_json::array()}};
  for (int i = 0; i < program.variable_count; ++i) {
    const HeddleVariable& v = program.variables[i];
    if (v.kind != HEDDLE_PARAMETER) continue;
    std::vector<std::string> dims;
    std::vector<int64_t> shape;
    for (int d = v.repeats; d < v.rank; ++d) dims.push_back(v.dims[d].name), shape.push_back(v.dims[d].size);
    for (const VariableLayer& layer : layersOf(v))
      root["parameters"].push_back({{"name", layer.name}, {"type", typeName(v.type)}, {"dims", dims}, {"shape", shape},
                                    {"trained", v.frozen == 0}});
  }
  for (const HeddleEntry* bucket : smallerBuckets(target)) root["flops_of_buckets"][bucket->name] = bucket->flops;
  for (const OptimizerGroup& group : RunConfig::parse(program.config).groups)
    root["groups"].push_back({{"settings", group.settings}, {"parameters", group.parameters},
                              {"parameter_count", sizeOf(program, group).parameters}});
  return root.dump(1) + "\n";
}

}  // namespace

std::string describeRun(const HeddleProgram& program, const HeddleTarget& target, int threads,
                        std::optional<int64_t> data, bool json) {
  if (json) return asJson(program, target, threads, data);
  std::string text;
  size_t width = 0;
  std::vector<std::pair<std::string, std::string>> rows;
  for (int i = 0; i < program.variable_count; ++i) {
    const HeddleVariable& v = program.variables[i];
    if (v.kind == HEDDLE_OPTIMIZER || v.kind == HEDDLE_CACHE) continue;
    std::string name = v.name, shape = typeName(v.type) + shapeText(v.dims + v.repeats, v.rank - v.repeats);
    for (int d = 0; d < v.repeats; ++d)
      name.replace(name.find("{}"), 2, fmt::format("(0..{})", v.dims[d].size - 1));
    if (v.repeats) shape += fmt::format(" x {}", layerCount(v));
    if (v.kind == HEDDLE_STATE) shape += "  state";
    if (v.frozen) shape += "  not trained";
    width = std::max(width, name.size());
    rows.push_back({name, shape});
  }
  for (auto& [name, shape] : rows) text += fmt::format("{:{}}  {}\n", name, width, shape);
  Memory memory = memoryOf(program, target, threads, data);
  const HeddleEntry* entry = mainEntry(target);
  text += fmt::format("parameters      {}\n", parameterCount(program));
  std::vector<OptimizerGroup> groups = RunConfig::parse(program.config).groups;
  for (const OptimizerGroup& group : groups) {
    GroupSize size = sizeOf(program, group);
    text += fmt::format("{}{} parameters in {} tensor{}{}{}\n", &group == groups.data() ? "optimizer       " : "                ",
                        size.parameters, size.tensors, size.tensors == 1 ? "" : "s", group.settings.empty() ? "" : ": ", group.settings);
  }
  text += fmt::format("FLOPs per step  {} in matrix products\n", entry ? entry->flops : 0);
  for (const HeddleEntry* bucket : smallerBuckets(target)) text += fmt::format("                {} of {}\n", bucket->flops, bucket->name);
  text += fmt::format("peak memory     {} bytes: variables {}, workspace {}, scratch {} for {} threads ({}){}\n",
                      memory.peak, memory.variables, memory.workspace, memory.scratch, threads, target.name,
                      data ? fmt::format(", data {}", *data) : "; data not counted");
  return text;
}

}  // namespace heddle
