// RaiseSoftmax: a softmax that is written out becomes `heddle.softmax`, which FuseAttention, the gradient and
// DecomposeNorms know as a whole.
//
// The forms differ where the written one gives NaN. A row of -inf alone is 0 / 0 written out and 0 by softmax; a score
// beyond 88 overflows in exp without a shift, and a row of scores below -104 underflows. Every other row keeps its value
// in exact arithmetic, so what a program computes stays as it is wherever it computed a number; that the NaN of an empty
// row goes is what the language promises for softmax.
#include "passes/graph/CountedPattern.h"
#include "passes/graph/Proportional.h"
#include "passes/graph/SameValue.h"
#include "passes/graph/WrittenSoftmax.h"
#include "mlir/Pass/Pass.h"

namespace heddle {
#define GEN_PASS_DEF_RAISESOFTMAX
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

//===------------------------------------------------------------------------------------------------- exp / sum
// A row's factor commutes with factors of elements, and with sums and renames of dims that the row does not have; not
// with stop_grad, since the factor has a gradient.
static bool isLinear(OpOperand &use, Tensor row) {
  if (isProportional(use)) return !isa<StopGradOp>(use.getOwner());
  Operation *op = use.getOwner();
  if (auto rename = dyn_cast<RenameOp>(op)) return !row.has(rename.getFromAttr());
  if (auto reduce = dyn_cast<ReduceOp>(op); reduce ? reduce.getKind() != "sum" : !isa<ContractOp>(op)) return false;
  return (op->getNumOperands() == 1 || op->getOperand(0) != op->getOperand(1)) &&
         llvm::none_of(op->getAttrOfType<ArrayAttr>("over").getAsRange<StringAttr>(),
                       [&](StringAttr name) { return row.has(name); });
}

// The ops between `value` and an operand `part` that it is linear in, from the value up.
static bool findPart(Value value, Value part, Tensor row, SmallVectorImpl<OpOperand *> &path) {
  if (SameValue()(value, part)) return true;
  Operation *op = value.getDefiningOp();
  if (!op || path.size() == 8) return false;
  for (OpOperand &use : op->getOpOperands()) {
    if (!isLinear(use, row)) continue;
    path.push_back(&use);
    if (findPart(use.get(), part, row, path)) return true;
    path.pop_back();
  }
  return false;
}

// L(exp(x)) / sum(exp(x)) is L(softmax(x)): L is nothing, a mask of dropout, the product with the values.
static LogicalResult raiseQuotient(Operation *op, PatternRewriter &rewriter) {
  Quotient quotient = quotientOf(op);
  if (!quotient.sum || quotient.sum.getOver().size() != 1) return failure();
  StringAttr over = *quotient.sum.getOver().getAsRange<StringAttr>().begin();
  Value exp = withoutBroadcasts(quotient.sum.getX());
  SmallVector<OpOperand *> path;
  if (!tensorOf(exp).has(over) || !logarithm(nullptr, exp, over)) return failure();
  if (!findPart(quotient.numerator, exp, tensorOf(quotient.sum), path)) return failure();
  GraphBuilder b(rewriter, op->getLoc());
  Tensor type = tensorOf(exp);
  Value value = SoftmaxOp::create(rewriter, op->getLoc(), type, b.as(logarithm(&b, exp, over), type), over);
  for (OpOperand *use : llvm::reverse(path)) {
    Operation *clone = rewriter.clone(*use->getOwner());
    clone->setOperand(use->getOperandNumber(), value);
    value = clone->getResult(0);
  }
  rewriter.replaceOp(op, b.as(value, tensorOf(op->getResult(0))));
  return success();
}

//===------------------------------------------------------------------------------------------------- logarithms
// x - log(sum(exp(x))) and x - (shift + log(sum(exp(x - shift)))), where nothing else needs the logarithm.
static LogicalResult raiseLogSoftmax(Operation *op, PatternRewriter &rewriter) {
  auto sub = dyn_cast<SubOp>(op);
  if (!sub) return failure();
  Value x = sub.getX(), row = withoutBroadcasts(sub.getY()), shift;
  auto log = row.getDefiningOp<LogOp>();
  if (auto add = row.getDefiningOp<AddOp>()) {
    bool second = withoutBroadcasts(add.getY()).getDefiningOp<LogOp>();
    log = withoutBroadcasts(second ? add.getY() : add.getX()).getDefiningOp<LogOp>();
    shift = second ? add.getX() : add.getY();
  }
  ReduceOp sum = log && log->hasOneUse() ? rowSum(log.getX()) : ReduceOp();
  auto exp = sum ? withoutBroadcasts(sum.getX()).getDefiningOp<ExpOp>() : ExpOp();
  if (!exp || sum.getOver().size() != 1) return failure();
  Value inner = exp.getX();
  if (shift) {
    auto shifted = inner.getDefiningOp<SubOp>();
    SameValue same;
    if (!shifted || !same(withoutBroadcasts(shifted.getY()), withoutBroadcasts(shift))) return failure();
    inner = shifted.getX();
  }
  if (!SameValue()(inner, x) || tensorOf(x) != tensorOf(op->getResult(0))) return failure();
  StringAttr over = *sum.getOver().getAsRange<StringAttr>().begin();
  rewriter.replaceOpWithNewOp<LogSoftmaxOp>(op, op->getResult(0).getType(), withoutShift(x, over), over);
  return success();
}

static LogicalResult raiseExpOfLog(Operation *op, PatternRewriter &rewriter) {
  auto exp = dyn_cast<ExpOp>(op);
  auto log = exp ? withoutBroadcasts(exp.getX()).getDefiningOp<LogSoftmaxOp>() : LogSoftmaxOp();
  if (!log) return failure();
  GraphBuilder b(rewriter, op->getLoc());
  Value softmax = SoftmaxOp::create(rewriter, op->getLoc(), log.getType(), log.getX(), log.getOverAttr());
  rewriter.replaceOp(op, b.as(softmax, tensorOf(exp.getResult())));
  return success();
}

static LogicalResult dropShift(Operation *op, PatternRewriter &rewriter) {
  if (!isa<SoftmaxOp, LogSoftmaxOp>(op)) return failure();
  Value x = op->getOperand(0), rest = withoutShift(x, op->getAttrOfType<StringAttr>("over"));
  if (rest == x) return failure();
  rewriter.modifyOpInPlace(op, [&] { op->setOperand(0, rest); });
  return success();
}

namespace {
struct RaiseSoftmax : heddle::impl::RaiseSoftmaxBase<RaiseSoftmax> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<CountedPattern<raiseQuotient>>(&getContext(), "raise-softmax: exp / sum");
    patterns.add<CountedPattern<raiseLogSoftmax>>(&getContext(), "raise-softmax: x - log(sum(exp(x)))");
    patterns.add<CountedPattern<raiseExpOfLog>>(&getContext(), "raise-softmax: exp(log_softmax)");
    patterns.add<CountedPattern<dropShift>>(&getContext(), "raise-softmax: drop a shift that softmax does itself");
    // Every rewrite leaves fewer exps, sums or shifts.
    if (failed(rewriteToTheEnd(getOperation(), std::move(patterns)))) return signalPassFailure();
    getOperation().walk([](Operation *op) {
      Quotient quotient = quotientOf(op);
      SmallVector<OpOperand *> path;
      if (quotient.sum && quotient.sum.getOver().size() > 1 &&
          withoutBroadcasts(quotient.sum.getX()).getDefiningOp<ExpOp>() &&
          findPart(quotient.numerator, withoutBroadcasts(quotient.sum.getX()), tensorOf(quotient.sum), path))
        op->emitRemark() << "exp / sum is not fused attention: it is a softmax over more than one axis";
    });
  }
};
}  // namespace
