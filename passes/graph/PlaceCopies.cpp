// See PlaceCopies.h. The rules, one per kind of place:
// - entry result: owned by one op result, each by its own
// - write @p: the value's op comes after every other reader of p, and may write over p if it reads p itself; what a repeat
//   collects may lie there if only it reads p, as a stack, and every element may replace the one before
// - carried value of a repeat, going in: an op result that nothing else reads; coming round: as for write, with the carried
//   value in place of p
// - collected value: an op result of this body that is not carried or collected a second time
// - what scatter_add adds onto: an op result of this block that nothing else reads, or what a repeat carried; the sum lies there
#include "passes/graph/PlaceCopies.h"
#include "passes/graph/Views.h"
#include "passes/lower/FusedProduct.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace heddle;

bool heddle::canWriteOver(Operation *op, Value operand) {
  if (operand == addedInPlace(op)) return true;
  auto fused = dyn_cast<FusedOp>(op);
  if (!fused || holdsProduct(fused)) return false;  // a product keeps its sums in its result
  Value inside;
  for (auto [outer, arg] : llvm::zip(fused.getInputs(), fused.getBody().getArguments()))
    if (outer == operand) {
      if (inside) return false;
      inside = arg;
    }
  if (!inside) return false;
  // A nest loops over its elements once before its reductions are known, and once after each; the operand may be read in one
  // of these loops only. So what it leads to is elements, of the same dims, in the first.
  llvm::DenseSet<Value> ofOperand{inside}, ofReductions;
  auto within = [](const llvm::DenseSet<Value> &values, Operation &inner) {
    return llvm::any_of(inner.getOperands(), [&](Value value) { return values.contains(value); });
  };
  for (Operation &inner : fused.getBody().front().without_terminator()) {
    bool reads = within(ofOperand, inner), reduces = isa<ReduceOp, ArgmaxOp>(inner);
    if (reads && (reduces || isa<GatherOp>(inner))) return false;
    if (llvm::is_contained(inner.getOperands(), inside) && isa<RenameOp>(inner)) return false;
    bool late = reduces || within(ofReductions, inner);
    if (reads && late) return false;
    for (Value result : inner.getResults()) {
      if (reads) ofOperand.insert(result);
      if (late) ofReductions.insert(result);
    }
  }
  Operation *yield = fused.getBody().front().getTerminator();
  return llvm::all_of(yield->getOperands(), [&](Value value) {
    return !ofOperand.contains(value) || cast<Tensor>(value.getType()).getNames() == cast<Tensor>(operand.getType()).getNames();
  });
}

// A copy of `value`: fused { broadcast }.
static Value copyOf(OpBuilder &builder, Location loc, Value value) {
  auto fused = FusedOp::create(builder, loc, TypeRange{value.getType()}, ValueRange{value});
  OpBuilder::InsertionGuard guard(builder);
  Block *body = builder.createBlock(&fused.getBody(), {}, {value.getType()}, {loc});
  Value same = BroadcastOp::create(builder, loc, value.getType(), body->getArgument(0));
  YieldOp::create(builder, loc, same);
  return fused.getResult(0);
}

// The op of `block` that holds or is `op`.
static Operation *ancestorIn(Block *block, Operation *op) { return block->findAncestorOpInBlock(*op); }

// Every op that reads `value`, through views, as its ancestor in `block`.
static void readersIn(Block *block, Value value, SmallVectorImpl<Operation *> &readers) {
  for (Operation *user : value.getUsers()) {
    if (viewedBy(user)) readersIn(block, user->getResult(0), readers);
    else if (Operation *ancestor = ancestorIn(block, user)) readers.push_back(ancestor);
  }
}

// Whether `op` may write where `old` lies: every other reader of `old` comes before it, and it may write over `old` if
// it reads it itself. `old` is known by all its names.
static bool mayReplace(Operation *op, ArrayRef<Value> old) {
  for (Value name : old) {
    SmallVector<Operation *> readers;
    readersIn(op->getBlock(), name, readers);
    for (Operation *reader : readers) {
      if (reader == op ? !canWriteOver(op, name) : !reader->isBeforeInBlock(op) && !isa<YieldOp, WriteOp>(reader))
        return false;
    }
    // Under another axis' name, the same memory is met in another order.
    for (Value operand : op->getOperands())
      if (operand != name && viewedValue(operand) == name) return false;
  }
  return true;
}

// An op of `block` computes the value into memory of its own. What a repeat carries out lies where it went in.
static bool ownedIn(Block *block, Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != block) return false;
  if (auto repeat = dyn_cast<RepeatOp>(op)) return cast<OpResult>(value).getResultNumber() >= repeat.getCarried().size();
  if (auto scatter = dyn_cast<ScatterAddOp>(op); scatter && scatter.getOnto()) return false;  // it lies where that does
  return isa<FusedOp, ContractOp, ScatterAddOp, AttentionOp, AttentionBackwardOp>(op);
}

static bool mayLieOver(Value value, ArrayRef<Value> old);

// Whether a repeat may collect into the memory of a stack that is known by these names (reads of a variable, or what a loop
// around it carries): whatever else reads it comes before, and in each turn the new element may replace the old one. Views
// may have users anywhere: none.
static bool mayCollectOver(OpResult collected, ArrayRef<Value> old) {
  auto repeat = cast<RepeatOp>(collected.getOwner());
  OpOperand *stack = nullptr;
  for (Value name : old)
    for (OpOperand &use : name.getUses()) {
      Operation *user = ancestorIn(repeat->getBlock(), use.getOwner());
      if (user != repeat && !viewedBy(user) && user->isBeforeInBlock(repeat)) continue;
      if (stack || use.getOwner() != repeat) return false;
      stack = &use;
    }
  if (!stack) return true;
  int64_t slot = int64_t(stack->getOperandNumber()) - int64_t(repeat.getCarried().size());
  if (slot < 0) return false;
  Value element = repeat.getStackedArgs()[slot], next = viewedValue(repeat.getYield()->getOperand(collected.getResultNumber()));
  return next.getDefiningOp() && mayLieOver(next, {element});
}

// Whether a value may lie where `old` does.
static bool mayLieOver(Value value, ArrayRef<Value> old) {
  auto repeat = value.getDefiningOp<RepeatOp>();
  if (!repeat) return mayReplace(value.getDefiningOp(), old);
  auto result = cast<OpResult>(value);
  return result.getResultNumber() >= repeat.getCarried().size() && mayCollectOver(result, old);
}

static void placeInRepeat(RepeatOp repeat) {
  Block *body = &repeat.getBody().front();
  OpBuilder builder(repeat);
  Location loc = repeat.getLoc();
  // Going in: the memory of the initial value becomes that of the carried value.
  llvm::SmallPtrSet<Value, 8> taken;
  for (OpOperand &operand : repeat.getCarriedMutable()) {
    Value owner = viewedValue(operand.get());
    bool alone = operand.get().hasOneUse() && owner == operand.get();
    if (!ownedIn(repeat->getBlock(), owner) || !alone || !taken.insert(owner).second)
      operand.set(copyOf(builder, loc, operand.get()));
  }
  Operation *yield = repeat.getYield();
  builder.setInsertionPoint(yield);
  size_t carried = repeat.getCarried().size();
  // First values that another slot holds, so that no slot is overwritten before it is read.
  for (size_t i = 0; i < carried; ++i) {
    Value owner = viewedValue(yield->getOperand(i));
    if (owner != repeat.getCarriedArgs()[i] && isa<BlockArgument>(owner))
      yield->setOperand(i, copyOf(builder, loc, yield->getOperand(i)));
  }
  // Collected values first, and their copies where they are made: what is carried may be written over them later on.
  llvm::SmallPtrSet<Value, 8> placed;
  for (size_t i = carried; i < yield->getNumOperands(); ++i) {
    Value value = yield->getOperand(i), owner = viewedValue(value);
    if (ownedIn(body, owner) && placed.insert(owner).second) continue;
    if (Operation *maker = value.getDefiningOp(); maker && maker->getBlock() == body)
      builder.setInsertionPointAfter(maker);
    else
      builder.setInsertionPointToStart(body);
    yield->setOperand(i, copyOf(builder, loc, value));
  }
  builder.setInsertionPoint(yield);
  for (size_t i = 0; i < carried; ++i) {
    Value value = yield->getOperand(i), owner = viewedValue(value);
    if (value == repeat.getCarriedArgs()[i]) continue;  // carried on unchanged
    bool fits = ownedIn(body, owner) && placed.insert(owner).second && mayLieOver(owner, {repeat.getCarriedArgs()[i]});
    if (!fits) yield->setOperand(i, copyOf(builder, loc, value));
  }
}

// What updates are added onto is memory that an op of this block made and nothing else reads. What a repeat carries is such.
static void placeOnto(ScatterAddOp op) {
  auto repeat = op.getOnto().getDefiningOp<RepeatOp>();
  bool owned = ownedIn(op->getBlock(), op.getOnto()) || (repeat && repeat->getBlock() == op->getBlock());
  if (op.getOnto().hasOneUse() && owned) return;
  OpBuilder builder(op);
  op.getOntoMutable().assign(copyOf(builder, op.getLoc(), op.getOnto()));
}

void heddle::placeCopies(func::FuncOp entry) {
  entry.walk([](ScatterAddOp op) {
    if (op.getOnto()) placeOnto(op);  // those inside attention have none
  });
  // Inner loops first: their copies read what an outer one may want to lie over.
  entry.walk<WalkOrder::PostOrder>([](RepeatOp repeat) { placeInRepeat(repeat); });
  Block *body = &entry.getBody().front();
  Operation *end = body->getTerminator();
  SmallVector<WriteOp> writes(body->getOps<WriteOp>());
  for (WriteOp write : writes) write->moveBefore(end);

  llvm::SmallPtrSet<Value, 8> placed;
  OpBuilder builder(end);
  for (OpOperand &operand : end->getOpOperands()) {
    Value owner = viewedValue(operand.get());
    if (!ownedIn(body, owner) || owner != operand.get() || !placed.insert(owner).second) {
      Value copy = copyOf(builder, operand.get().getLoc(), operand.get());
      placed.insert(copy);
      operand.set(copy);
    }
  }
  SmallVector<std::pair<WriteOp, bool>> copies;
  for (WriteOp write : writes) {
    SmallVector<Value> names;
    for (ReadOp read : body->getOps<ReadOp>())
      if (read.getVariableAttr() == write.getVariableAttr()) names.push_back(read.getResult());
    Value value = write.getValue(), owner = viewedValue(value);
    bool fits = ownedIn(body, owner) && value == owner && placed.insert(owner).second && mayLieOver(owner, names);
    if (!fits) copies.push_back({write, isa_and_nonnull<ReadOp>(owner.getDefiningOp())});
  }
  // What a variable held before goes to another one: it is kept where it is read, since an op of this block may write over it.
  for (auto [write, aliased] : copies)
    if (aliased) {
      builder.setInsertionPointAfter(write.getValue().getDefiningOp());
      write.getValueMutable().set(copyOf(builder, write.getLoc(), write.getValue()));
    }
  builder.setInsertionPoint(end);
  for (auto [write, aliased] : copies) {
    Value copy = copyOf(builder, write.getLoc(), write.getValue());
    placed.insert(copy);
    write.getValueMutable().set(copy);
  }
  for (WriteOp write : writes) write->moveBefore(end);
}
