// The spellings of the syntax tree's small enumerations.
#include "frontend/Ast.h"

namespace heddle::ast {

bool isSettingName(std::string_view name) {
  for (std::string_view known : {"data", "optim", "steps", "seed", "batch", "accumulate", "from"})
    if (name == known)
      return true;
  return false;
}

const char *spelling(Element element) {
  switch (element) {
  case Element::F32: return "f32";
  case Element::BF16: return "bf16";
  case Element::I32: return "i32";
  case Element::Bool: return "bool";
  }
  return "?";
}

const char *spelling(UnaryOp op) { return op == UnaryOp::Negate ? "-" : "not"; }

const char *spelling(BinaryOp op) {
  switch (op) {
  case BinaryOp::Add: return "+";
  case BinaryOp::Subtract: return "-";
  case BinaryOp::Multiply: return "*";
  case BinaryOp::Divide: return "/";
  case BinaryOp::FloorDivide: return "//";
  case BinaryOp::Modulo: return "%";
  case BinaryOp::Power: return "^";
  case BinaryOp::Equal: return "==";
  case BinaryOp::NotEqual: return "!=";
  case BinaryOp::Less: return "<";
  case BinaryOp::LessEqual: return "<=";
  case BinaryOp::Greater: return ">";
  case BinaryOp::GreaterEqual: return ">=";
  case BinaryOp::And: return "and";
  case BinaryOp::Or: return "or";
  case BinaryOp::Then: return "then";
  }
  return "?";
}

std::string toString(const TensorType &type) {
  std::string text = spelling(type.element);
  if (!type.rest && type.dims.empty())
    return text;
  text += '[';
  const char *separator = "";
  if (type.rest) {
    text += "..";
    separator = ", ";
  }
  for (const Ident &dim : type.dims) {
    text += separator + dim.name;
    separator = ", ";
  }
  return text + ']';
}

} // namespace heddle::ast
