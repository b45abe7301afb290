// DeriveBackward: reverse-mode differentiation of an entry, op by op.
//
// First, what depends on a trained parameter is marked active. Then the ops are visited last to first; when an op's
// turn comes, all uses of its result have added their share to the result's gradient (in program order reversed, which
// fixes the order of the sums), and its row in Gradients.cpp adds to those of its active operands. What reaches no
// parameter is never computed.
//
// A `repeat` becomes a second `repeat` that runs the other way. Its body is the walk over the forward body. It carries
// the gradients of carried values and, growing by one term an iteration, those of values captured from above; it
// collects the gradients of stacked operands. While it is built it uses values of the forward body as if they were in
// scope; SavedValues then saves or recomputes them. Loops within loops come out of the same two steps.
//
// The graph has to be as the frontend makes it or decomposed further, but not fused: a fused op has no row.
#include "passes/graph/DeriveBackward.h"
#include "passes/Passes.h"
#include "passes/graph/BackwardWalk.h"
#include "passes/graph/Gradients.h"
#include "passes/graph/SavedValues.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/RegionUtils.h"

namespace heddle {
#define GEN_PASS_DEF_DERIVEBACKWARD
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

Location heddle::gradientLoc(Location loc) {
  if (auto named = dyn_cast<NameLoc>(loc))
    return NameLoc::get(StringAttr::get(loc.getContext(), "grad." + named.getName().str()), named.getChildLoc());
  return loc;
}

Activity::Activity(Block &block, ArrayRef<Value> roots) : active(roots.begin(), roots.end()) {
  while (spread(block)) {}
}
bool Activity::mark(Value value, bool when) { return when && tensorOf(value).isFloat() && active.insert(value).second; }
bool Activity::spread(Block &block) {
  bool changed = false;
  for (Operation &op : block.without_terminator()) {
    auto repeat = dyn_cast<RepeatOp>(op);
    if (!repeat) {
      bool any = gradientRow(&op) != GradientRow::Zero &&
                 llvm::any_of(op.getOperands(), [&](Value operand) { return contains(operand); });
      for (Value result : op.getResults()) changed |= mark(result, any);
      continue;
    }
    OperandRange yielded = cast<YieldOp>(repeat.getYield()).getValues();
    for (auto [arg, init, next] : llvm::zip(repeat.getCarriedArgs(), repeat.getCarried(), yielded))
      changed |= mark(arg, contains(init) || contains(next));
    for (auto [arg, operand] : llvm::zip(repeat.getStackedArgs(), repeat.getStacked()))
      changed |= mark(arg, contains(operand));
    changed |= spread(repeat.getBody().front());
    for (auto [result, next] : llvm::zip(repeat.getResults(), yielded))
      changed |= mark(result, contains(next));
  }
  return changed;
}

void BackwardWalk::add(Value value, Value gradient) {
  Value &sum = gradients[value];
  sum = sum ? AddOp::create(builder, gradient.getLoc(), sum.getType(), sum, gradient).getResult() : gradient;
}
Value BackwardWalk::gradientOrZero(GraphBuilder &b, Value value) {
  Value gradient = gradientOf(value);
  return gradient ? gradient : b.fill(tensorOf(value), 0);
}
LogicalResult BackwardWalk::run(ArrayRef<Operation *> ops) {
  for (Operation *op : llvm::reverse(ops)) {
    auto repeat = dyn_cast<RepeatOp>(op);
    auto attention = dyn_cast<AttentionOp>(op);
    if (failed(repeat ? visitRepeat(repeat) : attention ? visitAttention(attention) : visit(op))) return failure();
  }
  return success();
}
LogicalResult BackwardWalk::run(Block &forward) {
  SmallVector<Operation *> ops;
  for (Operation &op : forward.without_terminator()) ops.push_back(&op);
  return run(ops);
}

LogicalResult BackwardWalk::visit(Operation *op) {
  if (llvm::none_of(op->getResults(), [&](Value result) { return gradientOf(result); })) return success();
  GradientRow row = gradientRow(op);
  if (row == GradientRow::Missing) return op->emitOpError("has no gradient; derive backward before fusing");
  if (row == GradientRow::Zero) return success();
  // Ops that scale each element of the result's gradient, and mix none: a zero stays one.
  bool scales = op->hasTrait<IsElementwise>() || isa<RenameOp, RegroupOp, ReduceOp, CrossEntropyOp>(op);
  bool isMasked = scales && masked.contains(op->getResult(0));
  auto select = dyn_cast<SelectOp>(op);
  bool isDropout = select && select.getCondition().getDefiningOp<BernoulliOp>();
  bool masks = isMasked || (select && !isDropout) || isa<MinOp, MaxOp>(op);
  auto wants = [&](Value operand) { return activity.contains(operand); };
  auto take = [&](Value operand, Value gradient) {
    add(operand, gradient);
    if (masks) masked.insert(operand);
  };
  OpGradient gradient{
      GraphBuilder(builder, gradientLoc(op->getLoc())), op, gradientOf(op->getResult(0)), isMasked, wants, take};
  applyGradientRow(gradient);
  return success();
}

// The carried values whose gradient has to flow through the loop: those of results with a gradient, and those that
// such a value is computed from, now or an iteration later.
llvm::SetVector<unsigned> BackwardWalk::reachedCarries(RepeatOp forward) {
  OperandRange yielded = cast<YieldOp>(forward.getYield()).getValues();
  llvm::SetVector<unsigned> reached;
  llvm::DenseSet<Value> seen;
  SmallVector<Value> work;
  for (auto [i, result] : llvm::enumerate(forward.getResults())) {
    if (!gradientOf(result)) continue;
    if (i < forward.getCarried().size()) reached.insert(i);
    work.push_back(yielded[i]);
  }
  while (!work.empty()) {
    Value value = work.pop_back_val();
    bool isInside = forward.getBody().isAncestor(value.getParentRegion());
    if (!activity.contains(value) || !isInside || !seen.insert(value).second) continue;
    if (Operation *op = value.getDefiningOp()) {
      llvm::append_range(work, op->getOperands());
      SetVector<Value> captured;
      getUsedValuesDefinedAbove(op->getRegions(), captured);
      llvm::append_range(work, captured);
    } else if (unsigned number = cast<BlockArgument>(value).getArgNumber(); number <= forward.getCarried().size()) {
      reached.insert(number - 1);
      work.push_back(yielded[number - 1]);
    }
  }
  SmallVector<unsigned> sorted = reached.takeVector();
  llvm::sort(sorted);
  return {sorted.begin(), sorted.end()};
}

LogicalResult BackwardWalk::visitRepeat(RepeatOp forward) {
  if (llvm::none_of(forward.getResults(), [&](Value result) { return gradientOf(result); })) return success();
  Location loc = gradientLoc(forward.getLoc());
  GraphBuilder outside(builder, loc);
  auto yielded = SmallVector<Value>(cast<YieldOp>(forward.getYield()).getValues());
  llvm::SetVector<unsigned> reached = reachedCarries(forward);

  // The arguments: the index, gradients of carried values, slices of the gradients of collected ones.
  auto body = std::make_unique<Block>();
  OpBuilder inner(forward.getContext());
  inner.setInsertionPointToEnd(body.get());
  BackwardWalk walk(activity, inner, detached, recomputeUpTo);
  SmallVector<Value> carried, stacked;
  body->addArgument(forward.getIndex().getType(), loc);
  for (unsigned i : reached) {
    carried.push_back(gradientOrZero(outside, forward.getResult(i)));
    Value arg = body->addArgument(carried.back().getType(), loc);
    if (activity.contains(yielded[i])) walk.add(yielded[i], arg);
  }
  for (unsigned i = forward.getCarried().size(); i < forward.getNumResults(); ++i) {
    Value gradient = gradientOf(forward.getResult(i));
    if (!gradient || !activity.contains(yielded[i])) continue;
    stacked.push_back(gradient);
    walk.add(yielded[i], body->addArgument(yielded[i].getType(), loc));
  }
  if (failed(walk.run(forward.getBody().front()))) return failure();

  // What the body yields: gradients of carried values, sums of those of captured ones, gradients of slices.
  GraphBuilder inside(inner, loc);
  SmallVector<Value> next;
  for (unsigned i : reached) next.push_back(walk.gradientOrZero(inside, forward.getCarriedArgs()[i]));
  SetVector<Value> above;
  getUsedValuesDefinedAbove(forward.getBody(), above);
  SmallVector<Value> captured;
  for (Value value : above) {
    Value gradient = activity.contains(value) ? walk.gradientOf(value) : Value();
    if (!gradient) continue;
    Value sum = body->insertArgument(1 + carried.size(), value.getType(), loc);
    next.push_back(inside.add(sum, gradient));
    carried.push_back(gradientOrZero(outside, value));
    captured.push_back(value);
  }
  SmallVector<Type> types(ValueRange(carried).getTypes());
  SmallVector<unsigned> slices;
  for (auto [k, arg] : llvm::enumerate(forward.getStackedArgs())) {
    Value gradient = walk.gradientOf(arg);
    if (!gradient) continue;
    next.push_back(gradient);
    types.push_back(forward.getStacked()[k].getType());
    slices.push_back(k);
  }
  YieldOp::create(inner, loc, next);

  forward = saveForBackward(forward, *body, stacked, detached, recomputeUpTo);
  auto backward = RepeatOp::create(builder, loc, types, builder.getStringAttr(forward.getName() + ".backward"),
                                   forward.getAxisAttr(), forward.getCountAttr(),
                                   forward.getReverse() ? UnitAttr() : builder.getUnitAttr(), carried, stacked);
  backward.getBody().push_back(body.release());

  size_t result = reached.size();
  for (Value value : captured) gradients[value] = backward.getResult(result++);
  for (auto [at, i] : llvm::enumerate(reached))
    if (activity.contains(forward.getCarried()[i])) add(forward.getCarried()[i], backward.getResult(at));
  for (unsigned k : slices) add(forward.getStacked()[k], backward.getResult(result++));
  return success();
}

//===------------------------------------------------------------------------------------------------- entries
// The result that `heddle.minimise` names, or -1.
static int lossIndex(func::FuncOp entry, StringRef name) {
  for (const std::string &wanted : {"loss." + name.str(), name.str()})
    for (unsigned i = 0; i < entry.getNumResults(); ++i)
      if (auto known = entry.getResultAttrOfType<StringAttr>(i, kNameAttr); known && known.getValue() == wanted)
        return i;
  return -1;
}

// Reads are moved to the entry's top level, where their gradients can be results.
static void hoistReads(func::FuncOp entry) {
  entry.walk([&](ReadOp read) {
    while (read->getParentOp() != entry) read->moveBefore(read->getParentOp());
  });
}

namespace {
/// Something whose gradient becomes a result.
struct Wanted {
  SmallVector<Value> values;  // all reads of one parameter, or one argument
  SmallVector<NamedAttribute> attributes;
};
}  // namespace

static SmallVector<Wanted> wantedGradients(func::FuncOp entry, bool inputs) {
  Builder builder(entry.getContext());
  auto named = [&](StringRef name) { return builder.getNamedAttr(kNameAttr, builder.getStringAttr("grad." + name)); };
  SmallVector<Wanted> wanted;
  for (auto variable : entry->getParentOfType<ModuleOp>().getOps<VariableOp>()) {
    bool trained = variable.getKind() == "parameter" && !variable.getFrozen();
    if (!trained || !cast<Tensor>(variable.getType()).isFloat()) continue;
    Wanted parameter{{}, {named(variable.getSymName())}};
    if (variable.getRepeats())
      parameter.attributes.push_back(builder.getNamedAttr(kRepeatsAttr, variable.getRepeatsAttr()));
    for (auto read : entry.getOps<ReadOp>())
      if (read.getVariable() == variable.getSymName()) parameter.values.push_back(read);
    if (!parameter.values.empty()) wanted.push_back(parameter);
  }
  for (BlockArgument arg : entry.getArguments()) {
    auto name = entry.getArgAttrOfType<StringAttr>(arg.getArgNumber(), kNameAttr);
    if (inputs && name && tensorOf(arg).isFloat()) wanted.push_back({{arg}, {named(name.getValue())}});
  }
  return wanted;
}

LogicalResult heddle::deriveBackward(func::FuncOp entry, double recomputeUpTo) {
  auto minimise = entry->getAttrOfType<StringAttr>(kMinimiseAttr);
  if (!minimise) return entry.emitError("no loss to minimise: the entry lacks heddle.minimise");
  int index = lossIndex(entry, minimise.getValue());
  if (index < 0)
    return entry.emitError() << "no result is named " << minimise << " or \"loss." << minimise.getValue() << "\"";
  Operation *end = entry.getBody().front().getTerminator();
  Value loss = end->getOperand(index);
  if (!tensorOf(loss).isFloat() || tensorOf(loss).getRank() != 0)
    return entry.emitError() << "the loss " << minimise << " is " << loss.getType()
                             << "; only an f32 scalar can be minimised";

  hoistReads(entry);
  bool inputs = entry->hasAttr(kInputGradientsAttr);
  SmallVector<Wanted> wanted = wantedGradients(entry, inputs);
  SmallVector<Value> roots;
  for (Wanted &each : wanted) llvm::append_range(roots, each.values);
  Activity activity(entry.getBody().front(), roots);
  if (!activity.contains(loss) && !inputs)
    return entry.emitError() << "the loss " << minimise << " depends on no parameter that is trained";

  OpBuilder builder(end);
  GraphBuilder b(builder, gradientLoc(loss.getLoc()));
  SmallVector<Operation *> detached;
  BackwardWalk walk(activity, builder, detached, recomputeUpTo);
  if (activity.contains(loss)) walk.add(loss, b.number(1));
  LogicalResult walked = walk.run(entry.getBody().front());
  for (Operation *op : detached) op->erase();
  if (failed(walked)) return failure();

  for (Wanted &each : wanted) {
    Tensor type = tensorOf(each.values.front());
    Value sum;
    for (Value value : each.values) {
      Value gradient = walk.gradientOf(value);
      if (gradient) sum = sum ? b.add(sum, b.as(gradient, type)) : b.as(gradient, type);
    }
    if (!sum && !inputs) continue;
    if (!sum) sum = b.fill(type, 0);
    end->insertOperands(end->getNumOperands(), sum);
    if (failed(entry.insertResult(entry.getNumResults(), sum.getType(), builder.getDictionaryAttr(each.attributes))))
      return failure();
  }
  entry->removeAttr(kMinimiseAttr);
  entry->removeAttr(kInputGradientsAttr);
  return success();
}

namespace {
struct DeriveBackward : heddle::impl::DeriveBackwardBase<DeriveBackward> {
  using DeriveBackwardBase::DeriveBackwardBase;
  void runOnOperation() override {
    for (auto entry : getOperation().getOps<func::FuncOp>())
      if (entry->hasAttr(kMinimiseAttr) && failed(deriveBackward(entry, recomputeUpTo))) return signalPassFailure();
  }
};
}  // namespace
