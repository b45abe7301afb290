// Chooses between saving and recomputing by bytes: a value of the forward body that backward uses is computed again if
// what that starts from (its leaves) is smaller than the value itself, counting nothing for leaves that are saved
// anyway, for parameters, positions, constants and random masks. So of gelu_tanh(x) only x is kept, of dropout
// nothing, of a norm its input. Matrix products, attention and reductions are repeated only where memory is short
// (`recomputeUpTo`): every layer then starts from its input, as in Chen et al. 2016, or from what is dear to compute.
//
// This is greedy in program order; a minimum cut (as PyTorch's partitioner) would be optimal, but chains in
// transformer blocks are short and meet at values that are saved for products anyway.
#include "mlir/IR/IRMapping.h"
#include "passes/graph/SavedValues.h"

#include "passes/Work.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace heddle;

// Ops whose clone computes the same; loops in the loop are not looked into.
static bool isRepeatable(Operation *op) { return op && !isa<RepeatOp>(op); }

static bool isCheap(Operation *op) {
  return op && (op->hasTrait<IsElementwise>() ||
                isa<ConstantOp, PositionOp, BernoulliOp, RenameOp, RegroupOp, ConcatOp, GatherOp, LayerNormOp, RmsNormOp>(op));
}

// Of the op itself, or where it is cheap of what stands behind it, each op once. What is no product costs one for each element
// read.
static int64_t flopsAgain(Value value, Block *block, llvm::DenseSet<Operation *> &seen) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != block || !seen.insert(op).second) return 0;
  int64_t flops = flopsOfProducts(op);
  if (flops) return flops;
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<Tensor>(operand.getType());
    flops = addWork(flops, isCheap(op) ? flopsAgain(operand, block, seen) : type ? type.getNumElements() : 0);
  }
  return flops;
}

// FLOPs that computing a value of a loop's body again takes for each of its bytes. The number of the value among those that
// the loop saves tells apart what costs the same, so that as much of it can be chosen as is needed.
static double flopsPerByte(Value value, size_t number = 0) {
  double bytes = 4.0 * double(tensorOf(value).getNumElements());
  llvm::DenseSet<Operation *> seen;
  return double(flopsAgain(value, value.getDefiningOp()->getBlock(), seen)) / bytes * (1 + kCostStep * double(number));
}

namespace {
using Values = llvm::SetVector<Value>;

class Saving {
public:
  Saving(RepeatOp forward, Block &body, SmallVectorImpl<Value> &stacked, double recomputeUpTo)
      : forward(forward), body(body), stacked(stacked), front(forward.getContext()), recomputeUpTo(recomputeUpTo) {
    front.setInsertionPointToStart(&body);
  }

  RepeatOp run(SmallVectorImpl<Operation *> &detached) {
    SmallVector<Value> values = demanded();
    choose(values);
    if (recomputeUpTo >= 0) saveLess(values);
    RepeatOp extended = collect();
    if (extended != forward) detached.push_back(forward);
    forward = extended;
    SmallVector<OpOperand *> uses;
    forEachUse([&](OpOperand &use) { uses.push_back(&use); });
    for (OpOperand *use : uses) use->set(materialise(use->get()));
    return forward;
  }

private:
  // `body` itself stands in no region yet.
  bool isInside(Value value) {
    Region *region = value.getParentRegion();
    return region && forward.getBody().isAncestor(region);
  }
  // Readable in backward without saving anything: the index, slices of stacked operands.
  bool isGiven(Value value) {
    return value == Value(forward.getIndex()) || llvm::is_contained(forward.getStackedArgs(), value);
  }
  static int64_t bytes(Value value) { return 4 * tensorOf(value).getNumElements(); }

  void forEachUse(function_ref<void(OpOperand &)> visit) {
    body.walk([&](Operation *op) {
      for (OpOperand &use : op->getOpOperands())
        if (isInside(use.get())) visit(use);
    });
  }
  // In program order, so that the choice does not depend on the order of uses.
  SmallVector<Value> demanded() {
    Values values;
    forEachUse([&](OpOperand &use) { values.insert(use.get()); });
    SmallVector<Value> sorted = values.takeVector();
    llvm::sort(sorted, [](Value a, Value b) {
      auto argA = dyn_cast<BlockArgument>(a), argB = dyn_cast<BlockArgument>(b);
      if (argA || argB) return argA && (!argB || argA.getArgNumber() < argB.getArgNumber());
      if (a.getDefiningOp() != b.getDefiningOp()) return a.getDefiningOp()->isBeforeInBlock(b.getDefiningOp());
      return cast<OpResult>(a).getResultNumber() < cast<OpResult>(b).getResultNumber();
    });
    return sorted;
  }

  // What computing `value` again starts from and is not saved yet.
  void leaves(Value value, Values &found, llvm::DenseSet<Value> &seen) {
    if (!isInside(value) || isGiven(value) || saved.contains(value) || !seen.insert(value).second) return;
    if (!isCheap(value.getDefiningOp())) {
      found.insert(value);
      return;
    }
    for (Value operand : value.getDefiningOp()->getOperands()) leaves(operand, found, seen);
  }
  void choose(ArrayRef<Value> demanded) {
    for (Value value : demanded)
      if (!isGiven(value) && !isCheap(value.getDefiningOp())) saved.insert(value);
    for (Value value : demanded) {
      Values found;
      llvm::DenseSet<Value> seen;
      leaves(value, found, seen);
      int64_t cost = 0;
      for (Value leaf : found) cost += bytes(leaf);
      if (cost < bytes(value)) saved.insert(found.begin(), found.end());
      else if (!found.empty()) saved.insert(value);
    }
  }

  // Drops what may be computed again, and saves what that starts from.
  void saveLess(ArrayRef<Value> demanded) {
    Values dropped;
    for (auto [number, value] : llvm::enumerate(saved)) {
      Operation *op = value.getDefiningOp();
      if (isRepeatable(op) && op->getBlock() == &forward.getBody().front() && flopsPerByte(value, number) <= recomputeUpTo)
        dropped.insert(value);
    }
    saved.remove_if([&](Value value) { return dropped.contains(value); });
    llvm::DenseSet<Value> seen;
    // Behind a value that is dropped one dear op may stand that was not to be saved; what stands behind that is.
    std::function<void(Value, bool)> start = [&](Value value, bool behindDropped) {
      if (!isInside(value) || isGiven(value) || saved.contains(value) || !seen.insert(value).second) return;
      bool isDropped = dropped.contains(value), cheap = isCheap(value.getDefiningOp());
      if (!isRepeatable(value.getDefiningOp()) || !(isDropped || cheap || behindDropped)) return void(saved.insert(value));
      for (Value operand : value.getDefiningOp()->getOperands()) start(operand, isDropped || (cheap && behindDropped));
    };
    for (Value value : demanded) start(value, false);
  }

  // The forward loop with a stack for every saved value.
  RepeatOp collect() {
    auto yield = cast<YieldOp>(forward.getYield());
    size_t carried = forward.getCarried().size();
    SmallVector<Value> added;
    SmallVector<Type> types(forward.getResultTypes());
    for (Value value : saved) {
      auto collected = yield.getValues().drop_front(carried);
      auto it = llvm::find(collected, value);
      if (it != collected.end()) {
        position[value] = carried + (it - collected.begin());
        continue;
      }
      position[value] = types.size();
      added.push_back(value);
      types.push_back(tensorOf(value).withLeading(forward.getAxisAttr(), forward.getCount()));
    }
    if (added.empty()) return forward;
    yield.getValuesMutable().append(added);
    OpBuilder builder(forward);
    auto extended = RepeatOp::create(builder, forward.getLoc(), types, forward.getNameAttr(), forward.getAxisAttr(),
                                     forward.getCountAttr(), forward.getReverseAttr(), forward.getCarried(),
                                     forward.getStacked());
    extended->setDiscardableAttrs(forward->getDiscardableAttrDictionary());
    extended.getBody().takeBody(forward.getBody());
    forward->replaceAllUsesWith(extended->getResults().take_front(forward.getNumResults()));
    forward->remove();
    return extended;
  }

  Value stack(Value slice, Value operand) {
    stacked.push_back(operand);
    return body.addArgument(slice.getType(), slice.getLoc());
  }
  // The value in the backward body that equals `value` of the forward body.
  Value materialise(Value value) {
    if (!isInside(value)) return value;
    Value &known = materialised[value];
    if (known) return known;
    Value made;
    if (value == Value(forward.getIndex())) {
      made = body.getArgument(0);
    } else if (auto it = position.find(value); it != position.end()) {
      made = stack(value, forward.getResult(it->second));
    } else if (auto it = llvm::find(forward.getStackedArgs(), value); it != forward.getStackedArgs().end()) {
      made = stack(value, forward.getStacked()[it - forward.getStackedArgs().begin()]);
    } else {
      Operation *op = value.getDefiningOp();
      IRMapping mapping;
      for (Value operand : op->getOperands()) mapping.map(operand, materialise(operand));
      Operation *again = front.clone(*op, mapping);
      for (auto [result, copy] : llvm::zip(op->getResults(), again->getResults())) materialised[result] = copy;
      return materialised[value];
    }
    return materialised[value] = made;
  }

  RepeatOp forward;
  Block &body;
  SmallVectorImpl<Value> &stacked;
  OpBuilder front;  // before everything that the body holds so far
  Values saved;
  llvm::DenseMap<Value, unsigned> position;  // of a saved value's stack among the results
  llvm::DenseMap<Value, Value> materialised;
  const double recomputeUpTo;
};
}  // namespace

RepeatOp heddle::saveForBackward(RepeatOp forward, Block &body, SmallVectorImpl<Value> &stacked,
                                 SmallVectorImpl<Operation *> &detached, double recomputeUpTo) {
  return Saving(forward, body, stacked, recomputeUpTo).run(detached);
}

// Does a backward loop read what a loop has stacked, or what the loop around it has stacked of that?
static bool isForBackward(Value stack) {
  return llvm::any_of(stack.getUses(), [&](OpOperand &use) {
    if (auto loop = dyn_cast<RepeatOp>(use.getOwner())) return loop.getName().ends_with(".backward");
    auto outer = dyn_cast<RepeatOp>(use.getOwner()->getParentOp());
    return isa<YieldOp>(use.getOwner()) && outer && isForBackward(outer.getResult(use.getOperandNumber()));
  });
}

std::vector<SavedValue> heddle::savedValues(ModuleOp module) {
  std::vector<SavedValue> values;
  module.walk([&](RepeatOp loop) {
    auto yield = cast<YieldOp>(loop.getYield());
    for (size_t i = loop.getCarried().size(); i < loop.getNumResults(); ++i)
      if (Value value = yield.getValues()[i]; isRepeatable(value.getDefiningOp()) && isForBackward(loop.getResult(i)))
        values.push_back({value, flopsPerByte(value)});
  });
  return values;
}
