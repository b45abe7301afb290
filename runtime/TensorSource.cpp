// Batches that another program has prepared: named tensors of a safetensors file, fed in order along their first axis.
//
// Tensor `ids` (or `data.ids`) of shape [N*B, ...] holds N batches for the input data.ids [B, ...]. Training step s
// takes batch (s - 1) mod N; evaluation takes the batches from the first. Only the batch at hand is read.
#include "runtime/DataSource.h"
#include "runtime/RunError.h"
#include "runtime/Safetensors.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <xxhash.h>

namespace heddle {
namespace {

class TensorSource : public DataSource {
public:
  TensorSource(const RunConfig& config, const std::string& path) : file(path), ranges(config.ranges) {}

  void check(Session& session, const HeddleEntry& entry, bool) override {
    std::string first;
    for (int i = 0; i < entry.input_count; ++i) {
      const HeddleBuffer& input = entry.inputs[i];
      std::string name = input.name;
      if (!name.starts_with("data.")) continue;
      const SafetensorsEntry& tensor = tensorOf(name);
      std::vector<int64_t> wanted, rest;
      for (int d = 0; d < input.rank; ++d) wanted.push_back(input.dims[d].size);
      bool fits = input.rank >= 1 && tensor.shape.size() == wanted.size() && tensor.shape[0] > 0 &&
                  tensor.shape[0] % wanted[0] == 0;
      for (size_t d = 1; d < wanted.size() && fits; ++d) fits = tensor.shape[d] == wanted[d];
      if (!fits)
        throw RunError(kData, fmt::format("{}: tensor '{}' is [{}], but `{}` takes {}", file.path(), tensor.name,
                                          fmt::join(tensor.shape, ", "), name, shapeText(input.dims, input.rank)),
                       "its first axis holds whole batches, the others are the input's");
      int64_t n = tensor.shape[0] / wanted[0];
      if (!first.empty() && n != batches)
        throw RunError(kData, fmt::format("{}: tensor '{}' holds {} batches, but '{}' holds {}", file.path(),
                                          tensor.name, n, first, batches));
      first = tensor.name, batches = n;
      file.read(tensor, 0, 0, input.type, nullptr);  // the element type alone
    }
    if (first.empty()) throw RunError(kData, fmt::format("entry `{}` takes no data", entry.name));
  }

  void fillTraining(Session& session, const HeddleEntry& entry, uint64_t, int64_t step, int32_t) override {
    fill(session, entry, (step - 1) % batches);
  }
  void fillEvaluation(Session& session, const HeddleEntry& entry, int64_t batch, int64_t) override {
    fill(session, entry, batch % batches);
  }

  std::string fingerprint() const override {
    return fmt::format(R"({{"kind":"tensors","header_xxh64":"{:016x}"}})",
                       uint64_t(XXH64(file.header().data(), file.header().size(), 0)));
  }

private:
  const SafetensorsEntry& tensorOf(const std::string& input) const {
    if (auto* found = file.find(input.substr(5))) return *found;
    if (auto* found = file.find(input)) return *found;
    std::vector<std::string> names;
    for (auto& t : file.tensors()) names.push_back(t.name);
    throw RunError(kData, fmt::format("{}: no tensor '{}' for the input `{}`", file.path(), input.substr(5), input),
                   fmt::format("it holds: {}", fmt::join(names, ", ")));
  }

  void fill(Session& session, const HeddleEntry& entry, int64_t batch) {
    for (int i = 0; i < entry.input_count; ++i) {
      const HeddleBuffer& input = entry.inputs[i];
      std::string name = input.name;
      if (!name.starts_with("data.")) continue;
      const SafetensorsEntry& tensor = tensorOf(name);
      int64_t n = elementCount(input), first = batch * n;
      file.read(tensor, first, n, input.type, session.memory(input));
      auto range = ranges.find(name);
      if (range == ranges.end() || input.type != HEDDLE_I32) continue;
      auto* values = static_cast<const int32_t*>(session.memory(input));
      uint64_t width = (tensor.end - tensor.begin) / uint64_t(tensor.elements());
      for (int64_t e = 0; e < n; ++e)
        if (values[e] < 0 || values[e] >= range->second)
          throw RunError(kData, fmt::format("{}: byte {}: tensor '{}': value {} of element {} is not in [0, {})",
                                            file.path(), tensor.begin + uint64_t(first + e) * width, tensor.name,
                                            values[e], first + e, range->second));
    }
  }

  SafetensorsFile file;
  std::map<std::string, int64_t> ranges;
  int64_t batches = 1;
};

}  // namespace

std::unique_ptr<DataSource> openTensorSource(const RunConfig& config, const std::string& path) {
  return std::make_unique<TensorSource>(config, path);
}

}  // namespace heddle
