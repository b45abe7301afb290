// What is done element by element with all that a repeat collects is done in each of its turns, with the element that the
// turn makes. So the gradient of a layer's weights is used up by their update in the turn of that layer: the gradients of
// all layers never exist at once, and the update finds its gradient in the cache (PyTorch's tutorial on fusing the optimizer
// step into backward does so by hooks).
//
// Ops move in where nothing else needs the stack: the elementwise ops and the sums over other axes that follow from it, and
// the elementwise ops that only those use. A gradient that is scaled by the norm of all gradients stays.
#include "passes/OptionalRewrite.h"
#include "passes/Passes.h"
#include "passes/graph/GraphBuilder.h"
#include "passes/graph/Views.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"

namespace heddle {
#define GEN_PASS_DEF_SINKINTOREPEATS
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

namespace {
class Sinker {
public:
  explicit Sinker(RepeatOp repeat);
  /// Moves in what follows from one collected result. Whether there was something.
  bool run(unsigned number);

private:
  bool isStack(Value value);
  bool canSink(Operation *op);
  bool findOps(OpResult collected);
  void addPrivateOperands();
  bool operandsFit();
  bool canHoist(Value value);
  void hoist(Value value);
  bool writesFit(ReadOp read);
  bool resultsFit(OpResult collected);
  void move();

  RepeatOp repeat;
  Block *block;
  llvm::DenseSet<Value> dependent;                      // on the repeat
  llvm::SmallDenseSet<Operation *> sunk;
  SmallVector<Operation *> order;                       // of those, as in the block
  SmallVector<Value> results;                           // of those, used elsewhere
};
}  // namespace

Sinker::Sinker(RepeatOp repeat) : repeat(repeat), block(repeat->getBlock()) {
  dependent.insert(repeat->result_begin(), repeat->result_end());
  for (Operation *op = repeat->getNextNode(); op; op = op->getNextNode()) {
    bool depends = false;
    op->walk([&](Operation *inner) {
      depends |= llvm::any_of(inner->getOperands(), [&](Value value) { return dependent.contains(value); });
    });
    if (depends) dependent.insert(op->result_begin(), op->result_end());
  }
}

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
bool Sinker::findOps(OpResult collected) {
  llvm::DenseSet<Value> inside(repeat.getCollected().begin(), repeat.getCollected().end());
  llvm::SmallDenseSet<Value> reached{collected};
  auto isKnown = [&](Value value) { return inside.contains(value) || !dependent.contains(value); };
  for (Operation *op = repeat->getNextNode(); op; op = op->getNextNode()) {
    if (llvm::none_of(op->getOperands(), [&](Value value) { return reached.contains(value); })) continue;
    if (!canSink(op) || !llvm::all_of(op->getOperands(), isKnown)) continue;
    sunk.insert(op);
    inside.insert(op->getResult(0));
    reached.insert(op->getResult(0));
  }
  return !sunk.empty() && llvm::all_of(collected.getUsers(), [&](Operation *user) { return sunk.contains(user); });
}

// Elementwise ops that only these need.
void Sinker::addPrivateOperands() {
  SmallVector<Operation *> work(sunk.begin(), sunk.end());
  while (!work.empty())
    for (Value operand : work.pop_back_val()->getOperands()) {
      Operation *def = operand.getDefiningOp();
      if (!def || sunk.contains(def) || !canSink(def) || dependent.contains(operand)) continue;
      if (!llvm::all_of(def->getUsers(), [&](Operation *user) { return sunk.contains(user); })) continue;
      sunk.insert(def);
      work.push_back(def);
    }
}

// Whether a value that does not depend on the repeat can be there before it.
bool Sinker::canHoist(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != block || op->isBeforeInBlock(repeat)) return true;
  if (auto read = dyn_cast<ReadOp>(op)) {
    for (Operation *between = repeat; between != op; between = between->getNextNode())
      if (auto write = dyn_cast<WriteOp>(between); write && write.getVariableAttr() == read.getVariableAttr()) return false;
    return true;
  }
  return isPure(op) && op->getNumRegions() == 0 && llvm::all_of(op->getOperands(), [&](Value operand) { return canHoist(operand); });
}
void Sinker::hoist(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != block || op->isBeforeInBlock(repeat)) return;
  for (Value operand : op->getOperands()) hoist(operand);
  op->moveBefore(repeat);
}

bool Sinker::operandsFit() {
  return llvm::all_of(sunk, [&](Operation *op) {
    return llvm::all_of(op->getOperands(), [&](Value value) {
      bool inside = sunk.contains(value.getDefiningOp()) || value.getDefiningOp() == repeat;
      return inside || (canHoist(value) && !isa_and_nonnull<PositionOp>(value.getDefiningOp()));
    });
  });
}

// Whether a new value may take the variable's place turn by turn: whoever reads the variable does so before the repeat, or
// is the repeat, element by element.
bool Sinker::writesFit(ReadOp read) {
  return llvm::all_of(read->getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (sunk.contains(user)) return true;
    if (user == repeat) return use.getOperandNumber() >= repeat.getCarried().size();
    Operation *here = block->findAncestorOpInBlock(*user);
    return here && here != repeat && here->isBeforeInBlock(repeat);
  });
}

// What the sunk ops give to others must not need more memory than the stack that is saved.
bool Sinker::resultsFit(OpResult collected) {
  int64_t elements = 0;
  for (Operation *op : order) {
    Value result = op->getResult(0);
    auto outside = llvm::make_filter_range(result.getUsers(), [&](Operation *user) { return !sunk.contains(user); });
    if (outside.empty()) continue;
    results.push_back(result);
    bool stored = false;
    for (Operation *user : outside) {
      stored |= isa<WriteOp, YieldOp>(user);
      if (auto write = dyn_cast<WriteOp>(user))
        for (ReadOp read : block->getOps<ReadOp>())
          if (read.getVariableAttr() == write.getVariableAttr() && !writesFit(read)) return false;
    }
    if (!stored) elements += tensorOf(result).getNumElements();
  }
  return elements < tensorOf(collected).getNumElements();
}

void Sinker::move() {
  auto slice = [&](Tensor type) { return type.without({repeat.getAxisAttr()}); };
  Block &body = repeat.getBody().front();
  auto yield = cast<YieldOp>(repeat.getYield());
  IRMapping inside;
  for (OpResult collected : repeat.getCollected()) inside.map(collected, yield.getValues()[collected.getResultNumber()]);
  SmallVector<Value> stacked;
  auto elementOf = [&](Value stack) -> Value {
    hoist(stack);
    for (auto [known, arg] : llvm::zip(repeat.getStacked(), repeat.getStackedArgs()))
      if (known == stack) return arg;
    stacked.push_back(stack);
    return body.addArgument(slice(tensorOf(stack)), stack.getLoc());
  };
  OpBuilder builder(yield);
  for (Operation *op : order) {
    for (Value operand : op->getOperands()) {
      if (inside.contains(operand)) continue;
      if (isStack(operand)) inside.map(operand, elementOf(operand));
      else hoist(operand);
    }
    Operation *made = builder.clone(*op, inside);
    made->getResult(0).setType(slice(tensorOf(op->getResult(0))));
  }
  SmallVector<Type> types(repeat.getResultTypes());
  for (Value result : results) {
    types.push_back(result.getType());
    yield.getValuesMutable().append(inside.lookup(result));
  }
  stacked.insert(stacked.begin(), repeat.getStacked().begin(), repeat.getStacked().end());
  builder.setInsertionPoint(repeat);
  auto extended = RepeatOp::create(builder, repeat.getLoc(), types, repeat.getNameAttr(), repeat.getAxisAttr(),
                                   repeat.getCountAttr(), repeat.getReverseAttr(), repeat.getCarried(), stacked);
  extended->setDiscardableAttrs(repeat->getDiscardableAttrDictionary());
  extended.getBody().takeBody(repeat.getBody());
  for (auto [old, made] : llvm::zip(results, extended.getResults().take_back(results.size()))) old.replaceAllUsesWith(made);
  for (Operation *op : llvm::reverse(order)) op->erase();
  repeat->replaceAllUsesWith(extended->getResults().take_front(repeat.getNumResults()));
  repeat->erase();
}

// What a nest makes stays: what moved in would become part of that nest, which cannot write over what it reads after a sum.
static bool isMadeByNest(RepeatOp repeat, unsigned number) {
  return !isa_and_nonnull<ContractOp, ScatterAddOp, AttentionBackwardOp, RepeatOp>(
      viewedValue(repeat.getYield()->getOperand(number)).getDefiningOp());
}

bool Sinker::run(unsigned number) {
  OpResult collected = repeat->getResult(number);
  if (isMadeByNest(repeat, number) || !findOps(collected)) return false;
  addPrivateOperands();
  for (Operation &op : *block)
    if (sunk.contains(&op)) order.push_back(&op);
  if (!operandsFit() || !resultsFit(collected)) return false;
  move();
  return true;
}

namespace {
struct SinkIntoRepeats : heddle::impl::SinkIntoRepeatsBase<SinkIntoRepeats> {
  void runOnOperation() override {
    getOperation().walk<WalkOrder::PreOrder>([](Block *block) { sinkIn(*block); });
  }
  static void sinkIn(Block &block) {
    if (isa<AttentionOp, AttentionBackwardOp, FusedOp>(block.getParentOp())) return;
    // Results keep their numbers: those that move in come after the others.
    for (Operation *op = block.empty() ? nullptr : &block.front(); op;) {
      auto repeat = dyn_cast<RepeatOp>(op);
      Operation *before = op->getPrevNode();
      unsigned collected = repeat ? repeat.getNumResults() : 0;
      for (unsigned i = repeat ? repeat.getCarried().size() : 0; i < collected; ++i) {
        runOptional(repeat, "sink-into-repeats: use up what a repeat collects in its turns",
                    [&] { return Sinker(repeat).run(i); });
        // The repeat may have been made anew, with hoisted ops before it.
        op = before ? before->getNextNode() : &block.front();
        while (!isa<RepeatOp>(op)) op = op->getNextNode();
        repeat = cast<RepeatOp>(op);
      }
      op = op->getNextNode();
    }
  }
};
}  // namespace
