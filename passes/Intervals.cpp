// See Intervals.h. The rules for operators are those of frontend/CheckArithmetic.cpp.
#include "passes/Intervals.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace heddle;

// i32 arithmetic wraps: bounds that leave 32 bits say nothing.
static Interval within32(int64_t lo, int64_t hi) {
  return lo < INT32_MIN || hi > INT32_MAX ? Interval{} : Interval{lo, hi};
}
static int64_t floorDiv(int64_t x, int64_t y) { return x / y - (x % y != 0 && (x < 0) != (y < 0)); }
static Interval hull(std::initializer_list<int64_t> values) {
  auto [lo, hi] = std::minmax(values);
  return within32(lo, hi);
}

Interval heddle::anyOf(Value value) {
  return cast<Tensor>(value.getType()).isBool() ? Interval{0, 1} : Interval{};
}

// Bounds fit 32 bits, so none of this overflows 64.
static Interval binary(Operation *op, Interval a, Interval b) {
  if (isa<AddOp>(op)) return within32(a.lo + b.lo, a.hi + b.hi);
  if (isa<SubOp>(op)) return within32(a.lo - b.hi, a.hi - b.lo);
  if (isa<MulOp>(op)) return hull({a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi});
  if (isa<MinOp, AndOp>(op)) return {std::min(a.lo, b.lo), std::min(a.hi, b.hi)};
  if (isa<MaxOp, OrOp>(op)) return {std::max(a.lo, b.lo), std::max(a.hi, b.hi)};
  if (b.lo <= 0) return {};
  if (isa<ModOp>(op)) return a.lo >= 0 && a.hi < b.lo ? a : Interval{0, b.hi - 1};
  return hull({floorDiv(a.lo, b.lo), floorDiv(a.lo, b.hi), floorDiv(a.hi, b.lo), floorDiv(a.hi, b.hi)});
}

static Interval compare(StringRef predicate, Interval a, Interval b) {
  if (predicate == "gt" || predicate == "ge") return compare(predicate == "gt" ? "lt" : "le", b, a);
  bool apart = a.hi < b.lo || b.hi < a.lo, same = a.lo == a.hi && b.lo == b.hi && a.lo == b.lo;
  if (predicate == "eq") return {same, !apart};
  if (predicate == "ne") return {apart, !same};
  bool orEqual = predicate == "le";
  return {orEqual ? a.hi <= b.lo : a.hi < b.lo, orEqual ? a.lo <= b.hi : a.lo < b.hi};
}

static bool isFloat(Value value) { return cast<Tensor>(value.getType()).isFloat(); }

Interval heddle::intervalOf(Operation *op, function_ref<Interval(Value)> of) {
  auto operand = [&](unsigned i) { return of(op->getOperand(i)); };
  if (op->getNumOperands() == 2 && isa<AddOp, SubOp, MulOp, FloorDivOp, ModOp, MinOp, MaxOp, AndOp, OrOp>(op))
    return binary(op, operand(0), operand(1));
  Value result = op->getResult(0);
  return llvm::TypeSwitch<Operation *, Interval>(op)
      .Case([&](ConstantOp constant) {
        const llvm::APInt &value = cast<IntegerAttr>(constant.getValue()).getValue();
        int64_t number = value.getBitWidth() == 1 ? value.getZExtValue() : value.getSExtValue();
        return Interval{number, number};
      })
      .Case([&](PositionOp position) { return within32(0, cast<Tensor>(position.getType()).getSizes()[0] - 1); })
      .Case([&](NegOp) { return within32(-operand(0).hi, -operand(0).lo); })
      .Case([&](AbsOp) {
        Interval x = operand(0);
        return within32(x.lo > 0 ? x.lo : x.hi < 0 ? -x.hi : 0, std::max(std::abs(x.lo), std::abs(x.hi)));
      })
      .Case([&](NotOp) { return Interval{1 - operand(0).hi, 1 - operand(0).lo}; })
      .Case([&](CompareOp order) {
        return isFloat(order.getX()) ? anyOf(result) : compare(order.getPredicate(), operand(0), operand(1));
      })
      .Case([&](SelectOp) {
        Interval condition = operand(0);
        if (condition.lo == condition.hi) return operand(condition.lo ? 1 : 2);
        Interval x = operand(1), y = operand(2);
        return Interval{std::min(x.lo, y.lo), std::max(x.hi, y.hi)};
      })
      .Case([&](ArgmaxOp argmax) {
        return within32(0, cast<Tensor>(argmax.getX().getType()).sizeOf(argmax.getOverAttr()) - 1);
      })
      .Case([&](ReduceOp reduce) { return reduce.getKind() == "sum" ? anyOf(result) : operand(0); })
      .Case([&](CastOp cast) { return isFloat(cast.getX()) ? anyOf(result) : operand(0); })
      .Case<BroadcastOp, RenameOp, RegroupOp, GatherOp>([&](Operation *) { return operand(0); })
      .Case([&](ConcatOp concat) {
        Interval all = operand(0);
        for (Value piece : concat.getPieces()) all = {std::min(all.lo, of(piece).lo), std::max(all.hi, of(piece).hi)};
        return all;
      })
      .Default([&](Operation *) { return anyOf(result); });
}
