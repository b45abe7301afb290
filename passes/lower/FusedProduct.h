// A fused op that holds a matrix product: what is done with each of its sums before it is stored.
//
// The product's operands, and what is added to it, are operands of the fused op. All else in the region is elementwise, and
// meets one element of the sum at a time; but for the sum of the operand that is packed, as the gradient of a bias is.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

struct FusedProduct {
  ContractOp contract;   // null where the region holds none
  ReduceOp columnSum;    // null where the region holds none
  std::string refusal;   // why one kernel cannot compute the region; empty if it can

  explicit operator bool() const { return refusal.empty(); }
};

/// Whether a fused op holds a product; else it is a nest.
inline bool holdsProduct(FusedOp op) { return !op.getBody().front().getOps<ContractOp>().empty(); }

/// The product of a fused op. Constraints where it has one:
/// - product_c1: it is one, with one column sum at most, and everything else is elementwise or a constant
/// - product_c2: the product's operands are operands of the fused op
/// - product_c3: elementwise values have the dims of the product's result in its order, or none; operands may also have only
///   its columns (the dims that the product's result ends with and that only one of x and y has) or only what stands before
/// - product_c4: each result has the type of the product's, but for the column sum, which follows them once
FusedProduct productOf(FusedOp op);

/// The dims that y alone has, or x alone: if the result ends with them, they are columns, side by side in memory.
llvm::SmallVector<mlir::StringAttr> columnsOf(ContractOp op);

/// Whether an op sums the operand that has the columns over all that the product sums, and a kernel packs that operand: then the
/// sums are of what is packed.
bool isColumnSum(ReduceOp op, ContractOp product);

/// The operand of a product, fused or not, whose memory may be that of its first result: it is added to the sums, and all else
/// that is done with them is to store them. The kernel then adds to what lies there. Null if there is none.
mlir::Value addedInPlace(mlir::Operation *op);

/// Whether a tensor can be read beside a product's result: it has all of its dims, its columns, its rows, or none.
bool fitsProduct(Tensor type, ContractOp op);

}  // namespace heddle
