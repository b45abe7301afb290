// InlineAttention: where blocks cannot compute an attention (LowerAttention), the ops of its region go where it stood.
#include "passes/Passes.h"
#include "passes/lower/Lowering.h"

namespace heddle {
#define GEN_PASS_DEF_INLINEATTENTION
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

namespace {
struct InlineAttention : heddle::impl::InlineAttentionBase<InlineAttention> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (!isa<AttentionOp, AttentionBackwardOp>(op)) return;
      std::string reason = whyNotBlocked(op);
      if (reason.empty()) return;
      op->emitRemark() << "attention over `" << op->getAttrOfType<StringAttr>("over").getValue()
                       << "` is not computed in blocks, and stores its scores: " << reason;
      ops.push_back(op);
    });
    for (Operation *op : ops) {
      Block &body = op->getRegion(0).front();
      Operation *yield = body.getTerminator();
      for (auto [argument, input] : llvm::zip(body.getArguments(), op->getOperands())) argument.replaceAllUsesWith(input);
      op->getBlock()->getOperations().splice(op->getIterator(), body.getOperations(), body.begin(), yield->getIterator());
      op->replaceAllUsesWith(yield->getOperands());
      op->erase();
    }
  }
};
}  // namespace
