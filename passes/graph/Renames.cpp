// See Renames.h.
#include "passes/graph/Renames.h"
#include "passes/graph/GraphBuilder.h"

using namespace mlir;
using namespace heddle;

static Tensor renamed(Tensor type, StringAttr from, StringAttr to) {
  SmallVector<StringAttr> names(type.getNames());
  std::replace(names.begin(), names.end(), from, to);
  return Tensor::get(names, type.getSizes(), type.getElementType());
}

Operation *heddle::pushRename(OpBuilder &builder, RenameOp rename) {
  StringAttr from = rename.getFromAttr(), to = rename.getToAttr();
  Operation *def = rename.getX().getDefiningOp();
  if (!def || !(def->hasTrait<IsElementwise>() ||
                isa<ConstantOp, PositionOp, BernoulliOp, SoftmaxOp, ContractOp, ReduceOp, GatherOp>(def)))
    return nullptr;
  auto mask = dyn_cast<BernoulliOp>(def);
  for (Value operand : def->getOperands())
    if (!mask && tensorOf(operand).has(to)) return nullptr;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(rename);
  Operation *clone = builder.clone(*def);
  clone->getResult(0).setType(rename.getType());
  if (mask) {  // its operands have no dims of the model
    SmallVector<Attribute> order;
    for (StringAttr name : mask.getOrder().getAsRange<StringAttr>()) order.push_back(name == from ? to : name);
    cast<BernoulliOp>(clone).setOrderAttr(builder.getArrayAttr(order));
    return clone;
  }
  if (auto softmax = dyn_cast<SoftmaxOp>(clone); softmax && softmax.getOverAttr() == from) softmax.setOverAttr(to);
  builder.setInsertionPoint(clone);
  for (OpOperand &operand : clone->getOpOperands())
    if (Tensor type = tensorOf(operand.get()); type.has(from))
      operand.set(RenameOp::create(builder, rename.getLoc(), renamed(type, from, to), operand.get(), from, to));
  return clone;
}
