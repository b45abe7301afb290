// The interpreter's values: a tensor's type and all of its elements as doubles. An i32 or a bool is exact in a double, so
// one representation serves every element type.
#pragma once
#include "ir/graph/Heddle.h"
#include <vector>

namespace heddle {

struct Array {
  Tensor type;
  std::vector<double> elements;  // row-major in the order of the type's dims

  explicit Array(Tensor type) : type(type), elements(type.getNumElements()) {}
  Array(Tensor type, std::vector<double> elements) : type(type), elements(std::move(elements)) {}
};

/// Where the elements of a tensor of type `array` are met by a walk over `space`, row-major: one offset for each element
/// of the space. Along a dim that only the space has the offset stays (a broadcast); a dim that only the array has
/// stays at 0, so that tables over parts of its dims add up to the offset of an element.
std::vector<int64_t> offsetsIn(Tensor array, Tensor space);

/// The distance, in elements, between neighbours along a dim that the tensor has.
int64_t strideOf(Tensor array, mlir::StringAttr dim);

/// The part of `type` with the dims named, in the type's order.
Tensor onlyDims(Tensor type, llvm::ArrayRef<mlir::StringAttr> names);

/// The same values with their dims in the order of `type`, which has the same dims.
Array reordered(const Array &array, Tensor type);

}  // namespace heddle
