// Products of few rows, as of one token: each element of B serves a handful of multiplications, so that time is that of
// reading B from memory, and no part of it is worth packing. B is read once, in the order in which it lies.
//
//   B along n:                                       B along k:
//     C = 0                                            for n, a few at a time:
//     for k, a few at a time:                            for vectors of k:
//       for vectors of n:                                  sums[m, n ...] += A[m, k] * B[k, n ...]
//         C[m, n] += A[m, k ...] * B[k ..., n]           C[m, n ...] = sums, each over its lanes
#include "passes/lower/ContractEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace heddle;

void ContractEmitter::streamTile(Value aBase, Value bBase, Value cBase) {
  if (shape.n.b == 1) streamAlongN(aBase, bBase, cBase);
  else streamAlongK(aBase, bBase, cBase);
  finishTile(cBase);
}

// Full groups of rows of B, then one by one.
void ContractEmitter::inGroups(StringRef name, Value from, Value to, function_ref<void(Value, int64_t)> body) {
  Value count = builder.createOrFold<arith::SubIOp>(loc, to, from);
  Value groups = builder.createOrFold<arith::DivUIOp>(loc, count, constant(tiling.streams));
  Value full = add(from, mul(groups, tiling.streams));
  loop(name, from, full, tiling.streams, [&](Value first) { body(first, tiling.streams); });
  loop(name, full, to, 1, [&](Value first) { body(first, 1); });
}

void ContractEmitter::streamAlongN(Value aBase, Value bBase, Value cBase) {
  overVectors(cBase, [&](Value, Value n, int64_t v, Value at) { store(zero(), c, at, n, v); });
  inGroups("k", constant(0), constant(shape.k.size), [&](Value first, int64_t count) {
    SmallVector<Value> factors;
    for (int64_t m = 0; m < shape.m.size; ++m)
      for (int64_t j = 0; j < count; ++j) {
        Value at = add(aBase, add(mul(add(first, j), shape.k.a), m * shape.m.a));
        factors.push_back(vector::BroadcastOp::create(builder, loc, vector, memref::LoadOp::create(builder, loc, a, at).getResult()));
      }
    Value row = add(bBase, mul(first, shape.k.b));
    loop("panel", panels.begin, panels.end, 1, [&](Value panel) {
      Value n = mul(panel, width);
      SmallVector<Value> columns;
      for (int64_t j = 0; j < count; ++j) {
        Value at = add(row, add(n, j * shape.k.b));
        columns.push_back(loadAlongN(b, at, n, 0));
        fetch(b, add(at, 2 * tiling.streams * shape.k.b));
      }
      for (int64_t m = 0; m < shape.m.size; ++m) {
        Value at = add(cBase, add(n, m * shape.m.c)), sum = loadAlongN(c, at, n, 0);
        for (int64_t j = 0; j < count; ++j)
          sum = vector::FMAOp::create(builder, loc, factors[m * count + j], columns[j], sum);
        store(sum, c, at, n, 0);
      }
    });
  });
}

void ContractEmitter::streamAlongK(Value aBase, Value bBase, Value cBase) {
  int64_t tail = shape.k.size % lanes;
  Value begin = mul(panels.begin, width), end = least(mul(panels.end, width), constant(shape.n.size));
  inGroups("n", begin, end, [&](Value first, int64_t count) {
    Value rowsAt = add(bBase, mul(first, shape.n.b));
    auto step = [&](Value k, ValueRange sums, bool whole) {
      auto load = [&](Value memory, Value at) -> Value {
        if (whole) return vector::LoadOp::create(builder, loc, vector, memory, at);
        return vector::MaskedLoadOp::create(builder, loc, vector, memory, at, mask(shape.k.size, k), zero());
      };
      SmallVector<Value> rows, next;
      for (int64_t j = 0; j < count; ++j) {
        Value at = add(rowsAt, add(k, j * shape.n.b));
        rows.push_back(load(b, at));
        fetch(b, add(at, tiling.streams * shape.n.b));
      }
      for (int64_t m = 0; m < shape.m.size; ++m) {
        Value x = load(a, add(aBase, add(k, m * shape.m.a)));
        for (int64_t j = 0; j < count; ++j) next.push_back(vector::FMAOp::create(builder, loc, x, rows[j], sums[m * count + j]));
      }
      return next;
    };
    SmallVector<Value> sums(shape.m.size * count, zero());
    auto all = scf::ForOp::create(builder, loc, constant(0), constant(shape.k.size - tail), constant(lanes), sums);
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(all.getBody());
      all.getInductionVar().setLoc(NameLoc::get(builder.getStringAttr("k"), loc));
      scf::YieldOp::create(builder, loc, step(all.getInductionVar(), all.getRegionIterArgs(), true));
    }
    sums.assign(all.getResults().begin(), all.getResults().end());
    if (tail) sums = step(constant(shape.k.size - tail), sums, false);
    for (int64_t m = 0; m < shape.m.size; ++m)
      for (int64_t j = 0; j < count; ++j) {
        Value sum = vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD, sums[m * count + j]);
        memref::StoreOp::create(builder, loc, sum, c, add(cBase, add(add(first, j), m * shape.m.c)));
      }
  });
}
