// DecomposeRegroups: every regroup becomes a view, and concat reads by computed positions.
//
// A regroup whose dims lie side by side moves nothing; else its operand is put in order before it, and the result behind.
// A concat reads every piece, at a position clamped into it, and selects: so it fuses with what uses it, and is made by
// one copy where that is no nest (a product's operand).
#include "mlir/Pass/Pass.h"
#include "passes/graph/GraphBuilder.h"
#include "passes/graph/Views.h"

namespace heddle {
#define GEN_PASS_DEF_DECOMPOSEREGROUPS
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

static Value gather(GraphBuilder &b, Value x, StringAttr axis, Value index) {
  Tensor type = tensorOf(x), at = tensorOf(index);
  SmallVector<StringAttr> names;
  SmallVector<int64_t> sizes;
  for (auto [name, size] : llvm::zip(type.getNames(), type.getSizes())) {
    if (name != axis) {
      names.push_back(name), sizes.push_back(size);
      continue;
    }
    for (auto [other, extent] : llvm::zip(at.getNames(), at.getSizes()))
      if (!type.has(other)) names.push_back(other), sizes.push_back(extent);
  }
  return GatherOp::create(b.builder, b.loc, Tensor::get(names, sizes, type.getElementType()), x, index, axis);
}

// The same, between reorderings where the dims do not lie as a view needs them.
static Value regrouped(GraphBuilder &b, RegroupOp op) {
  Tensor x = tensorOf(op.getX()), result = tensorOf(op.getResult());
  SmallVector<StringAttr> from(op.getFrom().getAsRange<StringAttr>()), to(op.getTo().getAsRange<StringAttr>());
  SmallVector<StringAttr> before, after;
  SmallVector<int64_t> sizesBefore, sizesAfter;
  for (StringAttr name : x.getNames()) {
    if (name == from[0]) {
      for (StringAttr axis : from) before.push_back(axis), sizesBefore.push_back(x.sizeOf(axis));
      for (StringAttr axis : to) after.push_back(axis), sizesAfter.push_back(result.sizeOf(axis));
    } else if (!llvm::is_contained(from, name)) {
      before.push_back(name), sizesBefore.push_back(x.sizeOf(name));
      after.push_back(name), sizesAfter.push_back(x.sizeOf(name));
    }
  }
  Value inOrder = b.as(op.getX(), Tensor::get(before, sizesBefore, x.getElementType()));
  return RegroupOp::create(b.builder, b.loc, Tensor::get(after, sizesAfter, x.getElementType()), inOrder, op.getFrom(),
                           op.getTo());
}

static Value concatenated(GraphBuilder &b, ConcatOp op) {
  int64_t size = tensorOf(op.getResult()).sizeOf(op.getToAttr()), end = size;
  Value at = b.position(op.getToAttr(), size), value;
  for (size_t i = op.getPieces().size(); i-- > 0;) {
    Value piece = op.getPieces()[i];
    auto axis = cast<StringAttr>(op.getOver()[i]);
    int64_t length = axis.getValue().empty() ? 1 : tensorOf(piece).sizeOf(axis), start = end - length;
    if (!axis.getValue().empty()) {
      Value inside = b.sub(at, b.integer(start));
      piece = gather(b, piece, axis, b.max(b.min(inside, b.integer(length - 1)), b.integer(0)));
    }
    value = value ? b.select(b.compare("lt", at, b.integer(end)), piece, value) : piece;
    end = start;
  }
  return value;
}

namespace {
struct DecomposeRegroups : heddle::impl::DecomposeRegroupsBase<DecomposeRegroups> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      OpBuilder builder(op);
      GraphBuilder b(builder, op->getLoc());
      Value value;
      if (auto regroup = dyn_cast<RegroupOp>(op); regroup && !isView(regroup)) value = regrouped(b, regroup);
      if (auto concat = dyn_cast<ConcatOp>(op)) value = concatenated(b, concat);
      if (!value) return;
      op->getResult(0).replaceAllUsesWith(b.as(value, tensorOf(op->getResult(0))));
      op->erase();
    });
  }
};
}  // namespace
