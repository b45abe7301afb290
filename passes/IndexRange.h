// The proof that gathers stay inside. The frontend makes it for every program; text that is fed back has to pass it again,
// since a kernel does not check its indices.
#pragma once
#include "mlir/IR/BuiltinOps.h"

namespace heddle {

/// Checks, at stages graph to plan, that the index of every gather and scatter_add lies within its axis, by intervals: from
/// positions, constants, arithmetic, and inputs whose bound heddle.config gives as "ranges" (the runtime checks those on
/// arrival). What may leave its axis is reported at its op.
llvm::LogicalResult verifyIndices(mlir::ModuleOp module);

}  // namespace heddle
