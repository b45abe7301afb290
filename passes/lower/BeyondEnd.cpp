// See BeyondEnd.h.
#include "passes/lower/BeyondEnd.h"
#include "passes/graph/FoldConstants.h"
#include "passes/graph/Proportional.h"
#include <cmath>

using namespace mlir;
using namespace heddle;

static std::optional<double> numberOf(Value value) { return constantOf(withoutBroadcasts(value)); }

// x == 0 ? ... : ..., the x.
static Value comparedWithZero(SelectOp select) {
  auto compare = select.getCondition().getDefiningOp<CompareOp>();
  return compare && compare.getPredicate() == "eq" && numberOf(compare.getY()) == 0.0 ? compare.getX() : Value();
}
// A number, or x == 0 ? number : x.
static bool isNotZero(Value value) {
  if (auto select = value.getDefiningOp<SelectOp>())
    return comparedWithZero(select) == select.getY() && numberOf(select.getX()).value_or(0) != 0;
  return numberOf(value).value_or(0) != 0;
}

bool BeyondEnd::isProbability(Value value) const {
  if (probability) return value == probability;
  auto exp = value.getDefiningOp<ExpOp>();
  return exp && exp.getX() == ended;
}

bool BeyondEnd::isZero(Value value, StringAttr axis) {
  if (auto it = zero.find({value, axis}); it != zero.end()) return it->second;
  bool is = decideZero(value, axis);
  return zero[{value, axis}] = is;
}
bool BeyondEnd::isFinite(Value value, StringAttr axis) {
  if (auto it = finite.find({value, axis}); it != finite.end()) return it->second;
  bool is = decideFinite(value, axis);
  return finite[{value, axis}] = is;
}

bool BeyondEnd::decideZero(Value value, StringAttr axis) {
  if (isProbability(value)) return axis == rows || axis == keys;
  if (isa<BlockArgument>(value)) return cast<Tensor>(value.getType()).has(axis);
  if (auto number = numberOf(value)) return *number == 0;
  Operation *op = value.getDefiningOp();
  auto isZeroAt = [&](unsigned i) { return isZero(op->getOperand(i), axis); };
  auto isFiniteAt = [&](unsigned i) { return isFinite(op->getOperand(i), axis); };
  if (isa<BroadcastOp, NegOp, AbsOp, StopGradOp>(op)) return isZeroAt(0);
  if (isa<AddOp, SubOp>(op)) return isZeroAt(0) && isZeroAt(1);
  if (isa<MulOp>(op)) return (isZeroAt(0) && isFiniteAt(1)) || (isZeroAt(1) && isFiniteAt(0));
  if (isa<DivOp>(op)) return isZeroAt(0) && isNotZero(op->getOperand(1)) && isFiniteAt(1);
  if (auto contract = dyn_cast<ContractOp>(op))
    return (isZeroAt(0) && isFiniteAt(1)) || (isZeroAt(1) && isFiniteAt(0));
  auto select = dyn_cast<SelectOp>(op);
  if (!select || !isZeroAt(1)) return false;
  if (isZeroAt(2)) return true;
  Value compared = comparedWithZero(select);
  return compared && isZero(compared, axis);
}

bool BeyondEnd::decideFinite(Value value, StringAttr axis) {
  if (isa<BlockArgument>(value) || isProbability(value)) return true;
  if (auto number = numberOf(value)) return std::isfinite(*number);
  if (!cast<Tensor>(value.getType()).isFloat() || isZero(value, axis)) return true;
  Operation *op = value.getDefiningOp();
  bool operands = llvm::all_of(op->getOperands(), [&](Value operand) { return isFinite(operand, axis); });
  if (isa<DivOp>(op)) return operands && isNotZero(op->getOperand(1));
  return operands && isa<AddOp, SubOp, MulOp, NegOp, AbsOp, MinOp, MaxOp, SelectOp, CastOp, BroadcastOp, StopGradOp, TanhOp,
                         SigmoidOp, ErfOp, SinOp, CosOp, FloorOp, ContractOp, GatherOp>(op);
}
