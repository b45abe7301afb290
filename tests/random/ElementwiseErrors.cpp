// Error rules of the elementwise ops. A rule sees one element: operands x with errors e, and the exact result y.
//
// Where a function rises or falls throughout an interval, its farthest values lie at the ends; where it does not, the
// slope's bound serves. What is added for rounding is taken of the largest result that the executor may have.
#include "tests/random/ErrorBounds.h"
#include "llvm/ADT/StringMap.h"
#include <cfloat>
#include <cmath>

using namespace mlir;
using namespace heddle;

namespace {
struct Point {
  double x[3], e[3], y;
  bool nonNegative[3];
  double low(int i) const { return nonNegative[i] ? std::fmax(x[i] - e[i], 0) : x[i] - e[i]; }
  double high(int i) const { return x[i] + e[i]; }
  bool exact() const { return e[0] == 0 && e[1] == 0 && e[2] == 0; }
  bool mayBeZero(int i) const { return low(i) <= 0 && high(i) >= 0; }
};
using Rule = std::function<double(const Point &)>;

// The operands' error and `units` roundings of the result.
double rounded(const Point &p, double propagated, double units) {
  if (p.y == 0 && propagated == 0) return 0;
  return propagated + units * unit * (std::fabs(p.y) + propagated) + kFlushed;
}
// Correctly rounded: exact where the operands are and the result is a single-precision number.
double arithmetic(const Point &p, double propagated) {
  if (propagated == 0 && p.exact() && static_cast<float>(p.y) == p.y && std::fabs(p.y) >= FLT_MIN) return 0;
  return rounded(p, propagated, 1);
}
double farthest(double y, std::initializer_list<double> values) {
  double most = 0;
  for (double value : values) most = std::isnan(value) ? INFINITY : std::fmax(most, std::fabs(value - y));
  return most;
}
double ends(const Point &p, double (*f)(double)) { return p.e[0] == 0 ? 0 : farthest(p.y, {f(p.low(0)), f(p.high(0))}); }

double quotientError(const Point &p) {
  if (p.e[0] == 0 && p.e[1] == 0) return 0;
  if (p.mayBeZero(1)) return INFINITY;
  double x = std::fabs(p.x[0]), y = std::fabs(p.x[1]);
  if (std::isinf(y)) return 0;
  return (x * p.e[1] / y + p.e[0]) / (y - p.e[1]);
}
// The error of floor(q') for q' within e of q.
double floorError(double q, double e) { return farthest(std::floor(q), {std::floor(q - e), std::floor(q + e)}); }
double floorDivError(const Point &p) {
  double q = p.x[0] / p.x[1];
  Point quotient = p;
  quotient.y = q;
  return floorError(q, arithmetic(quotient, quotientError(p)));
}

// x^y over a box: for a positive x it is monotone in either, so the farthest values are at the corners. For another x
// only a whole and exact y counts.
double powError(const Point &p) {
  if (p.e[0] == 0 && p.e[1] == 0) return 0;
  if (p.low(0) > 0)
    return farthest(p.y, {std::pow(p.low(0), p.low(1)), std::pow(p.low(0), p.high(1)), std::pow(p.high(0), p.low(1)),
                          std::pow(p.high(0), p.high(1))});
  if (p.e[1] != 0 || std::floor(p.x[1]) != p.x[1]) return INFINITY;
  if (p.x[1] == 0) return 0;
  if (p.mayBeZero(0) && p.x[1] < 0) return INFINITY;
  double middle = p.mayBeZero(0) ? std::pow(0, p.x[1]) : p.y;
  return farthest(p.y, {std::pow(p.low(0), p.x[1]), std::pow(p.high(0), p.x[1]), middle});
}

// sin and cos: |f(x') - f(x)| <= min(|f'(x)| e + e^2/2, 2). The polynomials' bound holds for |x| <= 10^4.
double trigonometric(const Point &p, double slope) {
  double propagated = std::fmin(std::fabs(slope) * p.e[0] + p.e[0] * p.e[0] / 2, 2);
  if (std::fabs(p.x[0]) + p.e[0] > 1e4) return 2;
  return rounded(p, propagated, kSin) + 0.5 * unit;
}

double truncated(double x) {
  return std::isnan(x) ? 0 : std::trunc(std::clamp<double>(x, INT32_MIN, INT32_MAX));
}

const llvm::StringMap<Rule> &ofFloats() {
  static const llvm::StringMap<Rule> rules{
      {"add", [](const Point &p) { return arithmetic(p, p.e[0] + p.e[1]); }},
      {"sub", [](const Point &p) { return arithmetic(p, p.e[0] + p.e[1]); }},
      {"mul",
       [](const Point &p) {
         return arithmetic(p, std::fabs(p.x[0]) * p.e[1] + std::fabs(p.x[1]) * p.e[0] + p.e[0] * p.e[1]);
       }},
      {"div", [](const Point &p) { return arithmetic(p, quotientError(p)); }},
      {"floordiv", floorDivError},
      // x - y k: the product and the difference round; another k moves the result by y.
      {"mod",
       [](const Point &p) {
         double k = std::floor(p.x[0] / p.x[1]), kError = floorDivError(p);
         double product = std::fabs(k) * p.e[1] + (std::fabs(p.x[1]) + p.e[1]) * kError;
         double size = std::fabs(k * p.x[1]) + product;
         bool whole = static_cast<float>(k * p.x[1]) == k * p.x[1];
         if (p.exact() && kError == 0 && whole) return arithmetic(p, 0);
         return rounded(p, p.e[0] + product + unit * size, 1);
       }},
      {"pow", [](const Point &p) { return rounded(p, powError(p), kPow); }},
      {"min", [](const Point &p) {
         return farthest(p.y, {std::fmin(p.low(0), p.low(1)), std::fmin(p.high(0), p.high(1))});
       }},
      {"max", [](const Point &p) {
         return farthest(p.y, {std::fmax(p.low(0), p.low(1)), std::fmax(p.high(0), p.high(1))});
       }},
      {"neg", [](const Point &p) { return p.e[0]; }},
      {"abs", [](const Point &p) { return p.e[0]; }},
      {"broadcast", [](const Point &p) { return p.e[0]; }},
      {"stop_grad", [](const Point &p) { return p.e[0]; }},
      {"floor", [](const Point &p) { return floorError(p.x[0], p.e[0]); }},
      {"exp", [](const Point &p) { return rounded(p, ends(p, std::exp), kExp); }},
      {"expm1", [](const Point &p) { return rounded(p, ends(p, std::expm1), kExpm1); }},
      {"log", [](const Point &p) { return rounded(p, ends(p, std::log), kLog); }},
      {"log1p", [](const Point &p) { return rounded(p, ends(p, std::log1p), kLog1p); }},
      {"sqrt", [](const Point &p) { return arithmetic(p, ends(p, std::sqrt)); }},
      {"rsqrt", [](const Point &p) {
         return rounded(p, ends(p, [](double x) { return x < 0 ? NAN : 1 / std::sqrt(x); }), 2 + unit);
       }},
      {"sin", [](const Point &p) { return trigonometric(p, std::cos(p.x[0])); }},
      {"cos", [](const Point &p) { return trigonometric(p, std::sin(p.x[0])); }},
      {"tanh", [](const Point &p) { return rounded(p, ends(p, std::tanh), kTanh); }},
      {"sigmoid", [](const Point &p) { return rounded(p, ends(p, [](double x) { return 1 / (1 + std::exp(-x)); }), kSigmoid); }},
      {"erf", [](const Point &p) { return rounded(p, ends(p, std::erf), kErf); }},
  };
  return rules;
}

// Whole numbers: exact where the operands are. Else the interval's reach, or no bound where it may wrap.
double intError(StringRef name, const Point &p) {
  if (p.exact()) return 0;
  double reach = INFINITY;
  if (name == "add" || name == "sub") reach = p.e[0] + p.e[1];
  else if (name == "mul") reach = std::fabs(p.x[0]) * p.e[1] + std::fabs(p.x[1]) * p.e[0] + p.e[0] * p.e[1];
  else if (name == "neg" || name == "abs" || name == "broadcast") return p.e[0];
  else if (name == "min" || name == "max") return ofFloats().lookup(name)(p);
  else if (name == "floordiv" && p.e[1] == 0 && p.x[1] != 0)
    return farthest(p.y, {std::floor(p.low(0) / p.x[1]), std::floor(p.high(0) / p.x[1])});
  else if (name == "mod" && p.e[1] == 0) return std::fmax(std::fabs(p.x[1]) - 1, 0);
  return std::fabs(p.y) + reach <= INT32_MAX ? reach : INFINITY;
}

// Whether x op y may come out otherwise: 1 or 0. d = x - y is known within e.
double compareError(StringRef predicate, double x, double y, double e) {
  if (e == 0 || std::isnan(x) || std::isnan(y)) return 0;
  double low = x - y - e, high = x - y + e;
  if (std::isnan(low)) return 0;  // of two infinities
  if (predicate == "eq" || predicate == "ne") return low <= 0 && high >= 0;
  if (predicate == "lt" || predicate == "ge") return low < 0 && high >= 0;
  return low <= 0 && high > 0;
}

double selectError(const Point &p) {
  if (p.e[0] == 0) return p.x[0] != 0 ? p.e[1] : p.e[2];
  if (!std::isfinite(p.x[1]) || !std::isfinite(p.x[2])) return p.x[1] == p.x[2] ? 0 : INFINITY;
  return farthest(p.y, {p.low(1), p.high(1), p.low(2), p.high(2)});
}

double castError(const Point &p, Tensor from, Tensor to) {
  if (from.getElementType() == to.getElementType()) return p.e[0];
  if (from.isFloat()) return farthest(p.y, {truncated(p.low(0)), truncated(p.high(0))});
  return to.isFloat() ? arithmetic(p, p.e[0]) : p.e[0];
}

// Of comparisons of numbers with the largest (or least) of their own row, as the gradient of a reduction has them: the
// executor compares copies of one number, so that an element is equal for certain when no other may come first.
// Empty if y is not that of x's rows.
std::vector<double> ownExtremeError(const Bounded &x, const Bounded &y, const Array &result) {
  Tensor row = y.value.type;
  for (auto name : row.getNames())
    if (!x.value.type.has(name)) return {};
  std::vector<StringAttr> kept(row.getNames());
  std::vector<int64_t> start = offsetsIn(x.value.type, row);
  std::vector<int64_t> along = offsetsIn(x.value.type, x.value.type.without(kept));
  if (along.size() < 2) return {};
  Array errors(x.value.type);
  for (double sign : {1.0, -1.0}) {
    bool own = true;
    for (size_t r = 0; own && r < start.size(); ++r) {
      double most = -INFINITY;
      for (int64_t j : along) most = std::fmax(most, sign * x.value.elements[start[r] + j]);
      own = sign * y.value.elements[r] == most;
      double sureMost = -INFINITY;  // what the largest is at least
      for (int64_t j : along) sureMost = std::fmax(sureMost, sign * x.value.elements[start[r] + j] - x.error[start[r] + j]);
      size_t candidates = 0;
      bool exact = true;
      for (int64_t j : along)
        if (sign * x.value.elements[start[r] + j] + x.error[start[r] + j] >= sureMost)
          ++candidates, exact &= x.error[start[r] + j] == 0;
      for (int64_t j : along) {
        size_t i = start[r] + j;
        bool candidate = sign * x.value.elements[i] + x.error[i] >= sureMost;
        errors.elements[i] = candidate && candidates > 1 && !exact;
      }
    }
    if (own) return reordered(errors, result.type.withElement(x.value.type.getElementType())).elements;
  }
  return {};
}

Rule ruleOf(Operation *op, const Array &result) {
  StringRef name = op->getName().stripDialect();
  if (auto compare = dyn_cast<CompareOp>(op))
    return [=](const Point &p) {
      return compareError(const_cast<CompareOp &>(compare).getPredicate(), p.x[0], p.x[1], p.e[0] + p.e[1]);
    };
  if (isa<SelectOp>(op)) return selectError;
  if (isa<CastOp>(op)) {
    auto from = cast<Tensor>(op->getOperand(0).getType());
    return [=](const Point &p) { return castError(p, from, result.type); };
  }
  // A bool that is uncertain stays so, unless the other operand decides.
  if (name == "and") return [](const Point &p) {
    return double(!p.exact() && !(p.e[0] == 0 && p.x[0] == 0) && !(p.e[1] == 0 && p.x[1] == 0));
  };
  if (name == "or") return [](const Point &p) {
    return double(!p.exact() && !(p.e[0] == 0 && p.x[0] != 0) && !(p.e[1] == 0 && p.x[1] != 0));
  };
  if (result.type.isBool()) return [](const Point &p) { return p.e[0]; };
  if (result.type.isInt()) return [=](const Point &p) { return intError(name, p); };
  return ofFloats().lookup(name);
}

// A result that is infinite or NaN comes out so for certain if it comes from an operand that is, and no zero that the
// executor may or may not have meets it.
double errorOfNonFinite(Operation *op, const Point &p) {
  if (p.exact()) return 0;
  bool given = false, zero = false;
  for (int i = 0; i < 2; ++i) {
    given |= !std::isfinite(p.x[i]);
    zero |= p.e[i] > 0 && p.mayBeZero(i);
  }
  return given && !(zero && isa<MulOp, DivOp, PowOp>(op)) ? 0 : INFINITY;
}
}  // namespace

std::vector<double> heddle::elementwiseError(Operation *op, BoundedOperands operands, const Array &result) {
  if (auto compare = dyn_cast<CompareOp>(op); compare && compare.getPredicate() == "eq")
    for (auto [x, y] : {std::pair{0, 1}, std::pair{1, 0}})
      if (auto errors = ownExtremeError(*operands[x], *operands[y], result); errors.size() == result.elements.size())
        return errors;
  Rule rule = ruleOf(op, result);
  std::vector<int64_t> at[3];
  for (size_t k = 0; k < operands.size(); ++k) at[k] = offsetsIn(operands[k]->value.type, result.type);
  std::vector<double> errors(result.elements.size());
  for (size_t i = 0; i < errors.size(); ++i) {
    Point p{{}, {}, result.elements[i], {}};
    for (size_t k = 0; k < operands.size(); ++k) {
      p.nonNegative[k] = operands[k]->nonNegative;
      p.x[k] = operands[k]->value.elements[at[k][i]];
      p.e[k] = operands[k]->error[at[k][i]];
    }
    bool plain = std::isfinite(p.y) || isa<SelectOp>(op);
    errors[i] = plain ? checkedError(p.y, rule(p)) : errorOfNonFinite(op, p);
  }
  return errors;
}
