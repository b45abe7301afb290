// See BlockRandom.h.
#include "passes/lower/BlockRandom.h"
#include "passes/lower/RandomEmitter.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace heddle;

BlockRandom::BlockRandom(OpBuilder &builder, FusedOp nest, const NestBlock &place, const TargetInfo &target)
    : IndexEmitter(builder, nest.getLoc()), lanes(target.lanes()),
      words(VectorType::get({4}, builder.getI32Type(), {true})) {
  auto found = dyn_cast<BernoulliOp>(nest.getBody().front().front());
  if (!found || found->getNextNode() != nest.getYield()) return;
  auto type = cast<Tensor>(found.getResult().getType());
  if (type.getRank() < 2) return;
  StringAttr keyAxis = type.getNames().drop_back().back(), rowAxis = type.getNames().back();
  keys = type.sizeOf(keyAxis), rows = type.sizeOf(rowAxis);
  auto order = llvm::to_vector(found.getOrder().getAsRange<StringAttr>());
  if (type.getNumElements() != keys * rows || order.back() != keyAxis || keys % 4 || rows % lanes) return;
  int64_t stride = 1;
  first = constant(0);
  for (StringAttr dim : llvm::reverse(order)) {
    auto whole = place.dims.find(dim);
    if (whole == place.dims.end()) return;
    if (dim == rowAxis) rowStride = stride;
    first = add(first, mul(whole->second.from, stride));
    stride *= whole->second.size;
    if (dim == keyAxis && stride % 4) return;
  }
  if (stride <= int64_t(1) << 34 && rowStride / 4 * lanes <= INT32_MAX) mask = found;
}

void BlockRandom::emit(ArrayRef<Value> inputs, Value result) {
  RandomEmitter random{builder, loc, words};
  auto input = [&](Value operand) { return inputs[cast<BlockArgument>(operand).getArgNumber()]; };
  auto scalar = [&](Value operand) {
    Value from = input(operand);
    Value number = isa<IndexType>(from.getType())
                       ? arith::IndexCastOp::create(builder, loc, builder.getI32Type(), from).getResult()
                       : memref::LoadOp::create(builder, loc, from, constant(0)).getResult();
    return splat(number);
  };
  RandomEmitter::Pair seed;
  for (int i = 0; i < 2; ++i) seed[i] = splat(memref::LoadOp::create(builder, loc, input(mask.getSeed()), constant(i)));
  SmallVector<Value> indices;
  for (Value index : mask.getIndices()) indices.push_back(scalar(index));
  RandomEmitter::Pair stream = random.stream(seed, mask.getStream(), scalar(mask.getStep()), indices);

  auto steps = VectorType::get({4}, builder.getIndexType(), {true});
  Value numbers = arith::IndexCastOp::create(builder, loc, words, vector::StepOp::create(builder, loc, steps));
  Value lane = arith::MulIOp::create(builder, loc, numbers, random.word(static_cast<uint32_t>(rowStride / 4)));
  Value counter = builder.createOrFold<arith::DivUIOp>(loc, first, constant(4));
  loop("row", constant(0), constant(rows), lanes, [&](Value row) {
    Value ofRow = add(counter, mul(row, rowStride / 4));
    loop("four", constant(0), constant(keys / 4), 1, [&](Value four) {
      Value low = arith::IndexCastOp::create(builder, loc, builder.getI32Type(), add(ofRow, four));
      auto drawn = random.philox(
          {arith::AddIOp::create(builder, loc, splat(low), lane), random.word(0), stream[0], stream[1]}, seed);
      for (int64_t i = 0; i < 4; ++i) {
        Value kept = random.keeps(drawn[i], mask.getKeep().convertToDouble());
        kept = arith::ExtUIOp::create(builder, loc, words, kept);
        vector::StoreOp::create(builder, loc, kept, result, add(add(mul(four, 4 * rows), i * rows), row));
      }
    });
  });
}
