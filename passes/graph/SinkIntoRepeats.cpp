// What is done element by element with all that a repeat collects is done in each of its turns, with the element that the
// turn makes. So the gradient of a layer's weights is used up by their update in the turn of that layer: the gradients of
// all layers never exist at once, and the update finds its gradient in the cache (PyTorch's tutorial on fusing the optimizer
// step into backward does so by hooks).
//
// Ops move in where nothing else needs the stack: the elementwise ops and the sums over other axes that follow from it, and
// the elementwise ops that only those use. A gradient that is scaled by the norm of all gradients stays.
#include "passes/OptionalRewrite.h"
#include "passes/Passes.h"
#include "passes/graph/FusionGroups.h"
#include "passes/graph/GraphBuilder.h"
#include "passes/graph/Views.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/DenseSet.h"

namespace heddle {
#define GEN_PASS_DEF_SINKINTOREPEATS
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

namespace {
/// Of one result that a repeat collects.
class Sinker {
public:
  Sinker(RepeatOp repeat, unsigned number);
  /// Moves in what follows from the result; whether there was something that can. The repeat is made anew then, without this
  /// result and with what moved in collected behind the others: `repeat`.
  bool run();
  RepeatOp repeat;

private:
  bool isStack(Value value);
  bool canSink(Operation *op);
  bool findOps();
  void addPrivateOperands();
  bool operandsFit();
  bool canHoist(Value value);
  void hoist(Value value);
  bool mayLieOver(VariableOp variable);
  bool resultsFit();
  SmallVector<Operation *> usersOutside(Operation *op);
  void move();

  OpResult collected;
  Block *block;
  llvm::SmallDenseSet<Operation *> sunk;  // the ops that move in
  SmallVector<Operation *> order;         // the same, as in the block
  llvm::DenseMap<Operation *, bool> hoistable;
};
}  // namespace

Sinker::Sinker(RepeatOp repeat, unsigned number) : repeat(repeat), collected(repeat->getResult(number)), block(repeat->getBlock()) {}

// Its first dim counts the turns.
bool Sinker::isStack(Value value) {
  Tensor type = tensorOf(value);
  return !type.getNames().empty() && type.getNames()[0] == repeat.getAxisAttr() &&
         type.getSizes()[0] == int64_t(repeat.getCount());
}

// An op of which every turn can compute its part.
bool Sinker::canSink(Operation *op) {
  if (op->getBlock() != block || op->getNumResults() != 1 || !isStack(op->getResult(0))) return false;
  if (!op->hasTrait<IsElementwise>() && !isa<ReduceOp>(op)) return false;
  return llvm::all_of(op->getOperands(), [&](Value value) { return isStack(value) || !tensorOf(value).has(repeat.getAxisAttr()); });
}

// What follows from the stack; false if something that needs it cannot move in.
bool Sinker::findOps() {
  llvm::DenseSet<Value> inside(repeat.getCollected().begin(), repeat.getCollected().end()), reached{collected};
  auto isThere = [&](Value value) { return inside.contains(value) || canHoist(value); };
  for (Operation *op = repeat->getNextNode(); op; op = op->getNextNode()) {
    if (llvm::none_of(op->getOperands(), [&](Value value) { return reached.contains(value); })) continue;
    if (!canSink(op) || !llvm::all_of(op->getOperands(), isThere)) continue;
    sunk.insert(op);
    inside.insert(op->getResult(0));
    reached.insert(op->getResult(0));
  }
  return !sunk.empty() && llvm::all_of(collected.getUsers(), [&](Operation *user) { return sunk.contains(user); });
}

// What only these need.
void Sinker::addPrivateOperands() {
  SmallVector<Operation *> work(sunk.begin(), sunk.end());
  while (!work.empty())
    for (Value operand : work.pop_back_val()->getOperands()) {
      Operation *def = operand.getDefiningOp();
      if (!def || sunk.contains(def) || !canSink(def) || !canHoist(operand)) continue;
      if (!llvm::all_of(def->getUsers(), [&](Operation *user) { return sunk.contains(user); })) continue;
      sunk.insert(def);
      work.push_back(def);
    }
}

// Whether a value that does not need the repeat can be there before it. A variable read has its old value everywhere.
bool Sinker::canHoist(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != block || op->isBeforeInBlock(repeat) || isa<ReadOp>(op)) return true;
  if (auto known = hoistable.find(op); known != hoistable.end()) return known->second;
  bool can = isPure(op) && op->getNumRegions() == 0 &&
             llvm::all_of(op->getOperands(), [&](Value operand) { return canHoist(operand); });
  return hoistable[op] = can;
}
void Sinker::hoist(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != block || op->isBeforeInBlock(repeat)) return;
  for (Value operand : op->getOperands()) hoist(operand);
  op->moveBefore(repeat);
}

// Stacks from elsewhere lie in memory already: a mask or a position that any nest computes would have to be stored.
bool Sinker::operandsFit() {
  auto fits = [&](Value value) {
    Operation *def = value.getDefiningOp();
    return !def || def == repeat || sunk.contains(def) || !isStack(value) || !isFreelyRecomputed(def);
  };
  return llvm::all_of(order, [&](Operation *op) { return llvm::all_of(op->getOperands(), fits); });
}

SmallVector<Operation *> Sinker::usersOutside(Operation *op) {
  SmallVector<Operation *> users;
  for (Operation *user : op->getUsers())
    if (!sunk.contains(user)) users.push_back(user);
  return users;
}

// Whether a variable's new value may take the place of the old one turn by turn (PlaceCopies has the rule): whoever reads the
// old one does so before the repeat, or is the repeat, element by element.
bool Sinker::mayLieOver(VariableOp variable) {
  for (ReadOp read : block->getOps<ReadOp>()) {
    if (read.getVariable() != variable.getSymName()) continue;
    for (OpOperand &use : read->getUses()) {
      Operation *user = use.getOwner(), *here = block->findAncestorOpInBlock(*user);
      if (sunk.contains(user) || (user == repeat && use.getOperandNumber() >= repeat.getCarried().size())) continue;
      if (!here || here == repeat || viewedBy(user) || !here->isBeforeInBlock(repeat)) return false;
    }
  }
  return true;
}

// What the sunk ops give to others must not need more memory than the stack that is saved. A variable's new value, and what an
// outer repeat collects, have a place of their own; what it carries on lies where it was if the stack is only added to it.
bool Sinker::resultsFit() {
  int64_t elements = 0;
  for (Operation *op : order) {
    SmallVector<Operation *> users = usersOutside(op);
    bool placed = users.empty();
    for (Operation *user : users) {
      if (auto write = dyn_cast<WriteOp>(user)) {
        auto variable = SymbolTable::lookupNearestSymbolFrom<VariableOp>(user, write.getVariableAttr());
        if (!variable || !mayLieOver(variable)) return false;
        placed = true;
      } else if (auto outer = dyn_cast<RepeatOp>(block->getParentOp()); outer && isa<YieldOp>(user)) {
        for (OpOperand &use : op->getResult(0).getUses()) {
          if (use.getOwner() != user) continue;
          unsigned slot = use.getOperandNumber(), carried = outer.getCarried().size();
          bool isSum = isa<AddOp>(op) && llvm::is_contained(op->getOperands(), Value(collected));
          placed |= slot >= carried || (isSum && llvm::equal(outer.getCarriedArgs()[slot].getUsers(), ArrayRef<Operation *>(op)));
        }
      }
    }
    if (!placed) elements += tensorOf(op->getResult(0)).getNumElements();
  }
  return elements < tensorOf(collected).getNumElements();
}

void Sinker::move() {
  auto slice = [&](Tensor type) { return type.without({repeat.getAxisAttr()}); };
  Block &body = repeat.getBody().front();
  auto yield = cast<YieldOp>(repeat.getYield());
  IRMapping inBody;
  for (OpResult result : repeat.getCollected()) inBody.map(result, yield.getValues()[result.getResultNumber()]);
  SmallVector<Value> stacked(repeat.getStacked());
  auto elementOf = [&](Value stack) -> Value {
    hoist(stack);
    for (auto [known, arg] : llvm::zip(stacked, repeat.getStackedArgs()))
      if (known == stack) return arg;
    stacked.push_back(stack);
    return body.addArgument(slice(tensorOf(stack)), stack.getLoc());
  };
  OpBuilder builder(yield);
  SmallVector<Value> results(repeat->getResults());
  results.erase(results.begin() + collected.getResultNumber());
  yield.getValuesMutable().erase(collected.getResultNumber());
  for (Operation *op : order) {
    for (Value operand : op->getOperands()) {
      if (inBody.contains(operand)) continue;
      if (isStack(operand)) inBody.map(operand, elementOf(operand));
      else hoist(operand);
    }
    Value result = op->getResult(0), part = builder.clone(*op, inBody)->getResult(0);
    part.setType(slice(tensorOf(result)));
    if (usersOutside(op).empty()) continue;
    results.push_back(result);
    yield.getValuesMutable().append(part);
  }
  builder.setInsertionPoint(repeat);
  auto made = RepeatOp::create(builder, repeat.getLoc(), ValueRange(results).getTypes(), repeat.getNameAttr(), repeat.getAxisAttr(),
                               repeat.getCountAttr(), repeat.getReverseAttr(), repeat.getCarried(), stacked);
  made->setDiscardableAttrs(repeat->getDiscardableAttrDictionary());
  made.getBody().takeBody(repeat.getBody());
  for (auto [old, now] : llvm::zip(results, made.getResults())) old.replaceAllUsesWith(now);
  for (Operation *op : llvm::reverse(order)) op->erase();
  repeat->erase();
  repeat = made;
}

// What a nest makes stays: what moved in would become part of that nest, which cannot write over what it reads after a sum
// (`canWriteOver`), so that every turn would need a copy.
static bool isMadeByNest(Value value) {
  return !isa_and_nonnull<ContractOp, ScatterAddOp, AttentionBackwardOp, RepeatOp>(viewedValue(value).getDefiningOp());
}

bool Sinker::run() {
  if (isMadeByNest(repeat.getYield()->getOperand(collected.getResultNumber())) || !findOps()) return false;
  addPrivateOperands();
  for (Operation &op : *block)
    if (sunk.contains(&op)) order.push_back(&op);
  if (!operandsFit() || !resultsFit()) return false;
  move();
  return true;
}

namespace {
struct SinkIntoRepeats : heddle::impl::SinkIntoRepeatsBase<SinkIntoRepeats> {
  void runOnOperation() override {
    getOperation().walk<WalkOrder::PreOrder>([](Block *block) {
      if (isa<AttentionOp, AttentionBackwardOp, FusedOp>(block->getParentOp())) return;
      for (RepeatOp repeat : SmallVector<RepeatOp>(block->getOps<RepeatOp>())) sinkInto(repeat);
    });
  }
  static void sinkInto(RepeatOp repeat) {
    // What moved in is nothing that could move in again.
    for (unsigned i = repeat.getCarried().size(), end = repeat.getNumResults(); i < end;) {
      bool moved = runOptional(repeat, "sink-into-repeats: use up what a repeat collects in its turns", [&] {
        Sinker sinker(repeat, i);
        bool moved = sinker.run();
        repeat = sinker.repeat;
        return moved;
      });
      if (moved) --end;
      else ++i;
    }
  }
};
}  // namespace
