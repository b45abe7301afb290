// A nest that changes one position of tensors which lie where they lay: where(pos(S) == i, x, old), written over `old`. The
// loop over S is then the one position i, if the axis has it. So a step of generation writes the keys of one token, not
// those of all.
#include "passes/graph/Proportional.h"
#include "passes/graph/SameValue.h"
#include "passes/lower/Lowering.h"
#include "passes/lower/NestPlan.h"

using namespace mlir;
using namespace heddle;

// pos(dim) == index: the index, and the dim.
static Value positionTest(Value condition, StringAttr &dim) {
  auto equal = withoutBroadcasts(condition).getDefiningOp<CompareOp>();
  if (!equal || equal.getPredicate() != "eq") return {};
  for (bool swap : {false, true}) {
    Value x = withoutBroadcasts(equal->getOperand(swap)), index = withoutBroadcasts(equal->getOperand(!swap));
    if (auto position = x.getDefiningOp<PositionOp>(); position && tensorOf(index).getRank() == 0) {
      dim = tensorOf(position).getNames()[0];
      return index;
    }
  }
  return {};
}

void heddle::findUpdate(NestPlan &plan, FusedOp op) {
  SmallVector<Attribute> places = placesOf(op);
  if (places.empty() || plan.reduces()) return;
  Value index;
  StringAttr dim;
  for (auto [i, value] : llvm::enumerate(op.getYield()->getOperands())) {
    auto select = value.getDefiningOp<SelectOp>();
    auto old = select ? dyn_cast<BlockArgument>(select.getY()) : BlockArgument();
    if (!old || places[old.getArgNumber()] != places[op.getNumOperands() + i]) return;
    StringAttr own;
    Value at = positionTest(select.getCondition(), own);
    if (!at || (index && (own != dim || !SameValue()(at, index)))) return;
    index = at, dim = own;
  }
  int axis = plan.axisOf(dim);
  if (axis < 0 || axis == plan.vectorAxis) return;
  plan.updated = axis, plan.updatedIndex = index;
  llvm::erase(plan.outer, axis);
}
