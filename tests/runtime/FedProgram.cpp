// See FedProgram.h.
#include "FedProgram.h"

namespace heddle {

FedProgram::FedProgram(std::vector<FedInput> all, int64_t evalRows, const std::vector<Sizes>& buckets) : inputs(std::move(all)) {
  addEntry("train", {});
  addEntry("eval", evalRows && !inputs[0].dims.empty() ? Sizes{{inputs[0].dims[0].first, evalRows}} : Sizes{});
  for (const Sizes& sizes : buckets) addEntry("train." + std::to_string(entries.size()), sizes);
  target = {"baseline", 0, nullptr, nullptr, int32_t(entries.size()), entries.data(), nullptr};
  program = {HEDDLE_ABI_VERSION, "fed", "0", "{}", 0, nullptr, 0, 1, &target};
  opened = std::make_unique<Session>(program, 1);
}

void FedProgram::addEntry(const std::string& name, const Sizes& sizes) {
  std::vector<HeddleBuffer>& list = buffers.emplace_back();
  int64_t bytes = 0;
  for (const FedInput& input : inputs) {
    std::vector<HeddleDim>& shape = dims.emplace_back();
    int64_t elements = 1;
    for (auto& [dim, size] : input.dims) {
      auto other = sizes.find(dim);
      shape.push_back({dim.c_str(), other == sizes.end() ? size : other->second});
      elements *= shape.back().size;
    }
    list.push_back({input.name.c_str(), input.type, int32_t(shape.size()), 0, shape.data(), bytes});
    bytes += (elements * 4 + HEDDLE_ALIGNMENT - 1) / HEDDLE_ALIGNMENT * HEDDLE_ALIGNMENT;
  }
  entries.push_back({names.emplace_back(name).c_str(), int32_t(inputs.size()), list.data(), 0, nullptr, 0, nullptr, bytes, 0, 0});
}

std::vector<int32_t> FedProgram::ints(const HeddleEntry& entry, const std::string& name) {
  const HeddleBuffer& input = *opened->findInput(entry, name);
  auto* data = static_cast<const int32_t*>(opened->memory(input));
  return {data, data + elementCount(input)};
}
std::vector<float> FedProgram::floats(const std::string& name, bool evaluation) {
  const HeddleBuffer& input = *opened->findInput(entry(evaluation), name);
  auto* data = static_cast<const float*>(opened->memory(input));
  return {data, data + elementCount(input)};
}

}  // namespace heddle
