// Batches that another program has prepared: named tensors of a safetensors file, fed in order along their first axis.
//
// Tensor `ids` (or `data.ids`) of shape [N*B, ...] holds N batches for the input data.ids [B, ...]. Training step s
// takes batch (s - 1) mod N (with `accumulate`, as many as it has micro-batches); evaluation takes the batches from the first. Only the batch at hand is read; which tensor
// feeds which input is looked up once, so that a step takes no memory.
#include "runtime/DataSource.h"
#include "runtime/RunError.h"
#include "runtime/Safetensors.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <xxhash.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <memory>
#include <new>

namespace heddle {
namespace {

class TensorSource : public DataSource {
public:
  TensorSource(const RunConfig& config, const std::string& path)
      : file(path), ranges(config.ranges), microBatches(config.microBatches), contents(hashOfData()) {}

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
    bindingsOf(entry);
  }

  void fillTraining(Session& session, const HeddleEntry& entry, uint64_t, int64_t step, int32_t micro) override {
    fill(session, entry, ((step - 1) * microBatches + micro) % batches);
  }
  int64_t fillEvaluation(Session& session, const HeddleEntry& entry, int64_t batch, int64_t) override {
    fill(session, entry, batch % batches);
    return 1;  // whole batches only, which all weigh the same
  }

  std::string fingerprint() const override {
    return fmt::format(R"({{"kind":"tensors","header_xxh64":"{:016x}","data_xxh64":"{:016x}"}})",
                       uint64_t(XXH64(file.header().data(), file.header().size(), 0)), contents);
  }

private:
  // What feeds one input.
  struct Binding {
    const HeddleBuffer* input;
    const SafetensorsEntry* tensor;
    int64_t elements, range;  // of a batch; values lie in [0, range)
  };

  // 256 pieces of 4 KiB, spread evenly over the data from the first byte to the last: other data are told apart at a
  // cost that does not grow with them. Up to 1 MiB it is all of them.
  uint64_t hashOfData() const {
    constexpr uint64_t kPieces = 256, kBytes = 4096;
    const InputFile& bytes = file.bytes();
    uint64_t start = 8 + file.header().size(), size = bytes.size() - start;
    uint64_t pieces = std::min(kPieces, (size + kBytes - 1) / kBytes);
    std::unique_ptr<XXH64_state_t, decltype(&XXH64_freeState)> state(XXH64_createState(), XXH64_freeState);
    if (!state || XXH64_reset(state.get(), 0) != XXH_OK) throw std::bad_alloc();
    std::vector<char> piece(kBytes);
    for (uint64_t i = 0; i < pieces; ++i) {
      __extension__ typedef unsigned __int128 Wide;
      uint64_t n = std::min(size, kBytes), at = pieces == 1 ? 0 : uint64_t(Wide(size - n) * i / (pieces - 1));
      bytes.read(start + at, piece.data(), n);
      XXH64_update(state.get(), piece.data(), n);
    }
    return XXH64_digest(state.get());
  }

  const SafetensorsEntry& tensorOf(const std::string& input) const {
    if (auto* found = file.find(input.substr(5))) return *found;
    if (auto* found = file.find(input)) return *found;
    std::vector<std::string> names;
    for (auto& t : file.tensors()) names.push_back(t.name);
    throw RunError(kData, fmt::format("{}: no tensor '{}' for the input `{}`", file.path(), input.substr(5), input),
                   fmt::format("it holds: {}", fmt::join(names, ", ")));
  }

  const std::vector<Binding>& bindingsOf(const HeddleEntry& entry) {
    for (auto& [known, bindings] : bound)
      if (known == &entry) return bindings;
    std::vector<Binding> bindings;
    for (int i = 0; i < entry.input_count; ++i) {
      const HeddleBuffer& input = entry.inputs[i];
      std::string name = input.name;
      if (!name.starts_with("data.")) continue;
      auto range = input.type == HEDDLE_I32 ? ranges.find(name) : ranges.end();
      bindings.push_back({&input, &tensorOf(name), elementCount(input),
                          range == ranges.end() ? std::numeric_limits<int64_t>::max() : range->second});
    }
    return bound.emplace_back(&entry, std::move(bindings)).second;
  }

  void fill(Session& session, const HeddleEntry& entry, int64_t batch) {
    for (const Binding& b : bindingsOf(entry)) {
      int64_t first = batch * b.elements;
      file.read(*b.tensor, first, b.elements, b.input->type, session.memory(*b.input));
      if (b.range == std::numeric_limits<int64_t>::max()) continue;
      auto* values = static_cast<const int32_t*>(session.memory(*b.input));
      for (int64_t e = 0; e < b.elements; ++e)
        if (values[e] < 0 || values[e] >= b.range) refuse(b, first + e, values[e]);
    }
  }

  [[noreturn]] void refuse(const Binding& b, int64_t element, int32_t value) const {
    uint64_t width = (b.tensor->end - b.tensor->begin) / uint64_t(b.tensor->elements());
    throw RunError(kData, fmt::format("{}: byte {}: tensor '{}': value {} of element {} is not in [0, {})", file.path(),
                                      b.tensor->begin + uint64_t(element) * width, b.tensor->name, value, element,
                                      b.range));
  }

  SafetensorsFile file;
  std::map<std::string, int64_t> ranges;
  const int64_t microBatches;  // of a step
  uint64_t contents;  // hash
  std::deque<std::pair<const HeddleEntry*, std::vector<Binding>>> bound;
  int64_t batches = 1;
};

}  // namespace

std::unique_ptr<DataSource> openTensorSource(const RunConfig& config, const std::string& path) {
  return std::make_unique<TensorSource>(config, path);
}

}  // namespace heddle
