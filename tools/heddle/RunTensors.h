// The tensors of `heddle run`: inputs, variables and results as files hold them, and as memory does.
#pragma once

#include "ir/graph/Heddle.h"
#include "ir/graph/interpreter/Array.h"
#include "runtime/Abi.h"
#include "runtime/Safetensors.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace heddle {

/// A tensor in host memory: 4 bytes an element, row-major in the order of the type's dims, as in a workspace.
struct HostTensor {
  Tensor type;
  std::vector<uint32_t> words;
};

/// A variable of a module as the runtime describes it, without a place in an arena.
struct DescribedVariable {
  explicit DescribedVariable(VariableOp op);
  DescribedVariable(const DescribedVariable &) = delete;
  HeddleVariable variable;
  Tensor type;

private:
  std::string name;
  std::vector<std::string> names;
  std::vector<HeddleDim> dims;
};

/// An input or output of an entry.
struct Port {
  std::string name;
  Tensor type;
  int64_t repeats; // leading dims that are layer axes
};
struct Ports {
  std::vector<Port> inputs, outputs;
};
/// Those of an entry that the module has, at any stage.
Ports portsOf(mlir::ModuleOp module, llvm::StringRef entry);

/// The inputs of an entry, read from a file by the arguments' names (a data field with or without `data.`). Where the file
/// lacks them, $seed is `seed`, $step 1 and $micro 0. Throws RunError that lists what is missing, misshaped, or holds an id
/// outside of its axis.
std::map<std::string, HostTensor> readInputs(mlir::ModuleOp module, llvm::StringRef entry, const SafetensorsFile &file,
                                             uint64_t seed);

/// The module's variables: from `params`, one tensor a layer, or their initial values where it is null. The file must have
/// all parameters; a state or an optimizer's variable that it does not have at all gets its initial value. Throws RunError
/// that lists what is missing or misshaped. Tensors that no variable has are ignored.
std::map<std::string, HostTensor> readVariables(mlir::ModuleOp module, const SafetensorsFile *params, uint64_t seed);

/// Adds a result to the file: a gradient of a stacked variable as one tensor a layer.
void addResult(SafetensorsWriter &writer, const std::string &name, int64_t repeats, const HostTensor &tensor);

Array toArray(const HostTensor &tensor);
HostTensor toHost(const Array &array);

} // namespace heddle
