// DecomposeNorms: softmax, log_softmax, layer_norm, rms_norm and cross_entropy become reductions and elementwise ops,
// which FuseElementwise then makes one row-wise nest.
//
// Runs after everything that knows these ops as a whole (attention, backward). The formulas stand in Norms.h; all
// are stable in f32: nothing overflows that the exact result would not, and rows of -inf give no NaN.
#include "mlir/Pass/Pass.h"
#include "passes/graph/Norms.h"

#include "llvm/ADT/TypeSwitch.h"

namespace heddle {
#define GEN_PASS_DEF_DECOMPOSENORMS
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

// x - max - log(sum): -inf - 0 - log(1) for a row of -inf.
static Value logSoftmax(GraphBuilder &b, Value x, StringAttr over) {
  SoftmaxTerms terms = softmaxTerms(b, x, over);
  Value empty = b.compare("eq", terms.sum, b.number(0));
  return b.sub(terms.shifted, b.log(b.select(empty, b.number(1), terms.sum)));
}

// log(sum) - (x[target] - max). The target is picked by comparing positions: the row is read anyway.
static Value crossEntropy(GraphBuilder &b, CrossEntropyOp op) {
  StringAttr over = op.getOverAttr();
  SoftmaxTerms terms = softmaxTerms(b, op.getLogits(), over);
  Value position = b.position(over, tensorOf(op.getLogits()).sizeOf(over));
  Value isTarget = b.compare("eq", op.getTarget(), position);
  Value target = b.sum(b.select(isTarget, terms.shifted, b.number(0)), over);
  return b.sub(b.log(terms.sum), target);
}

static Value decompose(GraphBuilder &b, Operation *op) {
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](SoftmaxOp op) { return softmax(b, op.getX(), op.getOverAttr()); })
      .Case([&](LogSoftmaxOp op) { return logSoftmax(b, op.getX(), op.getOverAttr()); })
      .Case([&](LayerNormOp op) {
        LayerNormTerms terms = layerNormTerms(b, op.getX(), op.getOverAttr(), op.getEps().convertToDouble());
        return b.mul(terms.centred, terms.rstd);
      })
      .Case([&](RmsNormOp op) {
        return b.mul(op.getX(), rootMeanSquareInverse(b, op.getX(), op.getOverAttr(), op.getEps().convertToDouble()));
      })
      .Case([&](CrossEntropyOp op) { return crossEntropy(b, op); })
      .Default([](Operation *) { return Value(); });
}

namespace {
struct DecomposeNorms : heddle::impl::DecomposeNormsBase<DecomposeNorms> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      OpBuilder builder(op);
      GraphBuilder b(builder, op->getLoc());
      Value value = decompose(b, op);
      if (!value) return;
      op->getResult(0).replaceAllUsesWith(b.as(value, tensorOf(op->getResult(0))));
      op->erase();
    });
  }
};
}  // namespace
