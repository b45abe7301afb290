// See FedProgram.h.
#include "FedProgram.h"

namespace heddle {

FedProgram::FedProgram(std::vector<FedInput> all, int64_t evalRows) : inputs(std::move(all)) {
  int64_t bytes = 0;
  for (bool evaluation : {false, true}) {
    bytes = 0;
    for (const FedInput& input : inputs) {
      std::vector<HeddleDim>& shape = dims.emplace_back();
      int64_t elements = 1;
      for (auto& [name, size] : input.dims) {
        shape.push_back({name.c_str(), shape.empty() && evaluation && evalRows ? evalRows : size});
        elements *= shape.back().size;
      }
      buffers[evaluation].push_back({input.name.c_str(), input.type, int32_t(shape.size()), 0, shape.data(), bytes});
      bytes += (elements * 4 + HEDDLE_ALIGNMENT - 1) / HEDDLE_ALIGNMENT * HEDDLE_ALIGNMENT;
    }
    entries[evaluation] = {evaluation ? "eval" : "train", int32_t(inputs.size()), buffers[evaluation].data(), 0, nullptr,
                           0, nullptr, bytes, 0, 0};
  }
  target = {"baseline", 0, nullptr, nullptr, 2, entries};
  program = {HEDDLE_ABI_VERSION, "fed", "0", "{}", 0, nullptr, 0, 1, &target};
  opened = std::make_unique<Session>(program, 1);
}

std::vector<int32_t> FedProgram::ints(const std::string& name, bool evaluation) {
  const HeddleBuffer& input = *opened->findInput(entry(evaluation), name);
  auto* data = static_cast<const int32_t*>(opened->memory(input));
  return {data, data + elementCount(input)};
}
std::vector<float> FedProgram::floats(const std::string& name, bool evaluation) {
  const HeddleBuffer& input = *opened->findInput(entry(evaluation), name);
  auto* data = static_cast<const float*>(opened->memory(input));
  return {data, data + elementCount(input)};
}

}  // namespace heddle
