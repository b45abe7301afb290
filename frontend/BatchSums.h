// Losses and metrics as functions of sums over the batch.
//
// A loss over a whole set is no mean of those over its batches: think of masked losses with unequal counts, of exp(mean),
// of F1. But nearly every one is a function of sums over the batch. Evaluation adds these sums up over all batches, and
// computes losses and metrics of the totals once; accumulation adds up the parts that micro-batches give to them.
#pragma once
#include "ir/graph/Heddle.h"

#include <optional>

namespace heddle {

/// Divides @eval: its results become the sums over the axis `batch` that they depend on, named `sum.0`, `sum.1`, ...; a new
/// entry @report takes them and has the results that @eval had. What depends on the batch otherwise than by sums (a largest
/// element, a statistic inside a `repeat`) becomes `mean.0`, ...: the runtime takes the mean over batches.
void splitEvaluation(mlir::func::FuncOp eval, mlir::StringAttr batch);

/// What keeps a result from being the sum of what the micro-batches of a step give to it.
struct NotASum {
  unsigned result;
  mlir::Operation *op;
};

/// Makes every result of @train, or of one of its length buckets, the part that one of `microBatches` gives to it. Sums that depend on the data alone (how
/// many rows count) must be known over all of them: they become arguments `count.0`, ..., and a new entry, @train.counts,
/// gives those of one micro-batch. The module is of no use after a failure.
std::optional<NotASum> splitTraining(mlir::func::FuncOp train, mlir::StringAttr batch, int64_t microBatches);

/// Erases what no result of an entry needs.
void dropUnused(mlir::func::FuncOp entry);

} // namespace heddle
