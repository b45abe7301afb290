// Values of a nest on demand, and its reductions; ElementOps.cpp has what elementwise ops compute.
#include "passes/lower/NestEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <limits>

using namespace mlir;
using namespace heddle;

using FloatOrder = arith::CmpFPredicate;
using IntOrder = arith::CmpIPredicate;

//===------------------------------------------------------------------------------------------------- values
Value NestEmitter::startAlong(StringAttr dim, int column) {
  int axis = plan.axisOf(dim);
  auto inBlock = block.dims.find(dim);
  Value start = axis < 0 ? index(0) : axis == plan.vectorAxis ? columns[column].start : axisIndex[axis];
  return inBlock == block.dims.end() ? start : make<arith::AddIOp>(start, inBlock->second.from);
}
Value NestEmitter::positionAlong(StringAttr dim, int column) {
  int axis = plan.axisOf(dim);
  if (axis < 0 && !block.dims.contains(dim)) return intSplat(0);
  Value lanes = splat(make<arith::IndexCastOp>(b.getI32Type(), startAlong(dim, column)));
  return axis == plan.vectorAxis ? make<arith::AddIOp>(lanes, laneNumbers()) : lanes;
}

size_t NestEmitter::depthOf(const llvm::SmallBitVector &axes) const {
  for (size_t depth = 0; depth < scopes.size(); ++depth)
    if (!axes.test(scopes[depth].bound)) return depth;  // none of `axes` is unbound
  llvm_unreachable("an axis without an index");
}

//===------------------------------------------------------------------------------------------------- emission
NestEmitter::Emitted NestEmitter::emit(Value value, int column) {
  int key = plan.variesAlong(value, plan.vectorAxis) ? column : -1;
  for (size_t depth = scopes.size(); depth-- > 0;)
    if (auto it = scopes[depth].values.find({value, key}); it != scopes[depth].values.end())
      return {it->second, depth};
  Emitted emitted;
  if (auto saved = plan.savedIn.find(value); saved != plan.savedIn.end() && saved->second < pass) {
    emitted.depth = scopes.size() - 1;
    at(emitted.depth);
    loc = value.getLoc();
    emitted.value = loadSaved(value, column);
  } else if (const NestAccess *access = plan.accessOf(value)) {
    loc = value.getLoc();
    emitted = load(*access, column);
  } else {
    Operation *def = value.getDefiningOp();
    bool counts = isa<PositionOp, BernoulliOp>(def);
    emitted.depth = counts ? depthOf(plan.depends.lookup(value)) : 0;
    Values operands;
    for (Value operand : def->getOperands()) {
      bool seed = isa<BernoulliOp>(def) && operand == cast<BernoulliOp>(def).getSeed();
      Emitted from = seed ? Emitted{nullptr, 0} : emit(operand, column);
      operands.push_back(from.value);
      emitted.depth = std::max(emitted.depth, from.depth);
    }
    at(emitted.depth);
    loc = def->getLoc();
    if (isa<PositionOp>(def)) emitted.value = positionAlong(cast<Tensor>(value.getType()).getNames()[0], column);
    else if (auto mask = dyn_cast<BernoulliOp>(def)) emitted.value = computeMask(mask, operands, column, emitted.depth);
    else emitted.value = compute(def, operands);
  }
  scopes[emitted.depth].values[{value, key}] = emitted.value;
  return emitted;
}

//===------------------------------------------------------------------------------------------------- reductions
static bool isFloatReduction(Operation *reduction) {
  return cast<Tensor>(reduction->getOperand(0).getType()).isFloat();
}
static StringRef kindOf(Operation *reduction) {
  auto reduce = dyn_cast<ReduceOp>(reduction);
  return reduce ? reduce.getKind() : "max";
}

NestEmitter::Values NestEmitter::identity(Operation *reduction) {
  StringRef kind = kindOf(reduction);
  bool isFloat = isFloatReduction(reduction);
  double infinity = std::numeric_limits<double>::infinity();
  Value start;
  if (kind == "sum") start = isFloat ? floatSplat(0) : intSplat(0);
  else if (kind == "max") start = isFloat ? floatSplat(-infinity) : intSplat(std::numeric_limits<int32_t>::min());
  else start = isFloat ? floatSplat(infinity) : intSplat(std::numeric_limits<int32_t>::max());
  if (isa<ArgmaxOp>(reduction)) return {start, intSplat(0)};
  return {start};
}

NestEmitter::Values NestEmitter::accumulate(Operation *reduction, ValueRange accumulators, int column) {
  Value x = emit(reduction->getOperand(0), column).value;
  at(scopes.size() - 1);
  loc = reduction->getLoc();
  if (plan.vectorReduced())
    if (Value mask = columns[column].mask)
      x = make<arith::SelectOp>(mask, x, identity(reduction)[0]);
  auto argmax = dyn_cast<ArgmaxOp>(reduction);
  if (!argmax) return combine(reduction, accumulators, x);
  Value better = isFloatReduction(reduction) ? make<arith::CmpFOp>(FloatOrder::OGT, x, accumulators[0])
                                             : make<arith::CmpIOp>(IntOrder::sgt, x, accumulators[0]);
  Value position = positionAlong(argmax.getOverAttr(), column);
  return {make<arith::SelectOp>(better, x, accumulators[0]),
          make<arith::SelectOp>(better, position, accumulators[1])};
}

NestEmitter::Values NestEmitter::combine(Operation *reduction, ValueRange left, ValueRange right) {
  StringRef kind = kindOf(reduction);
  bool isFloat = isFloatReduction(reduction);
  loc = reduction->getLoc();
  if (kind == "sum")
    return {isFloat ? make<arith::AddFOp>(left[0], right[0]) : make<arith::AddIOp>(left[0], right[0])};
  bool greatest = kind == "max";
  if (isa<ArgmaxOp>(reduction)) {
    Value better, equal;
    if (isFloat) {
      better = make<arith::CmpFOp>(FloatOrder::OGT, right[0], left[0]);
      equal = make<arith::CmpFOp>(FloatOrder::OEQ, right[0], left[0]);
    } else {
      better = make<arith::CmpIOp>(IntOrder::sgt, right[0], left[0]);
      equal = make<arith::CmpIOp>(IntOrder::eq, right[0], left[0]);
    }
    Value earlier = make<arith::CmpIOp>(IntOrder::slt, right[1], left[1]);
    better = make<arith::OrIOp>(better, make<arith::AndIOp>(equal, earlier));
    return {make<arith::SelectOp>(better, right[0], left[0]), make<arith::SelectOp>(better, right[1], left[1])};
  }
  if (!isFloat) return {greatest ? make<arith::MaxSIOp>(left[0], right[0]) : make<arith::MinSIOp>(left[0], right[0])};
  Value better = make<arith::CmpFOp>(greatest ? FloatOrder::OGT : FloatOrder::OLT, right[0], left[0]);
  return {make<arith::SelectOp>(better, right[0], left[0])};
}

Value NestEmitter::acrossLanes(Operation *reduction, ValueRange accumulators) {
  using Kind = vector::CombiningKind;
  StringRef kind = kindOf(reduction);
  bool isFloat = isFloatReduction(reduction);
  Kind tree = Kind::ADD;
  if (kind == "max") tree = isFloat ? Kind::MAXNUMF : Kind::MAXSI;
  if (kind == "min") tree = isFloat ? Kind::MINNUMF : Kind::MINSI;
  Value result = splat(make<vector::ReductionOp>(tree, accumulators[0]));
  if (!isa<ArgmaxOp>(reduction)) return result;
  // The first position among the lanes that hold the maximum; a lane that holds less has another's.
  Value best = isFloat ? make<arith::CmpFOp>(FloatOrder::OEQ, accumulators[0], result)
                       : make<arith::CmpIOp>(IntOrder::eq, accumulators[0], result);
  Value candidates =
      make<arith::SelectOp>(best, accumulators[1], intSplat(std::numeric_limits<int32_t>::max()));
  return splat(make<vector::ReductionOp>(Kind::MINSI, candidates));
}
