// What the backward of a `repeat` needs of the forward: saved in stacks, read again, or computed again.
#pragma once
#include "passes/graph/GraphBuilder.h"

namespace heddle {

/// `body`, the block of a backward repeat under construction, uses values of the body of `forward` as if they were in
/// scope. Makes that true: slices of forward's stacked operands are read again; cheap values (elementwise, norms,
/// positions, masks) are computed again where that saves memory; the others are collected by the forward loop and
/// become stacked arguments at the end of `body`.
/// Of what would be collected, values whose op costs at most `recomputeUpTo` FLOPs for a byte saved are computed again too.
///
/// `forward` is replaced by a loop that collects them; the old op, emptied, is in `detached` for the caller to erase
/// at its end. Adds to `stacked` the operands of the arguments added to `body`.
RepeatOp saveForBackward(RepeatOp forward, mlir::Block &body, llvm::SmallVectorImpl<mlir::Value> &stacked,
                         llvm::SmallVectorImpl<mlir::Operation *> &detached, double recomputeUpTo = -1);

/// What a loop's forward saves for its backward, of a module with gradients, that could be computed again.
struct SavedValue {
  mlir::Value value;
  double flopsPerByte;  // of computing it again
};
/// Of values that cost the same, the n-th counts as (1 + n kCostStep) times as dear, so that `recomputeUpTo` can choose
/// some.
inline constexpr double kCostStep = 1e-4;
std::vector<SavedValue> savedValues(mlir::ModuleOp module);

}  // namespace heddle
