// Turns gradients into updates; the method stands at the top of ApplyOptimizer.cpp.
#pragma once
#include "ir/graph/Heddle.h"
#include "mlir/IR/BuiltinOps.h"

namespace heddle {

/// Attribute of a module: how @train updates its parameters. A dictionary:
///   kind   "sgd", "momentum", "adam" or "adamw"
///   lr     parts of the learning rate's course, as LearningRate.h has them;  steps   of the run, i64
///   decay  f64, of parameters with two or more dims besides the layer axes;  clip   f64, the largest norm of all
///          gradients together, 0: none
///   momentum (f64), nesterov (bool)    of momentum
///   beta1, beta2, eps (f64)            of adam and adamw
inline constexpr llvm::StringLiteral kOptimizerAttr = "heddle.optimizer";

/// Replaces the results "grad.<symbol>" of @train by writes of the variables, adds the optimizer's state as variables
/// of kind "optimizer" (`adamw.m.<symbol>`, with type and repeats of the parameter, zeros) and the f32 scalar results
/// "lr" and "grad_norm" (before clipping). Removes the attribute; does nothing without it. An error if the attribute
/// is malformed or @train lacks.
llvm::LogicalResult applyOptimizer(mlir::ModuleOp module);

/// Says, as an error, what is wrong with the attribute; success without it.
llvm::LogicalResult verifyOptimizer(mlir::ModuleOp module);

}  // namespace heddle
