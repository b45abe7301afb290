// See Passes.td. What stands between the softmax of an attention and its two products gets the one form that
// MatchAttention knows. Nothing else of a program is touched, and every rewrite keeps the value of each element.
#include "passes/graph/CountedPattern.h"
#include "passes/graph/FusionGroups.h"
#include "passes/graph/Proportional.h"
#include "passes/graph/Renames.h"
#include "mlir/Pass/Pass.h"

namespace heddle {
#define GEN_PASS_DEF_NORMALIZEATTENTION
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

// Whether a softmax's score is made of this element by element, so that no product stands in between.
static bool leadsToSoftmax(Value value, llvm::SmallDenseSet<Operation *> &seen) {
  return llvm::any_of(value.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isa<SoftmaxOp>(user)) return true;
    auto gather = dyn_cast<GatherOp>(user);
    bool passes = user->hasTrait<IsElementwise>() || isa<RenameOp>(user) || (gather && gather.getX() == value);
    return passes && seen.size() < 64 && seen.insert(user).second && leadsToSoftmax(user->getResult(0), seen);
  });
}
static bool isTermOfScore(Value value) {
  llvm::SmallDenseSet<Operation *> seen;
  return leadsToSoftmax(value, seen);
}

static LogicalResult moveRename(Operation *op, PatternRewriter &rewriter) {
  auto rename = dyn_cast<RenameOp>(op);
  if (!rename) return failure();
  Operation *def = rename.getX().getDefiningOp();
  if (!def || !(rename.getX().hasOneUse() || isFreelyRecomputed(def))) return failure();
  if (!softmaxBehind(rename.getX()) && !isTermOfScore(rename)) return failure();
  Operation *pushed = pushRename(rewriter, rename);
  if (!pushed) return failure();
  rewriter.replaceOp(rename, pushed);
  if (def->use_empty()) rewriter.eraseOp(def);  // now: it is a use of its operands, whose renames move next
  return success();
}

// Elementwise ops that nothing else uses, with a product behind them.
static bool isOfProduct(Value value, int depth = 8) {
  Operation *op = value.getDefiningOp();
  if (!op || depth == 0 || !value.hasOneUse()) return false;
  if (isa<ContractOp>(op)) return true;
  return op->hasTrait<IsElementwise>() &&
         llvm::any_of(op->getOperands(), [&](Value operand) { return isOfProduct(operand, depth - 1); });
}

// The type of x[axis = index].
static Tensor gathered(Tensor x, StringAttr axis, Tensor index) {
  Tensor rest = x.without({axis});
  SmallVector<StringAttr> names(rest.getNames());
  SmallVector<int64_t> sizes(rest.getSizes());
  for (auto [name, size] : llvm::zip(index.getNames(), index.getSizes()))
    if (!rest.has(name)) names.push_back(name), sizes.push_back(size);
  return Tensor::get(names, sizes, x.getElementType());
}

static LogicalResult moveGather(Operation *op, PatternRewriter &rewriter) {
  auto gather = dyn_cast<GatherOp>(op);
  Operation *def = gather ? gather.getX().getDefiningOp() : nullptr;
  if (!def || isa<ContractOp>(def) || !isTermOfScore(gather)) return failure();
  if (!isa<BroadcastOp>(def) && !isOfProduct(gather.getX())) return failure();
  StringAttr axis = gather.getAxisAttr();
  Operation *clone = rewriter.clone(*def);
  clone->getResult(0).setType(gather.getType());
  rewriter.setInsertionPoint(clone);
  for (OpOperand &use : clone->getOpOperands())
    if (Tensor type = tensorOf(use.get()); type.has(axis))
      use.set(GatherOp::create(rewriter, op->getLoc(), gathered(type, axis, tensorOf(gather.getIndex())), use.get(),
                               gather.getIndex(), axis));
  rewriter.replaceOp(op, clone);
  if (def->use_empty()) rewriter.eraseOp(def);
  return success();
}

static LogicalResult contractWeights(Operation *op, PatternRewriter &rewriter) {
  auto reduce = dyn_cast<ReduceOp>(op);
  auto mul = reduce && reduce.getKind() == "sum" ? reduce.getX().getDefiningOp<MulOp>() : MulOp();
  if (!mul) return failure();
  Value x = withoutBroadcasts(mul.getX()), y = withoutBroadcasts(mul.getY());
  Tensor type = tensorOf(reduce.getResult());
  for (StringAttr name : reduce.getOver().getAsRange<StringAttr>())
    if (!tensorOf(x).has(name) || !tensorOf(y).has(name)) return failure();
  for (StringAttr name : type.getNames())
    if (!tensorOf(x).has(name) && !tensorOf(y).has(name)) return failure();
  auto isWeight = [&](Value value) {
    SoftmaxOp softmax = softmaxBehind(value);
    return softmax && llvm::is_contained(reduce.getOver(), softmax.getOverAttr());
  };
  if (isWeight(x) == isWeight(y)) return failure();
  rewriter.replaceOpWithNewOp<ContractOp>(op, type, x, y, reduce.getOver());
  return success();
}

namespace {
struct NormalizeAttention : heddle::impl::NormalizeAttentionBase<NormalizeAttention> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<CountedPattern<moveRename>>(&getContext(), "normalize-attention: move a rename to operands");
    patterns.add<CountedPattern<moveGather>>(&getContext(), "normalize-attention: gather products before scaling them");
    patterns.add<CountedPattern<contractWeights>>(&getContext(), "normalize-attention: sum of weights * values");
    // Renames and gathers move up only.
    if (failed(rewriteToTheEnd(getOperation(), std::move(patterns)))) signalPassFailure();
  }
};
}  // namespace
