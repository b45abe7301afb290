// Rules of the ops that make values from nothing or from a counter.
#include "ir/graph/Random.h"
#include "ir/graph/interpreter/Rules.h"

using namespace mlir;
using namespace heddle;

Array heddle::evaluate(ConstantOp op, Operands) {
  Array result(cast<Tensor>(op.getType()));
  double number = 0;
  if (auto real = dyn_cast<FloatAttr>(op.getValue())) number = real.getValueAsDouble();
  else if (auto flag = dyn_cast<BoolAttr>(op.getValue())) number = flag.getValue();
  else number = cast<IntegerAttr>(op.getValue()).getInt();
  std::fill(result.elements.begin(), result.elements.end(), number);
  return result;
}

Array heddle::evaluate(PositionOp op, Operands) {
  Array result(cast<Tensor>(op.getType()));
  for (size_t i = 0; i < result.elements.size(); ++i) result.elements[i] = i;
  return result;
}

Array heddle::evaluate(BernoulliOp op, Operands operands) {
  auto word = [](double number) { return static_cast<uint32_t>(static_cast<int64_t>(number)); };
  std::array<uint32_t, 2> seed{word(operands[0]->elements[0]), word(operands[0]->elements[1])};
  SmallVector<uint32_t> indices;
  for (const Array *index : operands.drop_front(2)) indices.push_back(word(index->elements[0]));
  auto stream = bernoulliStream(seed, op.getStream(), word(operands[1]->elements[0]), indices);

  Array result(cast<Tensor>(op.getType()));
  SmallVector<StringAttr> order(op.getOrder().getAsRange<StringAttr>());
  SmallVector<int64_t> sizes;
  for (StringAttr name : order) sizes.push_back(result.type.sizeOf(name));
  Tensor logical = Tensor::get(order, sizes, result.type.getElementType());
  std::vector<int64_t> element = offsetsIn(logical, result.type);
  for (size_t i = 0; i < element.size(); ++i)
    result.elements[i] = bernoulli(seed, stream, element[i], op.getKeep().convertToDouble());
  return result;
}
