// See WrittenSoftmax.h.
#include "passes/graph/WrittenSoftmax.h"
#include "passes/graph/FoldConstants.h"
#include "passes/graph/Proportional.h"
#include "passes/graph/SameValue.h"

#include <limits>

using namespace mlir;
using namespace heddle;

static bool sameDims(Tensor a, Tensor b) {
  return a.getRank() == b.getRank() && llvm::all_of(a.getNames(), [&](StringAttr name) { return b.has(name); });
}
static bool isConstant(Value value, double number) { return constantOf(withoutBroadcasts(value)) == number; }

// A row's number that is subtracted against overflow: its maximum, guarded against -inf or not, or what has no gradient.
static bool isShift(Value value, StringAttr over, int depth = 8) {
  value = withoutBroadcasts(value);
  Operation *op = value.getDefiningOp();
  if (!op || depth == 0 || tensorOf(value).has(over)) return false;
  if (isa<ConstantOp, StopGradOp>(op)) return true;
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return reduce.getKind() == "max" && llvm::is_contained(reduce.getOver().getAsRange<StringAttr>(), over);
  return op->hasTrait<IsElementwise>() &&
         llvm::all_of(op->getOperands(), [&](Value operand) { return isShift(operand, over, depth - 1); });
}

Value heddle::withoutShift(Value x, StringAttr over) {
  while (auto sub = x.getDefiningOp<SubOp>()) {
    Value rest = withoutBroadcasts(sub.getX());
    if (!sameDims(tensorOf(rest), tensorOf(x)) || !isShift(sub.getY(), over)) break;
    x = rest;
  }
  return x;
}

Value heddle::logarithm(GraphBuilder *b, Value value, StringAttr over) {
  value = withoutBroadcasts(value);
  if (auto exp = value.getDefiningOp<ExpOp>()) return withoutShift(exp.getX(), over);
  auto select = value.getDefiningOp<SelectOp>();
  if (!select) return {};
  bool first = isConstant(select.getY(), 0);
  if (!first && !isConstant(select.getX(), 0)) return {};
  Value x = logarithm(b, first ? select.getX() : select.getY(), over);
  if (!x || !b) return x;
  Value lowest = b->number(-std::numeric_limits<double>::infinity());
  return b->select(select.getCondition(), first ? x : lowest, first ? lowest : x);
}

ReduceOp heddle::rowSum(Value value) {
  value = withoutBroadcasts(value);
  if (auto select = value.getDefiningOp<SelectOp>()) {
    auto compare = select.getCondition().getDefiningOp<CompareOp>();
    if (!compare || !isConstant(compare.getY(), 0)) return {};
    bool isZero = compare.getPredicate() == "eq";
    if (!isZero && compare.getPredicate() != "gt" && compare.getPredicate() != "ne") return {};
    Value sum = isZero ? select.getY() : select.getX();
    Value guard = isZero ? select.getX() : select.getY();
    if (!constantOf(withoutBroadcasts(guard)) || !SameValue()(compare.getX(), sum)) return {};
    value = withoutBroadcasts(sum);
  }
  auto reduce = value.getDefiningOp<ReduceOp>();
  return reduce && reduce.getKind() == "sum" ? reduce : ReduceOp();
}

Quotient heddle::quotientOf(Operation *op) {
  if (auto div = dyn_cast<DivOp>(op)) return {div.getX(), rowSum(div.getY())};
  if (!isa<MulOp>(op)) return {};
  for (int i : {0, 1}) {
    Value inverse = withoutBroadcasts(op->getOperand(i));
    Value divisor;
    if (auto div = inverse.getDefiningOp<DivOp>(); div && isConstant(div.getX(), 1)) divisor = div.getY();
    if (auto pow = inverse.getDefiningOp<PowOp>(); pow && isConstant(pow.getY(), -1)) divisor = pow.getX();
    if (ReduceOp sum = divisor ? rowSum(divisor) : ReduceOp()) return {op->getOperand(1 - i), sum};
  }
  return {};
}
