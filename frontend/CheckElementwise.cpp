// Rule 3 and the elementwise building blocks that operators and functions share.
//
// Rule 3: all dims of an elementwise result must stand in one operand that is not an index value. Index values (made
// of pos, constants, i32 and bool alone) spread freely; among themselves they form the outer product.
#include "frontend/Elaborator.h"

#include <cmath>

namespace heddle {
using namespace ast;

std::optional<Value> Elaborator::cover(Span op, const std::string &what, const std::vector<Operand> &operands,
                                       Element element) {
  std::vector<Axis *> all;
  bool index = true;
  for (const Operand &x : operands) {
    index &= x.value.index;
    for (Axis *axis : x.value.dims)
      if (!llvm::is_contained(all, axis))
        all.push_back(axis);
  }
  Value result = Value::tensor(element, {});
  result.index = index;
  if (index) {
    result.dims = all;
    return result;
  }
  const Operand *widest = nullptr;
  for (const Operand &x : operands) {
    if (x.value.index)
      continue;
    if (x.value.dims.size() == all.size()) {
      result.dims = x.value.dims;
      return result;
    }
    if (!widest || x.value.dims.size() > widest->value.dims.size())
      widest = &x;
  }
  // No operand holds them all: name the operand that brings a strange axis, and the axis.
  const Operand *guilty = nullptr;
  Axis *strange = nullptr;
  for (const Operand &x : operands)
    for (Axis *axis : x.value.dims)
      if (&x != widest && !strange && !widest->value.has(axis))
        guilty = &x, strange = axis;
  Diagnostic &d = error(Code::H0202, op, fmt::format("{}: no operand has all the axes of the result", what));
  for (const Operand &x : operands)
    if (x.span.valid() && !(x.span == op))
      d.label(x.span, typeText(x.value));
  labelMade(d, guilty->value, guilty->span);
  Axis *twin = nullptr;
  for (Axis *axis : widest->value.dims)
    if (axis->formula == strange->formula && !guilty->value.has(axis))
      twin = axis;
  if (twin) {
    d.note(fmt::format("{} and {} have the same size but are different axes", strange->name, twin->name));
    d.help(fmt::format("rename the axis: `{}[{} -> {}]`", guilty->value.name.empty() ? "x" : guilty->value.name,
                       strange->name, twin->name));
  } else {
    d.note("an axis is never added silently to a float tensor, or to what is computed from one");
    d.help(fmt::format("add {} in the open: `{}[+{}]`", describe(strange),
                       widest->value.name.empty() ? "x" : widest->value.name, strange->name));
  }
  return std::nullopt;
}

Value Elaborator::constant(Span span, double number, Element element) {
  Value v = Value::tensor(element, {});
  v.index = true;
  if (element == Element::I32)
    v.range = {static_cast<int64_t>(number), static_cast<int64_t>(number)};
  Interval range = v.range;
  v = emit<ConstantOp>(span, v, number);
  v.range = range;
  return v;
}

static constexpr double kRoundsToInfinity = 0x1.ffffffp127; // as an f32

Value Elaborator::toTensor(Span span, const Value &value, Element element) {
  if (value.isNumber()) {
    // An int may become a float, and nothing else another thing: the caller finds that the type is not what it wants.
    if (!(element == Element::F32 && value.number.isInt()))
      element = value.number.element();
    if (element == Element::I32 && value.number.known && (value.number.i > INT32_MAX || value.number.i < INT32_MIN)) {
      error(Code::H0214, span, fmt::format("{} does not fit 32 bits", value.number.i));
      return {};
    }
    double real = value.number.real();
    if (element == Element::F32 && value.number.known && std::abs(real) >= kRoundsToInfinity && std::isfinite(real)) {
      error(Code::H0214, span, fmt::format("{} does not fit an f32, whose largest is 3.4028235e38", real))
          .help(real < 0 ? "infinity is written `-inf`" : "infinity is written `inf`");
      return {};
    }
    return constant(span, real, element);
  }
  if (value.isTensor() && element == Element::F32)
    return toFloat(span, value);
  return value;
}

Value Elaborator::toFloat(Span span, const Value &value) {
  if (value.isNumber())
    return value.number.isBool() ? constant(span, value.number.real(), Element::F32) : toTensor(span, value, Element::F32);
  if (!value.isTensor() || value.isF32())
    return value;
  Value result = like(value);
  result.element = Element::F32;
  result.name = value.name;
  result.made = value.made;
  return emit<CastOp>(span, result, value.ir);
}

Value Elaborator::broadcast(Span span, const Value &x, const std::vector<Axis *> &dims) {
  Value result = Value::tensor(x.element, dims);
  result.index = x.index;
  result.range = x.range;
  if (llvm::all_of(dims, [&](Axis *a) { return x.has(a); })) {
    result.ir = x.ir;
    return result;
  }
  return emit<BroadcastOp>(span, result, x.ir);
}

Value Elaborator::counted(Span span, const Value &x, const std::vector<Axis *> &over) {
  if (!batchRows.isTensor() || !llvm::is_contained(over, batchRows.dims[0]))
    return x;
  return where(span, {batchRows, span}, {x, span}, {constant(span, 0, x.element), span});
}

Value Elaborator::reduce(Span span, const char *kind, Value x, const std::vector<Axis *> &over) {
  if (std::string_view(kind) == "sum")
    x = counted(span, x, over);
  Value result = Value::tensor(x.element, {});
  result.index = x.index;
  for (Axis *axis : x.dims)
    if (!llvm::is_contained(over, axis))
      result.dims.push_back(axis);
  if (over.empty())
    return x;
  if (x.isI32() && std::string_view(kind) != "sum")
    result.range = x.range;
  return building() ? emit<ReduceOp>(span, result, builder->getStringAttr(kind), x.ir, ids(over)) : result;
}

bool Elaborator::numeric(Span op, const std::string &what, const Operand &x) {
  bool good = (x.value.isNumber() && !x.value.number.isBool()) || x.value.isF32() || x.value.isI32();
  if (good || x.value.isUnknown())
    return good;
  Diagnostic &d = error(Code::H0204, op, fmt::format("{} needs numbers", what));
  if (x.span.valid() && !(x.span == op))
    d.label(x.span, x.value.isNumber() ? "a bool" : typeText(x.value));
  if (x.value.isBool() || x.value.isNumber())
    d.help("`where(condition, a, b)` chooses by a bool; `f32(condition)` makes it 0 or 1");
  return false;
}

bool Elaborator::unify(Span op, const std::string &what, Operand &a, Operand &b, bool floats, bool boolsToo) {
  if (a.value.isUnknown() || b.value.isUnknown())
    return false;
  auto isBool = [](const Value &v) { return v.isBool() || (v.isNumber() && v.number.isBool()); };
  if (boolsToo && isBool(a.value) && isBool(b.value)) {
    a.value = toTensor(a.span, a.value, Element::Bool);
    b.value = toTensor(b.span, b.value, Element::Bool);
    return true;
  }
  if (!numeric(op, what, a) || !numeric(op, what, b))
    return false;
  auto isFloat = [](const Value &v) { return v.isF32() || (v.isNumber() && v.number.isFloat()); };
  Element element = floats || isFloat(a.value) || isFloat(b.value) ? Element::F32 : Element::I32;
  std::string nameA = a.value.name, nameB = b.value.name;
  a.value = toTensor(a.span, a.value, element);
  b.value = toTensor(b.span, b.value, element);
  return !a.value.isUnknown() && !b.value.isUnknown();
}

Value Elaborator::compare(const char *predicate, Span span, const std::string &what, Operand a, Operand b) {
  bool equality = std::string_view(predicate) == "eq" || std::string_view(predicate) == "ne";
  if (!unify(span, what, a, b, false, equality))
    return {};
  auto result = cover(span, what, {a, b}, Element::Bool);
  if (!result)
    return {};
  return building() ? emit<CompareOp>(span, *result, builder->getStringAttr(predicate), a.value.ir, b.value.ir) : *result;
}

Value Elaborator::logic(bool conjunction, Span span, Operand a, Operand b) {
  const char *what = conjunction ? "`and`" : "`or`";
  for (Operand *x : {&a, &b}) {
    if (x->value.isUnknown())
      return {};
    if (!x->value.isBool() && !(x->value.isNumber() && x->value.number.isBool())) {
      error(Code::H0204, span, fmt::format("{} needs bools", what))
          .label(x->span, typeText(x->value))
          .help("compare: `x != 0`");
      return {};
    }
  }
  // true and x = x, false or x = x; the other cases are decided by the number alone
  for (auto [x, y] : {std::pair(&a, &b), std::pair(&b, &a)})
    if (x->value.isNumber() && x->value.number.known)
      return (x->value.number.i != 0) == conjunction ? y->value : x->value;
  a.value = toTensor(a.span, a.value, Element::Bool);
  b.value = toTensor(b.span, b.value, Element::Bool);
  return conjunction ? binaryOp<AndOp>(span, what, a, b) : binaryOp<OrOp>(span, what, a, b);
}

Value Elaborator::where(Span span, Operand c, Operand a, Operand b) {
  if (c.value.isUnknown() || a.value.isUnknown() || b.value.isUnknown())
    return {};
  bool number = c.value.isNumber() && c.value.number.isBool();
  if (!c.value.isBool() && !number) {
    error(Code::H0204, c.span, "the condition of `where` must be a bool")
        .here(fmt::format("this is {}", typeText(c.value)))
        .help("compare: `where(x > 0, a, b)`");
    return {};
  }
  if (number && c.value.number.known)
    return c.value.number.i ? a.value : b.value;
  if (number)
    c.value = toTensor(c.span, c.value, Element::Bool);
  if (!unify(span, "`where`", a, b, false, true))
    return {};
  auto result = cover(span, "`where`", {c, a, b}, a.value.element);
  if (!result)
    return {};
  result->range = {std::min(a.value.range.lo, b.value.range.lo), std::max(a.value.range.hi, b.value.range.hi)};
  return emit<SelectOp>(span, *result, c.value.ir, a.value.ir, b.value.ir);
}

Value Elaborator::extremum(bool max, Span span, Operand a, Operand b) {
  const char *what = max ? "`max`" : "`min`";
  if (a.value.isNumber() && b.value.isNumber() && numeric(span, what, a) && numeric(span, what, b)) {
    const Number &x = a.value.number, &y = b.value.number;
    bool known = x.known && y.known;
    if (x.isInt() && y.isInt())
      return Value::of(Number::ofInt(max ? std::max(x.i, y.i) : std::min(x.i, y.i), known));
    return Value::of(Number::ofFloat(max ? std::max(x.real(), y.real()) : std::min(x.real(), y.real()), known));
  }
  if (!unify(span, what, a, b, false))
    return {};
  Value result = max ? binaryOp<MaxOp>(span, what, a, b) : binaryOp<MinOp>(span, what, a, b);
  auto pick = [&](int64_t x, int64_t y) { return max ? std::max(x, y) : std::min(x, y); };
  result.range = {pick(a.value.range.lo, b.value.range.lo), pick(a.value.range.hi, b.value.range.hi)};
  return result;
}

} // namespace heddle
