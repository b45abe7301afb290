// See Views.h.
#include "passes/graph/Views.h"

using namespace mlir;
using namespace heddle;

bool heddle::isView(RegroupOp regroup) {
  SmallVector<StringAttr> names(cast<Tensor>(regroup.getX().getType()).getNames());
  SmallVector<StringAttr> from(regroup.getFrom().getAsRange<StringAttr>()), to(regroup.getTo().getAsRange<StringAttr>());
  auto at = llvm::find(names, from[0]);
  if (names.end() - at < static_cast<ptrdiff_t>(from.size()) || !std::equal(from.begin(), from.end(), at)) return false;
  SmallVector<StringAttr> expected(names.begin(), at);
  expected.append(to.begin(), to.end());
  expected.append(at + from.size(), names.end());
  return llvm::equal(expected, cast<Tensor>(regroup.getType()).getNames());
}

Value heddle::viewedBy(Operation *op) {
  return isa_and_nonnull<RenameOp, RegroupOp>(op) ? op->getOperand(0) : Value();
}

Value heddle::viewedValue(Value value) {
  while (Value inner = viewedBy(value.getDefiningOp())) value = inner;
  return value;
}
