// See ProgramWeights.h.
#include "tools/heddle/ProgramWeights.h"

#include "runtime/Initialise.h"

#include <cstring>

namespace heddle {

ProgramWeights::ProgramWeights(mlir::ModuleOp module, const SafetensorsFile *file, uint64_t seed) {
  std::map<std::string, HostTensor> tensors = readVariables(module, file, seed);
  std::vector<HeddleVariable> variables;
  size_t elements = 0;
  for (VariableOp op : module.getOps<VariableOp>()) {
    auto variable = std::make_unique<DescribedVariable>(op);
    if (variable->variable.kind != HEDDLE_PARAMETER)
      continue;
    variable->variable.offset = int64_t(elements) * 4;
    elements += size_t(variable->type.getNumElements());
    variables.push_back(variable->variable);
    described.push_back(std::move(variable));
  }
  values.resize(elements);
  for (const HeddleVariable &variable : variables) {
    auto found = tensors.find(variable.name);
    std::memcpy(values.data() + variable.offset / 4, found->second.words.data(), found->second.words.size() * 4);
    tensors.erase(found);
  }
  view = std::make_unique<Parameters>(variables.data(), int32_t(variables.size()), values.data());
}

void ProgramWeights::write(const std::string &path) const {
  SafetensorsWriter writer;
  for (const ParameterTensor &tensor : view->tensors) {
    std::vector<int64_t> shape;
    for (auto &[dim, size] : tensor.dims)
      shape.push_back(size);
    writer.add(tensor.name, HEDDLE_F32, shape, tensor.values);
  }
  writer.write(path);
}

} // namespace heddle
