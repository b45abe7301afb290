// See StartFrom.h. Values are read into memory first and moved to their places when all of them are good.
#include "runtime/StartFrom.h"

#include "runtime/Checkpoint.h"
#include "runtime/Initialise.h"
#include "runtime/Resume.h"
#include "runtime/RunDirectory.h"
#include "runtime/RunError.h"
#include "runtime/Safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <set>

namespace heddle {
namespace {

std::string fileOf(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return path;
  auto found = findCheckpoints(path);
  if (found.empty()) throw RunError(kData, fmt::format("{}: holds no checkpoint (step-N.safetensors)", path));
  return found.front().path;
}

struct Loaded {
  char* place;
  std::vector<float> values;
};

}  // namespace

SafetensorsFile openWeights(const std::string& given) {
  std::string path = fileOf(given);
  try {
    SafetensorsFile file(path);
    try {  // a checkpoint of ours, of whichever program, says itself whether it is damaged
      if (file.metadata().count("heddle.xxh64")) verifyChecksums(file);
    } catch (const CheckpointMismatch&) {  // another version's: it has tensors like any other file
    }
    return file;
  } catch (const RunError& e) {
    std::string good = lastGoodBeside(path);
    throw RunError(e.exitCode, e.what(), good.empty() ? e.help : "the last good checkpoint beside it is " + good);
  }
}

StartingWeights startFrom(const std::string& path, Session& session) {
  SafetensorsFile file = openWeights(path);
  StartingWeights result{file.path(), 0, {}, {}};
  std::string misshaped;
  std::set<std::string> known;
  std::vector<Loaded> all;
  for (int i = 0; i < session.program.variable_count; ++i) {
    const HeddleVariable& v = session.program.variables[i];
    std::vector<int64_t> shape;
    for (int d = v.repeats; d < v.rank; ++d) shape.push_back(v.dims[d].size);
    for (const VariableLayer& layer : layersOf(v)) {
      known.insert(layer.name);
      if (v.kind != HEDDLE_PARAMETER || v.type != HEDDLE_F32) continue;
      auto* tensor = file.find(layer.name);
      if (!tensor) {
        result.missing.push_back(layer.name);
      } else if (tensor->shape != shape) {
        misshaped += fmt::format("\n  {} is [{}], the program's is [{}]", layer.name, fmt::join(tensor->shape, ", "),
                                 fmt::join(shape, ", "));
      } else {
        Loaded one{session.variables.data() + layer.offset, std::vector<float>(size_t(layerElements(v)))};
        file.read(*tensor, HEDDLE_F32, one.values.data());
        for (size_t e = 0; e < one.values.size(); ++e)
          if (!std::isfinite(one.values[e]))
            throw RunError(kData, fmt::format("{}: tensor '{}': element {} is {}", result.path, layer.name, e,
                                              one.values[e]));
        all.push_back(std::move(one));
      }
    }
  }
  if (!misshaped.empty())
    throw RunError(kData, fmt::format("{}: tensors of other shapes; nothing was loaded:{}", result.path, misshaped));
  if (all.empty())
    throw RunError(kData, fmt::format("{}: holds none of the program's parameters", result.path),
                   "tensors are matched by name, one per layer: h.0.attn.wq");
  for (auto& tensor : file.tensors())
    if (!known.count(tensor.name)) result.unused.push_back(tensor.name);
  for (Loaded& one : all) memcpy(one.place, one.values.data(), one.values.size() * 4);
  result.loaded = int64_t(all.size());
  return result;
}

}  // namespace heddle
