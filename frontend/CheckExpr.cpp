// The forms of expressions: dispatch, literals, names, attributes.
#include "frontend/DidYouMean.h"
#include "frontend/Elaborator.h"
#include "frontend/Parser.h"

namespace heddle {
using namespace ast;

Value Elaborator::expr(const Expr &e, Frame &frame) {
  Value result;
  // The parser bounds one expression; through calls, many add up on the stack.
  struct Level {
    size_t &depth;
    explicit Level(size_t &depth) : depth(++depth) {}
    ~Level() { --depth; }
  } level(depth);
  if (depth > maxDepth) {
    error(Code::H0601, e.span, fmt::format("expressions are nested more than {} levels deep, through calls", maxDepth))
        .help("give a part of it a name on a line of its own");
    return {};
  }
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
  if (result.dims.size() > maxTypeDims) {
    error(Code::H0605, e.span, fmt::format("this value has {} dims; the limit is {}", result.dims.size(), maxTypeDims));
    return {};
  }
  result.name.clear();
  result.source = {};
  result.made = e.span;
  return result;
}

// Where the body that a frame walks makes a value or a parameter of this name, if anywhere.
static std::optional<Span> madeLater(const std::string &name, const Elaborator::Frame &frame) {
  if (!frame.module)
    return std::nullopt;
  for (const StmtPtr &stmt : frame.module->body) {
    if (auto *let = stmt->as<LetStmt>())
      for (const Ident &target : let->targets)
        if (target.name == name)
          return target.span;
    if (auto *param = stmt->as<ParamStmt>())
      for (const Ident &declared : param->names)
        if (declared.name == name)
          return declared.span;
  }
  return std::nullopt;
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
  // A name that is missing is reported once in its body; one that stands for a dim elsewhere, once in the file.
  std::string body = frame.module ? frame.module->name.name : "";
  bool isDim = table.mentionsDim(e.name);
  if (isDim ? !diagnostics.firstTime("dim " + e.name) : !diagnostics.firstTime(fmt::format("value {} of {}", e.name, body)))
    return {};
  if (diagnostics.full()) {
    error(Code::H0208, e.span, fmt::format("there is no value `{}`", e.name));
    return {};
  }
  std::vector<std::string> known = dimNames(frame);
  for (auto &[name, value] : frame.names)
    known.push_back(name);
  Diagnostic &d = error(Code::H0208, e.span, fmt::format("there is no value `{}`", e.name));
  if (auto later = madeLater(e.name, frame))
    d.label(*later, fmt::format("`{}` is made here, further down", e.name)).help("move its line above its use");
  else if (suggest(d, e.span, e.name, known))
    return {};
  else if (isDim)
    d.help(fmt::format("if it is a dim, declare it: `dim {} = 8`", e.name));
  else if (table.find(frame.file, e.name))
    d.help(fmt::format("`{}` is a module: call it, `{}(...)`", e.name, e.name));
  else if (isBuiltin(e.name))
    d.help(fmt::format("`{}` is a function: call it, `{}(x)`", e.name, e.name));
  else
    d.help("a value is an argument, a parameter, or made above its use");
  return {};
}

Value Elaborator::attribute(const Attribute &e, Frame &frame) {
  auto *base = e.base->as<Name>();
  auto it = base ? frame.names.find(base->name) : frame.names.end();
  if (it == frame.names.end() || it->second.kind != Value::Kind::Data) {
    if (it != frame.names.end() && it->second.isUnknown())
      return {};
    Diagnostic &d = error(Code::H0207, e.span, "only `data` has fields");
    const std::string &word = e.attribute.name;
    bool moves = word == "T" || word == "mT" || word == "transpose" || word == "view" || word == "reshape" || word == "permute";
    if (moves || word == "shape" || word == "size")
      d.help(moves ? "axes have names: nothing is transposed or reshaped before `@`, and `x[T -> S]` renames one"
                   : "the size of an axis is the dim itself: `K^-0.5`");
    else if (frame.module)
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
  std::string list;
  for (const std::string &field : fields)
    list += (list.empty() ? "" : ", ") + field;
  if (!suggest(d, e.attribute.span, e.attribute.name, fields))
    d.help("its fields are " + list);
  return {};
}

} // namespace heddle
