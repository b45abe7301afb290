// Sums over the places of a block that share an index.
#pragma once
#include "passes/lower/IndexEmitter.h"
#include "llvm/ADT/SmallVector.h"

namespace heddle {

/// sums[.., index[..], ..] += updates, element by element: two elements of a vector may have one index.
class ScatterLoops : IndexEmitter {
public:
  ScatterLoops(mlir::OpBuilder &builder, ScatterAddOp op, mlir::Value updates, mlir::Value index, mlir::Value sums)
      : IndexEmitter(builder, op.getLoc()), op(op), updates(updates), index(index), sums(sums) {}
  void emit() { next(0, Position()); }

private:
  using Position = llvm::SmallDenseMap<mlir::StringAttr, mlir::Value>;
  void next(int64_t dim, Position at);
  void update(Position at);
  ScatterAddOp op;
  mlir::Value updates, index, sums;
};

/// sums[row - key + keys - 1] = updates[key, row]. Each row of `updates` goes to another place of its row in `sheared`,
/// so that diagonals become columns; those are added up along vectors.
class DiagonalSums : IndexEmitter {
public:
  DiagonalSums(mlir::OpBuilder &builder, mlir::Location loc, int64_t keys, int64_t rows, int64_t lanes)
      : IndexEmitter(builder, loc), keys(keys), rows(rows), lanes(lanes) {}
  /// The type of the memory `sheared`. Of `sums`, as many whole vectors are written as a row of it has.
  Tensor sheared() const;
  void emit(mlir::Value updates, mlir::Value sheared, mlir::Value sums);

private:
  int64_t width() const { return (keys + rows - 1 + lanes - 1) / lanes * lanes; }
  int64_t keys, rows, lanes;
};

}  // namespace heddle
