// See GraphBuilder.h. Nothing is folded here: Simplify does that once, for everybody.
#include "passes/graph/GraphBuilder.h"

using namespace mlir;
using namespace heddle;

Value GraphBuilder::fill(Tensor type, double value) { return ConstantOp::create(builder, loc, type, value); }
Value GraphBuilder::number(double value) { return fill(Tensor::get({}, {}, builder.getF32Type()), value); }
Value GraphBuilder::integer(int32_t value) { return fill(Tensor::get({}, {}, builder.getI32Type()), value); }
Value GraphBuilder::position(StringAttr name, int64_t size) {
  return PositionOp::create(builder, loc, Tensor::get({name}, {size}, builder.getI32Type()));
}

Tensor GraphBuilder::unite(ValueRange values, Type element) {
  Tensor first = tensorOf(values[0]);
  for (Value value : values)
    if (tensorOf(value).getRank() > first.getRank()) first = tensorOf(value);
  SmallVector<StringAttr> names(first.getNames());
  SmallVector<int64_t> sizes(first.getSizes());
  for (Value value : values)
    for (auto [name, size] : llvm::zip(tensorOf(value).getNames(), tensorOf(value).getSizes()))
      if (!llvm::is_contained(names, name)) names.push_back(name), sizes.push_back(size);
  return Tensor::get(names, sizes, element);
}

Value GraphBuilder::compare(StringRef predicate, Value x, Value y) {
  return CompareOp::create(builder, loc, unite({x, y}, builder.getI1Type()), predicate, x, y);
}
Value GraphBuilder::select(Value condition, Value x, Value y) {
  return SelectOp::create(builder, loc, unite({x, y, condition}, tensorOf(x).getElementType()), condition, x, y);
}
Value GraphBuilder::cast(Value x, Type element) {
  return CastOp::create(builder, loc, tensorOf(x).withElement(element), x);
}

static ArrayAttr arrayOf(OpBuilder &builder, ArrayRef<StringAttr> names) {
  return builder.getArrayAttr(SmallVector<Attribute>(names.begin(), names.end()));
}
Value GraphBuilder::reduce(StringRef kind, Value x, ArrayRef<StringAttr> over) {
  return ReduceOp::create(builder, loc, tensorOf(x).without(over), builder.getStringAttr(kind), x,
                          arrayOf(builder, over));
}
Value GraphBuilder::mean(Value x, StringAttr over) {
  return div(sum(x, over), number(static_cast<double>(tensorOf(x).sizeOf(over))));
}
Value GraphBuilder::contract(Value x, Value y, ArrayRef<StringAttr> over, Tensor type) {
  if (over.empty()) return MulOp::create(builder, loc, type, x, y);
  return ContractOp::create(builder, loc, type, x, y, arrayOf(builder, over));
}

Value GraphBuilder::as(Value x, Tensor type) {
  Tensor have = tensorOf(x);
  if (have == type) return x;
  SmallVector<StringAttr> extra, kept;
  SmallVector<int64_t> sizes;
  for (StringAttr name : have.getNames())
    if (!type.has(name)) extra.push_back(name);
  for (auto [name, size] : llvm::zip(type.getNames(), type.getSizes()))
    if (have.has(name)) kept.push_back(name), sizes.push_back(size);
  if (!extra.empty())
    x = ReduceOp::create(builder, loc, Tensor::get(kept, sizes, have.getElementType()), builder.getStringAttr("sum"), x,
                         arrayOf(builder, extra));
  return tensorOf(x) == type ? x : BroadcastOp::create(builder, loc, type, x);
}
