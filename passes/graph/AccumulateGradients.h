// Gradient accumulation: a step of several micro-batches; the method stands at the top of AccumulateGradients.cpp.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

/// Attribute of @train: how many micro-batches a step has, i64. Its results are then what one of them gives to losses and
/// gradients, and arguments `count.0`, ... are sums over all of them, which the entry @train.counts gives for one.
inline constexpr llvm::StringLiteral kAccumulateAttr = "heddle.accumulate";
/// The axis of micro-batches: the first of every `data.*` of @train. No name that a program can write.
inline constexpr llvm::StringLiteral kMicroAxis = "$micro";

}  // namespace heddle
