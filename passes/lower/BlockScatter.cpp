// See BlockScatter.h.
#include "passes/lower/BlockScatter.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace heddle;

//===------------------------------------------------------------------------------------------------- one by one
void ScatterLoops::next(int64_t dim, Position at) {
  auto type = cast<Tensor>(op.getUpdates().getType());
  if (dim == type.getRank()) return update(at);
  if (type.getSizes()[dim] == 1) return next(dim + 1, at);
  loop(type.getNames()[dim].getValue(), constant(0), constant(type.getSizes()[dim]), 1, [&](Value position) {
    at[type.getNames()[dim]] = position;
    next(dim + 1, at);
  });
}

void ScatterLoops::update(Position at) {
  auto offset = [&](Value tensor) {
    return offsetOf(cast<Tensor>(tensor.getType()), [&](StringAttr name) { return at.lookup(name); });
  };
  Value x = memref::LoadOp::create(builder, loc, updates, offset(op.getUpdates()));
  Value row = memref::LoadOp::create(builder, loc, index, offset(op.getIndex()));
  at[op.getAxisAttr()] = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), row);
  Value to = offset(op.getResult());
  Value sum = arith::AddFOp::create(builder, loc, memref::LoadOp::create(builder, loc, sums, to), x);
  memref::StoreOp::create(builder, loc, sum, sums, to);
}

//===------------------------------------------------------------------------------------------------- diagonals
Tensor DiagonalSums::sheared() const {
  MLIRContext *context = builder.getContext();
  return Tensor::get({StringAttr::get(context, "sheared")}, {keys * width()}, Float32Type::get(context));
}

void DiagonalSums::emit(Value updates, Value sheared, Value sums) {
  VectorType vector = VectorType::get({4}, builder.getF32Type(), {true});
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vector));
  loop("i", constant(0), constant(keys * width()), lanes,
       [&](Value i) { vector::StoreOp::create(builder, loc, zero, sheared, i); });
  loop("key", constant(0), constant(keys), 1, [&](Value key) {
    loop("row", constant(0), constant(rows), lanes, [&](Value row) {
      Value x = vector::LoadOp::create(builder, loc, vector, updates, add(mul(key, rows), row));
      vector::StoreOp::create(builder, loc, x, sheared, add(add(mul(key, width() - 1), row), keys - 1));
    });
  });
  // As many columns at once as hide the latency of an add.
  int64_t step = 4 * lanes;
  for (int64_t first = 0; first < width(); first += step) {
    int64_t count = std::min(step, width() - first) / lanes;
    auto column = scf::ForOp::create(builder, loc, constant(0), constant(keys), constant(1), SmallVector<Value>(count, zero));
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(column.getBody());
      SmallVector<Value> next;
      for (int64_t i = 0; i < count; ++i) {
        Value x = vector::LoadOp::create(builder, loc, vector, sheared,
                                         add(mul(column.getInductionVar(), width()), first + i * lanes));
        next.push_back(arith::AddFOp::create(builder, loc, column.getRegionIterArg(i), x));
      }
      scf::YieldOp::create(builder, loc, next);
    }
    for (int64_t i = 0; i < count; ++i)
      vector::StoreOp::create(builder, loc, column.getResult(i), sums, constant(first + i * lanes));
  }
}
