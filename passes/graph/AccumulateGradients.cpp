// AccumulateGradients: @train of one micro-batch, gradients included, becomes a loop over all of a step.
//
// Everything that the loop computes is a sum over micro-batches (the frontend has seen to that), so it carries the sums of
// losses and gradients, and the memory of one micro-batch serves them all. A loop in front of it adds up the counts. The
// data of all micro-batches are arguments, stacked along the axis `$micro`; the loop's index is the argument `$micro`
// that numbers the random masks. A state goes from micro-batch to micro-batch: the loop carries it from the entry's read
// to its write.
#include "passes/graph/AccumulateGradients.h"
#include "passes/graph/GraphBuilder.h"
#include "passes/lower/Lowering.h"
#include "runtime/Abi.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/Pass.h"

namespace heddle {
#define GEN_PASS_DEF_ACCUMULATEGRADIENTS
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

static StringRef nameOfArgument(func::FuncOp entry, unsigned i) {
  auto name = entry.getArgAttrOfType<StringAttr>(i, kNameAttr);
  return name ? name.getValue() : "";
}

namespace {
class Accumulation {
public:
  Accumulation(func::FuncOp train, func::FuncOp counts, int64_t number)
      : train(train), counts(counts), number(number), builder(train.getContext()),
        axis(builder.getStringAttr(kMicroAxis)) {}

  LogicalResult run() {
    Block *old = &train.getBody().front();
    Block *fresh = builder.createBlock(&train.getBody());
    SmallVector<NamedAttrList> attributes;
    // Arguments: the data of all micro-batches; counters as they are.
    for (BlockArgument argument : old->getArguments()) {
      StringRef name = nameOfArgument(train, argument.getArgNumber());
      if (name == "$micro" || name.starts_with("count.")) continue;
      auto type = cast<Tensor>(argument.getType());
      if (name.starts_with("data.")) type = type.withLeading(axis, number);
      arguments[name] = fresh->addArgument(type, argument.getLoc());
      attributes.push_back(train.getArgAttrDict(argument.getArgNumber()));
    }
    // Reads stand at the top of an entry.
    for (ReadOp read : llvm::to_vector(old->getOps<ReadOp>())) read->moveBefore(fresh, fresh->end());
    if (counts)
      for (auto [i, total] : llvm::enumerate(loop(counts.getBody().front(), counts)))
        totals[cast<StringAttr>(counts.getResultAttr(i, kNameAttr)).getValue()] = total;
    ValueRange results = loop(*old, train);
    builder.setInsertionPointToEnd(fresh);
    func::ReturnOp::create(builder, old->getTerminator()->getLoc(), results);
    old->erase();
    train.setFunctionType(builder.getFunctionType(fresh->getArgumentTypes(), TypeRange(results)));
    SmallVector<DictionaryAttr> dictionaries;
    for (NamedAttrList &list : attributes) dictionaries.push_back(list.getDictionary(train.getContext()));
    train.setAllArgAttrs(dictionaries);
    train->removeAttr(kAccumulateAttr);
    if (counts) counts.erase();
    return success();
  }

private:
  // What a state is before the step.
  Value before(WriteOp write) {
    for (ReadOp read : train.getBody().back().getOps<ReadOp>())
      if (read.getVariable() == write.getVariable()) return read.getResult();
    return ReadOp::create(builder, write.getLoc(), write.getValue().getType(), write.getVariable());
  }

  // The sums of what `body`, which is moved into a loop, returns over all micro-batches.
  ValueRange loop(Block &body, func::FuncOp entry) {
    Location loc = entry.getLoc();
    builder.setInsertionPointToEnd(&train.getBody().back());
    GraphBuilder b(builder, loc);
    Operation *end = body.getTerminator();
    SmallVector<Value> zeros, stacked;
    SmallVector<unsigned> data;
    for (Value value : end->getOperands()) zeros.push_back(b.fill(tensorOf(value), 0));
    auto states = llvm::to_vector(body.getOps<WriteOp>());
    SmallVector<Value> carried = zeros;
    for (WriteOp state : states) carried.push_back(before(state));
    for (BlockArgument argument : body.getArguments())
      if (StringRef name = nameOfArgument(entry, argument.getArgNumber()); name.starts_with("data.")) {
        stacked.push_back(arguments[name]);
        data.push_back(argument.getArgNumber());
      }
    auto repeat = RepeatOp::create(builder, loc, TypeRange(ValueRange(carried)), builder.getStringAttr("micro"), axis,
                                   builder.getI64IntegerAttr(number), UnitAttr(), carried, stacked);
    Block *inside = builder.createBlock(&repeat.getBody());
    Value index = inside->addArgument(Tensor::get({}, {}, builder.getI32Type()), loc);
    for (Value value : carried) inside->addArgument(value.getType(), loc);
    for (unsigned i : data)
      body.getArgument(i).replaceAllUsesWith(inside->addArgument(body.getArgument(i).getType(), loc));
    for (BlockArgument argument : body.getArguments()) {
      StringRef name = nameOfArgument(entry, argument.getArgNumber());
      if (name == "$micro") argument.replaceAllUsesWith(index);
      else if (name.starts_with("count.")) argument.replaceAllUsesWith(totals[name]);
      else if (!name.starts_with("data.")) argument.replaceAllUsesWith(arguments[name]);
    }
    inside->getOperations().splice(inside->end(), body.getOperations(), body.begin(), end->getIterator());
    for (size_t i = zeros.size(); i < carried.size(); ++i)
      carried[i].replaceUsesWithIf(inside->getArgument(1 + i),
                                   [&](OpOperand &use) { return repeat->isProperAncestor(use.getOwner()); });
    builder.setInsertionPointToEnd(inside);
    SmallVector<Value> sums;
    for (auto [i, value] : llvm::enumerate(end->getOperands()))
      sums.push_back(AddOp::create(builder, value.getLoc(), value.getType(), inside->getArgument(1 + i), value));
    for (WriteOp state : states) sums.push_back(state.getValue());
    YieldOp::create(builder, loc, sums);
    builder.setInsertionPointAfter(repeat);
    for (auto [i, state] : llvm::enumerate(states)) {
      WriteOp::create(builder, state.getLoc(), repeat.getResult(zeros.size() + i), state.getVariable());
      state.erase();
    }
    return repeat.getResults().take_front(zeros.size());
  }

  func::FuncOp train, counts;
  int64_t number;
  OpBuilder builder;
  StringAttr axis;
  llvm::StringMap<Value> arguments, totals;
};

struct AccumulateGradients : heddle::impl::AccumulateGradientsBase<AccumulateGradients> {
  void runOnOperation() override {
    for (auto train : llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      auto number = train->getAttrOfType<IntegerAttr>(kAccumulateAttr);
      if (!number) continue;
      WalkResult deepest = train.walk([](RepeatOp repeat) {
        return repeatDepth(repeat) + 1 < HEDDLE_MAX_LOOPS ? WalkResult::advance() : WalkResult::interrupt();
      });
      if (deepest.wasInterrupted()) {
        train.emitError() << "micro-batches are a loop around all others, and loops nest at most " << HEDDLE_MAX_LOOPS << " deep";
        return signalPassFailure();
      }
      auto counts = getOperation().lookupSymbol<func::FuncOp>((train.getSymName() + kCountsSuffix).str());
      if (failed(Accumulation(train, counts, number.getInt()).run())) return signalPassFailure();
    }
  }
};
}  // namespace
