// What the passes normalize-contracts and fuse-elementwise do, for one function.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

/// Brings matrix products into the one form that has a kernel (NormalizeContracts.cpp).
void normalizeContracts(mlir::func::FuncOp function);
/// Groups what becomes one loop nest (FuseElementwise.cpp). Without `join`, every op is a nest of its own.
void fuseElementwise(mlir::func::FuncOp function, bool join = true);

}  // namespace heddle
