// Error rules of contraction, reductions, softmax, norms and the loss. Composite ops are taken as their definitions in
// HeddleOps.td read: a bound that follows a row as a whole knows that what all elements share cancels.
#include "tests/random/ErrorBounds.h"
#include <cmath>

using namespace mlir;
using namespace heddle;

namespace {
std::vector<StringAttr> names(ArrayAttr over) {
  auto range = over.getAsRange<StringAttr>();
  return {range.begin(), range.end()};
}

std::vector<double> contractError(ContractOp op, BoundedOperands operands, const Array &result) {
  const Bounded &x = *operands[0], &y = *operands[1];
  Tensor summed = onlyDims(x.value.type, names(op.getOver()));
  std::vector<int64_t> xStart = offsetsIn(x.value.type, result.type), yStart = offsetsIn(y.value.type, result.type);
  std::vector<int64_t> xAlong = offsetsIn(x.value.type, summed), yAlong = offsetsIn(y.value.type, summed);
  std::vector<std::vector<int64_t>> onto;
  for (const Bounded *start : operands.drop_front(2)) onto.push_back(offsetsIn(start->value.type, result.type));
  double n = xAlong.size();
  std::vector<double> errors(result.elements.size());
  for (size_t i = 0; i < errors.size(); ++i) {
    double given = 0, sizes = 0, exactSizes = 0, bit = INFINITY;
    for (size_t k = 0; k < xAlong.size(); ++k) {
      size_t a = xStart[i] + xAlong[k], b = yStart[i] + yAlong[k];
      double p = std::fabs(x.value.elements[a]), q = std::fabs(y.value.elements[b]);
      double e = x.error[a], f = y.error[b];
      given += p * f + q * e + e * f;
      sizes += (p + e) * (q + f);
      exactSizes += p * q;
      bit = std::fmin(bit, lowestBit(p * q));
    }
    // Then what is added to the sum, one addition after the other.
    double rounded = gammaOf(n) * sizes;
    for (auto [start, offsets] : llvm::zip(operands.drop_front(2), onto)) {
      double p = std::fabs(start->value.elements[offsets[i]]), e = start->error[offsets[i]];
      given += e, sizes += p + e, exactSizes += p;
      bit = std::fmin(bit, lowestBit(p));
    }
    bool exact = given == 0 && sumsExactly(exactSizes, bit);
    double added = onto.size();
    errors[i] = exact ? 0 : checkedError(result.elements[i], given + rounded + gammaOf(added) * sizes * (1 + gammaOf(n)) + (n + added) * kFlushed);
  }
  return errors;
}

std::vector<double> reduceError(ReduceOp op, const Bounded &x, const Array &result) {
  std::vector<int64_t> start = offsetsIn(x.value.type, result.type);
  std::vector<int64_t> along = offsetsIn(x.value.type, onlyDims(x.value.type, names(op.getOver())));
  double n = along.size(), sign = op.getKind() == "min" ? -1 : 1;
  bool sums = op.getKind() == "sum";
  std::vector<double> errors(result.elements.size());
  for (size_t i = 0; i < errors.size(); ++i) {
    double y = result.elements[i], given = 0, sizes = 0, bit = INFINITY, low = -INFINITY, high = -INFINITY;
    for (int64_t j : along) {
      double element = x.value.elements[start[i] + j], e = x.error[start[i] + j];
      given += e;
      sizes += std::fabs(element) + e;
      bit = std::fmin(bit, lowestBit(element));
      low = std::fmax(low, sign * element - e);
      high = std::fmax(high, sign * element + e);
    }
    if (given == 0 && (!sums || result.type.isInt() || sumsExactly(sizes, bit))) continue;
    if (!std::isfinite(y)) errors[i] = std::isfinite(low) || std::isfinite(high) ? INFINITY : 0;
    else if (!sums) errors[i] = std::fmax(high - sign * y, sign * y - low);
    else if (result.type.isInt()) errors[i] = sizes <= INT32_MAX ? given : INFINITY;
    else errors[i] = checkedError(y, given + gammaOf(n - 1) * sizes + n * kFlushed);
  }
  return errors;
}

// Rows of x along an axis, and of the result, as the interpreter walks them.
struct Rows {
  std::vector<int64_t> from, to, along, landing;
  Rows(Tensor x, Tensor result, StringAttr axis) {
    Tensor others = x.without({axis}), line = onlyDims(x, {axis});
    from = offsetsIn(x, others), to = offsetsIn(result, others);
    along = offsetsIn(x, line), landing = offsetsIn(result, line);
  }
};

// Any element that may be the largest may be found; of exact equals the first is.
std::vector<double> argmaxError(ArgmaxOp op, const Bounded &x, const Array &result) {
  Rows rows(x.value.type, result.type, op.getOverAttr());
  std::vector<double> errors(result.elements.size());
  for (size_t r = 0; r < rows.from.size(); ++r) {
    double sure = -INFINITY, &error = errors[rows.to[r]], found = result.elements[rows.to[r]];
    for (int64_t j : rows.along) sure = std::fmax(sure, x.value.elements[rows.from[r] + j] - x.error[rows.from[r] + j]);
    bool exact = true;
    for (size_t j = 0; j < rows.along.size(); ++j) {
      size_t i = rows.from[r] + rows.along[j];
      if (x.value.elements[i] + x.error[i] < sure) continue;
      exact &= x.error[i] == 0;
      error = std::fmax(error, std::fabs(double(j) - found));
    }
    if (exact) error = 0;
  }
  return errors;
}

/// What softmax, log_softmax and the loss share: x - max, exp, and the sum of a row.
///
/// Let x' = x + d with |d_i| <= e_i. The maximum of x' cancels, whichever element it is; x' - max' rounds to within u of
/// its size, so the exponent of element i is off by at most a_i = e_i + u (|x_i - max| + e_i + e_max), where the sizes
/// are at most that, and its exponential by a factor within exp(a_i) (1 + k u). The sum, with weights p_i of sum 1, is
/// off by a factor within sum p_i exp(a_i) (1 + k u), and (1 + gamma_(n-1)) for its additions.
struct SoftmaxRow {
  double max = -INFINITY, sum = 0, sumError = 0;  // relative
  bool isKnown = true;                            // which elements are -inf, inf or NaN
  std::vector<double> shifted, exponent;          // x - max and a

  SoftmaxRow(const Bounded &x, int64_t start, ArrayRef<int64_t> along) {
    double largestError = 0;
    for (int64_t j : along) {
      max = std::fmax(max, x.value.elements[start + j]);
      if (std::isfinite(x.value.elements[start + j])) largestError = std::fmax(largestError, x.error[start + j]);
      isKnown &= std::isfinite(x.value.elements[start + j]) ? std::isfinite(x.error[start + j]) : x.error[start + j] == 0;
    }
    double shift = std::isfinite(max) ? max : 0;
    double grown = 0;
    for (int64_t j : along) {
      double s = x.value.elements[start + j] - shift, e = x.error[start + j];
      shifted.push_back(s);
      exponent.push_back(std::isfinite(s) ? e + unit * (std::fabs(s) + e + largestError) : 0);
      sum += std::exp(s);
      grown += std::exp(s + exponent.back()) * (1 + kExp * unit) + kFlushed;
    }
    sumError = sum > 0 ? grown / sum * (1 + gammaOf(along.size() - 1)) - 1 : 0;
  }
  double exponentialError(size_t j) const { return std::expm1(exponent[j]) * (1 + kExp * unit) + kExp * unit; }
  // Of log(sum): an absolute error.
  double logError() const {
    double propagated = sumError < 1 ? -std::log1p(-sumError) : INFINITY;
    return propagated + kLog * unit * (std::fabs(std::log(sum)) + propagated);
  }
};

std::vector<double> softmaxError(SoftmaxOp op, const Bounded &x, const Array &result) {
  Rows rows(x.value.type, result.type, op.getOverAttr());
  std::vector<double> errors(result.elements.size());
  for (size_t r = 0; r < rows.from.size(); ++r) {
    SoftmaxRow row(x, rows.from[r], rows.along);
    if (!row.isKnown)
      for (int64_t landing : rows.landing) errors[rows.to[r] + landing] = 2;
    if (!row.isKnown || !std::isfinite(row.max)) continue;
    for (size_t j = 0; j < rows.along.size(); ++j) {
      size_t i = rows.to[r] + rows.landing[j];
      if (!std::isfinite(row.shifted[j])) continue;  // of -inf: 0
      double relative = row.sumError < 1 ? (1 + row.exponentialError(j)) / (1 - row.sumError) * (1 + unit) - 1 : INFINITY;
      errors[i] = std::fmin(relative * result.elements[i] + 2 * kFlushed, 2);
    }
  }
  return errors;
}

std::vector<double> logSoftmaxError(LogSoftmaxOp op, const Bounded &x, const Array &result) {
  Rows rows(x.value.type, result.type, op.getOverAttr());
  std::vector<double> errors(result.elements.size());
  for (size_t r = 0; r < rows.from.size(); ++r) {
    SoftmaxRow row(x, rows.from[r], rows.along);
    if (!row.isKnown)
      for (int64_t landing : rows.landing) errors[rows.to[r] + landing] = INFINITY;
    if (!row.isKnown || !std::isfinite(row.max)) continue;
    for (size_t j = 0; j < rows.along.size(); ++j) {
      size_t i = rows.to[r] + rows.landing[j];
      if (!std::isfinite(row.shifted[j])) continue;
      double e = row.exponent[j] + row.logError();
      errors[i] = e + unit * (std::fabs(result.elements[i]) + e) + kFlushed;
    }
  }
  return errors;
}

std::vector<double> crossEntropyError(CrossEntropyOp op, const Bounded &x, const Bounded &target, const Array &result) {
  std::vector<int64_t> start = offsetsIn(x.value.type, result.type), id = offsetsIn(target.value.type, result.type);
  std::vector<int64_t> along = offsetsIn(x.value.type, onlyDims(x.value.type, {op.getOverAttr()}));
  std::vector<double> errors(result.elements.size());
  for (size_t i = 0; i < errors.size(); ++i) {
    SoftmaxRow row(x, start[i], along);
    double chosen = target.value.elements[id[i]], reach = target.error[id[i]];
    if (!row.isKnown) errors[i] = INFINITY;
    if (!row.isKnown || !std::isfinite(row.max)) continue;
    for (size_t j = 0; j < along.size(); ++j) {
      if (std::fabs(double(j) - chosen) > reach) continue;
      double e = row.exponent[j] + row.logError() + std::fabs(row.shifted[j] - row.shifted[chosen]);
      errors[i] = std::fmax(errors[i], e + unit * (std::fabs(result.elements[i]) + e) + kFlushed);
      if (!std::isfinite(row.shifted[j])) errors[i] = reach == 0 ? 0 : INFINITY;
    }
  }
  return errors;
}

// (x - mean) / sqrt(mean((x - mean)^2) + eps); of rms_norm the same without the mean. The mean of n numbers rounds n - 1
// times in its sum, once in 1/n and once in the product: gamma_(n+1) of the mean size.
std::vector<double> normError(Operation *op, StringAttr axis, double eps, const Bounded &x, const Array &result) {
  Rows rows(x.value.type, result.type, axis);
  bool centres = isa<LayerNormOp>(op);
  double n = rows.along.size(), gamma = gammaOf(n + 1);
  std::vector<double> errors(result.elements.size());
  for (size_t r = 0; r < rows.from.size(); ++r) {
    double mean = 0, meanError = 0, square = 0, squareError = 0;
    if (centres) {
      for (int64_t j : rows.along) {
        double element = x.value.elements[rows.from[r] + j], e = x.error[rows.from[r] + j];
        mean += element / n;
        meanError += (e + gamma * (std::fabs(element) + e)) / n;
      }
    }
    std::vector<double> c, cError;
    for (int64_t j : rows.along) {
      double element = x.value.elements[rows.from[r] + j] - mean, e = x.error[rows.from[r] + j] + meanError;
      if (centres) e += unit * (std::fabs(element) + e);
      c.push_back(element), cError.push_back(e);
      square += element * element / n;
      squareError += (2 * std::fabs(element) * e + e * e) / n;
    }
    // The square, and the mean of squares: one rounding more than a mean's. Squares are never negative.
    squareError += gammaOf(n + 2) * (square + squareError);
    double shifted = square + eps, shiftedError = squareError + unit * (shifted + squareError) + unit * eps;
    double scale = 1 / std::sqrt(shifted);
    double least = std::fmax(shifted - shiftedError, eps * (1 - 2 * unit));
    double scaleError = std::fmax(1 / std::sqrt(least) - scale, scale - 1 / std::sqrt(shifted + shiftedError));
    scaleError += (2 + unit) * unit * (scale + scaleError);
    for (size_t j = 0; j < rows.along.size(); ++j) {
      size_t i = rows.to[r] + rows.landing[j];
      double e = std::fabs(c[j]) * scaleError + scale * cError[j] + scaleError * cError[j];
      errors[i] = checkedError(result.elements[i], e + unit * (std::fabs(result.elements[i]) + e) + kFlushed);
      if (c[j] == 0 && cError[j] == 0) errors[i] = 0;
    }
  }
  return errors;
}
}  // namespace

std::vector<double> heddle::alongAxesError(Operation *op, BoundedOperands operands, const Array &result) {
  const Bounded &x = *operands[0];
  if (auto known = dyn_cast<ContractOp>(op)) return contractError(known, operands, result);
  if (auto known = dyn_cast<ReduceOp>(op)) return reduceError(known, x, result);
  if (auto known = dyn_cast<ArgmaxOp>(op)) return argmaxError(known, x, result);
  if (auto known = dyn_cast<SoftmaxOp>(op)) return softmaxError(known, x, result);
  if (auto known = dyn_cast<LogSoftmaxOp>(op)) return logSoftmaxError(known, x, result);
  if (auto known = dyn_cast<CrossEntropyOp>(op)) return crossEntropyError(known, x, *operands[1], result);
  if (auto known = dyn_cast<LayerNormOp>(op))
    return normError(op, known.getOverAttr(), known.getEps().convertToDouble(), x, result);
  auto known = cast<RmsNormOp>(op);
  return normError(op, known.getOverAttr(), known.getEps().convertToDouble(), x, result);
}
