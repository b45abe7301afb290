// The tables of stages plan and kernel: offsets, arguments, calls. See StageForm.h.
#pragma once
#include "ir/graph/Heddle.h"
#include "mlir/IR/BuiltinOps.h"

namespace heddle {

/// What the runtime feeds entry @sample and reads of it: data.ids, i32 with T last, and logits, f32 with T last but one.
/// Null stands for one that the entry lacks.
bool isSampleForm(Tensor ids, Tensor logits);
/// The same of entry @predict: $rows, bool[B], and probabilities, f32[B, C].
bool isPredictForm(Tensor rows, Tensor probabilities);

/// Every variable, argument, result and operand of a kernel lies within its arena. For a module whose ops and attributes
/// are those of stage plan.
llvm::LogicalResult verifyPlanForm(mlir::ModuleOp module);

/// The same of the calls of stage kernel, whose kernels must be in kernel form.
llvm::LogicalResult verifyCallForm(mlir::ModuleOp module);

}  // namespace heddle
