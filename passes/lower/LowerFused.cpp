// The loops of a fused op's kernel; NestPlan.h says how they were chosen.
//
//   for the element that changes, if it is one          NestUpdate.cpp
//   for unit in [begin, end) * unitsPerTile             units are the outer axes, flattened, times chunks of the vector axis
//     for the other outer axes
//       for groups of columns of the vector axis        where it is kept
//         for each pass
//           for the reduced axes                        accumulators are loop-carried vectors
//             (for vectors of the vector axis           where it is reduced: four at a time, then one, then masked)
//         row results
//
// A column reduction that needs one pass is turned inside out (NestColumns.cpp).
//
// Sums are kept per loop: each inner loop starts from zero and its result is added to the outer loop's, so that the
// error grows with the sum of the extents and not with their product.
#include "passes/lower/Lowering.h"
#include "passes/lower/NestEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace heddle;

NestEmitter::NestEmitter(FusedOp op, const NestPlan &plan, OpBuilder &builder, KernelFrame &frame, NestBlock block)
    : ElementEmitter(builder, frame.function, op.getLoc()), op(op), plan(plan), frame(frame), block(std::move(block)),
      axisIndex(plan.axes.size()) {}

void NestEmitter::run() {
  scopes.push_back({llvm::SmallBitVector(plan.axes.size()), b.saveInsertionPoint()});
  shapeArguments();
  if (plan.updated < 0) emitUnits();
  else emitUpdate();
  at(0);
}

//===------------------------------------------------------------------------------------------------- scopes
void NestEmitter::pushScope(OpBuilder::InsertPoint point) { scopes.push_back({scope().bound, point}); }

void NestEmitter::bind(int axis, Value index) {
  scope().bound.set(axis);
  axisIndex[axis] = index;
}

// Columns of the vector axis from `start` on; the last has `lastLanes` lanes.
void NestEmitter::bindColumns(Value start, int64_t count, int64_t lastLanes) {
  scope().bound.set(plan.vectorAxis);
  columns.clear();
  at(scopes.size() - 1);
  for (int64_t i = 0; i < count; ++i) {
    Value mask;
    if (i + 1 == count && lastLanes < plan.lanes)
      mask = make<vector::CreateMaskOp>(vectorOf(b.getI1Type()), ValueRange{index(lastLanes)});
    columns.push_back({i ? make<arith::AddIOp>(start, index(i * plan.lanes)) : start, mask});
  }
}

NestEmitter::Values NestEmitter::loop(Value lower, Value upper, int64_t step, Values inits, int axis, Body body) {
  at(scopes.size() - 1);
  loc = op.getLoc();
  auto forOp = scf::ForOp::create(b, loc, lower, upper, index(step), inits);
  scope().point = OpBuilder::InsertPoint(forOp->getBlock(), forOp->getIterator());
  Block *block = forOp.getBody();
  if (inits.empty()) pushScope(OpBuilder::InsertPoint(block, block->getTerminator()->getIterator()));
  else pushScope(OpBuilder::InsertPoint(block, block->end()));
  if (axis >= 0) {
    // A loop is called by the dims that it walks: b_t for rows of (B,T).
    std::string name;
    for (StringAttr dim : plan.axes[axis].dims) name += (name.empty() ? "" : "_") + dim.getValue().lower();
    forOp.getInductionVar().setLoc(NameLoc::get(b.getStringAttr(name), loc));
    bind(axis, forOp.getInductionVar());
  }
  Values yielded = body(forOp.getInductionVar(), forOp.getRegionIterArgs());
  at(scopes.size() - 1);
  loc = op.getLoc();
  if (!inits.empty()) scf::YieldOp::create(b, loc, yielded);
  scopes.pop_back();
  scope().point = OpBuilder::InsertPoint(forOp->getBlock(), std::next(forOp->getIterator()));
  return Values(forOp.getResults());
}

//===------------------------------------------------------------------------------------------------- outer loops
void NestEmitter::emitUnits() {
  at(0);
  Value lower = frame.begin, upper = frame.end;
  if (plan.unitsPerTile > 1) {
    lower = make<arith::MulIOp>(lower, index(plan.unitsPerTile));
    upper = make<arith::MulIOp>(upper, index(plan.unitsPerTile));
    if (plan.units % plan.unitsPerTile) upper = make<arith::MinSIOp>(upper, index(plan.units));
  }
  loop(lower, upper, 1, {}, -1, [&](Value unit, ValueRange) {
    at(scopes.size() - 1);
    Value rest = unit;
    auto take = [&](int64_t size, bool last) -> Value {
      if (last) return rest;
      Value part = make<arith::RemUIOp>(rest, index(size));
      rest = make<arith::DivUIOp>(rest, index(size));
      return part;
    };
    unitChunk = nullptr;
    if (plan.chunks > 1) unitChunk = take(plan.chunks, plan.split == 0);
    for (size_t i = plan.split; i-- > 0;) bind(plan.outer[i], take(plan.axes[plan.outer[i]].size, i == 0));
    emitOuter(plan.split);
    return Values();
  });
}

// One turn for the element that changes, none if the axis has no such element.
void NestEmitter::emitUpdate() {
  Value vector = emit(plan.updatedIndex, -1).value;
  at(0);
  Value element = toIndex(laneZero(vector)), size = index(plan.axes[plan.updated].size);
  Value lower = make<arith::MinSIOp>(make<arith::MaxSIOp>(element, index(0)), size);
  Value upper = make<arith::MinSIOp>(make<arith::AddIOp>(element, index(1)), size);
  loop(lower, upper, 1, {}, plan.updated, [&](Value, ValueRange) {
    emitUnits();
    return Values();
  });
}

void NestEmitter::emitOuter(size_t next) {
  if (next == plan.outer.size()) {
    if (plan.vectorAxis >= 0 && !plan.vectorReduced()) emitColumns();
    else emitRow();
    return;
  }
  loop(index(0), index(plan.axes[plan.outer[next]].size), 1, {}, plan.outer[next], [&](Value, ValueRange) {
    emitOuter(next + 1);
    return Values();
  });
}

//===------------------------------------------------------------------------------------------------- rows
void NestEmitter::emitRow() {
  int count = plan.vectorReduced() || columns.empty() ? 1 : columns.size();
  for (pass = 0; pass < plan.passes.size(); ++pass) {
    const NestPass &work = plan.passes[pass];
    if (work.reductions.empty() && work.stores.empty()) continue;
    if (!plan.reduces()) {
      leaf({}, 0, count);
      continue;
    }
    at(scopes.size() - 1);
    Values accumulators;
    for (int column = 0; column < count; ++column)
      for (Operation *reduction : work.reductions) llvm::append_range(accumulators, identity(reduction));
    finishReductions(sweep(0, accumulators));
  }
  for (int column = 0; column < count; ++column) storeAll(plan.rowStores, column);
}

NestEmitter::Values NestEmitter::sweep(size_t next, Values accumulators) {
  bool innermost = next + 1 >= plan.inner.size() && !plan.vectorReduced();
  if (next == plan.inner.size()) {
    if (plan.vectorReduced()) return sweepVectors(accumulators);
    return leaf(accumulators, 0, columns.size());
  }
  int axis = plan.inner[next];
  return loop(index(0), index(plan.axes[axis].size), 1, accumulators, axis, [&](Value, ValueRange carried) {
    if (innermost) return sweep(next + 1, Values(carried));
    const NestPass &work = plan.passes[pass];
    Values fresh;
    while (fresh.size() < carried.size())
      for (Operation *reduction : work.reductions) llvm::append_range(fresh, identity(reduction));
    Values part = sweep(next + 1, fresh), sum;
    at(scopes.size() - 1);
    while (sum.size() < carried.size())
      for (Operation *reduction : work.reductions) {
        size_t first = sum.size(), n = width(reduction);
        llvm::append_range(sum, combine(reduction, carried.slice(first, n), ValueRange(part).slice(first, n)));
      }
    return sum;
  });
}

NestEmitter::Values NestEmitter::sweepVectors(Values accumulators) {
  const NestPass &work = plan.passes[pass];
  int64_t size = plan.axes[plan.vectorAxis].size, lanes = plan.lanes;
  int64_t unroll = (work.reductions.empty() || work.costly) && !work.draws ? 1 : plan.columns;
  int64_t whole = size / (unroll * lanes) * unroll * lanes, full = size / lanes * lanes;
  size_t slots = accumulators.size();
  Values all = accumulators;  // one set for each unrolled vector; the first goes on with the rest of the row
  for (int64_t i = 1; i < unroll; ++i)
    for (Operation *reduction : work.reductions) llvm::append_range(all, identity(reduction));
  if (whole)
    all = loop(index(0), index(whole), unroll * lanes, all, -1, [&](Value start, ValueRange carried) {
      bindColumns(start, unroll, lanes);
      return leaf(Values(carried), 0, unroll);
    });
  Values first(ArrayRef<Value>(all).take_front(slots));
  if (whole < full)
    first = loop(index(whole), index(full), lanes, first, -1, [&](Value start, ValueRange carried) {
      bindColumns(start, 1, lanes);
      return leaf(Values(carried), 0, 1);
    });
  if (full < size) {
    pushScope(scope().point);
    bindColumns(index(full), 1, size - full);
    first = leaf(first, 0, 1);
    scopes.pop_back();
  }
  std::copy(first.begin(), first.end(), all.begin());

  at(scopes.size() - 1);
  for (int64_t stride = 1; stride < unroll; stride *= 2)
    for (int64_t i = 0; i + stride < unroll; i += 2 * stride)
      for (size_t slot = 0; slot < slots;)
        for (Operation *reduction : work.reductions) {
          size_t n = width(reduction);
          Values sum = combine(reduction, ValueRange(all).slice(i * slots + slot, n),
                               ValueRange(all).slice((i + stride) * slots + slot, n));
          std::copy(sum.begin(), sum.end(), all.begin() + i * slots + slot);
          slot += n;
        }
  all.resize(slots);
  return all;
}

// The body of the innermost loop, at some of the columns: adds to accumulators, fills scratch, stores results.
NestEmitter::Values NestEmitter::leaf(Values accumulators, int firstColumn, int count) {
  const NestPass &work = plan.passes[pass];
  Values next;
  size_t slot = 0;
  for (int column = firstColumn; column < firstColumn + count; ++column) {
    for (Operation *reduction : work.reductions) {
      size_t n = width(reduction);
      llvm::append_range(next, accumulate(reduction, ValueRange(accumulators).slice(slot, n), column));
      slot += n;
    }
    for (Value value : work.saves) save(value, column);
    storeAll(work.stores, column);
  }
  return next;
}

// All values before the first store: a result may lie where an operand of another one does (canWriteOver).
void NestEmitter::storeAll(ArrayRef<unsigned> results, int column) {
  for (unsigned result : results) emit(op.getYield()->getOperand(result), column);
  for (unsigned result : results) store(result, column);
}

void NestEmitter::finishReductions(ArrayRef<Value> accumulators) {
  size_t slot = 0;
  for (int column = 0; slot < accumulators.size(); ++column)
    for (Operation *reduction : plan.passes[pass].reductions) {
      size_t n = width(reduction);
      Value result = reduction->getResult(0);
      at(scopes.size() - 1);
      loc = reduction->getLoc();
      if (plan.vectorReduced())
        scope().values[{result, -1}] = acrossLanes(reduction, ValueRange(accumulators).slice(slot, n));
      else
        scope().values[{result, plan.variesAlong(result, plan.vectorAxis) ? column : -1}] =
            accumulators[slot + n - 1];
      slot += n;
    }
}

LoweredKernel heddle::lowerFused(FusedOp op, StringRef name, const TargetInfo &target, ModuleOp module) {
  NestPlan plan = planNest(op, target);
  OpBuilder builder(op.getContext());
  KernelFrame frame = openKernel(builder, module, name, op, plan.scratchElements * 4);
  NestEmitter(op, plan, builder, frame).run();
  return {frame.function, plan.tiles, plan.scratchElements * 4};
}
