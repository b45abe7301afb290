// What depends on a row and a key by their distance alone: biases by distance, slopes, buckets. A block of rows and keys
// has few distances, so they become an axis of their own: values are computed along it, spread over the block when they
// are used, and gradients are added up along diagonals before anything is done with them.
#pragma once
#include "passes/graph/GraphBuilder.h"
#include "passes/lower/Blocks.h"
#include "llvm/ADT/DenseMap.h"

namespace heddle {

class BlockDiagonal {
public:
  explicit BlockDiagonal(const BlockAxes &axes);

  /// The axis of distances, row - key: in a block, `size` of them from -(keyBlock - 1) on.
  mlir::StringAttr axis;
  int64_t size;

  /// Of rows and keys, but the same wherever row - key is the same.
  bool isOfDistance(mlir::Value value);
  /// Whether it costs more to compute than to load.
  bool isCostly(mlir::Value value);

  /// A block's value along the axis of distances. `uniform` gives values without rows and keys, as blocks.
  mlir::Value along(mlir::Value value, mlir::OpBuilder &builder, llvm::function_ref<mlir::Value(mlir::Value)> uniform);
  /// `along` again, 0 where there is no such distance: for indices.
  mlir::Value indexAlong(mlir::Value value, mlir::OpBuilder &builder, llvm::function_ref<mlir::Value(mlir::Value)> uniform);
  /// A value along distances as one of rows and keys: x[axis = row - key].
  mlir::Value spread(mlir::Value x, Tensor type, mlir::OpBuilder &builder);
  /// A block's type with distances in place of rows and keys, as the last dim.
  Tensor typeAlong(Tensor type) const;

private:
  /// How often rows and keys enter an integer, if they do so by sums and differences.
  struct Linear {
    int64_t rows, keys;
  };
  std::optional<Linear> linear(mlir::Value value);
  std::optional<Linear> findLinear(mlir::Value value);
  const BlockAxes &axes;
  llvm::DenseMap<mlir::Value, std::optional<Linear>> sums;
  llvm::DenseMap<mlir::Value, bool> known;
  llvm::DenseMap<mlir::Value, mlir::Value> made;
};

}  // namespace heddle
