// Rules of gather, its gradient, and of ops that name axes anew.
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
  Array result = op.getOnto() ? *operands[2] : Array(cast<Tensor>(op.getType()));
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

// Both sides as [others, group], row-major: there they have the same elements.
Array heddle::evaluate(RegroupOp op, Operands operands) {
  auto result = cast<Tensor>(op.getType());
  auto grouped = [](Tensor type, ArrayAttr group, Tensor others) {
    SmallVector<StringAttr> names(others.getNames());
    SmallVector<int64_t> sizes(others.getSizes());
    for (auto name : group.getAsRange<StringAttr>()) names.push_back(name), sizes.push_back(type.sizeOf(name));
    return Tensor::get(names, sizes, type.getElementType());
  };
  Tensor others = operands[0]->type.without(SmallVector<StringAttr>(op.getFrom().getAsRange<StringAttr>()));
  Array inOrder = reordered(*operands[0], grouped(operands[0]->type, op.getFrom(), others));
  return reordered(Array(grouped(result, op.getTo(), others), std::move(inOrder.elements)), result);
}

Array heddle::evaluate(ConcatOp op, Operands operands) {
  Array result(cast<Tensor>(op.getType()));
  int64_t stride = strideOf(result.type, op.getToAttr()), at = 0;
  for (auto [piece, name] : llvm::zip(operands, op.getOver().getAsRange<StringAttr>())) {
    SmallVector<StringAttr> names(piece->type.getNames());
    for (StringAttr &dim : names)
      if (dim == name) dim = op.getToAttr();
    auto renamed = Tensor::get(names, piece->type.getSizes(), piece->type.getElementType());
    std::vector<int64_t> landing = offsetsIn(result.type, renamed);
    for (size_t i = 0; i < landing.size(); ++i) result.elements[landing[i] + at * stride] = piece->elements[i];
    at += name.getValue().empty() ? 1 : piece->type.sizeOf(name);
  }
  return result;
}
