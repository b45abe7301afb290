// Loads and stores of a nest. What is contiguous along the vector axis is a vector load, masked in the last vector of a
// row; what does not vary along it is a scalar load, broadcast; the rest is gathered, or stored lane by lane.
#include "passes/lower/NestEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace heddle;

void NestEmitter::shapeArguments() {
  auto shape = [&](Value memref, const NestView &view) {
    memref.setType(MemRefType::get(view.shape, cast<MemRefType>(memref.getType()).getElementType()));
  };
  for (const NestAccess &access : plan.accesses)
    if (isa<MemRefType>(frame.operands[access.operand].getType())) shape(frame.operands[access.operand], access.view);
  for (auto [memref, view] : llvm::zip(frame.results, plan.results)) shape(memref, view);
  frame.function.setType(b.getFunctionType(frame.function.getBody().getArgumentTypes(), {}));
}

NestEmitter::Values NestEmitter::indicesIn(const NestView &view, int column, Value indexed) {
  Values indices;
  for (int axis : view.axes)
    if (axis == NestView::kIndexed) indices.push_back(indexed);
    else if (axis == NestView::kFirst) indices.push_back(index(0));
    else indices.push_back(axis == plan.vectorAxis ? columns[column].start : axisIndex[axis]);
  return indices;
}

// x of sums and differences, with what cancels left out.
static void addTerms(Value x, int64_t sign, llvm::MapVector<Value, int64_t> &terms, int64_t &rest) {
  if (std::optional<int64_t> number = getConstantIntValue(x)) return void(rest += sign * *number);
  Operation *op = x.getDefiningOp();
  if (!isa_and_nonnull<arith::AddIOp, arith::SubIOp>(op)) return void(terms[x] += sign);
  addTerms(op->getOperand(0), sign, terms, rest);
  addTerms(op->getOperand(1), isa<arith::AddIOp>(op) ? sign : -sign, terms, rest);
}
Value NestEmitter::shortened(Value x) {
  llvm::MapVector<Value, int64_t> terms;
  int64_t rest = 0;
  addTerms(x, 1, terms, rest);
  Value sum = index(rest);
  for (auto [term, times] : terms) {
    for (int64_t i = 0; i < times; ++i) sum = make<arith::AddIOp>(sum, term);
    for (int64_t i = 0; i > times; --i) sum = make<arith::SubIOp>(sum, term);
  }
  return sum;
}

NestEmitter::Emitted NestEmitter::firstLane(Value value, int column) {
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<BroadcastOp>(op)) return firstLane(op->getOperand(0), column);
  if (auto position = dyn_cast_or_null<PositionOp>(op)) {
    size_t depth = depthOf(plan.depends.lookup(value));
    at(depth);
    return {startAlong(cast<Tensor>(position.getType()).getNames()[0], column), depth};
  }
  if (auto number = dyn_cast_or_null<ConstantOp>(op)) return {index(cast<IntegerAttr>(number.getValue()).getInt()), 0};
  if (!plan.variesAlong(value, plan.vectorAxis)) {
    Emitted emitted = emit(value, column);
    at(emitted.depth);
    return {toIndex(laneZero(emitted.value)), emitted.depth};
  }
  Emitted x = firstLane(op->getOperand(0), column), y = firstLane(op->getOperand(1), column);
  size_t depth = std::max(x.depth, y.depth);
  at(depth);
  loc = op->getLoc();
  return {isa<AddOp>(op) ? make<arith::AddIOp>(x.value, y.value) : make<arith::SubIOp>(x.value, y.value), depth};
}

NestEmitter::Emitted NestEmitter::load(const NestAccess &access, int column) {
  Value memref = frame.operands[access.operand];
  llvm::SmallBitVector axes = plan.depends.lookup(access.value);
  size_t depth = depthOf(axes);
  const NestView &view = access.view;

  // The index of a gather: a scalar when it is the same in all lanes.
  Value indexed, indexVector;
  bool contiguous = false;
  if (access.along) {
    Value number = cast<GatherOp>(access.value.getDefiningOp()).getIndex();
    bool shifted = plan.isShifted(access);
    Emitted emitted = shifted ? firstLane(number, column) : emit(number, column);
    depth = std::max(depth, emitted.depth);
    loc = access.value.getLoc();
    at(depth);
    auto inBlock = block.dims.find(access.along);
    if (shifted && inBlock != block.dims.end()) indexed = shortened(make<arith::SubIOp>(emitted.value, inBlock->second.from));
    else if (shifted) indexed = emitted.value;
    else if (plan.variesAlong(number, plan.vectorAxis)) indexVector = emitted.value, indexed = index(0);
    else indexed = toIndex(laneZero(emitted.value));
    contiguous = shifted;
  }
  at(depth);
  if (isa<IndexType>(memref.getType()))
    return {splat(make<arith::IndexCastOp>(b.getI32Type(), memref)), depth};

  Type element = cast<MemRefType>(memref.getType()).getElementType();
  int group = view.groupOf(plan.vectorAxis);
  Values indices = indicesIn(view, column, indexed);
  Value result;
  if (group < 0 && !indexVector && !contiguous) {
    result = splat(make<memref::LoadOp>(memref, indices));
  } else {
    VectorType type = vectorOf(element);
    Value mask = columns[column].mask;
    Value zero = element.isF32() ? floatSplat(0) : intSplat(0);
    if (plan.beyondGather(access)) {
      result = loadLanes(access, indices, indexVector, column);
    } else if (contiguous || (!indexVector && view.strides[group] == 1)) {
      if (mask) result = make<vector::MaskedLoadOp>(type, memref, indices, mask, zero);
      else result = make<vector::LoadOp>(type, memref, indices);
    } else {
      Value offsets;
      auto add = [&](Value lanes, int64_t stride) {
        if (stride != 1) lanes = make<arith::MulIOp>(lanes, intSplat(stride));
        offsets = offsets ? make<arith::AddIOp>(offsets, lanes) : lanes;
      };
      if (group >= 0) add(laneNumbers(), view.strides[group]);
      if (indexVector) add(indexVector, view.strides[view.groupOfIndexed()]);
      result = make<vector::GatherOp>(type, memref, indices, offsets, mask ? mask : boolSplat(true), zero);
    }
  }
  if (cast<Tensor>(access.value.getType()).isBool())
    result = make<arith::CmpIOp>(arith::CmpIPredicate::ne, result, intSplat(0));
  return {result, depth};
}

Value NestEmitter::loadLanes(const NestAccess &access, Values indices, Value indexVector, int column) {
  Value memref = frame.operands[access.operand];
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  const NestView &view = access.view;
  int group = view.groupOf(plan.vectorAxis), indexed = view.groupOfIndexed();
  // Lane i of the index makes room for element i: both are one vector of scratch.
  Value start = index(plan.laneScratch);
  storeScratch(indexVector ? indexVector : intSplat(0), start);
  Value end = index(plan.lanes);
  Value mask = columns[column].mask;
  if (mask) end = make<arith::MinSIOp>(end, make<arith::SubIOp>(index(plan.axes[plan.vectorAxis].size), columns[column].start));
  auto lanes = scf::ForOp::create(b, loc, index(0), end, index(1));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(lanes.getBody()->getTerminator());
    Value lane = lanes.getInductionVar(), slot = make<arith::AddIOp>(lane, start);
    if (group >= 0) indices[group] = make<arith::AddIOp>(indices[group], lane);
    if (indexVector) indices[indexed] = toIndex(make<memref::LoadOp>(scratchOf(b.getI32Type()), ValueRange{slot}));
    memref::StoreOp::create(b, loc, make<memref::LoadOp>(memref, indices), scratchOf(element), ValueRange{slot});
  }
  Value loaded = loadScratch(element, start);
  Value zero = element.isF32() ? floatSplat(0) : intSplat(0);
  return mask ? make<arith::SelectOp>(mask, loaded, zero) : loaded;
}

void NestEmitter::store(unsigned number, int column) {
  Value yielded = op.getYield()->getOperand(number);
  Value value = emit(yielded, column).value;
  at(scopes.size() - 1);
  loc = yielded.getLoc();
  const NestView &view = plan.results[number];
  Value memref = frame.results[number];
  if (cast<VectorType>(value.getType()).getElementType().isInteger(1))
    value = make<arith::ExtUIOp>(vectorOf(b.getI32Type()), value);
  int group = view.groupOf(plan.vectorAxis);
  Values indices = indicesIn(view, column, {});
  if (group < 0) {
    memref::StoreOp::create(b, loc, laneZero(value), memref, indices);
    return;
  }
  Value mask = columns[column].mask;
  if (view.strides[group] == 1) {
    if (mask) vector::MaskedStoreOp::create(b, loc, memref, indices, mask, value);
    else vector::StoreOp::create(b, loc, value, memref, indices);
    return;
  }
  storeScratch(value, index(plan.laneScratch));
  int64_t size = plan.axes[plan.vectorAxis].size;
  Value end = make<arith::MinSIOp>(index(plan.lanes), make<arith::SubIOp>(index(size), indices[group]));
  auto lanes = scf::ForOp::create(b, loc, index(0), end, index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(lanes.getBody()->getTerminator());
  Value lane = lanes.getInductionVar();
  Value scratch = scratchOf(cast<VectorType>(value.getType()).getElementType());
  Value scalar = make<memref::LoadOp>(scratch, ValueRange{make<arith::AddIOp>(lane, index(plan.laneScratch))});
  indices[group] = make<arith::AddIOp>(indices[group], lane);
  memref::StoreOp::create(b, loc, scalar, memref, indices);
}

//===------------------------------------------------------------------------------------------------- scratch
// Scratch holds a row in the order of the reduced axes: whole vectors, so that no access needs a mask.
Value NestEmitter::scratchIndex(Value value, int column) {
  Value position = index(0);
  auto extend = [&](Value next, int64_t size) {
    position = make<arith::AddIOp>(make<arith::MulIOp>(position, index(size)), next);
  };
  for (int axis : plan.inner) extend(axisIndex[axis], plan.axes[axis].size);
  if (plan.vectorReduced()) {
    int64_t padded = (plan.axes[plan.vectorAxis].size + plan.lanes - 1) / plan.lanes * plan.lanes;
    extend(columns[column].start, padded);
  } else {
    extend(index(column * plan.lanes), plan.lanes * plan.columns);
  }
  return make<arith::AddIOp>(position, index(plan.saved.lookup(value)));
}

// Its words as they are: the bits of a whole number that is constant would be a subnormal float.
Value NestEmitter::scratchOf(Type element) {
  auto type = cast<MemRefType>(frame.scratch.getType());
  if (element.isF32()) return frame.scratch;
  return make<PartOp>(MemRefType::get(type.getShape(), b.getI32Type()), frame.scratch, index(0));
}

void NestEmitter::storeScratch(Value vector, Value at) {
  Type element = cast<VectorType>(vector.getType()).getElementType();
  if (element.isInteger(1)) vector = make<arith::ExtUIOp>(vectorOf(b.getI32Type()), vector);
  vector::StoreOp::create(b, loc, vector, scratchOf(element), ValueRange{at});
}
Value NestEmitter::loadScratch(Type element, Value at) {
  Type stored = element.isF32() ? element : b.getI32Type();
  Value vector = make<vector::LoadOp>(vectorOf(stored), scratchOf(element), ValueRange{at});
  if (element.isInteger(1)) vector = make<arith::CmpIOp>(arith::CmpIPredicate::ne, vector, intSplat(0));
  return vector;
}

void NestEmitter::save(Value value, int column) {
  Value vector = emit(value, column).value;
  at(scopes.size() - 1);
  loc = value.getLoc();
  storeScratch(vector, scratchIndex(value, column));
}
Value NestEmitter::loadSaved(Value value, int column) {
  return loadScratch(cast<Tensor>(value.getType()).getElementType(), scratchIndex(value, column));
}
