// Rules of the elementwise ops: the scalar functions, and one walk that applies them with broadcasting by name.
// Integers wrap at 32 bits: computed in 64, then cut.
#include "ir/graph/interpreter/Rules.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"
#include <cmath>
#include <functional>
#include <limits>

using namespace mlir;
using namespace heddle;

namespace {
using Scalar = std::function<double(double, double, double)>;

double wrap(int64_t number) { return static_cast<int32_t>(static_cast<uint32_t>(number)); }

int64_t floorDiv(int64_t x, int64_t y) {
  if (y == 0) return 0;
  return x / y - (x % y != 0 && (x < 0) != (y < 0));
}

double toInt(double x) {
  if (std::isnan(x)) return 0;
  return std::trunc(std::clamp<double>(x, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

// Functions of numbers by the op's name; the same for floats and ints unless `ofInts` has its own.
const llvm::StringMap<Scalar> &ofNumbers() {
  static const llvm::StringMap<Scalar> functions{
      {"add", [](double x, double y, double) { return x + y; }},
      {"sub", [](double x, double y, double) { return x - y; }},
      {"mul", [](double x, double y, double) { return x * y; }},
      {"div", [](double x, double y, double) { return x / y; }},
      {"floordiv", [](double x, double y, double) { return std::floor(x / y); }},
      {"mod", [](double x, double y, double) { return x - y * std::floor(x / y); }},
      {"pow", [](double x, double y, double) { return std::pow(x, y); }},
      {"min", [](double x, double y, double) { return x < y ? x : y; }},
      {"max", [](double x, double y, double) { return x > y ? x : y; }},
      {"neg", [](double x, double, double) { return -x; }},
      {"abs", [](double x, double, double) { return std::fabs(x); }},
      {"floor", [](double x, double, double) { return std::floor(x); }},
      {"exp", [](double x, double, double) { return std::exp(x); }},
      {"expm1", [](double x, double, double) { return std::expm1(x); }},
      {"log", [](double x, double, double) { return std::log(x); }},
      {"log1p", [](double x, double, double) { return std::log1p(x); }},
      {"sqrt", [](double x, double, double) { return std::sqrt(x); }},
      {"rsqrt", [](double x, double, double) { return 1 / std::sqrt(x); }},
      {"sin", [](double x, double, double) { return std::sin(x); }},
      {"cos", [](double x, double, double) { return std::cos(x); }},
      {"tanh", [](double x, double, double) { return std::tanh(x); }},
      {"sigmoid", [](double x, double, double) { return 1 / (1 + std::exp(-x)); }},
      {"erf", [](double x, double, double) { return std::erf(x); }},
      {"not", [](double x, double, double) { return double(x == 0); }},
      {"and", [](double x, double y, double) { return double(x != 0 && y != 0); }},
      {"or", [](double x, double y, double) { return double(x != 0 || y != 0); }},
      {"broadcast", [](double x, double, double) { return x; }},
      {"stop_grad", [](double x, double, double) { return x; }},
      {"select", [](double condition, double x, double y) { return condition != 0 ? x : y; }},
  };
  return functions;
}
const llvm::StringMap<Scalar> &ofInts() {
  static const llvm::StringMap<Scalar> functions{
      {"add", [](double x, double y, double) { return wrap(int64_t(x) + int64_t(y)); }},
      {"sub", [](double x, double y, double) { return wrap(int64_t(x) - int64_t(y)); }},
      {"mul", [](double x, double y, double) { return wrap(int64_t(x) * int64_t(y)); }},
      {"floordiv", [](double x, double y, double) { return wrap(floorDiv(int64_t(x), int64_t(y))); }},
      {"mod",
       [](double x, double y, double) {
         return y == 0 ? 0 : wrap(int64_t(x) - int64_t(y) * floorDiv(int64_t(x), int64_t(y)));
       }},
      {"neg", [](double x, double, double) { return wrap(-int64_t(x)); }},
      {"abs", [](double x, double, double) { return wrap(std::abs(int64_t(x))); }},
  };
  return functions;
}

// Ordered: of a NaN only `ne` holds.
Scalar comparison(StringRef predicate) {
  if (predicate == "eq") return [](double x, double y, double) { return double(x == y); };
  if (predicate == "ne") return [](double x, double y, double) { return double(x != y); };
  if (predicate == "lt") return [](double x, double y, double) { return double(x < y); };
  if (predicate == "le") return [](double x, double y, double) { return double(x <= y); };
  if (predicate == "gt") return [](double x, double y, double) { return double(x > y); };
  return [](double x, double y, double) { return double(x >= y); };
}

Scalar functionOf(Operation *op, Tensor result) {
  if (auto compare = dyn_cast<CompareOp>(op)) return comparison(compare.getPredicate());
  if (isa<CastOp>(op) && result.isInt()) return [](double x, double, double) { return toInt(x); };
  if (isa<CastOp>(op)) return [](double x, double, double) { return x; };
  StringRef name = op->getName().stripDialect();
  if (result.isInt() && ofInts().contains(name)) return ofInts().lookup(name);
  return ofNumbers().lookup(name);
}
}  // namespace

llvm::Expected<Array> heddle::evaluateElementwise(Operation *op, Operands operands) {
  Array result(cast<Tensor>(op->getResult(0).getType()));
  Scalar function = functionOf(op, result.type);
  if (!function) return errorAt(op, "the interpreter has no rule for " + op->getName().getStringRef());
  std::vector<int64_t> at[3];
  for (size_t k = 0; k < operands.size(); ++k) at[k] = offsetsIn(operands[k]->type, result.type);
  for (size_t i = 0; i < result.elements.size(); ++i) {
    double x[3] = {0, 0, 0};
    for (size_t k = 0; k < operands.size(); ++k) x[k] = operands[k]->elements[at[k][i]];
    result.elements[i] = function(x[0], x[1], x[2]);
  }
  return result;
}
