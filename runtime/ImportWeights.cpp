// The way in (MapWeights.h). One tensor of the file is in memory at a time.
#include "runtime/MapWeights.h"

#include "runtime/Options.h"
#include "runtime/RunError.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace heddle {
namespace {

bool isFloat(const std::string& dtype) { return dtype == "F32" || dtype == "F64" || dtype == "F16" || dtype == "BF16"; }

class Importer {
public:
  Importer(const WeightTable& table, const WeightFiles& files, const Parameters& parameters)
      : table(table), files(files), parameters(parameters), plan(table, parameters) {
    auto& all = files.tensors();
    bool lacksBase = std::none_of(all.begin(), all.end(), [&](auto& t) { return t.first.starts_with(table.fileBase); });
    base = lacksBase ? table.fileBase : "";
  }

  ImportedWeights run() {
    compare();
    for (size_t t = 0; t < plan.tensors.size(); ++t) load(t);
    for (const WeightPiece& piece : plan.constants) {
      float* values = parameters.tensors[piece.parameter].values;
      piece.forEach([&](int64_t p, int64_t) { values[p] = piece.constant; });
    }
    for (size_t p : plan.initial) result.initial.push_back(parameters.tensors[p].name);
    return std::move(result);
  }

private:
  // The name in this file of a tensor that the table names.
  std::string inFile(const std::string& name) const {
    return !base.empty() && name.starts_with(base) ? name.substr(base.size()) : name;
  }

  bool isIgnored(const std::string& name) const {
    return std::any_of(table.ignored.begin(), table.ignored.end(), [&](const NamePattern& pattern) {
      TableIndices indices, others;
      return pattern.match(name, indices) || (!base.empty() && pattern.match(base + name, others));
    });
  }

  // All names under which a tensor of the plan may stand: its own first.
  std::vector<std::string> namesOf(size_t t) const {
    std::vector<std::string> names{inFile(plan.tensors[t].name)};
    for (auto& [name, of] : plan.aliases)
      if (of == t) names.push_back(inFile(name));
    return names;
  }

  // Lists everything in which file and table differ.
  void compare() {
    std::vector<std::string> missing, misshaped, extra;
    std::map<std::string, bool> known;
    for (size_t t = 0; t < plan.tensors.size(); ++t) {
      const PlannedTensor& wanted = plan.tensors[t];
      found.emplace_back();
      for (const std::string& name : namesOf(t)) {
        known[name] = true;
        const WeightFiles::Tensor* tensor = files.find(name);
        if (!tensor) continue;
        found[t].push_back(tensor);
        std::string rule = fmt::format("line {} of the table", wanted.place.line);
        if (tensor->entry->shape != wanted.shape)
          misshaped.push_back(fmt::format("misshaped: {} is {}; {} wants {} = {}", name, shapeText(tensor->entry->shape),
                                          rule, wanted.layout, shapeText(wanted.shape)));
        else if (!isFloat(tensor->entry->dtype))
          misshaped.push_back(fmt::format("of another type: {} is {}; {} wants F32, F64, F16 or BF16", name,
                                          tensor->entry->dtype, rule));
      }
    }
    for (const MadeTensor& made : plan.made) known[inFile(made.name)] = true;
    for (auto& [name, tensor] : files.tensors()) {
      if (known.count(name)) continue;
      if (isIgnored(name))
        result.ignored.push_back(name);
      else
        extra.push_back(name);
    }
    for (size_t t = 0; t < plan.tensors.size(); ++t) {
      if (!found[t].empty()) continue;
      const PlannedTensor& wanted = plan.tensors[t];
      std::string name = inFile(wanted.name), guess = extra.size() > 500 ? "" : didYouMean(name, extra);
      missing.push_back(fmt::format("missing: {} {}, of line {} of the table{}", name, shapeText(wanted.shape),
                                    wanted.place.line, guess.empty() ? "" : "; " + guess));
    }
    std::vector<std::string> lines = missing;
    lines.insert(lines.end(), misshaped.begin(), misshaped.end());
    for (const std::string& name : extra)
      lines.push_back(fmt::format("extra: {} {} {}", name, files.find(name)->entry->dtype,
                                  shapeText(files.find(name)->entry->shape)));
    if (lines.empty()) return;
    throw RunError(kData, fmt::format("{} does not fit by {}; nothing was loaded:\n  {}", files.path(), table.path,
                                      fmt::join(lines, "\n  ")),
                   extra.size() == lines.size() ? "say `ignore NAME` in the table for what the program does not need"
                                                : "the table and the sizes that --set gives must be those of the file");
  }

  std::vector<float> read(const WeightFiles::Tensor& tensor) {
    const SafetensorsEntry& entry = *tensor.entry;
    std::vector<float> values(size_t(entry.elements()));
    tensor.file->read(entry, HEDDLE_F32, values.data());
    for (size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i]))
        throw RunError(kData, fmt::format("{}: tensor '{}': element {} is {}; nothing was loaded", tensor.file->path(),
                                          entry.name, i, values[i]));
    return values;
  }

  void load(size_t t) {
    std::vector<float> values = read(*found[t][0]);
    for (size_t other = 1; other < found[t].size(); ++other)
      if (std::vector<float> same = read(*found[t][other]); memcmp(values.data(), same.data(), values.size() * 4) != 0) {
        size_t at = size_t(std::mismatch(values.begin(), values.end(), same.begin()).first - values.begin());
        throw RunError(kData, fmt::format("{}: '{}' is not '{}': element {} is {}, not {}; nothing was loaded", files.path(),
                                          found[t][other]->entry->name, found[t][0]->entry->name, at,
                                          at < same.size() ? same[at] : 0, at < values.size() ? values[at] : 0),
                       "the table ties them, but the model of this file has two tensors: give each a parameter");
      }
    for (const WeightPiece& piece : plan.tensors[t].pieces) {
      float* out = parameters.tensors[piece.parameter].values;
      piece.forEach([&](int64_t p, int64_t f) { out[p] = values[size_t(f)]; });
    }
    ++result.tensors;
    if (const std::string& dtype = found[t][0]->entry->dtype; dtype != "F32") ++result.converted[dtype];
  }

  const WeightTable& table;
  const WeightFiles& files;
  const Parameters& parameters;
  WeightPlan plan;
  std::string base;                                           // that the names of the file lack
  std::vector<std::vector<const WeightFiles::Tensor*>> found;  // of each planned tensor
  ImportedWeights result;
};

}  // namespace

ImportedWeights importWeights(const WeightTable& table, const WeightFiles& files, const Parameters& parameters) {
  return Importer(table, files, parameters).run();
}

}  // namespace heddle
