// Which sets of graph ops one loop nest can compute. The fusion pass asks before it puts ops together, the lowering
// before it starts: one source of truth.
//
// A nest iterates over dims I, some of which (R) are reduced; the others (O) are kept. Values are full (over I), of a
// row (over O), or have fewer dims. A row is computed by passes over R, so several reductions over the same R may
// depend on each other (softmax, layer norm), but reductions over different dims may not share a nest.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

struct NestShape {
  llvm::SmallVector<mlir::StringAttr> dims;  // I, in the order in which ops name them
  llvm::SmallVector<int64_t> sizes;
  llvm::SmallVector<mlir::StringAttr> reduced;  // R
  std::string refusal;                          // why one nest cannot compute the ops; empty if it can

  explicit operator bool() const { return refusal.empty(); }
  bool isReduced(mlir::StringAttr dim) const { return llvm::is_contained(reduced, dim); }
  int64_t rank() const { return dims.size(); }
  int64_t elements() const;     // the product of the sizes
  int64_t rowElements() const;  // of the sizes of R
  /// Whether `type` has all of I.
  bool isFull(Tensor type) const { return type.getRank() == rank(); }
  /// Whether `type` has exactly O.
  bool isRow(Tensor type) const;
};

/// The nest that computes `ops`, all of one block and in order, and stores `results`. Constraints:
/// - nest_c1: every op is elementwise, reduce, argmax, gather, position, constant, bernoulli or rename
/// - nest_c2: all reductions go over the same dims R
/// - nest_c3: what a gather or rename reads is not computed in the nest
/// - nest_c4: the result of every reduction has the dims O
/// - nest_c5: every result of the nest has the dims I or, where R is not empty, O
NestShape shapeOfNest(llvm::ArrayRef<mlir::Operation *> ops, llvm::ArrayRef<mlir::Value> results);
/// The same of a fused op's region.
NestShape shapeOfNest(FusedOp op);

/// The dims that a reduce or argmax goes over; empty for other ops.
llvm::SmallVector<mlir::StringAttr> reducedDims(mlir::Operation *op);
/// Whether computing `op` again costs more than storing and loading its result: transcendental functions, division,
/// square roots, random bits, indexed reads.
bool isExpensive(mlir::Operation *op);

}  // namespace heddle
