// See BlockDiagonal.h.
#include "passes/lower/BlockDiagonal.h"
#include "passes/lower/NestShape.h"

using namespace mlir;
using namespace heddle;

BlockDiagonal::BlockDiagonal(const BlockAxes &axes) : size(axes.rowBlock + axes.keyBlock - 1), axes(axes) {
  // No other dim has a name with a sign in it.
  axis = StringAttr::get(axes.keys.getContext(), axes.rows.getValue() + "-" + axes.keys.getValue());
}

static constexpr int64_t kMostTimes = 1 << 20;

// Sums and differences wrap, and so keep their value whatever is done first.
std::optional<BlockDiagonal::Linear> BlockDiagonal::linear(Value value) {
  if (auto it = sums.find(value); it != sums.end()) return it->second;
  std::optional<Linear> sum = findLinear(value);
  if (sum && std::max(std::abs(sum->rows), std::abs(sum->keys)) > kMostTimes) sum = std::nullopt;
  return sums[value] = sum;
}
std::optional<BlockDiagonal::Linear> BlockDiagonal::findLinear(Value value) {
  if (!tensorOf(value).isInt()) return std::nullopt;
  if (!axes.hasRows(value) && !axes.hasKeys(value)) return Linear{0, 0};
  Operation *op = value.getDefiningOp();
  if (!op) return std::nullopt;
  if (isa<PositionOp>(op)) return Linear{axes.hasRows(value), axes.hasKeys(value)};
  if (isa<BroadcastOp>(op)) return linear(op->getOperand(0));
  if (isa<NegOp>(op)) {
    auto x = linear(op->getOperand(0));
    return x ? std::optional(Linear{-x->rows, -x->keys}) : std::nullopt;
  }
  if (!isa<AddOp, SubOp>(op)) return std::nullopt;
  auto x = linear(op->getOperand(0)), y = linear(op->getOperand(1));
  if (!x || !y) return std::nullopt;
  int64_t sign = isa<AddOp>(op) ? 1 : -1;
  return Linear{x->rows + sign * y->rows, x->keys + sign * y->keys};
}

bool BlockDiagonal::isOfDistance(Value value) {
  if (auto it = known.find(value); it != known.end()) return it->second;
  auto isUniform = [&](Value x) { return !axes.hasRows(x) && !axes.hasKeys(x); };
  auto decide = [&] {
    if (isUniform(value)) return true;
    for (StringAttr name : tensorOf(value).getNames())
      if (name != axes.rows && name != axes.keys && !axes.isOuter(name)) return false;
    if (auto sum = linear(value)) return sum->rows + sum->keys == 0;
    Operation *op = value.getDefiningOp();
    if (!op || !(op->hasTrait<IsElementwise>() || isa<GatherOp, ConstantOp>(op))) return false;
    if (auto gather = dyn_cast<GatherOp>(op); gather && (!isUniform(gather.getX()) || axes.isDivided(gather.getAxisAttr())))
      return false;
    return llvm::all_of(op->getOperands(), [&](Value operand) { return isOfDistance(operand); });
  };
  return known[value] = decide();
}

bool BlockDiagonal::isCostly(Value value) {
  llvm::SmallDenseSet<Value> seen;
  SmallVector<Value> work{value};
  int64_t steps = 0;
  while (!work.empty()) {
    Value next = work.pop_back_val();
    Operation *op = next.getDefiningOp();
    if (!op || (!axes.hasRows(next) && !axes.hasKeys(next)) || !seen.insert(next).second) continue;
    if (isExpensive(op)) return true;
    steps += !isa<BroadcastOp, PositionOp, ConstantOp>(op);
    llvm::append_range(work, op->getOperands());
  }
  return steps > 2;
}

Tensor BlockDiagonal::typeAlong(Tensor type) const {
  Tensor block = axes.blockOf(type.without({axes.rows, axes.keys}), BlockOrder::rowsLast);
  SmallVector<StringAttr> names(block.getNames());
  SmallVector<int64_t> sizes(block.getSizes());
  names.push_back(axis), sizes.push_back(size);
  return Tensor::get(names, sizes, type.getElementType());
}

Value BlockDiagonal::along(Value value, OpBuilder &builder, function_ref<Value(Value)> uniform) {
  bool hasRows = axes.hasRows(value), hasKeys = axes.hasKeys(value);
  if (!hasRows && !hasKeys) return uniform(value);
  if (Value known = made.lookup(value)) return known;
  // Moving both the row and the key by -key changes nothing: rows become distances, keys 0.
  Operation *op = value.getDefiningOp();
  GraphBuilder b(builder, value.getLoc());
  Value result;
  if (isa<PositionOp>(op)) {
    result = hasRows ? b.position(axis, size) : b.fill(Tensor::get({axis}, {size}, builder.getI32Type()), 0);
  } else {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      bool isIndex = isa<GatherOp>(op) && operand == cast<GatherOp>(op).getIndex();
      operands.push_back(isIndex ? indexAlong(operand, builder, uniform) : along(operand, builder, uniform));
    }
    OperationState state(op->getLoc(), op->getName(), operands, {typeAlong(tensorOf(value))}, op->getAttrs());
    result = builder.create(state)->getResult(0);
  }
  return made[value] = result;
}

Value BlockDiagonal::indexAlong(Value value, OpBuilder &builder, function_ref<Value(Value)> uniform) {
  Value index = along(value, builder, uniform);
  GraphBuilder b(builder, value.getLoc());
  Value distance = b.position(axis, size);
  Value exists = b.logicalAnd(b.compare("lt", distance, b.integer(static_cast<int32_t>(axes.rowSize))),
                              b.compare("gt", distance, b.integer(static_cast<int32_t>(-axes.keySize))));
  return b.as(b.select(exists, index, b.integer(0)), tensorOf(index));
}

Value BlockDiagonal::spread(Value x, Tensor type, OpBuilder &builder) {
  GraphBuilder b(builder, x.getLoc());
  Value distance = b.sub(b.position(axes.rows, axes.rowBlock), b.position(axes.keys, axes.keyBlock));
  return GatherOp::create(builder, x.getLoc(), axes.blockOf(type, BlockOrder::rowsLast), x, distance, axis);
}
