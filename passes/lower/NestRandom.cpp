// heddle.bernoulli: ir/graph/Random.h in vectors of i32. The words of the stream are the same in all lanes and loops,
// so they are computed once a kernel.
#include "passes/lower/NestEmitter.h"
#include "ir/graph/Random.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <array>

using namespace mlir;
using namespace heddle;

namespace {
using Words = std::array<Value, 4>;
// Philox4x32-10 over values of one vector type.
struct Philox {
  OpBuilder &b;
  Location loc;
  VectorType type;

  Value word(uint32_t value) const {
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, static_cast<int32_t>(value)));
  }
  template <typename Op>
  Value make(Value x, Value y) const {
    return Op::create(b, loc, x, y).getResult();
  }
  Words operator()(Words counter, std::array<Value, 2> key) const {
    Value m0 = word(0xD2511F53u), m1 = word(0xCD9E8D57u), w0 = word(0x9E3779B9u), w1 = word(0xBB67AE85u);
    for (int round = 0; round < 10; ++round) {
      auto p0 = arith::MulUIExtendedOp::create(b, loc, m0, counter[0]);
      auto p1 = arith::MulUIExtendedOp::create(b, loc, m1, counter[2]);
      counter = {make<arith::XOrIOp>(make<arith::XOrIOp>(p1.getHigh(), counter[1]), key[0]), p1.getLow(),
                 make<arith::XOrIOp>(make<arith::XOrIOp>(p0.getHigh(), counter[3]), key[1]), p0.getLow()};
      if (round < 9) key = {make<arith::AddIOp>(key[0], w0), make<arith::AddIOp>(key[1], w1)};
    }
    return counter;
  }
};
}  // namespace

Value NestEmitter::computeMask(BernoulliOp mask, ArrayRef<Value> operands, int column) {
  // Key and stream words, in the outermost scope.
  auto [entry, fresh] = streams.try_emplace(mask.getResult());
  Stream &stream = entry->second;
  OpBuilder::InsertPoint here = b.saveInsertionPoint();
  if (fresh) {
    at(0);
    Philox philox{b, loc, vectorOf(b.getI32Type())};
    Value seed = frame.operands[cast<BlockArgument>(mask.getSeed()).getArgNumber()];
    for (int i = 0; i < 2; ++i) stream.key[i] = splat(make<memref::LoadOp>(seed, ValueRange{index(i)}));
    uint64_t number = mask.getStream();
    Value zero = philox.word(0), one = philox.word(1);
    Words words = philox({philox.word(uint32_t(number)), philox.word(uint32_t(number >> 32)), operands[1], zero},
                         stream.key);
    for (Value index : operands.drop_front(2)) words = philox({words[0], words[1], index, one}, stream.key);
    stream.words = {words[0], words[1]};
  }

  // The logical element: a scalar part (64 bits) and, along the vector axis, lanes times a stride.
  b.restoreInsertionPoint(here);
  Tensor type = cast<Tensor>(mask.getResult().getType());
  int64_t stride = 1;
  Value element = index(0), lanes;
  auto order = llvm::to_vector(mask.getOrder().getAsRange<StringAttr>());  // llvm::reverse keeps no temporary alive
  for (StringAttr dim : llvm::reverse(order)) {
    int axis = plan.axisOf(dim);
    // Of a merged axis the last dim, met first, has the axis' stride.
    if (axis >= 0 && plan.axes[axis].dims.back() == dim) {
      Value at = axis == plan.vectorAxis ? columns[column].start : axisIndex[axis];
      element = make<arith::AddIOp>(element, make<arith::MulIOp>(at, index(stride)));
      if (axis == plan.vectorAxis) lanes = make<arith::MulIOp>(laneNumbers(), intSplat(stride));
    }
    auto inBlock = block.dims.find(dim);
    if (inBlock != block.dims.end())
      element = make<arith::AddIOp>(element, make<arith::MulIOp>(inBlock->second.from, index(stride)));
    stride *= inBlock == block.dims.end() ? type.sizeOf(dim) : inBlock->second.size;
  }
  int64_t total = stride;
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
  Philox philox{b, loc, vectorOf(i32)};
  Words words = philox({low, high, stream.words[0], stream.words[1]}, stream.key);
  Value threshold = intSplat(static_cast<int32_t>(bernoulliThreshold(mask.getKeep().convertToDouble())));
  return make<arith::CmpIOp>(arith::CmpIPredicate::ult, words[0], threshold);
}
