// The building half of LowerAttention.h: values of a region as block tensors, each in the stage where it belongs.
#include "passes/graph/FusionGroups.h"
#include "passes/graph/GraphBuilder.h"
#include "passes/lower/ContractShape.h"
#include "passes/lower/LowerAttention.h"

using namespace mlir;
using namespace heddle;

Tensor BlockAxes::blockOf(Tensor type, BlockOrder order) const {
  SmallVector<StringAttr> names;
  SmallVector<int64_t> sizes;
  auto take = [&](StringAttr name, int64_t size) { names.push_back(name), sizes.push_back(size); };
  for (StringAttr name : type.getNames())
    if (isOuter(name)) take(name, 1);
  if (type.has(keys)) take(keys, keyBlock);
  if (type.has(rows) && order == BlockOrder::rowsFirst) take(rows, rowBlock);
  for (auto [name, size] : llvm::zip(type.getNames(), type.getSizes()))
    if (!isOuter(name) && name != keys && name != rows) take(name, size);
  if (type.has(rows) && order == BlockOrder::rowsLast) take(rows, rowBlock);
  return Tensor::get(names, sizes, type.getElementType());
}

//===------------------------------------------------------------------------------------------------- stages
BlockedKernel::BlockedKernel(Operation *op, const TargetInfo &target)
    : op(op), region(op->getRegion(0).front()), target(target), axes(blockAxes(op, target)), diagonal(axes), scratch(target),
      before(scratch, op->getContext(), op->getLoc()), body(scratch, op->getContext(), op->getLoc()),
      after(scratch, op->getContext(), op->getLoc()) {}

std::string BlockedKernel::plan() {
  build();
  if (!refusal.empty()) return refusal;
  for (BlockStage *stage : {&before, &body, &after})
    if (std::string reason = stage->form(target); !reason.empty()) return reason;
  return "";
}

bool BlockedKernel::dependsOnKeys(Value value) {
  auto known = keyed.find(value);
  if (known != keyed.end()) return known->second;
  bool depends = axes.hasKeys(value);
  if (Operation *def = value.getDefiningOp())
    for (Value operand : def->getOperands()) depends |= dependsOnKeys(operand);
  return keyed[value] = depends;
}

int BlockedKernel::load(BlockArgument argument, BlockOrder order) {
  Tensor type = axes.blockOf(tensorOf(argument), order);
  if (!axes.hasRows(argument)) order = BlockOrder::rowsLast;
  for (const Load &load : loads)
    if (load.input == argument.getArgNumber() && load.order == order) return load.buffer;
  bool keysOnly = axes.hasKeys(argument) && !axes.hasRows(argument);
  loads.push_back({argument.getArgNumber(), order, scratch.add(type, keysOnly ? axes.keyBlocks() : 0)});
  return loads.back().buffer;
}

Value BlockedKernel::use(Value value, BlockOrder order, BlockStage &stage) {
  if (!axes.hasRows(value)) order = BlockOrder::rowsLast;
  Value &known = valuesOf(stage)[{value, static_cast<int>(order)}];
  if (known) return known;
  Value made;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    made = stage.argument(load(argument, order));
  } else if (&stage != &before && !dependsOnKeys(value) && !isFreelyRecomputed(value.getDefiningOp())) {
    auto [entry, fresh] = handed.try_emplace({value, static_cast<int>(order)}, -1);
    if (fresh) {
      Value early = use(value, order, before);
      entry->second = scratch.add(tensorOf(early));
      before.result(early, entry->second);
    }
    made = stage.argument(handed.lookup({value, static_cast<int>(order)}));
  } else if (order == BlockOrder::rowsFirst) {
    Value last = use(value, BlockOrder::rowsLast, stage);
    made = BroadcastOp::create(stage.builder, value.getLoc(), axes.blockOf(tensorOf(value), order), last);
  } else if (isPair(value) && value != ended && diagonal.isOfDistance(value) && diagonal.isCostly(value)) {
    made = diagonal.spread(diagonal.along(value, stage.builder, uniformIn(stage)), tensorOf(value), stage.builder);
  } else {
    made = clone(value, stage);
    if (value == ended) made = whereExists(made, true, maskRows, -INFINITY, stage);
  }
  return valuesOf(stage)[{value, static_cast<int>(order)}] = made;
}

// A product along vectors reads one operand by its last dim: rows where the result has keys or is of rows alone, else what
// else the operand has.
Value BlockedKernel::product(ContractOp op, BlockStage &stage) {
  bool overKeys = llvm::is_contained(op.getOver(), axes.keys), hasRows = axes.hasRows(op.getResult());
  bool rowsLast = hasRows && !overKeys && &stage != &after;
  BlockOrder operands = rowsLast ? BlockOrder::rowsLast : BlockOrder::rowsFirst;
  bool yIsTerm = isPair(op.getY()) && !isPair(op.getX());
  auto operand = [&](Value value, bool factor) {
    return useInSum(value, op.getOver(), factor, isPair(value) ? BlockOrder::rowsLast : operands, stage);
  };
  Value x = operand(op.getX(), yIsTerm), y = operand(op.getY(), !yIsTerm);
  Tensor type = axes.blockOf(tensorOf(op.getResult()), operands);
  // A tensor with more than rows and keys is never stored, and without a dim that only one operand has there is nothing to
  // tile: then it is part of a nest.
  auto isLarge = [&](Value value) {
    return axes.hasKeys(value) && axes.hasRows(value) && tensorOf(value).getNumElements() > axes.keyBlock * axes.rowBlock;
  };
  bool isProduct = false;  // what decides is the last dim longer than 1
  for (auto [name, size] : llvm::zip(type.getNames(), type.getSizes()))
    if (size > 1) isProduct = tensorOf(x).has(name) != tensorOf(y).has(name);
  if (isProduct && !isLarge(x) && !isLarge(y)) {
    auto contract = ContractOp::create(stage.builder, op.getLoc(), type, x, y, op.getOver());
    if (contractShape(contract).n.b == 1) return contract;  // B is read where it lies
    contract.erase();
  }
  GraphBuilder b(stage.builder, op.getLoc());
  return b.as(b.mul(x, y), type);
}

// A nest of its own: BlockRandom may know a better way to a mask than the loops of what uses it.
static Value nestOf(Operation *op, OpBuilder &builder) {
  auto nest = FusedOp::create(builder, op->getLoc(), op->getResultTypes(), op->getOperands());
  OpBuilder::InsertionGuard back(builder);
  Block *body = builder.createBlock(&nest.getBody());
  for (Value operand : op->getOperands()) body->addArgument(operand.getType(), operand.getLoc());
  op->moveBefore(body, body->end());
  op->setOperands(body->getArguments());
  YieldOp::create(builder, op->getLoc(), op->getResults());
  return nest.getResult(0);
}

Value BlockedKernel::clone(Value value, BlockStage &stage) {
  Operation *def = value.getDefiningOp();
  if (auto over = def->getAttrOfType<ArrayAttr>("over"))
    for (auto name : over.getAsRange<StringAttr>())
      if (name == axes.keys || name == axes.rows || (axes.isOuter(name) && isa<AttentionOp>(op)))
        refusal = "the score or a weight holds a sum or largest value over `" + name.str() + "`";
  if (auto gather = dyn_cast<GatherOp>(def); gather && axes.isDivided(gather.getAxisAttr()))
    refusal = "the score or a weight is gathered along `" + gather.getAxis().str() + "`";
  if (auto contract = dyn_cast<ContractOp>(def)) return product(contract, stage);
  SmallVector<Value> operands;
  for (Value operand : def->getOperands()) {
    bool isIndex = isa<GatherOp>(def) && operand == cast<GatherOp>(def).getIndex();
    operands.push_back(isIndex ? useIndex(operand, stage) : use(operand, BlockOrder::rowsLast, stage));
  }
  OperationState state(def->getLoc(), def->getName(), operands, {axes.blockOf(tensorOf(value), BlockOrder::rowsLast)},
                       def->getAttrs());
  Operation *made = stage.builder.create(state);
  return isa<BernoulliOp>(def) ? nestOf(made, stage.builder) : made->getResult(0);
}

// `value` where keys and rows exist, else a number.
Value BlockedKernel::whereExists(Value value, bool keys, bool rows, double other, BlockStage &stage) {
  GraphBuilder b(stage.builder, value.getLoc());
  Value exists;
  auto require = [&](StringAttr axis, int64_t block, int64_t size) {
    if (size % block == 0) return;
    Value inside = b.compare("lt", b.position(axis, block), b.integer(static_cast<int32_t>(size)));
    exists = exists ? b.logicalAnd(exists, inside) : inside;
  };
  if (keys) require(axes.keys, axes.keyBlock, axes.keySize);
  if (rows) require(axes.rows, axes.rowBlock, axes.rowSize);
  if (!exists) return value;
  Value rest = tensorOf(value).isFloat() ? b.number(other) : b.integer(static_cast<int32_t>(other));
  return b.as(b.select(exists, value, rest), tensorOf(value));
}

Value BlockedKernel::useInSum(Value value, ArrayAttr over, bool factor, BlockOrder order, BlockStage &stage) {
  Value made = use(value, order, stage);
  if (!beyond) beyond.emplace(probability, ended, axes.rows, axes.keys);
  auto isSafe = [&](StringAttr axis) {
    if (!llvm::is_contained(over, Attribute(axis))) return true;
    return factor ? beyond->isFinite(value, axis) : beyond->isZero(value, axis);
  };
  bool keys = isSafe(axes.keys), rows = isSafe(axes.rows);
  if (keys && rows) return made;
  return whereExists(made, !keys, !rows, 0, stage);
}

// An index of the axis: positions behind the end of keys or rows would leave it.
Value BlockedKernel::useIndex(Value index, BlockStage &stage) {
  Value made = use(index, BlockOrder::rowsLast, stage);
  if (isa<BlockArgument>(index)) return made;  // what is loaded is 0 there
  return whereExists(made, axes.hasKeys(index), axes.hasRows(index), 0, stage);
}
