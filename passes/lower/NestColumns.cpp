// Nests whose vector axis is kept.
//
// With several passes, a row is a group of neighbouring vectors, and its accumulators are registers. With one pass the
// loops are turned inside out, because such a row would jump through memory:
//
//   for columns of the chunk: accumulators = start     in scratch, a vector each
//   for the reduced axes
//     for columns of the chunk                          contiguous, as memory lies
//       accumulators += value; full results are stored
//   for columns of the chunk: row results
//
// Every column sums in the same order either way.
#include "passes/lower/NestEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace heddle;

void NestEmitter::emitColumns() {
  int64_t size = plan.axes[plan.vectorAxis].size;
  Value lower = index(0), upper = index(size);
  at(scopes.size() - 1);
  loc = op.getLoc();
  if (unitChunk) {
    lower = make<arith::MulIOp>(unitChunk, index(plan.chunk));
    upper = make<arith::AddIOp>(lower, index(plan.chunk));
    if (size % plan.chunk) upper = make<arith::MinSIOp>(upper, index(size));
  }
  if (plan.accumulatesInScratch) accumulateInScratch(lower, upper);
  else forColumns(lower, upper, [&] { emitRow(); });
}

// Whole groups of columns, then one group with what remains of the axis.
void NestEmitter::forColumns(Value lower, Value upper, function_ref<void()> body) {
  int64_t size = plan.axes[plan.vectorAxis].size;
  int64_t step = plan.lanes * plan.columns;
  int64_t whole = size / step * step;
  at(scopes.size() - 1);
  if (whole) {
    Value end = whole == size ? upper : unitChunk ? make<arith::MinSIOp>(upper, index(whole)) : index(whole);
    loop(lower, end, step, {}, -1, [&](Value start, ValueRange) {
      bindColumns(start, plan.columns, plan.lanes);
      body();
      return Values();
    });
  }
  if (whole < size) {
    int64_t rest = size - whole, count = (rest + plan.lanes - 1) / plan.lanes;
    loop(index(whole), upper, step, {}, -1, [&](Value start, ValueRange) {
      bindColumns(start, count, rest - (count - 1) * plan.lanes);
      body();
      return Values();
    });
  }
}

void NestEmitter::sweepRows(size_t next, function_ref<void()> body) {
  if (next == plan.inner.size()) return body();
  int axis = plan.inner[next];
  loop(index(0), index(plan.axes[axis].size), 1, {}, axis, [&](Value, ValueRange) {
    sweepRows(next + 1, body);
    return Values();
  });
}

Value NestEmitter::accumulatorIndex(size_t slot, Value lower) {
  Value column = unitChunk ? make<arith::SubIOp>(columns[0].start, lower) : columns[0].start;
  return make<arith::AddIOp>(column, index(plan.accumulators[slot]));
}

void NestEmitter::accumulateInScratch(Value lower, Value upper) {
  pass = 0;
  const NestPass &work = plan.passes[0];
  // `visit` is called with the reduction, its first slot, and its accumulators as they are.
  auto forReductions = [&](function_ref<void(Operation *, size_t, ValueRange)> visit) {
    size_t slot = 0;
    for (Operation *reduction : work.reductions) {
      at(scopes.size() - 1);
      loc = reduction->getLoc();
      Values held;
      for (Value start : identity(reduction))
        held.push_back(loadScratch(cast<VectorType>(start.getType()).getElementType(),
                                   accumulatorIndex(slot + held.size(), lower)));
      visit(reduction, slot, held);
      slot += width(reduction);
    }
  };

  forColumns(lower, upper, [&] {
    size_t slot = 0;
    for (Operation *reduction : work.reductions)
      for (Value start : identity(reduction)) {
        at(scopes.size() - 1);
        storeScratch(start, accumulatorIndex(slot++, lower));
      }
  });
  sweepRows(0, [&] {
    forColumns(lower, upper, [&] {
      forReductions([&](Operation *reduction, size_t slot, ValueRange held) {
        for (Value sum : accumulate(reduction, held, 0)) storeScratch(sum, accumulatorIndex(slot++, lower));
      });
      storeAll(work.stores, 0);
    });
  });
  forColumns(lower, upper, [&] {
    forReductions([&](Operation *reduction, size_t, ValueRange held) {
      Value result = reduction->getResult(0);
      scope().values[{result, plan.variesAlong(result, plan.vectorAxis) ? 0 : -1}] = held.back();
    });
    storeAll(plan.rowStores, 0);
  });
}
