// The frame that every kernel shares: its arguments, in the order that Lowering.h states.
#include "passes/lower/Lowering.h"
#include "passes/graph/PlanMemory.h"

using namespace mlir;
using namespace heddle;

MemRefType heddle::memoryType(Tensor type) {
  Type element = type.isBool() ? IntegerType::get(type.getContext(), 32) : type.getElementType();
  return MemRefType::get(type.getSizes(), element);
}

int heddle::repeatDepth(Operation *op) {
  int depth = 0;
  for (auto repeat = op->getParentOfType<RepeatOp>(); repeat; repeat = repeat->getParentOfType<RepeatOp>()) ++depth;
  return depth;
}

int heddle::repeatIndexDepth(Value value) {
  auto arg = dyn_cast<BlockArgument>(value);
  if (!arg || arg.getArgNumber() != 0) return -1;
  auto repeat = dyn_cast<RepeatOp>(arg.getOwner()->getParentOp());
  return repeat ? repeatDepth(repeat) : -1;
}

SmallVector<Attribute> heddle::placesOf(Operation *op) {
  SmallVector<Attribute> places;
  auto args = op->getAttrOfType<ArrayAttr>(kArgsAttr);
  if (!args) return places;
  size_t next = 0;
  for (Value operand : op->getOperands()) places.push_back(repeatIndexDepth(operand) < 0 ? args[next++] : Attribute());
  for (size_t i = 0; i < op->getNumResults(); ++i) places.push_back(args[next++]);
  return places;
}

KernelFrame heddle::openKernel(OpBuilder &builder, ModuleOp module, StringRef name, Operation *op,
                               int64_t scratchBytes, bool flat) {
  auto memory = [&](Value value) -> Type {
    MemRefType type = memoryType(cast<Tensor>(value.getType()));
    return flat ? MemRefType::get({type.getNumElements()}, type.getElementType()) : type;
  };
  SmallVector<Type> types;
  for (Value operand : op->getOperands())
    if (repeatIndexDepth(operand) < 0) types.push_back(memory(operand));
  for (Value result : op->getResults()) types.push_back(memory(result));
  int depth = repeatDepth(op);
  types.append(depth + 2, builder.getIndexType());
  types.push_back(MemRefType::get({std::max<int64_t>(1, (scratchBytes + 3) / 4)}, builder.getF32Type()));

  builder.setInsertionPointToEnd(module.getBody());
  auto function = func::FuncOp::create(builder, op->getLoc(), name, builder.getFunctionType(types, {}));
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  auto end = func::ReturnOp::create(builder, op->getLoc());
  builder.setInsertionPoint(end);

  KernelFrame frame;
  frame.function = function;
  size_t next = 0;
  size_t firstLoop = types.size() - depth - 3;
  for (int i = 0; i < depth; ++i) frame.loops.push_back(body->getArgument(firstLoop + i));
  for (Value operand : op->getOperands()) {
    int index = repeatIndexDepth(operand);
    frame.operands.push_back(index < 0 ? Value(body->getArgument(next++)) : frame.loops[index]);
  }
  for (size_t i = 0; i < op->getNumResults(); ++i) frame.results.push_back(body->getArgument(next++));
  frame.begin = body->getArgument(types.size() - 3);
  frame.end = body->getArgument(types.size() - 2);
  frame.scratch = body->getArgument(types.size() - 1);
  return frame;
}
