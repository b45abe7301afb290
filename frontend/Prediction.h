// @predict, the entry that tells how likely each class is, made of what @eval computes.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

/// Makes an entry with the losses and metrics of a block one of predictions. Its first cross entropy against one of
/// `labels`, arguments such as "data.label" with the axis `batch` alone, is what the block learns to tell: the entry's
/// only result becomes `probabilities`, f32[batch, classes], the softmax of that cross entropy's logits. Arguments that
/// these need not are taken away, but for `$rows`. False if there is no such cross entropy, or if its logits have other
/// axes or depend on a label; the entry is then of no use.
bool makePrediction(mlir::func::FuncOp entry, llvm::ArrayRef<std::string> labels, mlir::StringAttr batch);

} // namespace heddle
