// The walk of DeriveBackward over the ops of one block, last to first: the table's row for most, a method for those with
// a region (DeriveBackward.cpp, AttentionGradient.cpp).
#pragma once
#include "passes/graph/Gradients.h"

namespace heddle {

/// What the user called `q` is called `grad.q` in the code for its gradient.
mlir::Location gradientLoc(mlir::Location loc);

/// Values that depend on the roots through ops with a gradient.
class Activity {
public:
  Activity(mlir::Block &block, llvm::ArrayRef<mlir::Value> roots);
  bool contains(mlir::Value value) const { return active.contains(value); }

private:
  bool mark(mlir::Value value, bool when);
  bool spread(mlir::Block &block);
  llvm::DenseSet<mlir::Value> active;
};

/// The gradients of one block's values while its ops are walked.
class BackwardWalk {
public:
  BackwardWalk(const Activity &activity, mlir::OpBuilder &builder, llvm::SmallVectorImpl<mlir::Operation *> &detached,
               double recomputeUpTo = -1)
      : activity(activity), builder(builder), detached(detached), recomputeUpTo(recomputeUpTo) {}

  /// Null where nothing has added to it.
  mlir::Value gradientOf(mlir::Value value) const { return gradients.lookup(value); }
  void add(mlir::Value value, mlir::Value gradient);
  /// All ops of a block but its terminator; or these, which stand in program order.
  llvm::LogicalResult run(mlir::Block &forward);
  llvm::LogicalResult run(llvm::ArrayRef<mlir::Operation *> ops);

private:
  llvm::LogicalResult visit(mlir::Operation *op);
  llvm::LogicalResult visitRepeat(RepeatOp forward);
  llvm::LogicalResult visitAttention(AttentionOp forward);
  llvm::SetVector<unsigned> reachedCarries(RepeatOp forward);
  mlir::Value gradientOrZero(GraphBuilder &b, mlir::Value value);

  const Activity &activity;
  mlir::OpBuilder &builder;
  llvm::SmallVectorImpl<mlir::Operation *> &detached;
  const double recomputeUpTo;  // SavedValues.h
  llvm::DenseMap<mlir::Value, mlir::Value> gradients;
  llvm::DenseSet<mlir::Value> masked;  // values whose gradient may hold zeros of elements not selected
};

}  // namespace heddle
