// A reduction of much to little has few rows, and rows are what threads share: the sum of squares of a whole parameter,
// the gradient of a bias. Where several dims go at once, the inner ones go first and the outer ones in a second
// reduction, so that the first has rows enough; rounding errors shrink by it too.
#include "passes/OptionalRewrite.h"
#include "passes/Passes.h"
#include "passes/lower/NestShape.h"

namespace heddle {
#define GEN_PASS_DEF_SPLITREDUCTIONS
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

static constexpr int64_t kSmallest = 16384;  // elements that are worth two kernels
static constexpr int64_t kRows = 256;        // results that the first reduction should have,
static constexpr int64_t kColumns = 16384;    // and where they lie side by side in memory
static constexpr int64_t kDepth = 32;        // elements that each of them should at least sum up

static bool split(ReduceOp op) {
  auto x = cast<Tensor>(op.getX().getType()), result = cast<Tensor>(op.getResult().getType());
  if (op.getOver().size() < 2 || x.getNumElements() < kSmallest) return false;
  int64_t rows = result.getNumElements();
  int64_t enough = llvm::is_contained(op.getOver(), x.getNames().back()) ? kRows : kColumns;
  SmallVector<Attribute> kept;
  SmallVector<StringAttr> first;
  for (auto [name, size] : llvm::zip(x.getNames(), x.getSizes())) {
    if (!llvm::is_contained(op.getOver(), name)) continue;
    bool more = rows < enough;
    if (more && x.getNumElements() / (rows * size) >= kDepth) kept.push_back(name), rows *= size;
    else first.push_back(name);
  }
  if (kept.empty() || first.empty()) return false;
  OpBuilder builder(op);
  SmallVector<Attribute> over(first.begin(), first.end());
  auto part = ReduceOp::create(builder, op.getLoc(), x.without(first), op.getKindAttr(), op.getX(),
                               builder.getArrayAttr(over));
  op.getXMutable().set(part.getResult());
  op.setOverAttr(builder.getArrayAttr(kept));
  return true;
}

namespace {
struct SplitReductions : heddle::impl::SplitReductionsBase<SplitReductions> {
  void runOnOperation() override {
    getOperation().walk([](ReduceOp op) {
      if (isa<AttentionOp, AttentionBackwardOp, FusedOp>(op->getParentOp())) return;  // computed block by block, or as packed
      runOptional(op, "split-reductions: reduce in two steps", [&] { return split(op); });
    });
  }
};
}  // namespace
