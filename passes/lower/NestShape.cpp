// The constraints on a nest, checked on the dims of types alone.
#include "passes/lower/NestShape.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace heddle;

static Tensor tensorOf(Value value) { return cast<Tensor>(value.getType()); }

int64_t NestShape::elements() const {
  int64_t product = 1;
  for (int64_t size : sizes) product *= size;
  return product;
}

int64_t NestShape::rowElements() const {
  int64_t product = 1;
  for (auto [dim, size] : llvm::zip(dims, sizes))
    if (isReduced(dim)) product *= size;
  return product;
}

bool NestShape::isRow(Tensor type) const {
  return type.getRank() == rank() - static_cast<int64_t>(reduced.size()) &&
         llvm::none_of(type.getNames(), [&](StringAttr name) { return isReduced(name); });
}

SmallVector<StringAttr> heddle::reducedDims(Operation *op) {
  if (auto reduce = dyn_cast<ReduceOp>(op)) return llvm::to_vector(reduce.getOver().getAsRange<StringAttr>());
  if (auto argmax = dyn_cast<ArgmaxOp>(op)) return {argmax.getOverAttr()};
  return {};
}

bool heddle::isExpensive(Operation *op) {
  return isa<DivOp, FloorDivOp, ModOp, PowOp, ExpOp, Expm1Op, LogOp, Log1pOp, SqrtOp, RsqrtOp, SinOp, CosOp, TanhOp,
             SigmoidOp, ErfOp, BernoulliOp, GatherOp>(op);
}

static bool isNestOp(Operation *op) {
  return op->hasTrait<IsElementwise>() ||
         isa<ReduceOp, ArgmaxOp, GatherOp, PositionOp, ConstantOp, BernoulliOp, RenameOp>(op);
}

NestShape heddle::shapeOfNest(ArrayRef<Operation *> ops, ArrayRef<Value> results) {
  NestShape shape;
  auto refuse = [&](const Twine &why) {
    shape.refusal = why.str();
    return shape;
  };
  llvm::SmallDenseSet<Operation *> inside(ops.begin(), ops.end());
  auto add = [&](Tensor type) {
    for (auto [name, size] : llvm::zip(type.getNames(), type.getSizes()))
      if (!llvm::is_contained(shape.dims, name)) shape.dims.push_back(name), shape.sizes.push_back(size);
  };
  bool reduces = false;
  for (Operation *op : ops) {
    // nest_c1
    if (!isNestOp(op)) return refuse("'" + op->getName().getStringRef() + "' is not computed by a loop nest");
    SmallVector<StringAttr> over = reducedDims(op);
    if (!over.empty() || isa<ReduceOp, ArgmaxOp>(op)) {
      add(tensorOf(op->getOperand(0)));
      // nest_c2
      bool same = over.size() == shape.reduced.size() &&
                  llvm::all_of(over, [&](StringAttr name) { return shape.isReduced(name); });
      if (reduces && !same) return refuse("its reductions go over different dims");
      reduces = true;
      shape.reduced = over;
    } else if (!isa<RenameOp>(op)) {
      add(tensorOf(op->getResult(0)));
    }
    // nest_c3
    if (isa<GatherOp, RenameOp>(op))
      if (Operation *source = op->getOperand(0).getDefiningOp(); source && inside.contains(source))
        if (!isa<RenameOp>(source))
          return refuse("what '" + op->getName().getStringRef() + "' reads is computed in the same nest");
  }
  for (Value result : results)
    if (Operation *source = result.getDefiningOp(); !source || !inside.contains(source) || isa<RenameOp>(source))
      add(tensorOf(result));
  // nest_c4
  for (Operation *op : ops)
    if (isa<ReduceOp, ArgmaxOp>(op) && !shape.isRow(tensorOf(op->getResult(0))))
      return refuse("a reduction in it leaves fewer dims than another op has");
  // nest_c5
  for (Value result : results)
    if (!shape.isFull(tensorOf(result)) && (!reduces || !shape.isRow(tensorOf(result))))
      return refuse("one of its results lacks a dim that another op has");
  return shape;
}

NestShape heddle::shapeOfNest(FusedOp op) {
  SmallVector<Operation *> ops;
  for (Operation &inner : op.getBody().front().without_terminator()) ops.push_back(&inner);
  return shapeOfNest(ops, llvm::to_vector(op.getYield()->getOperands()));
}
