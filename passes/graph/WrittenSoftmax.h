// The parts of a softmax that is written out, for RaiseSoftmax. Broadcasts are looked through everywhere.
#pragma once
#include "passes/graph/GraphBuilder.h"

namespace heddle {

/// x of x - shift, which has the same softmax: the shift is the row's maximum, with or without a guard against -inf, or
/// something that has no gradient. Else x.
mlir::Value withoutShift(mlir::Value x, mlir::StringAttr over);

/// The logarithm of exp(x), or of exp(x) that a mask makes 0 at places: x without its shift, and -inf there. Null for
/// other values. Without a builder it is only asked whether there is one.
mlir::Value logarithm(GraphBuilder *b, mlir::Value value, mlir::StringAttr over);

/// sum(e, over S), with or without a guard that makes an empty row's sum another constant. Null for other values.
ReduceOp rowSum(mlir::Value value);

/// x / sum or x * (1 / sum); no sum where the op is neither.
struct Quotient {
  mlir::Value numerator;
  ReduceOp sum;
};
Quotient quotientOf(mlir::Operation *op);

}  // namespace heddle
