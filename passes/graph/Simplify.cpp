// Simplify: what nobody should have to think about when writing a graph or a pass. Folds constants, drops neutral
// operands, ops without use and loop results without use, spells small powers as products, and computes equal things
// once.
//
// Every rewrite keeps the value of each element in exact arithmetic, NaN and infinities included: x * 0 is not 0, and
// sums are not reassociated, but equal terms are counted. Broadcasts before elementwise ops go, because those spread their
// operands themselves. Last, constants, positions and masks of these move to where they are used: they cost nothing in a kernel, and a value
// captured by a loop would be a buffer. So no CSE after this pass: it would undo that.
#include "passes/graph/CountedPattern.h"
#include "passes/graph/FoldConstants.h"
#include "passes/graph/GraphBuilder.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>

namespace heddle {
#define GEN_PASS_DEF_SIMPLIFY
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

static void replaceWith(PatternRewriter &rewriter, Operation *op, Value value) {
  Type type = op->getResult(0).getType();
  if (value.getType() == type) rewriter.replaceOp(op, value);
  else rewriter.replaceOpWithNewOp<BroadcastOp>(op, type, value);
}
static bool isConstant(Value value, double number) {
  std::optional<double> known = constantOf(value);
  return known && *known == number;
}

// Attention's score, probability, maximum and sum have their form (attention_c3) also where all keys have one score, or a weight
// is the same everywhere.
static bool isOfAttention(Operation *op) { return isa<AttentionOp, AttentionBackwardOp>(op->getParentOp()); }

// An elementwise op of constants is a constant.
static LogicalResult foldConstants(Operation *op, PatternRewriter &rewriter) {
  std::optional<double> value = foldElementwise(op);
  if (!value) return failure();
  rewriter.replaceOpWithNewOp<ConstantOp>(op, cast<Tensor>(op->getResult(0).getType()), *value);
  return success();
}

// Elementwise ops spread their operands: they need neither broadcasts nor constants with dims.
static LogicalResult takeScalars(Operation *op, PatternRewriter &rewriter) {
  bool isShifted = isa<SubOp>(op) && isOfAttention(op) && llvm::any_of(op->getUsers(), llvm::IsaPred<ExpOp>);
  if (!op->hasTrait<IsElementwise>() || isShifted) return failure();
  bool changed = false;
  for (OpOperand &use : op->getOpOperands()) {
    Value source;
    if (auto broadcast = use.get().getDefiningOp<BroadcastOp>()) source = broadcast.getX();
    if (auto constant = use.get().getDefiningOp<ConstantOp>(); constant && tensorOf(constant).getRank())
      source = ConstantOp::create(rewriter, constant.getLoc(),
                                  Tensor::get({}, {}, tensorOf(constant).getElementType()), constant.getValue());
    if (!source) continue;
    rewriter.modifyOpInPlace(op, [&] { use.set(source); });
    changed = true;
  }
  return success(changed);
}

// x + 0, x - 0, x * 1, x / 1, -(-x), select of one value, x broadcast or cast to its own type. (-0) + 0 is 0, which no
// op but a division by it tells from -0.
static LogicalResult dropNeutral(Operation *op, PatternRewriter &rewriter) {
  Value kept;
  auto operand = [&](unsigned i) { return op->getOperand(i); };
  if (isa<AddOp, MulOp>(op)) {
    double neutral = isa<MulOp>(op);
    if (isConstant(operand(0), neutral)) kept = operand(1);
    if (isConstant(operand(1), neutral)) kept = operand(0);
  } else if (isa<SubOp, DivOp>(op) && isConstant(operand(1), isa<DivOp>(op))) {
    kept = operand(0);
  } else if (isa<NegOp>(op)) {
    if (auto inner = operand(0).getDefiningOp<NegOp>()) kept = inner.getX();
  } else if (isa<SelectOp>(op)) {
    if (operand(1) == operand(2)) kept = operand(1);
    else if (std::optional<double> condition = constantOf(operand(0)); condition && !isOfAttention(op))
      kept = operand(*condition != 0 ? 1 : 2);
  } else if (isa<BroadcastOp, CastOp>(op) && operand(0).getType() == op->getResult(0).getType()) {
    kept = operand(0);
  }
  if (!kept) return failure();
  replaceWith(rewriter, op, kept);
  return success();
}

// x^n for n = -1, 1, 2, 3, 4, and division by a power of two, as products.
static LogicalResult spellAsProduct(Operation *op, PatternRewriter &rewriter) {
  std::optional<double> y = isa<PowOp, DivOp>(op) ? constantOf(op->getOperand(1)) : std::nullopt;
  if (!y) return failure();
  Value x = op->getOperand(0);
  GraphBuilder b(rewriter, op->getLoc());
  if (isa<DivOp>(op)) {
    int exponent;
    if (*y == 0 || std::fabs(std::frexp(*y, &exponent)) != 0.5 || std::abs(exponent) > 100) return failure();
    replaceWith(rewriter, op, b.mul(x, b.number(1 / *y)));
    return success();
  }
  Value product = x;
  if (*y == -1) product = b.div(b.number(1), x);
  else if (*y == 4) product = b.mul(x, x), product = b.mul(product, product);
  else if (*y == 2 || *y == 3)
    for (int i = 1; i < *y; ++i) product = b.mul(product, x);
  else if (*y != 1) return failure();
  replaceWith(rewriter, op, product);
  return success();
}

// A sum along dims in which the terms are equal, as a product: fewer roundings, and no loop.
static LogicalResult countEqualTerms(Operation *op, PatternRewriter &rewriter) {
  auto reduce = dyn_cast<ReduceOp>(op);
  auto broadcast = reduce ? reduce.getX().getDefiningOp<BroadcastOp>() : BroadcastOp();
  if (!broadcast || reduce.getKind() != "sum" || !tensorOf(broadcast).isFloat()) return failure();
  if (isOfAttention(op)) return failure();
  SmallVector<StringAttr> over;
  double terms = 1;
  for (auto name : reduce.getOver().getAsRange<StringAttr>())
    if (tensorOf(broadcast.getX()).has(name)) over.push_back(name);
    else terms *= static_cast<double>(tensorOf(broadcast).sizeOf(name));
  if (terms == 1) return failure();
  GraphBuilder b(rewriter, op->getLoc());
  Value sum = over.empty() ? broadcast.getX() : b.sum(broadcast.getX(), over);
  replaceWith(rewriter, op, b.mul(sum, b.number(terms)));
  return success();
}

// The sum of equal numbers; a renamed constant or position; a renaming undone.
static LogicalResult lookThrough(Operation *op, PatternRewriter &rewriter) {
  Type type = op->getNumResults() == 1 ? op->getResult(0).getType() : Type();
  if (auto reduce = dyn_cast<ReduceOp>(op)) {
    std::optional<double> number = constantOf(reduce.getX());
    Tensor x = tensorOf(reduce.getX());
    if (!number || !x.isFloat() || isOfAttention(op)) return failure();
    double terms = static_cast<double>(x.getNumElements()) / cast<Tensor>(type).getNumElements();
    rewriter.replaceOpWithNewOp<ConstantOp>(op, cast<Tensor>(type),
                                            reduce.getKind() == "sum" ? *number * terms : *number);
    return success();
  }
  auto rename = dyn_cast<RenameOp>(op);
  if (!rename) return failure();
  if (std::optional<double> number = constantOf(rename.getX())) {
    rewriter.replaceOpWithNewOp<ConstantOp>(op, cast<Tensor>(type), *number);
  } else if (rename.getX().getDefiningOp<PositionOp>()) {
    rewriter.replaceOpWithNewOp<PositionOp>(op, type);
  } else if (auto inner = rename.getX().getDefiningOp<RenameOp>(); inner && inner.getTo() == rename.getFrom()) {
    if (inner.getX().getType() == type) rewriter.replaceOp(op, inner.getX());
    else if (inner.getFrom() == rename.getTo()) return failure();
    else rewriter.replaceOpWithNewOp<RenameOp>(op, type, inner.getX(), inner.getFrom(), rename.getTo());
  } else {
    return failure();
  }
  return success();
}

// Collected results without use, slices without use.
static LogicalResult trimRepeat(Operation *op, PatternRewriter &rewriter) {
  auto repeat = dyn_cast<RepeatOp>(op);
  if (!repeat) return failure();
  unsigned carried = repeat.getCarried().size();
  llvm::BitVector deadResults(repeat.getNumResults()), deadArgs(repeat.getBody().getNumArguments());
  for (unsigned i = carried; i < repeat.getNumResults(); ++i) deadResults[i] = repeat.getResult(i).use_empty();
  for (BlockArgument arg : repeat.getStackedArgs()) deadArgs[arg.getArgNumber()] = arg.use_empty();
  if (deadResults.none() && deadArgs.none()) return failure();
  SmallVector<Type> types;
  SmallVector<Value> yielded, stacked, kept;
  auto yield = cast<YieldOp>(repeat.getYield());
  for (unsigned i = 0; i < repeat.getNumResults(); ++i)
    if (!deadResults[i]) types.push_back(repeat.getResult(i).getType()), yielded.push_back(yield.getValues()[i]);
  for (auto [arg, operand] : llvm::zip(repeat.getStackedArgs(), repeat.getStacked()))
    if (!deadArgs[arg.getArgNumber()]) stacked.push_back(operand);
  auto trimmed = RepeatOp::create(rewriter, repeat.getLoc(), types, repeat.getNameAttr(), repeat.getAxisAttr(),
                                  repeat.getCountAttr(), repeat.getReverseAttr(), repeat.getCarried(), stacked);
  trimmed->setDiscardableAttrs(repeat->getDiscardableAttrDictionary());
  rewriter.modifyOpInPlace(yield, [&] { yield.getValuesMutable().assign(yielded); });
  repeat.getBody().front().eraseArguments(deadArgs);
  rewriter.inlineRegionBefore(repeat.getBody(), trimmed.getBody(), trimmed.getBody().end());
  unsigned next = 0;
  for (unsigned i = 0; i < repeat.getNumResults(); ++i)
    if (!deadResults[i]) rewriter.replaceAllUsesWith(repeat.getResult(i), trimmed.getResult(next++));
  rewriter.eraseOp(repeat);
  return success();
}

// What any kernel computes for itself: constants, positions, and ints and bools made of these alone (masks).
static bool isSource(Operation *op, const llvm::DenseSet<Operation *> &sources) {
  if (isa<ConstantOp, PositionOp>(op)) return true;
  return op->hasTrait<IsElementwise>() && !tensorOf(op->getResult(0)).isFloat() &&
         llvm::all_of(op->getOperands(), [&](Value operand) { return sources.contains(operand.getDefiningOp()); });
}

// One copy of a source in every block that uses it. Users are copied before what they use.
static void moveSourceToUses(Operation *source) {
  llvm::DenseMap<Block *, Value> copies;
  for (OpOperand &use : llvm::make_early_inc_range(source->getUses())) {
    Block *block = use.getOwner()->getBlock();
    if (block == source->getBlock()) continue;
    Value &copy = copies[block];
    if (!copy) copy = OpBuilder::atBlockBegin(block).clone(*source)->getResult(0);
    use.set(copy);
  }
}
static void moveSourcesToUses(Operation *root) {
  SmallVector<Operation *> order;
  llvm::DenseSet<Operation *> sources;
  root->walk([&](Operation *op) {
    if (isSource(op, sources)) order.push_back(op), sources.insert(op);
  });
  for (Operation *source : llvm::reverse(order)) {
    bool elsewhere = llvm::any_of(source->getUsers(), [&](Operation *user) {
      return user->getBlock() != source->getBlock();
    });
    if (elsewhere) runOptional(source, "simplify: move a source to its uses", [&] { return moveSourceToUses(source), true; });
    if (source->use_empty()) source->erase();
  }
}

namespace {
struct Simplify : heddle::impl::SimplifyBase<Simplify> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    MLIRContext *context = &getContext();
    patterns.add<CountedPattern<foldConstants>>(context, "simplify: fold constants");
    patterns.add<CountedPattern<takeScalars>>(context, "simplify: drop a broadcast before an elementwise op");
    patterns.add<CountedPattern<dropNeutral>>(context, "simplify: drop a neutral operand");
    patterns.add<CountedPattern<spellAsProduct>>(context, "simplify: spell a power or quotient as a product");
    patterns.add<CountedPattern<countEqualTerms>>(context, "simplify: count equal terms of a sum");
    patterns.add<CountedPattern<lookThrough>>(context, "simplify: look through a reduction or rename");
    patterns.add<CountedPattern<trimRepeat>>(context, "simplify: drop unused results and slices of a repeat");
    FrozenRewritePatternSet frozen(std::move(patterns));
    GreedyRewriteConfig config;
    config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    IRRewriter rewriter(context);
    for (int round = 0; round < 2; ++round) {  // equal loops become one only after their bodies did
      if (failed(applyPatternsGreedily(getOperation(), frozen, config))) return signalPassFailure();
      DominanceInfo dominance;
      for (auto entry : getOperation().getOps<func::FuncOp>())
        runOptional(entry, "simplify: compute equal values once", [&] {
          bool changed = false;
          eliminateCommonSubExpressions(rewriter, dominance, entry, &changed);
          return changed;
        });
    }
    moveSourcesToUses(getOperation());
  }
};
}  // namespace
