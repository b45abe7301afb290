// Which blocks of scores are masked as a whole, found from the region itself.
//
// Every integer of the score's masks has bounds in a block: positions lie between the block's first and last, numbers from
// data between the least and the largest that the block holds (looked up when the kernel runs), and arithmetic carries
// bounds on, as interval arithmetic does (Moore 1966). So a comparison may be known for a whole block, and a `where` that
// gives -inf for all of it makes the block one that no row can see. No form of mask is known by name.
#pragma once
#include "passes/lower/Blocks.h"

namespace heddle {

class BlockMask : IndexEmitter {
public:
  /// The least and largest element of an input of the region in the block where the loops stand, as i32 (bools are 0 or
  /// 1); null where that is not known.
  struct Bounds {
    mlir::Value least, largest;                 // index
    int64_t lowest = INT32_MIN, highest = INT32_MAX;  // in any block
  };
  using Look = std::function<Bounds(mlir::BlockArgument)>;

  BlockMask(mlir::OpBuilder &builder, mlir::Location loc, const BlockAxes &axes, const NestBlock &place, Look look)
      : IndexEmitter(builder, loc), axes(axes), place(place), look(std::move(look)) {}

  /// Whether something in the block may be greater than -inf (i1); null where this cannot be told, so that it is.
  mlir::Value mayBeOpen(mlir::Value score);

private:
  mlir::Value findOpen(mlir::Value score);
  // Of a bool in the block, as i1; null: yes.
  struct Truth {
    mlir::Value canBeTrue, canBeFalse;
  };
  Truth truth(mlir::Value value);
  Truth findTruth(mlir::Value value);
  Bounds bounds(mlir::Value value);
  Bounds boundsOf(mlir::Operation *op);
  /// The bounds of numbers among `values`; null if those of the program's i32 might wrap.
  Bounds hull(llvm::ArrayRef<mlir::Value> values, llvm::ArrayRef<int64_t> numbers);
  Truth compare(llvm::StringRef predicate, Bounds x, Bounds y);
  mlir::Value less(mlir::Value x, mlir::Value y, bool orEqual);
  mlir::Value both(mlir::Value x, mlir::Value y);    // and, where null is true
  mlir::Value either(mlir::Value x, mlir::Value y);  // or, where null is true
  mlir::Value flag(bool value) { return mlir::arith::ConstantIntOp::create(builder, loc, value, 1); }
  mlir::Value floorDiv(mlir::Value x, int64_t by);

  const BlockAxes &axes;
  const NestBlock &place;
  Look look;
  llvm::DenseMap<mlir::Value, Bounds> known;
  llvm::DenseMap<mlir::Value, Truth> truths;
  llvm::DenseMap<mlir::Value, mlir::Value> open;
};

}  // namespace heddle
