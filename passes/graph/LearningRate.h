// The learning rate as ops on the step.
#pragma once
#include "passes/graph/GraphBuilder.h"

namespace heddle {

/// The rate at `step` (i32 scalar, from 1) of a run of `steps` steps. `parts` are dictionaries: any number of
///   {kind = "warmup", steps = W: i64}       and then one of
///   {kind = "constant", from = a: f64},  {kind = "linear" or "cosine", from = a, to = b}
/// With W the sum of the warmups and r = min(1, (step - W) / (steps - W)):
///   step <= W   a * step / W
///   constant    a
///   linear      a + (b - a) * r
///   cosine      b + (a - b) / 2 * (1 + cos(pi * r))          (Loshchilov and Hutter 2017, eq. 5, one period)
/// So the rate is a at step W, b at the last step and after it. An error, at `step`'s place, for another form.
llvm::FailureOr<mlir::Value> learningRate(GraphBuilder &b, mlir::ArrayAttr parts, int64_t steps, mlir::Value step);

/// Says, as an error at `loc`, what is wrong with parts that are no such form.
llvm::LogicalResult verifyLearningRate(mlir::Location loc, mlir::ArrayAttr parts);

}  // namespace heddle
