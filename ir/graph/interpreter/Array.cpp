// Walks over tensors by the names of their dims. A table of offsets costs memory and saves every op from its own index
// arithmetic: the ops' rules read like their definitions.
#include "ir/graph/interpreter/Array.h"

using namespace mlir;
using namespace heddle;

int64_t heddle::strideOf(Tensor array, StringAttr dim) {
  int64_t stride = 1;
  for (int64_t i = array.getRank() - 1; array.getNames()[i] != dim; --i) stride *= array.getSizes()[i];
  return stride;
}

std::vector<int64_t> heddle::offsetsIn(Tensor array, Tensor space) {
  std::vector<int64_t> offsets{0};
  offsets.reserve(space.getNumElements());
  for (auto [name, size] : llvm::zip(space.getNames(), space.getSizes())) {
    int64_t stride = array.has(name) ? strideOf(array, name) : 0;
    std::vector<int64_t> longer;
    longer.reserve(offsets.size() * size);
    for (int64_t offset : offsets)
      for (int64_t i = 0; i < size; ++i) longer.push_back(offset + i * stride);
    offsets = std::move(longer);
  }
  return offsets;
}

Tensor heddle::onlyDims(Tensor type, ArrayRef<StringAttr> names) {
  SmallVector<StringAttr> others;
  for (StringAttr name : type.getNames())
    if (!llvm::is_contained(names, name)) others.push_back(name);
  return type.without(others);
}

Array heddle::reordered(const Array &array, Tensor type) {
  if (array.type == type) return array;
  Array result(type);
  std::vector<int64_t> from = offsetsIn(array.type, type);
  for (size_t i = 0; i < from.size(); ++i) result.elements[i] = array.elements[from[i]];
  return result;
}
