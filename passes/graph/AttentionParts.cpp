// See AttentionParts.h.
#include "passes/graph/AttentionParts.h"

using namespace mlir;
using namespace heddle;

AttentionParts::AttentionParts(AttentionOp op) {
  product = op.getYield()->getOperand(0).getDefiningOp<ContractOp>();
  max = op.getYield()->getOperand(1), sum = op.getYield()->getOperand(2);
  exp = sum.getDefiningOp<ReduceOp>().getX();
  score = exp.getDefiningOp<ExpOp>().getX().getDefiningOp<SubOp>().getX();
  for (Operation *user : exp.getUsers())
    if (auto div = dyn_cast<DivOp>(user); div && div.getX() == exp) probability = div.getResult();
  // Weights are ops on the probability alone, so they come after it; values come from outside.
  llvm::DenseSet<Value> weights{probability};
  for (Operation &inner : op.getBody().front().without_terminator())
    if (llvm::any_of(inner.getOperands(), [&](Value operand) { return weights.contains(operand); }))
      weights.insert(inner.getResult(0));
  weight = weights.contains(product.getX()) ? product.getX() : product.getY();
}

Value heddle::shiftedOf(AttentionBackwardOp op) {
  Value max = op.getBody().getArgument(op.getBody().getNumArguments() - 2);
  return max.user_begin()->getResult(0);
}
Value heddle::scoreOf(AttentionBackwardOp op) { return shiftedOf(op).getDefiningOp<SubOp>().getX(); }
