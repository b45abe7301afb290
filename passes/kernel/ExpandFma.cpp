// For target classes without fused multiply-add: fma becomes a product and a sum, rounded twice, before either back end
// sees it. (Left to them, one would call a library function and the other round twice.)
#include "passes/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace heddle {
#define GEN_PASS_DEF_EXPANDFMA
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;

namespace {
struct ExpandFma : heddle::impl::ExpandFmaBase<ExpandFma> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (!isa<math::FmaOp, vector::FMAOp>(op)) return;
      OpBuilder builder(op);
      Value product = arith::MulFOp::create(builder, op->getLoc(), op->getOperand(0), op->getOperand(1));
      Value sum = arith::AddFOp::create(builder, op->getLoc(), product, op->getOperand(2));
      op->getResult(0).replaceAllUsesWith(sum);
      op->erase();
    });
  }
};
}  // namespace
