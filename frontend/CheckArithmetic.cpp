// Operators: + - * / // % ^, comparisons, and, or, not, unary minus. Numbers fold; the bounds of i32 values are kept
// for the proof that an index is in range.
#include "frontend/Elaborator.h"

#include <cmath>

namespace heddle {
using namespace ast;

namespace {

int64_t floorDiv(int64_t x, int64_t y) { return x / y - ((x % y != 0) && ((x < 0) != (y < 0))); }

// i32 arithmetic wraps: bounds that leave 32 bits say nothing.
Interval within32(int64_t lo, int64_t hi) {
  return lo < INT32_MIN || hi > INT32_MAX ? Interval{} : Interval{lo, hi};
}

// Bounds fit 32 bits, so none of this overflows 64.
Interval bounds(BinaryOp op, Interval a, Interval b) {
  switch (op) {
  case BinaryOp::Add:
    return within32(a.lo + b.lo, a.hi + b.hi);
  case BinaryOp::Subtract:
    return within32(a.lo - b.hi, a.hi - b.lo);
  case BinaryOp::Multiply: {
    auto [lo, hi] = std::minmax({a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi});
    return within32(lo, hi);
  }
  case BinaryOp::FloorDivide: {
    if (b.lo <= 0)
      return {};
    auto [lo, hi] = std::minmax({floorDiv(a.lo, b.lo), floorDiv(a.lo, b.hi), floorDiv(a.hi, b.lo), floorDiv(a.hi, b.hi)});
    return {lo, hi};
  }
  case BinaryOp::Modulo:
    if (b.lo <= 0)
      return {};
    return a.lo >= 0 && a.hi < b.lo ? a : Interval{0, b.hi - 1};
  default:
    return {};
  }
}

} // namespace

// Integers stay integers but for `/` and powers with a negative or broken exponent.
static std::optional<Number> fold(BinaryOp op, const Number &a, const Number &b) {
  bool known = a.known && b.known, ints = a.isInt() && b.isInt();
  int64_t r = 0;
  double x = a.real(), y = b.real();
  switch (op) {
  case BinaryOp::Add:
    if (ints)
      return __builtin_add_overflow(a.i, b.i, &r) ? std::nullopt : std::optional(Number::ofInt(r, known));
    return Number::ofFloat(x + y, known);
  case BinaryOp::Subtract:
    if (ints)
      return __builtin_sub_overflow(a.i, b.i, &r) ? std::nullopt : std::optional(Number::ofInt(r, known));
    return Number::ofFloat(x - y, known);
  case BinaryOp::Multiply:
    if (ints)
      return __builtin_mul_overflow(a.i, b.i, &r) ? std::nullopt : std::optional(Number::ofInt(r, known));
    return Number::ofFloat(x * y, known);
  case BinaryOp::Divide:
    return Number::ofFloat(x / y, known);
  case BinaryOp::FloorDivide:
    if (ints && (b.i == 0 || (a.i == INT64_MIN && b.i == -1)))
      return known ? std::nullopt : std::optional(Number::ofInt(0, false));
    return ints ? Number::ofInt(floorDiv(a.i, b.i), known) : Number::ofFloat(std::floor(x / y), known);
  case BinaryOp::Modulo:
    if (ints && (b.i == 0 || (a.i == INT64_MIN && b.i == -1)))
      return known ? std::nullopt : std::optional(Number::ofInt(0, false));
    return ints ? Number::ofInt(a.i - b.i * floorDiv(a.i, b.i), known) : Number::ofFloat(x - y * std::floor(x / y), known);
  case BinaryOp::Power:
    if (ints && b.i >= 0) {
      r = 1;
      for (int64_t k = 0; k < b.i && r != 0; ++k)
        if (k > 64 || __builtin_mul_overflow(r, a.i, &r))
          return Number::ofFloat(std::pow(x, y), known);
      return Number::ofInt(r, known);
    }
    return Number::ofFloat(std::pow(x, y), known);
  default:
    return std::nullopt;
  }
}

static const char *predicateOf(BinaryOp op) {
  switch (op) {
  case BinaryOp::Equal:
    return "eq";
  case BinaryOp::NotEqual:
    return "ne";
  case BinaryOp::Less:
    return "lt";
  case BinaryOp::LessEqual:
    return "le";
  case BinaryOp::Greater:
    return "gt";
  case BinaryOp::GreaterEqual:
    return "ge";
  default:
    return nullptr;
  }
}
static bool holds(std::string_view predicate, double x, double y) {
  return predicate == "eq"   ? x == y
         : predicate == "ne" ? x != y
         : predicate == "lt" ? x < y
         : predicate == "le" ? x <= y
         : predicate == "gt" ? x > y
                             : x >= y;
}

Value Elaborator::binary(const Binary &e, Frame &frame) {
  if (e.op == BinaryOp::Then) {
    error(Code::H0205, e.opSpan, "`then` joins schedules of a learning rate, not values")
        .help("it stands in an optimizer: `lr = warmup(100) then cosine(3e-4, 3e-5)`");
    return {};
  }
  Operand a{expr(*e.lhs, frame), e.lhs->span}, b{expr(*e.rhs, frame), e.rhs->span};
  if (a.value.isUnknown() || b.value.isUnknown())
    return {};
  if (e.op == BinaryOp::And || e.op == BinaryOp::Or)
    return logic(e.op == BinaryOp::And, e.opSpan, a, b);
  if (const char *predicate = predicateOf(e.op)) {
    if (a.value.isNumber() && b.value.isNumber()) {
      const Number &x = a.value.number, &y = b.value.number;
      return Value::of(Number::ofBool(holds(predicate, x.real(), y.real()), x.known && y.known));
    }
    return compare(predicate, e.opSpan, fmt::format("`{}`", spelling(e.op)), a, b);
  }
  return arithmetic(e.op, e.opSpan, a, b);
}

Value Elaborator::arithmetic(BinaryOp op, Span span, Operand a, Operand b) {
  std::string what = fmt::format("`{}`", spelling(op));
  if (a.value.isNumber() && b.value.isNumber()) {
    if (!numeric(span, what, a) || !numeric(span, what, b))
      return {};
    if (auto result = fold(op, a.value.number, b.value.number))
      return Value::of(*result);
    error(Code::H0214, span, fmt::format("{} leaves 64 bits or divides by 0", what))
        .label(a.span, fmt::format("{}", a.value.number.i))
        .label(b.span, fmt::format("{}", b.value.number.i));
    return {};
  }
  if (op == BinaryOp::Power)
    return power(span, a, b);
  if (!unify(span, what, a, b, op == BinaryOp::Divide))
    return {};
  Value result;
  switch (op) {
  case BinaryOp::Add:
    result = binaryOp<AddOp>(span, what, a, b);
    break;
  case BinaryOp::Subtract:
    result = binaryOp<SubOp>(span, what, a, b);
    break;
  case BinaryOp::Multiply:
    result = binaryOp<MulOp>(span, what, a, b);
    break;
  case BinaryOp::Divide:
    result = binaryOp<DivOp>(span, what, a, b);
    break;
  case BinaryOp::FloorDivide:
    result = binaryOp<FloorDivOp>(span, what, a, b);
    break;
  default:
    result = binaryOp<ModOp>(span, what, a, b);
    break;
  }
  if (result.isI32())
    result.range = bounds(op, a.value.range, b.value.range);
  return result;
}

// x^2 and its like are products; x^0.5, x^-0.5 and x^-1 have ops of their own; the rest is pow.
Value Elaborator::power(Span span, Operand a, Operand b) {
  if (!numeric(span, "`^`", a) || !numeric(span, "`^`", b))
    return {};
  const Number &n = b.value.number;
  if (b.value.isNumber() && n.known) {
    double e = n.real();
    if (e == 1)
      return a.value;
    if (e == 2 || e == 3 || e == 4) {
      Operand square{arithmetic(BinaryOp::Multiply, span, a, a), span};
      if (e == 2)
        return square.value;
      return arithmetic(BinaryOp::Multiply, span, square, e == 3 ? a : square);
    }
    Operand x{toFloat(a.span, a.value), a.span};
    if (x.value.isUnknown())
      return {};
    if (e == 0.5)
      return unaryOp<SqrtOp>(span, x.value);
    if (e == -0.5)
      return unaryOp<RsqrtOp>(span, x.value);
    if (e == -1)
      return arithmetic(BinaryOp::Divide, span, {Value::of(Number::ofFloat(1)), span}, x);
  }
  if (!unify(span, "`^`", a, b, true))
    return {};
  return binaryOp<PowOp>(span, "`^`", a, b);
}

Value Elaborator::negate(Span span, Operand a) {
  if (a.value.isUnknown() || !numeric(span, "`-`", a))
    return {};
  if (a.value.isNumber()) {
    Number n = a.value.number;
    n.i = -n.i;
    n.d = -n.d;
    return Value::of(n);
  }
  Value result = like(a.value);
  if (result.isI32())
    result.range = within32(-a.value.range.hi, -a.value.range.lo);
  return emit<NegOp>(span, result, a.value.ir);
}

Value Elaborator::unary(const Unary &e, Frame &frame) {
  Operand a{expr(*e.operand, frame), e.operand->span};
  if (e.op == UnaryOp::Negate)
    return negate(e.opSpan, a);
  if (a.value.isUnknown())
    return {};
  if (a.value.isNumber() && a.value.number.isBool())
    return Value::of(Number::ofBool(!a.value.number.i, a.value.number.known));
  if (!a.value.isBool()) {
    error(Code::H0204, e.opSpan, "`not` needs a bool").label(a.span, typeText(a.value)).help("compare: `x == 0`");
    return {};
  }
  return unaryOp<NotOp>(e.opSpan, a.value);
}

} // namespace heddle
