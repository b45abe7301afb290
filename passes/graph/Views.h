// Ops that move nothing: their result lies where their operand does, under other names of its axes.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

/// Whether the dims of `from` lie side by side in their order, and those of `to` in their place, so that the row-major
/// order of elements is the same on both sides.
bool isView(RegroupOp regroup);

/// What `op` is a view of: the operand of a rename or a regroup; null for other ops.
mlir::Value viewedBy(mlir::Operation *op);

/// The value that owns the memory: behind views.
mlir::Value viewedValue(mlir::Value value);

}  // namespace heddle
