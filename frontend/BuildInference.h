// The entries that a trained model is used by: @sample, which continues texts, and @predict, which tells classes.
#pragma once
#include "frontend/GraphEntry.h"

namespace heddle {

/// @sample, where the block trains a token model whose logits need nothing but what generation has.
/// That a parameter depends on the batch is an error; what else keeps it from sampling is none.
void buildSample(const ModuleTable &table, Diagnostics &diagnostics, mlir::ModuleOp graph, const TrainBlock &block,
                 Sizes sizes);

/// @predict, where the block trains a classifier of records. `sizes` are those of @eval.
void buildPredict(const ModuleTable &table, mlir::ModuleOp graph, const TrainBlock &block, Sizes sizes);

} // namespace heddle
