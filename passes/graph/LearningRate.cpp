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

namespace {
struct Course {
  std::string kind;
  int64_t warmup = 0;
  double first = 0, last = 0;
};
}  // namespace

static FailureOr<Course> readCourse(Location loc, ArrayAttr parts) {
  Course course;
  DictionaryAttr main;
  for (Attribute attribute : parts) {
    auto part = dyn_cast<DictionaryAttr>(attribute);
    if (!part || main) return emitError(loc, "heddle.optimizer: only warmups may stand before the last part of lr");
    auto kind = part.getAs<StringAttr>("kind");
    auto length = part.getAs<IntegerAttr>("steps");
    bool warms = kind && kind.getValue() == "warmup" && length && length.getInt() >= 0 && length.getInt() <= INT32_MAX;
    if (warms) course.warmup += length.getInt();
    else main = part;
  }
  auto kind = main ? main.getAs<StringAttr>("kind") : StringAttr();
  auto from = main ? main.getAs<FloatAttr>("from") : FloatAttr();
  auto to = main ? main.getAs<FloatAttr>("to") : FloatAttr();
  bool isConstant = kind && kind.getValue() == "constant";
  bool isKnown = isConstant || (kind && to && (kind.getValue() == "linear" || kind.getValue() == "cosine"));
  if (!isKnown || !from || course.warmup > INT32_MAX)
    return emitError(loc) << "heddle.optimizer: lr is no schedule: " << parts;
  course.kind = kind.str();
  course.first = from.getValueAsDouble();
  course.last = to ? to.getValueAsDouble() : course.first;
  return course;
}

LogicalResult heddle::verifyLearningRate(Location loc, ArrayAttr parts) { return readCourse(loc, parts); }

FailureOr<Value> heddle::learningRate(GraphBuilder &b, ArrayAttr parts, int64_t steps, Value step) {
  FailureOr<Course> course = readCourse(b.loc, parts);
  if (failed(course)) return failure();
  auto [kind, warmup, first, last] = *course;
  Value rate = b.number(first);
  if (kind == "linear")
    rate = b.add(rate, b.mul(b.number(last - first), progress(b, step, warmup, steps)));
  if (kind == "cosine") {
    Value turn = b.cos(b.mul(b.number(M_PI), progress(b, step, warmup, steps)));
    rate = b.add(b.number(last), b.mul(b.number((first - last) / 2), b.add(b.number(1), turn)));
  }
  if (warmup == 0) return rate;
  Value share = b.div(b.cast(step, b.builder.getF32Type()), b.number(static_cast<double>(warmup)));
  Value rising = b.compare("le", step, b.integer(static_cast<int32_t>(warmup)));
  return b.select(rising, b.mul(b.number(first), share), rate);
}
