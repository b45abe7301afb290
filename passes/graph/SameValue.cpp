// See SameValue.h.
#include "passes/graph/SameValue.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;
using namespace heddle;

bool SameValue::same(Value a, Value b, int depth) {
  if (a == b) return true;
  Operation *x = a.getDefiningOp(), *y = b.getDefiningOp();
  if (depth == 0 || !x || !y || !isPure(x) || x->getNumResults() != 1 || x->getNumRegions() != 0) return false;
  if (known.contains({a, b})) return true;
  bool equal = OperationEquivalence::isEquivalentTo(
      x, y, [&](Value left, Value right) { return success(same(left, right, depth - 1)); }, nullptr,
      OperationEquivalence::IgnoreLocations);
  if (equal) known.insert({a, b});
  return equal;
}
