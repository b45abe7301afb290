// What the regions of attention and attention_backward are made of, by their form (attention_c3, attention_backward_c4).
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

/// The values of an attention's region that its gradient and its kernel treat as a whole.
struct AttentionParts {
  mlir::Value score;        // rows x keys, before the softmax
  mlir::Value max, sum;     // of a row; yielded
  mlir::Value exp;          // of score - max
  mlir::Value probability;  // exp / sum
  ContractOp product;       // of weights and values; yielded
  mlir::Value weight;       // the product's operand that is computed from the probability

  explicit AttentionParts(AttentionOp op);
};

/// In the region of an attention_backward: score - max, and the score.
mlir::Value shiftedOf(AttentionBackwardOp op);
mlir::Value scoreOf(AttentionBackwardOp op);

}  // namespace heddle
