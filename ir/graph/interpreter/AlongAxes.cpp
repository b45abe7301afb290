// Rules of contraction, reductions, softmax, norms and the loss. Each is a walk over rows (the other dims) and, in it, a
// walk along the axes; both are tables of offsets that add up.
//
// A contraction is the plain sum of products, so that a zero times NaN or Inf is NaN. That a contraction of a masked
// softmax ignores masked elements whatever stands in the other operand belongs to attention, where both are one op.
#include "ir/graph/interpreter/Rules.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace heddle;

namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Rows of one operand along one axis, and the same rows of the result, whose dims may stand in another order.
struct Rows {
  std::vector<int64_t> from, to;      // where row r starts, in the operand and in the result
  std::vector<int64_t> along, landing;  // where element j of a row lies from its start, in both

  Rows(Tensor x, Tensor result, StringAttr axis) {
    Tensor others = x.without({axis}), line = onlyDims(x, {axis});
    from = offsetsIn(x, others);
    to = offsetsIn(result, others);
    along = offsetsIn(x, line);
    landing = offsetsIn(result, line);
  }
};

double largest(const Array &x, int64_t start, ArrayRef<int64_t> along) {
  double best = -kInfinity;
  for (int64_t offset : along)
    if (x.elements[start + offset] > best) best = x.elements[start + offset];
  return best;
}

// The sum of exp(x - best) over a row.
double sumOfExp(const Array &x, int64_t start, ArrayRef<int64_t> along, double best) {
  double sum = 0;
  for (int64_t offset : along) sum += std::exp(x.elements[start + offset] - best);
  return sum;
}

// log of the sum of exp(x) over a row, in two parts: they lie 1e30 apart where logits do, and one number would lose the
// smaller. Both are 0 if no element is above -inf.
struct LogSum {
  double largest, rest;
};
LogSum logSumOfExp(const Array &x, int64_t start, ArrayRef<int64_t> along) {
  double best = largest(x, start, along);
  if (best == -kInfinity) return {0, 0};
  return {best, std::log(sumOfExp(x, start, along, best))};
}

double wrap(double sum) { return static_cast<int32_t>(static_cast<uint32_t>(static_cast<int64_t>(sum))); }
}  // namespace

Array heddle::evaluate(ContractOp op, Operands operands) {
  const Array &x = *operands[0], &y = *operands[1];
  Array result(cast<Tensor>(op.getType()));
  Tensor summed = onlyDims(x.type, SmallVector<StringAttr>(op.getOver().getAsRange<StringAttr>()));
  std::vector<int64_t> xStart = offsetsIn(x.type, result.type), yStart = offsetsIn(y.type, result.type);
  std::vector<int64_t> xAlong = offsetsIn(x.type, summed), yAlong = offsetsIn(y.type, summed);
  std::vector<std::vector<int64_t>> onto;
  for (const Array *start : operands.drop_front(2)) onto.push_back(offsetsIn(start->type, result.type));
  for (size_t i = 0; i < result.elements.size(); ++i) {
    double sum = 0;
    for (auto [start, offsets] : llvm::zip(operands.drop_front(2), onto)) sum += start->elements[offsets[i]];
    for (size_t k = 0; k < xAlong.size(); ++k)
      sum += x.elements[xStart[i] + xAlong[k]] * y.elements[yStart[i] + yAlong[k]];
    result.elements[i] = sum;
  }
  return result;
}

Array heddle::evaluate(ReduceOp op, Operands operands) {
  const Array &x = *operands[0];
  Array result(cast<Tensor>(op.getType()));
  bool ints = result.type.isInt();
  std::vector<int64_t> start = offsetsIn(x.type, result.type);
  std::vector<int64_t> along =
      offsetsIn(x.type, onlyDims(x.type, SmallVector<StringAttr>(op.getOver().getAsRange<StringAttr>())));
  double least = ints ? std::numeric_limits<int32_t>::min() : -kInfinity;
  double most = ints ? std::numeric_limits<int32_t>::max() : kInfinity;
  for (size_t i = 0; i < result.elements.size(); ++i) {
    double value = op.getKind() == "sum" ? 0 : op.getKind() == "max" ? least : most;
    for (int64_t offset : along) {
      double element = x.elements[start[i] + offset];
      if (op.getKind() == "sum") value = ints ? wrap(value + element) : value + element;
      else if (op.getKind() == "max") value = element > value ? element : value;
      else value = element < value ? element : value;
    }
    result.elements[i] = value;
  }
  return result;
}

Array heddle::evaluate(ArgmaxOp op, Operands operands) {
  const Array &x = *operands[0];
  Array result(cast<Tensor>(op.getType()));
  Rows rows(x.type, result.type, op.getOverAttr());
  for (size_t r = 0; r < rows.from.size(); ++r) {
    size_t best = 0;
    double value = -kInfinity;
    for (size_t j = 0; j < rows.along.size(); ++j) {
      double element = x.elements[rows.from[r] + rows.along[j]];
      if (element > value) best = j, value = element;
    }
    result.elements[rows.to[r]] = best;
  }
  return result;
}

Array heddle::evaluate(SoftmaxOp op, Operands operands) {
  const Array &x = *operands[0];
  Array result(cast<Tensor>(op.getType()));
  Rows rows(x.type, result.type, op.getOverAttr());
  for (size_t r = 0; r < rows.from.size(); ++r) {
    double best = largest(x, rows.from[r], rows.along);
    // A row of -inf is 0. A NaN, which `largest` passes over, makes the sum and so the whole row NaN.
    double shift = best == -kInfinity ? 0 : best, sum = sumOfExp(x, rows.from[r], rows.along, shift);
    for (size_t j = 0; j < rows.along.size(); ++j)
      result.elements[rows.to[r] + rows.landing[j]] =
          sum == 0 ? 0 : std::exp(x.elements[rows.from[r] + rows.along[j]] - shift) / sum;
  }
  return result;
}

Array heddle::evaluate(LogSoftmaxOp op, Operands operands) {
  const Array &x = *operands[0];
  Array result(cast<Tensor>(op.getType()));
  Rows rows(x.type, result.type, op.getOverAttr());
  for (size_t r = 0; r < rows.from.size(); ++r) {
    LogSum sum = logSumOfExp(x, rows.from[r], rows.along);
    for (size_t j = 0; j < rows.along.size(); ++j)
      result.elements[rows.to[r] + rows.landing[j]] = x.elements[rows.from[r] + rows.along[j]] - sum.largest - sum.rest;
  }
  return result;
}

Array heddle::evaluate(LayerNormOp op, Operands operands) {
  const Array &x = *operands[0];
  Array result(cast<Tensor>(op.getType()));
  Rows rows(x.type, result.type, op.getOverAttr());
  double size = rows.along.size();
  for (size_t r = 0; r < rows.from.size(); ++r) {
    double mean = 0, variance = 0;
    for (int64_t offset : rows.along) mean += x.elements[rows.from[r] + offset] / size;
    for (int64_t offset : rows.along) {
      double deviation = x.elements[rows.from[r] + offset] - mean;
      variance += deviation * deviation / size;
    }
    double scale = 1 / std::sqrt(variance + op.getEps().convertToDouble());
    for (size_t j = 0; j < rows.along.size(); ++j)
      result.elements[rows.to[r] + rows.landing[j]] = (x.elements[rows.from[r] + rows.along[j]] - mean) * scale;
  }
  return result;
}

Array heddle::evaluate(RmsNormOp op, Operands operands) {
  const Array &x = *operands[0];
  Array result(cast<Tensor>(op.getType()));
  Rows rows(x.type, result.type, op.getOverAttr());
  double size = rows.along.size();
  for (size_t r = 0; r < rows.from.size(); ++r) {
    double meanSquare = 0;
    for (int64_t offset : rows.along) {
      double element = x.elements[rows.from[r] + offset];
      meanSquare += element * element / size;
    }
    double scale = 1 / std::sqrt(meanSquare + op.getEps().convertToDouble());
    for (size_t j = 0; j < rows.along.size(); ++j)
      result.elements[rows.to[r] + rows.landing[j]] = x.elements[rows.from[r] + rows.along[j]] * scale;
  }
  return result;
}

llvm::Expected<Array> heddle::evaluate(CrossEntropyOp op, Operands operands) {
  const Array &logits = *operands[0], &target = *operands[1];
  Array result(cast<Tensor>(op.getType()));
  int64_t size = logits.type.sizeOf(op.getOverAttr());
  std::vector<int64_t> start = offsetsIn(logits.type, result.type), id = offsetsIn(target.type, result.type);
  std::vector<int64_t> along = offsetsIn(logits.type, onlyDims(logits.type, {op.getOverAttr()}));
  for (size_t i = 0; i < result.elements.size(); ++i) {
    double chosen = target.elements[id[i]];
    if (chosen < 0 || chosen >= size) return outOfRange(op, chosen, op.getOverAttr(), size);
    LogSum sum = logSumOfExp(logits, start[i], along);
    result.elements[i] = sum.rest - (logits.elements[start[i] + along[chosen]] - sum.largest);
  }
  return result;
}
