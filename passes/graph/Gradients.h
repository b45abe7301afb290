// The table of gradients: for each op, the gradients of its operands in terms of other graph ops. DeriveBackward walks
// a graph and asks it. To add an op, add its row in Gradients.cpp; tests/numeric compares every row with finite
// differences.
#pragma once
#include "passes/graph/GraphBuilder.h"

namespace heddle {

/// One op as its row sees it, and where the row leaves the operands' gradients.
struct OpGradient {
  GraphBuilder b;
  mlir::Operation *op;
  mlir::Value g;  // gradient of the op's result, in its type
  /// Whether some of g may be 0 because `select`, `min` or `max` did not take the element. There a factor may be inf
  /// or NaN, as in where(x > 0, log(x), 0), and 0 * inf must not spoil the gradient.
  bool masked;
  llvm::function_ref<bool(mlir::Value)> wants;             // is the operand's gradient needed?
  llvm::function_ref<void(mlir::Value, mlir::Value)> take;  // adds to an operand's gradient

  /// Adds gradient() to the gradient of `operand`, summed over dims that the operand lacks. Nothing is computed for an
  /// operand that needs none.
  template <typename F>
  void give(mlir::Value operand, F gradient) {
    if (wants(operand)) take(operand, b.as(gradient(), tensorOf(operand)));
  }
  /// g * factor.
  mlir::Value times(mlir::Value factor);
  /// `value`, and where g is masked, 0 wherever g is.
  mlir::Value unlessMasked(mlir::Value value);
};

enum class GradientRow {
  Missing,  // this op cannot be differentiated: an error
  Zero,     // its result does not change with its operands, or the language says so
  Present,
};
GradientRow gradientRow(mlir::Operation *op);
/// Calls the row of an op that has one.
void applyGradientRow(OpGradient &gradient);

}  // namespace heddle
