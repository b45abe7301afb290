// Softmax and norms in terms of reductions and elementwise ops, each written once: DecomposeNorms expands ops with
// these and Gradients takes means and deviations from them, so that CSE makes one computation of the two.
#pragma once
#include "passes/graph/GraphBuilder.h"

namespace heddle {

/// exp(x - m) and its sum over the axis. m is the row's largest element, or 0 for a row of -inf alone, so that
/// x - m is never inf - inf.
struct SoftmaxTerms {
  mlir::Value max;      // the row's maximum with -inf replaced by 0; dims of x without the axis
  mlir::Value shifted;  // x - max
  mlir::Value exp;      // dims of x
  mlir::Value sum;      // dims of x without the axis; 0 for a row of -inf alone, else >= 1
};
SoftmaxTerms softmaxTerms(GraphBuilder &b, mlir::Value x, mlir::StringAttr over);

/// exp / sum, with dims of x; a row that is all -inf gives 0.
mlir::Value softmaxOf(GraphBuilder &b, const SoftmaxTerms &terms);
mlir::Value softmax(GraphBuilder &b, mlir::Value x, mlir::StringAttr over);

/// Ba et al. 2016, in two passes: the variance is the mean of (x - mean)^2, which no cancellation can make negative.
struct LayerNormTerms {
  mlir::Value centred;  // x - mean; dims of x
  mlir::Value rstd;     // 1 / sqrt(variance + eps); dims of x without the axis
};
LayerNormTerms layerNormTerms(GraphBuilder &b, mlir::Value x, mlir::StringAttr over, double eps);

/// 1 / sqrt(mean(x^2) + eps) of Zhang and Sennrich 2019; dims of x without the axis.
mlir::Value rootMeanSquareInverse(GraphBuilder &b, mlir::Value x, mlir::StringAttr over, double eps);

}  // namespace heddle
