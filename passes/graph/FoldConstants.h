// Arithmetic on constants, in double precision.
#pragma once
#include "ir/graph/Heddle.h"
#include <optional>

namespace heddle {

/// The number in every element of a constant; nothing for other values. i1 gives 0 or 1.
std::optional<double> constantOf(mlir::Value value);
/// The number in every element of an elementwise op's result if all its operands are constants, by the meaning of the
/// op in HeddleOps.td; floats stay in double precision, ints wrap at 32 bits.
std::optional<double> foldElementwise(mlir::Operation *op);

}  // namespace heddle
