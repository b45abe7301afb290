// The C tables of runtime/Abi.h, made from the plan ops of modules in kernel form. The LLVM door runs them as they are;
// the C++ door prints them.
#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/Abi.h"
#include <deque>
#include <string>
#include <vector>

namespace heddle {

/// Owns a HeddleProgram and all that it points at.
class ProgramTables {
 public:
  /// `classes`: one module in kernel form per target class, best first; they agree in everything but kernels and steps.
  /// Every kernel pointer is null until setKernel.
  explicit ProgramTables(llvm::ArrayRef<mlir::ModuleOp> classes);
  ProgramTables(const ProgramTables &) = delete;

  const HeddleProgram &program() const { return table; }
  void setKernel(size_t target, size_t kernel, HeddleKernel function) { kernels[target][kernel] = function; }

 private:
  HeddleTarget targetOf(mlir::ModuleOp module);
  void addVariables(mlir::ModuleOp module);
  HeddleBuffer bufferOf(mlir::Attribute buffer);
  HeddleEntry entryOf(mlir::Operation *entry, const llvm::StringMap<int32_t> &index);
  void addSteps(mlir::Region &steps, const llvm::StringMap<int32_t> &index, std::vector<HeddleStep> &out);
  const HeddleDim *dimsOf(mlir::Type tensor);
  const char *keep(llvm::StringRef text);
  template <typename T>
  const T *keep(std::vector<T> values);

  HeddleProgram table = {};
  std::vector<HeddleVariable> variables;
  std::vector<HeddleTarget> targets;
  std::deque<std::vector<HeddleKernel>> kernels;
  std::deque<std::string> strings;
  std::deque<std::vector<HeddleDim>> dims;
  std::deque<std::vector<HeddleArg>> args;
  std::deque<std::vector<HeddleStep>> steps;
  std::deque<std::vector<HeddleBuffer>> buffers;
  std::deque<std::vector<HeddleEntry>> entries;
  std::deque<std::vector<HeddleWork>> works;
  std::deque<std::vector<const char *>> names;
};

/// The kernels of a module (its public functions), in the order of HeddleTarget::kernels.
std::vector<mlir::func::FuncOp> kernelsOf(mlir::ModuleOp module);

}  // namespace heddle
