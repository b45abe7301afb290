// The proof that a position depends on no later one: what is computed for it leaves out, by a mask, all later positions
// before it sums over positions.
#pragma once
#include "ir/graph/Heddle.h"
#include "llvm/ADT/DenseMap.h"

namespace heddle {

/// Axes along which positions of the generated sequence lie: element `position + offset` belongs to `position`.
using TimeAxes = llvm::DenseMap<mlir::StringAttr, int64_t>;

/// What a masked element is.
enum class Masked { zero, minusInfinity };

/// Whether `value` is `masked` wherever `keys` is later than `row`, both time axes of it. Every mask of positions, bools and
/// numbers is understood as far as interval arithmetic goes; a mask that needs more is not.
bool isMaskedBeyond(mlir::Value value, mlir::StringAttr row, mlir::StringAttr keys, Masked masked, const TimeAxes &axes);

}  // namespace heddle
