// Attention in blocks: names of its axes, and tensors of a block in scratch.
//
// A block is `rowBlock` rows by `keyBlock` keys; all further axes that the scores have (batch, heads) are looped over
// outside and are of size 1 in a block. Whatever enters a block is copied into scratch first, in the order that the block's
// ops want, and filled up to whole blocks: so no op of a block knows where it lies or where the tensor ends.
#pragma once
#include "ir/kernel/TargetInfo.h"
#include "passes/lower/IndexEmitter.h"
#include "passes/lower/NestPlan.h"

namespace heddle {

/// Where rows stand in a block tensor: last, so that they run along vectors, or before what else the tensor has.
enum class BlockOrder { rowsLast, rowsFirst };

struct BlockAxes {
  mlir::StringAttr keys, rows;
  int64_t keySize = 1, rowSize = 1;    // of the whole axes
  int64_t keyBlock = 1, rowBlock = 1;  // of a block; rows are a multiple of lanes
  llvm::SmallVector<mlir::StringAttr> outer;
  llvm::SmallVector<int64_t> outerSizes;

  bool isOuter(mlir::StringAttr name) const { return llvm::is_contained(outer, name); }
  /// Of which a block holds a part only.
  bool isDivided(mlir::StringAttr name) const {
    auto outside = llvm::find(outer, name);
    return name == keys || name == rows || (outside != outer.end() && outerSizes[outside - outer.begin()] > 1);
  }
  bool hasKeys(mlir::Value value) const { return llvm::cast<Tensor>(value.getType()).has(keys); }
  bool hasRows(mlir::Value value) const { return llvm::cast<Tensor>(value.getType()).has(rows); }
  int64_t keyBlocks() const { return (keySize + keyBlock - 1) / keyBlock; }
  int64_t rowBlocks() const { return (rowSize + rowBlock - 1) / rowBlock; }
  /// The part of a tensor in a block: outer axes (size 1), keys, others, rows; or with rows before others.
  Tensor blockOf(Tensor type, BlockOrder order) const;
};

/// The axes of an attention or attention_backward.
BlockAxes blockAxes(mlir::Operation *op, const TargetInfo &target);

/// A block of a tensor in memory.
struct BlockPlace {
  mlir::Value memory;  // the whole tensor, one dim
  Tensor type;         // of the whole tensor
  mlir::Value first;   // where the block begins
};

/// Copies between tensors in memory and blocks in scratch (or another order of the same block).
class BlockCopy : IndexEmitter {
public:
  /// How much of a dim of the block exists in the tensor; dims that are not named exist as a whole.
  using Valid = llvm::ArrayRef<std::pair<mlir::StringAttr, mlir::Value>>;

  BlockCopy(mlir::OpBuilder &builder, mlir::Location loc, const TargetInfo &target)
      : IndexEmitter(builder, loc), lanes(target.lanes()) {}
  /// Into a block, one dim in memory. What does not exist becomes `rest`. Up to a vector behind the block is overwritten, unless
  /// it `keepsBehind`.
  void load(const BlockPlace &from, mlir::Value block, Tensor type, Valid valid, double rest = 0, bool keepsBehind = false);
  /// Out of a block: only what exists. `add`: to what is there.
  void store(mlir::Value block, Tensor type, const BlockPlace &to, Valid valid, bool add);
  /// The same number in what exists of a block in memory.
  void clear(const BlockPlace &to, Tensor type, Valid valid);
  /// A number in `count` elements from `at` on.
  void fill(mlir::Value memory, mlir::Value at, int64_t count, double number);

  struct Walk;  // of one copy (BlockCopy.cpp)

private:
  void walk(const Walk &walk, size_t dim, mlir::Value outside, mlir::Value inside);
  bool lastTwoDims(const Walk &walk, size_t dim, mlir::Value outside, mlir::Value inside);
  void lastDim(const Walk &walk, mlir::Value outside, mlir::Value inside);
  void storeRow(const Walk &w, mlir::Value vector, mlir::Value in, mlir::Value i);
  mlir::Value splat(mlir::Type element, double number);
  mlir::VectorType vectorOf(mlir::Type element) { return mlir::VectorType::get({4}, element, {true}); }
  int64_t lanes;
};

}  // namespace heddle
