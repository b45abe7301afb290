// See Proportional.h.
#include "passes/graph/Proportional.h"
#include "passes/graph/FoldConstants.h"

using namespace mlir;
using namespace heddle;

Value heddle::withoutBroadcasts(Value value) {
  while (auto broadcast = value.getDefiningOp<BroadcastOp>()) value = broadcast.getX();
  return value;
}

bool heddle::isProportional(OpOperand &use) {
  Operation *op = use.getOwner();
  unsigned number = use.getOperandNumber();
  if (isa<MulOp>(op)) return op->getOperand(0) != op->getOperand(1);
  if (isa<NegOp, BroadcastOp, StopGradOp>(op)) return true;
  if (isa<DivOp>(op)) return number == 0 && op->getOperand(0) != op->getOperand(1);
  if (!isa<SelectOp>(op) || number == 0) return false;
  return constantOf(withoutBroadcasts(op->getOperand(3 - number))) == 0.0;
}

// `depth` bounds the work: a product of products has as many factors as leaves.
static SoftmaxOp behind(Value value, int depth) {
  Operation *op = value.getDefiningOp();
  if (!op || depth == 0) return {};
  if (auto softmax = dyn_cast<SoftmaxOp>(op)) return softmax;
  for (OpOperand &use : op->getOpOperands())
    if (isa<RenameOp>(op) || isProportional(use))
      if (SoftmaxOp found = behind(use.get(), depth - 1)) return found;
  return {};
}
SoftmaxOp heddle::softmaxBehind(Value value) { return behind(value, 10); }
