// The forms of expressions: dispatch, literals, names, attributes.
#include "frontend/DidYouMean.h"
#include "frontend/Elaborator.h"

namespace heddle {
using namespace ast;

Value Elaborator::expr(const Expr &e, Frame &frame) {
  Value result;
  switch (e.kind) {
  case ExprKind::IntLiteral:
    return Value::of(Number::ofInt(e.as<IntLiteral>()->value));
  case ExprKind::FloatLiteral:
    return Value::of(Number::ofFloat(e.as<FloatLiteral>()->value));
  case ExprKind::BoolLiteral:
    return Value::of(Number::ofBool(e.as<BoolLiteral>()->value));
  case ExprKind::StringLiteral:
    result.kind = Value::Kind::String;
    result.text = e.as<StringLiteral>()->value;
    return result;
  case ExprKind::Name:
    return name(*e.as<Name>(), frame);
  case ExprKind::Attribute:
    return attribute(*e.as<Attribute>(), frame);
  case ExprKind::Call:
    result = call(*e.as<Call>(), frame);
    break;
  case ExprKind::Tuple:
    error(Code::H0206, e.span, "a list of values has no meaning here");
    return {};
  case ExprKind::Unary:
    result = unary(*e.as<Unary>(), frame);
    break;
  case ExprKind::Binary:
    result = binary(*e.as<Binary>(), frame);
    break;
  case ExprKind::Contract:
    result = contract(*e.as<Contract>(), frame);
    break;
  case ExprKind::Transpose:
    return expr(*e.as<Transpose>()->operand, frame);
  case ExprKind::Index:
    result = index(*e.as<Index>(), frame);
    break;
  }
  result.name.clear();
  result.source = {};
  result.made = e.span;
  return result;
}

Value Elaborator::name(const Name &e, Frame &frame) {
  if (auto it = frame.names.find(e.name); it != frame.names.end()) {
    if (it->second.kind == Value::Kind::Data) {
      error(Code::H0207, e.span, "`data` is the source; its fields are values").help("write `data.ids`");
      return {};
    }
    return it->second;
  }
  if (Axis *axis = findDim(e.name, frame)) {
    if (building() && !axis->size)
      irType(e.span, Value::tensor(Element::F32, {axis})); // reports the missing size
    Value v = Value::of(Number::ofInt(axis->size.value_or(2), axis->size.has_value()));
    v.name = e.name;
    return v;
  }
  std::vector<std::string> known = dimNames(frame);
  for (auto &[name, value] : frame.names)
    known.push_back(name);
  Diagnostic &d = error(Code::H0208, e.span, fmt::format("there is no value `{}`", e.name));
  if (std::string hint = didYouMean(e.name, known); !hint.empty())
    d.help(hint);
  else if (table.find(frame.file, e.name))
    d.help(fmt::format("`{}` is a module: call it, `{}(...)`", e.name, e.name));
  else if (isBuiltin(e.name))
    d.help(fmt::format("`{}` is a function: call it, `{}(x)`", e.name, e.name));
  return {};
}

Value Elaborator::attribute(const Attribute &e, Frame &frame) {
  auto *base = e.base->as<Name>();
  auto it = base ? frame.names.find(base->name) : frame.names.end();
  if (it == frame.names.end() || it->second.kind != Value::Kind::Data) {
    if (it != frame.names.end() && it->second.isUnknown())
      return {};
    Diagnostic &d = error(Code::H0207, e.span, "only `data` has fields");
    if (frame.module)
      d.help("pass the field to the module as an argument");
    return {};
  }
  std::vector<std::string> fields;
  for (const Value &field : it->second.parts) {
    if (field.name == "data." + e.attribute.name)
      return field;
    fields.push_back(field.name.substr(5));
  }
  if (it->second.text == "unknown")
    return {};
  Diagnostic &d = error(Code::H0207, e.attribute.span, fmt::format("the data has no field `{}`", e.attribute.name));
  std::string hint = didYouMean(e.attribute.name, fields), list;
  for (const std::string &field : fields)
    list += (list.empty() ? "" : ", ") + field;
  d.help(hint.empty() ? "its fields are " + list : hint);
  return {};
}

} // namespace heddle
