// What the backward of a `repeat` needs of the forward: saved in stacks, read again, or computed again.
#pragma once
#include "passes/graph/GraphBuilder.h"

namespace heddle {

/// `body`, the block of a backward repeat under construction, uses values of the body of `forward` as if they were in
/// scope. Makes that true: slices of forward's stacked operands are read again; cheap values (elementwise, norms,
/// positions, masks) are computed again where that saves memory; the others are collected by the forward loop and
/// become stacked arguments at the end of `body`.
///
/// `forward` is replaced by a loop that collects them; the old op, emptied, is in `detached` for the caller to erase
/// at its end. Adds to `stacked` the operands of the arguments added to `body`.
RepeatOp saveForBackward(RepeatOp forward, mlir::Block &body, llvm::SmallVectorImpl<mlir::Value> &stacked,
                         llvm::SmallVectorImpl<mlir::Operation *> &detached);

}  // namespace heddle
