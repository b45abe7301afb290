// From lanes without a length to the lanes of one class.
#pragma once
#include "ir/kernel/TargetInfo.h"
#include "mlir/IR/BuiltinOps.h"

namespace heddle {

/// Turns every vector<[n]xT> of the module into vector<(n * vscale)xT>, and vector.vscale into a constant.
void fixVectorLength(mlir::ModuleOp module, const TargetInfo &target);

}  // namespace heddle
