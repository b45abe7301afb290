// Derives the gradients of an entry's loss; the method stands at the top of DeriveBackward.cpp.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

/// Attribute of an entry: the name of the loss to minimise. The result named `loss.NAME`, or NAME itself, is it.
inline constexpr llvm::StringLiteral kMinimiseAttr = "heddle.minimise";
/// Unit attribute of an entry: gradients of its f32 arguments too, and zeros for what the loss does not reach.
inline constexpr llvm::StringLiteral kInputGradientsAttr = "heddle.input_gradients";

/// Appends to the entry's results the gradient of the loss in every trained parameter that it reads: type and repeats
/// of the variable, `heddle.name = "grad.<symbol>"`, in the order in which the module declares the variables. With
/// `heddle.input_gradients` follow those of the f32 arguments, "grad.<name>". Removes both attributes. A parameter
/// that the loss does not reach has no gradient and so is not trained. An error if the loss is not an f32 scalar, if
/// nothing that is trained reaches it, or if an op on the way has no gradient. `recomputeUpTo`: SavedValues.h.
llvm::LogicalResult deriveBackward(mlir::func::FuncOp entry, double recomputeUpTo = -1);

}  // namespace heddle
