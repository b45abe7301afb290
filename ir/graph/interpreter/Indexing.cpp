// Rules of gather, its gradient, and rename.
#include "ir/graph/interpreter/Rules.h"

using namespace mlir;
using namespace heddle;

llvm::Error heddle::outOfRange(Operation *op, double index, StringAttr axis, int64_t size) {
  return errorAt(op, "index " + Twine(static_cast<int64_t>(index)) + " is outside of " + axis.getValue() + "=" +
                         Twine(size));
}

llvm::Expected<Array> heddle::evaluate(GatherOp op, Operands operands) {
  const Array &x = *operands[0], &index = *operands[1];
  Array result(cast<Tensor>(op.getType()));
  int64_t size = x.type.sizeOf(op.getAxisAttr()), stride = strideOf(x.type, op.getAxisAttr());
  std::vector<int64_t> start = offsetsIn(x.type, result.type), chosen = offsetsIn(index.type, result.type);
  for (size_t i = 0; i < result.elements.size(); ++i) {
    double j = index.elements[chosen[i]];
    if (j < 0 || j >= size) return outOfRange(op, j, op.getAxisAttr(), size);
    result.elements[i] = x.elements[start[i] + static_cast<int64_t>(j) * stride];
  }
  return result;
}

llvm::Expected<Array> heddle::evaluate(ScatterAddOp op, Operands operands) {
  const Array &updates = *operands[0], &index = *operands[1];
  Array result(cast<Tensor>(op.getType()));
  int64_t size = result.type.sizeOf(op.getAxisAttr()), stride = strideOf(result.type, op.getAxisAttr());
  std::vector<int64_t> landing = offsetsIn(result.type, updates.type), chosen = offsetsIn(index.type, updates.type);
  for (size_t i = 0; i < updates.elements.size(); ++i) {
    double j = index.elements[chosen[i]];
    if (j < 0 || j >= size) return outOfRange(op, j, op.getAxisAttr(), size);
    result.elements[landing[i] + static_cast<int64_t>(j) * stride] += updates.elements[i];
  }
  return result;
}

Array heddle::evaluate(RenameOp op, Operands operands) {
  return Array(cast<Tensor>(op.getType()), operands[0]->elements);
}
