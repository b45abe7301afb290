// Makes evaluation exact for any size of batches.
//
// A loss or metric over a whole set is no mean of those over its batches: think of masked losses with unequal counts, of
// exp(mean), of F1. But nearly every one is a function of sums over the batch. So @eval gives those sums, the runtime adds
// them up over all batches, and @report computes losses and metrics of the totals.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

/// Divides @eval: its results become the sums over the axis `batch` that they depend on, named `sum.0`, `sum.1`, ...; a new
/// entry @report takes them and has the results that @eval had. What depends on the batch otherwise than by sums (a largest
/// element, a statistic inside a `repeat`) becomes `mean.0`, ...: the runtime takes the mean over batches.
void splitEvaluation(mlir::func::FuncOp eval, mlir::StringAttr batch);

/// Erases what no result of an entry needs.
void dropUnused(mlir::func::FuncOp entry);

} // namespace heddle
