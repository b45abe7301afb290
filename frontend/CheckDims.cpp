// Dims: declarations, their sizes as numbers and as formulas, lookup.
//
// A size is worked out in 64 bits; an overflow, a division that leaves a rest and a size below 1 are errors. The size
// of an axis may be unknown: open dims without a value, and the own dims of a generic module while it is checked.
#include "frontend/Elaborator.h"
#include "frontend/UnknownDim.h"

namespace heddle {
using namespace ast;

Axis *Elaborator::freshAxis(std::string name, std::optional<int64_t> size, Formula formula, Span span) {
  Axis &axis = axes.emplace_back();
  axis.name = name;
  axis.size = size;
  axis.formula = std::move(formula);
  axis.declared = span;
  if (!building()) { // no graph: the id only has to be one of its own
    axis.id = fmt::format("{}.{}", name, axes.size());
    return &axis;
  }
  // One name never has two sizes in a graph: ops of different calls may end up in one loop nest. So an id is used again
  // for the same size alone, when no other axis of that id is live.
  std::vector<std::string> &ids = idsOf[{name, size.value_or(-1)}];
  for (const std::string &id : ids)
    if (axis.id.empty() && !liveIds.count(id))
      axis.id = id;
  while (axis.id.empty()) {
    size_t n = ++idCounts[name];
    std::string id = n == 1 ? name : fmt::format("{}.{}", name, n);
    ids.push_back(id);
    if (!liveIds.count(id))
      axis.id = id;
  }
  liveIds.insert(axis.id);
  idLog.push_back(axis.id);
  return &axis;
}

void Elaborator::declareFileDims() {
  for (const FileDim &dim : table.dims().all()) {
    Frame none;
    none.file = dim.file;
    declare(*dim.decl, none, true);
  }
}

Axis *Elaborator::declare(const DimDecl &decl, Frame &frame, bool ofFile) {
  const std::string &name = decl.name.name;
  std::map<std::string, Axis *> &declared = ofFile ? fileAxes : frame.dims;
  if (auto it = declared.find(name); it != declared.end()) {
    // A line that stands twice is one mistake, however many dims it declares.
    std::string line = fmt::format("dims twice {}:{}", decl.name.span.source->name(), decl.name.span.start().line);
    Diagnostic *same = diagnostics.shared(line);
    Diagnostic &d = same ? *same : error(Code::H0212, decl.name.span, fmt::format("dim `{}` is declared twice", name));
    if (same)
      d.label(decl.name.span, fmt::format("so is `{}`", name));
    else
      diagnostics.share(line, d);
    d.label(it->second->declared, fmt::format("`{}` is declared here first", name));
    return it->second;
  }
  std::optional<int64_t> value;
  Formula formula = Formula::symbol(fmt::format("{}@{}", name, axes.size()));
  auto set = ofFile ? given.find(name) : given.end();
  if (decl.like) {
    if (Axis *other = dim(*decl.like, frame)) {
      value = other->size;
      formula = other->formula;
    }
  } else if (decl.size) {
    if (auto s = size(*decl.size, frame)) {
      value = s->value;
      if (!s->formula.isNumber())
        formula = s->formula;
      else if (set != given.end())
        value = set->second;
    }
  } else if (set != given.end()) {
    value = set->second;
  }
  if (value && *value < 1) {
    error(Code::H0213, decl.name.span, fmt::format("dim `{}` has size {}", name, *value))
        .help("a size is a whole number from 1");
    value.reset();
  } else if (value && *value > INT32_MAX) {
    error(Code::H0214, decl.name.span, fmt::format("dim `{}` has size {}", name, *value))
        .help("the largest size of an axis is 2147483647");
    value.reset();
  }
  Axis *axis = freshAxis(name, value, formula, decl.name.span);
  axis->decl = &decl;
  axis->ofFile = ofFile;
  axis->owner = frame.module;
  return declared[name] = axis;
}

Axis *Elaborator::fileDim(const std::string &name) const {
  auto it = fileAxes.find(name);
  return it == fileAxes.end() ? nullptr : it->second;
}

Axis *Elaborator::findDim(const std::string &name, const Frame &frame) const {
  if (auto it = frame.dims.find(name); it != frame.dims.end())
    return it->second;
  return table.dims().sees(frame.file, name) ? fileDim(name) : nullptr;
}

std::vector<std::string> Elaborator::dimNames(const Frame &frame) const {
  std::vector<std::string> names;
  for (auto &[name, axis] : frame.dims)
    names.push_back(name);
  for (auto &[name, axis] : fileAxes)
    if (table.dims().sees(frame.file, name))
      names.push_back(name);
  return names;
}

Axis *Elaborator::dim(const Ident &name, const Frame &frame) {
  if (Axis *axis = findDim(name.name, frame))
    return axis;
  reportUnknownDim(diagnostics, name, [&] { return dimNames(frame); });
  return nullptr;
}

bool Elaborator::resolve(const TensorType &type, const Frame &frame, std::vector<Axis *> &dims) {
  dims.clear();
  if (type.rest)
    dims = frame.rest;
  bool good = true;
  for (const Ident &name : type.dims) {
    Axis *axis = dim(name, frame);
    if (axis && llvm::is_contained(dims, axis)) {
      error(Code::H0211, name.span, fmt::format("a tensor cannot have the axis `{}` twice", name.name))
          .help(fmt::format("declare another axis of the same size: `dim {}2 ~ {}`", name.name, name.name));
      axis = nullptr;
    }
    good &= axis != nullptr;
    if (axis)
      dims.push_back(axis);
  }
  return good;
}

// size = number | dim | constant | "-" size | size ("+" | "-" | "*" | "/" | "//" | "%" | "^") size
std::optional<Elaborator::Size> Elaborator::size(const Expr &e, const Frame &frame) {
  auto overflow = [&](Span span) {
    error(Code::H0214, span, "this size leaves 64 bits").help("the largest size of an axis is 2147483647");
    return std::nullopt;
  };
  if (auto *literal = e.as<IntLiteral>())
    return Size{literal->value, Formula::number(literal->value)};
  if (auto *name = e.as<Name>()) {
    if (auto it = frame.names.find(name->name); it != frame.names.end() && it->second.isNumber()) {
      const Number &n = it->second.number;
      if (n.isInt())
        return n.known ? Size{n.i, Formula::number(n.i)} : Size{std::nullopt, Formula::symbol(name->name + "@const")};
      error(Code::H0215, e.span, fmt::format("`{}` is not a whole number", name->name));
      return std::nullopt;
    }
    Axis *axis = dim({name->name, name->span}, frame);
    return axis ? std::optional<Size>({axis->size, axis->formula}) : std::nullopt;
  }
  if (auto *unary = e.as<Unary>(); unary && unary->op == UnaryOp::Negate) {
    auto x = size(*unary->operand, frame);
    if (!x)
      return std::nullopt;
    if (x->value == INT64_MIN)
      return overflow(e.span);
    return Size{x->value ? std::optional<int64_t>(-*x->value) : std::nullopt, Formula::number(0) - x->formula};
  }
  auto *binary = e.as<Binary>();
  if (!binary) {
    error(Code::H0215, e.span, "this is not a size").help("a size is made of whole numbers, dims and + - * / // % ^");
    return std::nullopt;
  }
  auto a = size(*binary->lhs, frame), b = size(*binary->rhs, frame);
  if (!a || !b)
    return std::nullopt;
  bool known = a->value && b->value;
  int64_t x = a->value.value_or(1), y = b->value.value_or(1), r = 0;
  Size result;
  switch (binary->op) {
  case BinaryOp::Add:
    result.formula = a->formula + b->formula;
    if (__builtin_add_overflow(x, y, &r))
      return overflow(e.span);
    break;
  case BinaryOp::Subtract:
    result.formula = a->formula - b->formula;
    if (__builtin_sub_overflow(x, y, &r))
      return overflow(e.span);
    break;
  case BinaryOp::Multiply:
    result.formula = a->formula * b->formula;
    if (__builtin_mul_overflow(x, y, &r))
      return overflow(e.span);
    break;
  case BinaryOp::Divide:
  case BinaryOp::FloorDivide:
  case BinaryOp::Modulo:
    if (y == 0 || (x == INT64_MIN && y == -1)) {
      error(Code::H0216, binary->opSpan, "division by 0 in a size");
      return std::nullopt;
    }
    if (binary->op == BinaryOp::Divide) {
      result.formula = a->formula / b->formula;
      r = x / y;
      if (known && x % y != 0) {
        Diagnostic &d = error(Code::H0216, binary->opSpan, fmt::format("{} is not divisible by {}", x, y));
        d.label(binary->lhs->span, fmt::format("{}", x)).label(binary->rhs->span, fmt::format("{}", y));
        d.help("choose sizes that divide; `//` rounds down");
        return std::nullopt;
      }
      break;
    }
    r = x / y - ((x % y != 0) && ((x < 0) != (y < 0)));
    if (binary->op == BinaryOp::Modulo)
      r = x - y * r;
    result.formula = Formula::opaque(a->formula, spelling(binary->op), b->formula);
    break;
  case BinaryOp::Power:
    if (y < 0) {
      error(Code::H0215, e.span, "a negative power is not a size");
      return std::nullopt;
    }
    result.formula = Formula::opaque(a->formula, "^", b->formula);
    if (y > 64 && x != 0 && x != 1 && x != -1)
      return overflow(e.span);
    r = 1;
    for (int64_t k = 0; k < std::min<int64_t>(y, 64); ++k)
      if (__builtin_mul_overflow(r, x, &r))
        return overflow(e.span);
    break;
  default:
    error(Code::H0215, e.span, fmt::format("`{}` has no meaning in a size", spelling(binary->op)))
        .help("a size is made of whole numbers, dims and + - * / // % ^");
    return std::nullopt;
  }
  if (known)
    result.value = r;
  return result;
}

} // namespace heddle
