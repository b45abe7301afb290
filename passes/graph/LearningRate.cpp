// See LearningRate.h. A handful of scalar ops: the rate is part of the step's graph, so that a checkpoint need hold
// nothing but the step, and both doors compute the same bits.
#include "passes/graph/LearningRate.h"

#include <cmath>

using namespace mlir;
using namespace heddle;

// How far the run after the warmup is: in (0, 1], and 1 after the last step.
static Value progress(GraphBuilder &b, Value step, int64_t warmup, int64_t steps) {
  double length = static_cast<double>(std::max<int64_t>(1, steps - warmup));
  Value done = b.cast(b.sub(step, b.integer(static_cast<int32_t>(warmup))), b.builder.getF32Type());
  return b.min(b.number(1), b.div(done, b.number(length)));
}

FailureOr<Value> heddle::learningRate(GraphBuilder &b, ArrayAttr parts, int64_t steps, Value step) {
  int64_t warmup = 0;
  DictionaryAttr main;
  for (auto part : parts.getAsRange<DictionaryAttr>()) {
    if (main) return emitError(b.loc, "heddle.optimizer: only warmups may stand before the last part of lr");
    auto kind = part.getAs<StringAttr>("kind");
    auto length = part.getAs<IntegerAttr>("steps");
    if (kind && kind.getValue() == "warmup" && length && length.getInt() >= 0) warmup += length.getInt();
    else main = part;
  }
  auto kind = main ? main.getAs<StringAttr>("kind") : StringAttr();
  auto from = main ? main.getAs<FloatAttr>("from") : FloatAttr();
  auto to = main ? main.getAs<FloatAttr>("to") : FloatAttr();
  bool isConstant = kind && kind.getValue() == "constant";
  bool isKnown = isConstant || (kind && to && (kind.getValue() == "linear" || kind.getValue() == "cosine"));
  if (!isKnown || !from || warmup > INT32_MAX)
    return emitError(b.loc) << "heddle.optimizer: lr is no schedule: " << parts;

  double first = from.getValueAsDouble(), last = to ? to.getValueAsDouble() : first;
  Value rate = b.number(first);
  if (kind.getValue() == "linear")
    rate = b.add(rate, b.mul(b.number(last - first), progress(b, step, warmup, steps)));
  if (kind.getValue() == "cosine") {
    Value turn = b.cos(b.mul(b.number(M_PI), progress(b, step, warmup, steps)));
    rate = b.add(b.number(last), b.mul(b.number((first - last) / 2), b.add(b.number(1), turn)));
  }
  if (warmup == 0) return rate;
  Value share = b.div(b.cast(step, b.builder.getF32Type()), b.number(static_cast<double>(warmup)));
  Value rising = b.compare("le", step, b.integer(static_cast<int32_t>(warmup)));
  return b.select(rising, b.mul(b.number(first), share), rate);
}
