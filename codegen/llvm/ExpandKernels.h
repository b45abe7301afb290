// What upstream's conversions to the LLVM dialect do not say the way kernel form means it, in ops that they do.
#pragma once
#include "ir/kernel/TargetInfo.h"
#include "mlir/IR/BuiltinOps.h"

namespace heddle {

/// Rewrites a module of fixed-length vectors: memrefs become bare pointers and each access one address; reductions
/// become halving trees, fma becomes the intrinsic that always fuses, masks and lanes become compares and shuffles.
/// Left are func, scf, arith, math, vector.broadcast, vector.shuffle, vector.extract and LLVM ops.
void expandKernels(mlir::ModuleOp module, const TargetInfo &target);

}  // namespace heddle
