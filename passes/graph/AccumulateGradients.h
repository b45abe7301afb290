// Gradient accumulation: a step of several micro-batches; the method stands at the top of AccumulateGradients.cpp.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

/// Attribute of an entry, @train or one of its length buckets: how many micro-batches a step has, i64. Its results are then what one of them gives to losses and
/// gradients, and arguments `count.0`, ... are sums over all of them, which the entry of its name and
/// kCountsSuffix, if there is one, gives for one.
inline constexpr llvm::StringLiteral kAccumulateAttr = "heddle.accumulate";
inline constexpr llvm::StringLiteral kCountsSuffix = ".counts";
/// The axis of micro-batches: the first of every `data.*` of the entry. No name that a program can write.
inline constexpr llvm::StringLiteral kMicroAxis = "$micro";

}  // namespace heddle
