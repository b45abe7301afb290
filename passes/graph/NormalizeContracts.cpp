// See Passes.td. Special cases of matrix products vanish here, so that LowerContract knows one form.
#include "ir/graph/Heddle.h"
#include "passes/Passes.h"
#include "passes/graph/FormNests.h"

namespace heddle {
#define GEN_PASS_DEF_NORMALIZECONTRACTS
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

// The dims of `first`, then those of `second` that it lacks.
static Tensor uniteDims(Tensor first, Tensor second) {
  SmallVector<StringAttr> names(first.getNames());
  SmallVector<int64_t> sizes(first.getSizes());
  for (auto [name, size] : llvm::zip(second.getNames(), second.getSizes()))
    if (!first.has(name)) names.push_back(name), sizes.push_back(size);
  return Tensor::get(names, sizes, first.getElementType());
}

static void normalize(ContractOp op) {
  auto x = cast<Tensor>(op.getX().getType()), y = cast<Tensor>(op.getY().getType());
  auto result = cast<Tensor>(op.getResult().getType());
  OpBuilder builder(op);
  auto isBatch = [&](StringAttr name) { return x.has(name) && y.has(name); };
  if (llvm::all_of(result.getNames(), isBatch)) {
    Value product = MulOp::create(builder, op.getLoc(), uniteDims(x, y), op.getX(), op.getY());
    Value sum = ReduceOp::create(builder, op.getLoc(), result, "sum", product, op.getOver());
    op.getResult().replaceAllUsesWith(sum);
    op.erase();
    return;
  }
  bool needed = false;  // where the last dim that is longer than 1 is a batch dim; a product of such dims alone has no m, n
  for (auto [name, size] : llvm::zip(result.getNames(), result.getSizes()))
    if (size > 1) needed = isBatch(name);
  bool isProduct = llvm::any_of(llvm::zip(result.getNames(), result.getSizes()), [&](auto dim) {
    return std::get<1>(dim) > 1 && !isBatch(std::get<0>(dim));
  });
  if (!needed || !isProduct) return;
  SmallVector<StringAttr> names;
  SmallVector<int64_t> sizes;
  for (bool batch : {true, false})
    for (auto [name, size] : llvm::zip(result.getNames(), result.getSizes()))
      if (isBatch(name) == batch) names.push_back(name), sizes.push_back(size);
  Tensor ordered = Tensor::get(names, sizes, result.getElementType());
  Value product = ContractOp::create(builder, op.getLoc(), ordered, op.getX(), op.getY(), op.getOver());
  Value back = BroadcastOp::create(builder, op.getLoc(), result, product);
  op.getResult().replaceAllUsesWith(back);
  op.erase();
}

void heddle::normalizeContracts(func::FuncOp function) {
  SmallVector<ContractOp> ops;
  function.walk([&](ContractOp op) {
    if (!isa<AttentionOp, AttentionBackwardOp>(op->getParentOp())) ops.push_back(op);  // those it lowers by itself
  });
  for (ContractOp op : ops) normalize(op);
}

namespace {
struct NormalizeContracts : heddle::impl::NormalizeContractsBase<NormalizeContracts> {
  void runOnOperation() override {
    for (func::FuncOp entry : getOperation().getOps<func::FuncOp>()) normalizeContracts(entry);
  }
};
}  // namespace
