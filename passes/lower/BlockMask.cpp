// See BlockMask.h.
#include "passes/lower/BlockMask.h"
#include "passes/graph/FoldConstants.h"
#include "passes/graph/Proportional.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace heddle;

static std::optional<double> numberOf(Value value) { return constantOf(withoutBroadcasts(value)); }

static std::optional<int64_t> intConstant(Value value) {
  std::optional<double> number = numberOf(value);
  return number ? std::optional(static_cast<int64_t>(*number)) : std::nullopt;
}

Value BlockMask::both(Value x, Value y) {
  if (!x || !y) return x ? x : y;
  return builder.createOrFold<arith::AndIOp>(loc, x, y);
}
Value BlockMask::either(Value x, Value y) {
  return x && y ? builder.createOrFold<arith::OrIOp>(loc, x, y) : Value();
}
Value BlockMask::less(Value x, Value y, bool orEqual) {
  auto order = orEqual ? arith::CmpIPredicate::sle : arith::CmpIPredicate::slt;
  return builder.createOrFold<arith::CmpIOp>(loc, order, x, y);
}
Value BlockMask::floorDiv(Value x, int64_t by) {
  // Index division is of numbers that are not negative.
  Value negative = less(x, constant(0), false);
  Value up = builder.createOrFold<arith::SubIOp>(loc, constant(by - 1), x);
  Value size = builder.createOrFold<arith::SelectOp>(loc, negative, up, x);
  Value whole = builder.createOrFold<arith::DivUIOp>(loc, size, constant(by));
  return builder.createOrFold<arith::SelectOp>(loc, negative, builder.createOrFold<arith::SubIOp>(loc, constant(0), whole),
                                               whole);
}

Value BlockMask::mayBeOpen(Value score) {
  if (auto it = open.find(score); it != open.end()) return it->second;
  Value found = findOpen(score);
  return open[score] = found;
}
Value BlockMask::findOpen(Value score) {
  if (auto number = numberOf(score)) return *number == -INFINITY ? flag(false) : Value();
  Operation *op = score.getDefiningOp();
  if (auto select = dyn_cast_or_null<SelectOp>(op)) {
    Truth condition = truth(select.getCondition());
    return either(both(condition.canBeTrue, mayBeOpen(select.getX())), both(condition.canBeFalse, mayBeOpen(select.getY())));
  }
  if (isa_and_nonnull<AddOp, MinOp>(op)) return both(mayBeOpen(op->getOperand(0)), mayBeOpen(op->getOperand(1)));
  if (isa_and_nonnull<BroadcastOp, SubOp>(op)) return mayBeOpen(op->getOperand(0));
  if (isa_and_nonnull<MulOp, DivOp>(op)) {
    if (auto factor = numberOf(op->getOperand(1)); factor && *factor > 0 && *factor < INFINITY)
      return mayBeOpen(op->getOperand(0));
    if (auto factor = numberOf(op->getOperand(0)); isa<MulOp>(op) && factor && *factor > 0 && *factor < INFINITY)
      return mayBeOpen(op->getOperand(1));
  }
  return {};
}

BlockMask::Truth BlockMask::truth(Value value) {
  if (auto it = truths.find(value); it != truths.end()) return it->second;
  Truth found = findTruth(value);
  return truths[value] = found;
}
BlockMask::Truth BlockMask::findTruth(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto constant = dyn_cast_or_null<ConstantOp>(op)) {
    bool is = cast<IntegerAttr>(constant.getValue()).getValue().getBoolValue();
    return {flag(is), flag(!is)};
  }
  if (isa_and_nonnull<BroadcastOp>(op)) return truth(op->getOperand(0));
  if (isa_and_nonnull<NotOp>(op)) {
    Truth x = truth(op->getOperand(0));
    return {x.canBeFalse, x.canBeTrue};
  }
  if (isa_and_nonnull<AndOp, OrOp>(op)) {
    Truth x = truth(op->getOperand(0)), y = truth(op->getOperand(1));
    if (isa<AndOp>(op)) return {both(x.canBeTrue, y.canBeTrue), either(x.canBeFalse, y.canBeFalse)};
    return {either(x.canBeTrue, y.canBeTrue), both(x.canBeFalse, y.canBeFalse)};
  }
  if (auto select = dyn_cast_or_null<SelectOp>(op)) {
    Truth c = truth(select.getCondition()), x = truth(select.getX()), y = truth(select.getY());
    return {either(both(c.canBeTrue, x.canBeTrue), both(c.canBeFalse, y.canBeTrue)),
            either(both(c.canBeTrue, x.canBeFalse), both(c.canBeFalse, y.canBeFalse))};
  }
  if (auto order = dyn_cast_or_null<CompareOp>(op))
    return compare(order.getPredicate(), bounds(order.getX()), bounds(order.getY()));
  Bounds of = bounds(value);
  if (!of.least) return {};
  return {less(constant(0), of.largest, false), less(of.least, constant(1), false)};
}

BlockMask::Truth BlockMask::compare(StringRef predicate, Bounds x, Bounds y) {
  if (!x.least || !y.least) return {};
  if (predicate == "gt" || predicate == "ge") return compare(predicate == "gt" ? "lt" : "le", y, x);
  if (predicate == "ne") {
    Truth equal = compare("eq", x, y);
    return {equal.canBeFalse, equal.canBeTrue};
  }
  if (predicate == "eq") {
    Value overlap = both(less(x.least, y.largest, true), less(y.least, x.largest, true));
    Value differ = either(less(x.least, y.largest, false), less(y.least, x.largest, false));
    return {overlap, differ};
  }
  bool orEqual = predicate == "le";
  return {less(x.least, y.largest, orEqual), less(y.least, x.largest, !orEqual)};
}

BlockMask::Bounds BlockMask::hull(ArrayRef<Value> values, ArrayRef<int64_t> numbers) {
  int64_t lowest = *std::min_element(numbers.begin(), numbers.end());
  int64_t highest = *std::max_element(numbers.begin(), numbers.end());
  if (lowest < INT32_MIN || highest > INT32_MAX) return {};
  Bounds all{values[0], values[0], lowest, highest};
  for (Value value : values.drop_front()) {
    all.least = builder.createOrFold<arith::MinSIOp>(loc, all.least, value);
    all.largest = builder.createOrFold<arith::MaxSIOp>(loc, all.largest, value);
  }
  return all;
}

BlockMask::Bounds BlockMask::bounds(Value value) {
  if (auto it = known.find(value); it != known.end()) return it->second;
  if (cast<Tensor>(value.getType()).isFloat()) return {};
  auto argument = dyn_cast<BlockArgument>(value);
  Bounds found = argument ? look(argument) : boundsOf(value.getDefiningOp());
  return known[value] = found;
}

static int64_t floorOf(int64_t x, int64_t by) { return x >= 0 ? x / by : -((by - 1 - x) / by); }

BlockMask::Bounds BlockMask::boundsOf(Operation *op) {
  auto sub = [&](Value x, Value y) { return builder.createOrFold<arith::SubIOp>(loc, x, y); };
  auto times = [&](Value x, Value y) { return builder.createOrFold<arith::MulIOp>(loc, x, y); };
  auto pair = [&](Value least, Value largest, int64_t lowest, int64_t highest) -> Bounds {
    if (lowest < INT32_MIN || highest > INT32_MAX) return {};  // it may wrap
    return {least, largest, lowest, highest};
  };
  if (isa<ConstantOp>(op)) {
    auto number = intConstant(op->getResult(0));
    return number ? pair(constant(*number), constant(*number), *number, *number) : Bounds();
  }
  if (isa<PositionOp>(op)) {
    auto type = cast<Tensor>(op->getResult(0).getType());
    auto dim = place.dims.find(type.getNames()[0]);
    if (dim == place.dims.end()) return pair(constant(0), constant(type.getSizes()[0] - 1), 0, type.getSizes()[0] - 1);
    int64_t block = dim->first == axes.keys ? axes.keyBlock : dim->first == axes.rows ? axes.rowBlock : 1;
    Value last = add(dim->second.from, block - 1);
    if (dim->second.size % block) last = builder.createOrFold<arith::MinSIOp>(loc, last, constant(dim->second.size - 1));
    return pair(dim->second.from, last, 0, dim->second.size - 1);
  }
  if (isa<BroadcastOp>(op)) return bounds(op->getOperand(0));
  if (auto cast_ = dyn_cast<CastOp>(op)) return cast<Tensor>(cast_.getX().getType()).isFloat() ? Bounds() : bounds(cast_.getX());
  bool isSelect = isa<SelectOp>(op);
  if (!isSelect && !isa<AddOp, SubOp, NegOp, MulOp, MinOp, MaxOp, AbsOp, FloorDivOp, ModOp>(op)) return {};
  Bounds x = bounds(op->getOperand(isSelect)), y = bounds(op->getOperand(op->getNumOperands() - 1));
  if (!x.least || !y.least) return {};
  if (isSelect) return hull({x.least, x.largest, y.least, y.largest}, {x.lowest, x.highest, y.lowest, y.highest});
  if (isa<AddOp>(op))
    return pair(add(x.least, y.least), add(x.largest, y.largest), x.lowest + y.lowest, x.highest + y.highest);
  if (isa<SubOp>(op))
    return pair(sub(x.least, y.largest), sub(x.largest, y.least), x.lowest - y.highest, x.highest - y.lowest);
  if (isa<NegOp>(op)) return pair(sub(constant(0), x.largest), sub(constant(0), x.least), -x.highest, -x.lowest);
  if (isa<MulOp>(op))
    return hull({times(x.least, y.least), times(x.least, y.largest), times(x.largest, y.least), times(x.largest, y.largest)},
                {x.lowest * y.lowest, x.lowest * y.highest, x.highest * y.lowest, x.highest * y.highest});
  auto least = [&](Value a, Value b) { return builder.createOrFold<arith::MinSIOp>(loc, a, b); };
  auto largest = [&](Value a, Value b) { return builder.createOrFold<arith::MaxSIOp>(loc, a, b); };
  if (isa<MinOp>(op))
    return pair(least(x.least, y.least), least(x.largest, y.largest), std::min(x.lowest, y.lowest), std::min(x.highest, y.highest));
  if (isa<MaxOp>(op))
    return pair(largest(x.least, y.least), largest(x.largest, y.largest), std::max(x.lowest, y.lowest),
                std::max(x.highest, y.highest));
  if (isa<AbsOp>(op)) {
    Value up = sub(constant(0), x.largest), down = sub(constant(0), x.least);
    return pair(largest(constant(0), largest(x.least, up)), largest(down, x.largest), 0, std::max(-x.lowest, x.highest));
  }
  std::optional<int64_t> by = intConstant(op->getOperand(1));
  if (!by || *by <= 0) return {};
  Value first = floorDiv(x.least, *by), last = floorDiv(x.largest, *by);
  if (isa<FloorDivOp>(op)) return pair(first, last, floorOf(x.lowest, *by), floorOf(x.highest, *by));
  // Within one period the remainder grows with the number.
  Value one = builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, first, last);
  return pair(builder.createOrFold<arith::SelectOp>(loc, one, sub(x.least, mul(first, *by)), constant(0)),
              builder.createOrFold<arith::SelectOp>(loc, one, sub(x.largest, mul(last, *by)), constant(*by - 1)), 0, *by - 1);
}
