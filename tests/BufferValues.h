// The values of a program's buffers as arrays: what tests of executors put in and take out.
#pragma once
#include "ir/graph/interpreter/Array.h"
#include "runtime/Abi.h"
#include "mlir/IR/Builders.h"

namespace heddle {

/// The tensor of a HeddleBuffer or HeddleVariable.
template <typename Buffer>
Tensor typeOf(const Buffer &buffer, mlir::MLIRContext &context) {
  mlir::Builder builder(&context);
  llvm::SmallVector<mlir::StringAttr> names;
  llvm::SmallVector<int64_t> sizes;
  for (int i = 0; i < buffer.rank; ++i) {
    names.push_back(builder.getStringAttr(buffer.dims[i].name));
    sizes.push_back(buffer.dims[i].size);
  }
  mlir::Type element = builder.getIntegerType(buffer.type == HEDDLE_I32 ? 32 : 1);
  if (buffer.type == HEDDLE_F32) element = builder.getF32Type();
  return Tensor::get(names, sizes, element);
}

/// Into the memory of a tensor, whose dims may stand in another order.
inline void store(const Array &array, Tensor type, void *memory) {
  Array placed = reordered(array, type);
  for (size_t i = 0; i < placed.elements.size(); ++i) {
    if (type.isFloat()) static_cast<float *>(memory)[i] = static_cast<float>(placed.elements[i]);
    else static_cast<int32_t *>(memory)[i] = static_cast<int32_t>(placed.elements[i]);
  }
}

inline Array load(Tensor type, const void *memory) {
  Array array(type);
  for (size_t i = 0; i < array.elements.size(); ++i)
    array.elements[i] = type.isFloat() ? double(static_cast<const float *>(memory)[i])
                                       : double(static_cast<const int32_t *>(memory)[i]);
  return array;
}

}  // namespace heddle
