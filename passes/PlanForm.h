// The tables of stages plan and kernel: offsets, arguments, calls. See StageForm.h.
#pragma once
#include "ir/graph/Heddle.h"
#include "mlir/IR/BuiltinOps.h"

namespace heddle {

/// What is wrong with the form that the runtime takes for granted of the entries that generate and predict; empty if nothing
/// is, and of other entries. `input` and `output` give the type of one by name; null: there is none.
std::string wrongEntry(llvm::StringRef entry, llvm::function_ref<Tensor(llvm::StringRef)> input,
                       llvm::function_ref<Tensor(llvm::StringRef)> output);

/// Every variable, argument, result and operand of a kernel lies within its arena. For a module whose ops and attributes
/// are those of stage plan.
llvm::LogicalResult verifyPlanForm(mlir::ModuleOp module);

/// The same of the calls of stage kernel, whose kernels must be in kernel form.
llvm::LogicalResult verifyCallForm(mlir::ModuleOp module);

}  // namespace heddle
