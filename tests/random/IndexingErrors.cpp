// Error rules of gather, scatter_add and of what names axes anew, and of sources. An index that is uncertain may be any in its interval.
#include "tests/random/ErrorBounds.h"
#include "ir/graph/interpreter/Rules.h"
#include <cmath>

using namespace mlir;
using namespace heddle;

namespace {
struct Reach {
  int64_t first, last;  // of the indices that an executor may have
};
Reach reachOf(const Bounded &index, size_t i, int64_t size) {
  double j = index.value.elements[i], e = index.error[i];
  return {static_cast<int64_t>(std::fmax(j - e, 0)), static_cast<int64_t>(std::fmin(j + e, size - 1.0))};
}

std::vector<double> gatherError(GatherOp op, const Bounded &x, const Bounded &index, const Array &result) {
  int64_t size = x.value.type.sizeOf(op.getAxisAttr()), stride = strideOf(x.value.type, op.getAxisAttr());
  std::vector<int64_t> start = offsetsIn(x.value.type, result.type), chosen = offsetsIn(index.value.type, result.type);
  std::vector<double> errors(result.elements.size());
  for (size_t i = 0; i < errors.size(); ++i) {
    Reach reach = reachOf(index, chosen[i], size);
    for (int64_t j = reach.first; j <= reach.last; ++j) {
      size_t at = start[i] + j * stride;
      double away = x.value.elements[at] == result.elements[i] ? 0 : std::fabs(x.value.elements[at] - result.elements[i]);
      errors[i] = std::fmax(errors[i], std::isnan(away) ? (reach.first == reach.last ? 0 : INFINITY)
                                                        : away + x.error[at]);
    }
  }
  return errors;
}

// The sum of the k updates of an element rounds k - 1 times. An update whose index is uncertain may land, or lack, at
// any of its places.
std::vector<double> scatterError(ScatterAddOp op, BoundedOperands operands, const Array &result) {
  const Bounded &updates = *operands[0], &index = *operands[1];
  int64_t size = result.type.sizeOf(op.getAxisAttr()), stride = strideOf(result.type, op.getAxisAttr());
  std::vector<int64_t> landing = offsetsIn(result.type, updates.value.type);
  std::vector<int64_t> chosen = offsetsIn(index.value.type, updates.value.type);
  size_t n = result.elements.size();
  std::vector<double> errors(n), sizes(n), counts(n), bits(n, INFINITY);
  if (op.getOnto()) {
    const Bounded &onto = *operands[2];
    for (size_t i = 0; i < n; ++i) {
      double x = std::fabs(onto.value.elements[i]);
      errors[i] = onto.error[i], sizes[i] = x + onto.error[i], counts[i] = 1, bits[i] = lowestBit(x);
    }
  }
  for (size_t i = 0; i < landing.size(); ++i) {
    Reach reach = reachOf(index, chosen[i], size);
    double x = std::fabs(updates.value.elements[i]), e = updates.error[i];
    for (int64_t j = reach.first; j <= reach.last; ++j) {
      size_t at = landing[i] + j * stride;
      errors[at] += reach.first == reach.last ? e : x + e;
      sizes[at] += x + e;
      counts[at] += 1;
      bits[at] = std::fmin(bits[at], lowestBit(x));
    }
  }
  for (size_t i = 0; i < n; ++i) {
    if (errors[i] == 0 && (counts[i] <= 1 || sumsExactly(sizes[i], bits[i]))) continue;
    errors[i] = checkedError(result.elements[i],
                             errors[i] + gammaOf(std::fmax(counts[i] - 1, 0)) * sizes[i] + counts[i] * kFlushed);
  }
  return errors;
}
// The errors move as the values do: by the op's own rule, as a float tensor of its dims.
std::vector<double> movedErrors(Operation *op, BoundedOperands operands) {
  std::vector<Array> errors;
  std::vector<const Array *> pointers;
  for (const Bounded *x : operands) errors.emplace_back(x->value.type, x->error);
  for (const Array &array : errors) pointers.push_back(&array);
  return llvm::cantFail(evaluateAny(op, pointers)).elements;
}
}  // namespace

std::vector<double> heddle::indexingError(Operation *op, BoundedOperands operands, const Array &result) {
  if (auto gather = dyn_cast<GatherOp>(op)) return gatherError(gather, *operands[0], *operands[1], result);
  if (auto scatter = dyn_cast<ScatterAddOp>(op)) return scatterError(scatter, operands, result);
  if (isa<RenameOp>(op)) return operands[0]->error;
  if (isa<RegroupOp, ConcatOp>(op)) return movedErrors(op, operands);
  std::vector<double> errors(result.elements.size());
  if (isa<ConstantOp>(op) && result.type.isFloat())  // kept in double precision, rounded when lowered
    for (size_t i = 0; i < errors.size(); ++i) {
      double y = result.elements[i];
      if (!std::isfinite(y)) continue;
      double kept = std::fabs(y) < kFlushed ? 0 : unit < BoundOptions().unit ? y : static_cast<double>(static_cast<float>(y));
      errors[i] = std::isfinite(kept) ? std::fabs(kept - y) : INFINITY;
    }
  return errors;
}
