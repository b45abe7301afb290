// What softmax's weights may go through on their way to the product with the values, and what a row's factor may be
// moved through: ops that multiply an operand, element by element, with something that does not depend on it.
#pragma once
#include "passes/graph/GraphBuilder.h"

namespace heddle {

/// What is the same along more dims, without them.
mlir::Value withoutBroadcasts(mlir::Value value);

/// Whether the op's result is a multiple of this operand: a factor, a divisor, a sign, a mask that gives 0 (dropout).
bool isProportional(mlir::OpOperand &use);

/// The softmax whose multiple a value is; null where there is none.
SoftmaxOp softmaxBehind(mlir::Value value);

}  // namespace heddle
