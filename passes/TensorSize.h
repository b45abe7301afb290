// How large a tensor may be.
#pragma once
#include "ir/graph/Heddle.h"
#include "llvm/Support/MathExtras.h"

namespace heddle {

/// 4 TiB, so that sums of sizes in bytes stay far from 2^63.
inline constexpr int64_t kMostElements = int64_t(1) << 40;

/// Whether a tensor has more than kMostElements elements, however many.
inline bool isTooLarge(Tensor tensor) {
  int64_t elements = 1;
  for (int64_t size : tensor.getSizes())
    if (llvm::MulOverflow(elements, size, elements) || elements > kMostElements) return true;
  return false;
}

}  // namespace heddle
