// Turns gradients into updates; the method stands at the top of ApplyOptimizer.cpp.
#pragma once
#include "ir/graph/Heddle.h"
#include "mlir/IR/BuiltinOps.h"

namespace heddle {

/// Attribute of a module: how @train, and with length buckets each @train.*, updates its parameters. A dictionary:
///   name   the optimizer's, as the names of its state have it: "adamw" of `adamw.m.wte`
///   clip   f64, the largest norm of all gradients together; 0: none
///   lr     @f: a private function (%step) -> (lr), both f32 scalars but the step
///   rules  [{rule = @f, parameters = [@wte, ...]}, ...]; no parameter stands twice
/// A rule is a private function on one element of a parameter, here of one dim that stands for all: its arguments have the
/// heddle.name "$step" (i32 scalar, counted from 1), "parameter", "gradient" (after clipping) and any number of
/// "state.<name>", these with heddle.init (f64); its results "parameter" and every state. Its ops are constants,
/// elementwise, and sums over that dim, which go over one layer's parameter.
inline constexpr llvm::StringLiteral kOptimizerAttr = "heddle.optimizer";
inline constexpr llvm::StringLiteral kInitAttr = "heddle.init";

/// Replaces the results "grad.<symbol>" of these entries by writes of the variables, adds the optimizer's state as variables
/// of kind "optimizer" (`adamw.m.<symbol>`, with type and repeats of the parameter), which they share, and the f32 scalar results
/// "lr" and "grad_norm" (before clipping). Removes attribute and rules; does nothing without them. An error if they are
/// malformed, @train lacks, or a gradient has no rule.
llvm::LogicalResult applyOptimizer(mlir::ModuleOp module);

/// Says, as an error, what is wrong with attribute and rules; success without both.
llvm::LogicalResult verifyOptimizer(mlir::ModuleOp module);

/// Removes attribute and rules.
void dropOptimizer(mlir::ModuleOp module);

}  // namespace heddle
