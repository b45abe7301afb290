// Interval arithmetic over the ints and bools of a graph (Moore 1966): what an index may be, whether a mask may hold.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

/// Bounds of an int or bool, both included; a bool is 0 or 1. The default says nothing of an int.
struct Interval {
  int64_t lo = INT32_MIN, hi = INT32_MAX;
};

/// The bounds of a value of which nothing is known but its type.
Interval anyOf(mlir::Value value);

/// The bounds of the only result of `op`, an int or bool, from those of its operands, which `of` tells. What floats decide is
/// not known.
Interval intervalOf(mlir::Operation *op, llvm::function_ref<Interval(mlir::Value)> of);

}  // namespace heddle
