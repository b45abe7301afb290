// Finds attention by its structure, in any spelling: a softmax along an axis of keys whose result is summed with values
// over that axis, and whose score holds products over another axis.
//
// The keys are the softmax's axis. Rows are the axes that the weighted probabilities have and the values lack. A tensor
// of rows x keys is one that has the axis of keys and an axis of rows: these exist in the attention's region alone, so
// whatever computes one from smaller tensors goes inside. A term of the score that something else uses too is stored and
// an input, as long as another product is left inside; the weights have no other use.
//
// RaiseSoftmax and NormalizeAttention run before and leave one form of each thing that can be said in several ways.
#pragma once
#include "ir/graph/Heddle.h"
#include "llvm/ADT/SetVector.h"

namespace heddle {

struct AttentionMatch {
  SoftmaxOp softmax;
  ContractOp product;                            // of weights and values, over the keys
  llvm::SmallVector<mlir::StringAttr> rows;      // in the order of the weights' dims
  llvm::SetVector<mlir::Operation *> ops;        // the region's, in an order in which they run
  llvm::SetVector<mlir::Value> inputs;           // what they use from outside

  // Where there is no match: the first reason, and the op at which it shows.
  std::string reason;
  mlir::Operation *at = nullptr;
  explicit operator bool() const { return reason.empty(); }
};

AttentionMatch matchAttention(SoftmaxOp softmax);

}  // namespace heddle
