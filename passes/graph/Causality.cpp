// See Causality.h.
#include "passes/graph/Causality.h"
#include "passes/Intervals.h"
#include "passes/graph/FoldConstants.h"
#include "passes/graph/Proportional.h"

using namespace mlir;
using namespace heddle;

namespace {

/// What a bool may be wherever the keys are later.
struct Truth {
  bool canBeTrue = false, canBeFalse = false;
};

class MaskProof {
public:
  MaskProof(StringAttr row, StringAttr keys, const TimeAxes &axes) : row(row), keys(keys), axes(axes) {}

  bool isMasked(Value value, Masked masked) {
    if (auto number = constantOf(withoutBroadcasts(value))) return *number == (masked == Masked::zero ? 0.0 : -INFINITY);
    Operation *op = value.getDefiningOp();
    if (!op) return false;
    auto operand = [&](unsigned i) { return isMasked(op->getOperand(i), masked); };
    bool zero = masked == Masked::zero;
    if (auto select = dyn_cast<SelectOp>(op)) {
      Truth condition = truth(select.getCondition());
      return (!condition.canBeTrue || operand(1)) && (!condition.canBeFalse || operand(2));
    }
    if (isa<AddOp>(op)) return zero ? operand(0) && operand(1) : operand(0) || operand(1);
    if (isa<SubOp>(op)) return operand(0) && (!zero || operand(1));
    if (isa<BroadcastOp, StopGradOp>(op)) return operand(0);
    if (isa<MinOp>(op)) return !zero && (operand(0) || operand(1));
    if (isa<MulOp>(op)) return zero ? operand(0) || operand(1) : scaled(op, 0, 1) || scaled(op, 1, 0);
    if (isa<DivOp>(op)) return zero ? operand(0) : scaled(op, 0, 1);
    if (isa<ExpOp>(op)) return zero && isMasked(op->getOperand(0), Masked::minusInfinity);
    if (auto softmax = dyn_cast<SoftmaxOp>(op))
      return zero && softmax.getOverAttr() == keys && isMasked(softmax.getX(), Masked::minusInfinity);
    if (auto cast_ = dyn_cast<CastOp>(op))
      return zero && cast<Tensor>(cast_.getX().getType()).isBool() && !truth(cast_.getX()).canBeTrue;
    // Behind sums and renames of other dims.
    if (auto contract = dyn_cast<ContractOp>(op)) return zero && !overTime(contract.getOver()) && (operand(0) || operand(1));
    if (auto reduce = dyn_cast<ReduceOp>(op)) return zero && !overTime(reduce.getOver()) && operand(0);
    if (auto rename = dyn_cast<RenameOp>(op)) return !isTime(rename.getFromAttr()) && !isTime(rename.getToAttr()) && operand(0);
    return false;
  }

private:
  bool isTime(StringAttr name) const { return name == row || name == keys; }
  bool overTime(ArrayAttr over) const {
    return llvm::any_of(over.getAsRange<StringAttr>(), [&](StringAttr name) { return isTime(name); });
  }
  // x * c, x / c with c > 0.
  bool scaled(Operation *op, unsigned x, unsigned by) {
    auto factor = constantOf(withoutBroadcasts(op->getOperand(by)));
    return factor && *factor > 0 && *factor < INFINITY && isMasked(op->getOperand(x), Masked::minusInfinity);
  }

  Truth truth(Value condition) {
    Truth all;
    int64_t rows = sizeOf(condition, row), columns = sizeOf(condition, keys);
    if (rows < 0 || columns < 0) return {true, true};
    for (int64_t at = 0; at < rows && !(all.canBeTrue && all.canBeFalse); ++at) {
      int64_t time = at - axes.lookup(row);
      here = {at, at};
      later = {std::max<int64_t>(0, time + 1 + axes.lookup(keys)), columns - 1};
      if (later.lo > later.hi) continue;
      known.clear();
      Interval found = of(condition);
      all.canBeTrue |= found.hi > 0;
      all.canBeFalse |= found.lo < 1;
    }
    return all;
  }
  static int64_t sizeOf(Value value, StringAttr name) {
    auto type = cast<Tensor>(value.getType());
    return type.has(name) ? type.sizeOf(name) : -1;
  }
  Interval of(Value value) {
    if (auto it = known.find(value); it != known.end()) return it->second;
    Interval found = anyOf(value);
    Operation *op = value.getDefiningOp();
    if (auto position = dyn_cast_or_null<PositionOp>(op)) {
      StringAttr name = cast<Tensor>(position.getType()).getNames()[0];
      found = name == row ? here : name == keys ? later : intervalOf(op, {});
    } else if (op && (op->hasTrait<IsElementwise>() || isa<ConstantOp>(op))) {  // others look at other elements
      found = intervalOf(op, [&](Value operand) { return of(operand); });
    }
    return known[value] = found;
  }

  StringAttr row, keys;
  const TimeAxes &axes;
  Interval here, later;
  llvm::DenseMap<Value, Interval> known;
};

}  // namespace

bool heddle::isMaskedBeyond(Value value, StringAttr row, StringAttr keys, Masked masked, const TimeAxes &axes) {
  auto type = cast<Tensor>(value.getType());
  return type.has(row) && type.has(keys) && MaskProof(row, keys, axes).isMasked(value, masked);
}
