// heddle.bernoulli: ir/graph/Random.h in vectors of i32. The words of the stream are the same in all lanes and loops,
// so they are computed once a kernel.
#include "passes/lower/NestEmitter.h"
#include "passes/lower/RandomEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace heddle;

const NestEmitter::Stream &NestEmitter::streamOf(BernoulliOp mask, ArrayRef<Value> operands) {
  auto [entry, fresh] = streams.try_emplace(mask.getResult());
  Stream &stream = entry->second;
  if (!fresh) return stream;
  // Key and stream words, in the outermost scope.
  OpBuilder::InsertPoint here = b.saveInsertionPoint();
  at(0);
  RandomEmitter random{b, loc, vectorOf(b.getI32Type())};
  Value seed = frame.operands[cast<BlockArgument>(mask.getSeed()).getArgNumber()];
  for (int i = 0; i < 2; ++i) stream.key[i] = splat(make<memref::LoadOp>(seed, ValueRange{index(i)}));
  stream.words = random.stream(stream.key, mask.getStream(), operands[1], operands.drop_front(2));
  b.restoreInsertionPoint(here);
  return stream;
}

Value NestEmitter::firstElement(BernoulliOp mask, int column, int64_t &total, int64_t &laneStride) {
  Tensor type = cast<Tensor>(mask.getResult().getType());
  total = 1, laneStride = 0;
  Value element = index(0);
  auto order = llvm::to_vector(mask.getOrder().getAsRange<StringAttr>());  // llvm::reverse keeps no temporary alive
  for (StringAttr dim : llvm::reverse(order)) {
    int axis = plan.axisOf(dim);
    // Of a merged axis the last dim, met first, has the axis' stride.
    if (axis >= 0 && plan.axes[axis].dims.back() == dim) {
      Value at = axis == plan.vectorAxis ? columns[column].start : axisIndex[axis];
      element = make<arith::AddIOp>(element, make<arith::MulIOp>(at, index(total)));
      if (axis == plan.vectorAxis) laneStride = total;
    }
    auto inBlock = block.dims.find(dim);
    if (inBlock != block.dims.end())
      element = make<arith::AddIOp>(element, make<arith::MulIOp>(inBlock->second.from, index(total)));
    total *= inBlock == block.dims.end() ? type.sizeOf(dim) : inBlock->second.size;
  }
  return element;
}

Value NestEmitter::drawFour(BernoulliOp mask, const Stream &stream, int column, size_t depth) {
  int first = column / 4 * 4;
  int64_t total, laneStride;
  Value number = make<arith::DivUIOp>(firstElement(mask, first, total, laneStride), index(4));
  Value counter = make<arith::AddIOp>(splat(make<arith::IndexCastOp>(b.getI32Type(), number)), laneNumbers());
  RandomEmitter random{b, loc, vectorOf(b.getI32Type())};
  auto words = random.inOrder(random.philox({counter, intSplat(0), stream.words[0], stream.words[1]}, stream.key));
  for (int i = 0; i < 4 && first + i < int(columns.size()); ++i)
    scopes[depth].values[{mask.getResult(), first + i}] = random.keeps(words[i], mask.getKeep().convertToDouble());
  return scopes[depth].values.at({mask.getResult(), column});
}

Value NestEmitter::computeMask(BernoulliOp mask, ArrayRef<Value> operands, int column, size_t depth) {
  const Stream &stream = streamOf(mask, operands);
  if (plan.sharesCounters(mask)) return drawFour(mask, stream, column, depth);

  // The logical element: a scalar part (64 bits) and, along the vector axis, lanes times a stride.
  int64_t total, laneStride;
  Value element = firstElement(mask, column, total, laneStride), lanes;
  if (laneStride) lanes = make<arith::MulIOp>(laneNumbers(), intSplat(laneStride));
  Type i32 = b.getI32Type();
  Value low = splat(make<arith::IndexCastOp>(i32, element)), high = intSplat(0);
  bool wide = total > (int64_t(1) << 32);
  if (wide) high = splat(make<arith::IndexCastOp>(i32, make<arith::DivUIOp>(element, index(int64_t(1) << 32))));
  if (lanes) {
    Value sum = make<arith::AddIOp>(low, lanes);
    if (wide) {
      Value carry = make<arith::CmpIOp>(arith::CmpIPredicate::ult, sum, low);
      high = make<arith::AddIOp>(high, make<arith::ExtUIOp>(vectorOf(i32), carry));
    }
    low = sum;
  }
  // Four elements in a row share the words of one counter.
  Value counter = make<arith::ShRUIOp>(low, intSplat(2));
  if (wide) {
    counter = make<arith::OrIOp>(counter, make<arith::ShLIOp>(high, intSplat(30)));
    high = make<arith::ShRUIOp>(high, intSplat(2));
  }
  RandomEmitter random{b, loc, vectorOf(i32)};
  auto words = random.philox({counter, high, stream.words[0], stream.words[1]}, stream.key);
  auto isSet = [&](int64_t bit) {
    return make<arith::CmpIOp>(arith::CmpIPredicate::ne, make<arith::AndIOp>(low, intSplat(bit)), intSplat(0));
  };
  Value odd = isSet(1);
  Value drawn = choose(isSet(2), choose(odd, words[3], words[2]), choose(odd, words[1], words[0]));
  return random.keeps(drawn, mask.getKeep().convertToDouble());
}
