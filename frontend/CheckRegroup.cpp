// Axes split, merged and joined: `x[Y -> (G,P)]`, `x[(G,P) -> Y]`, `concat(a, b, over M + N -> T)`.
//
// That the sizes agree must follow from the formulas of the dims, as for a rename: a module is checked once, for every
// size that its dims may have.
#include "frontend/Elaborator.h"

namespace heddle {
using namespace ast;

// An error unless `formula` and the sizes say the same of both sides.
static bool sameSize(Elaborator &el, Span span, const Formula &formula, std::optional<int64_t> size, const std::string &what,
                     const Axis *axis, const std::string &declaration) {
  bool differs = size && axis->size && *size != *axis->size;
  if (!differs && (el.building() || formula == axis->formula))
    return true;
  Diagnostic &d = el.error(Code::H0218, span, fmt::format("{} is not known to be the size of {}", what, el.describe(axis)));
  if (axis->declared.valid())
    d.label(axis->declared, axis->size ? fmt::format("{} is {}", axis->name, *axis->size)
                                       : fmt::format("{} is declared here", axis->name));
  if (differs)
    d.note(fmt::format("{} is {}", what, *size));
  else if (size && axis->size)
    d.note("the two sizes are equal by chance: a change of one would break the other");
  d.help(fmt::format("declare one by the other: `dim {}`", declaration));
  return false;
}

Elaborator::Size Elaborator::product(const std::vector<Axis *> &axes) {
  Size all{1, Formula::number(1)};
  for (Axis *axis : axes) {
    all.formula = all.formula * axis->formula;
    int64_t next;
    bool known = all.value && axis->size && !__builtin_mul_overflow(*all.value, *axis->size, &next);
    all.value = known ? std::optional(next) : std::nullopt;
  }
  return all;
}

Value Elaborator::regroup(Span span, Value x, const std::vector<Axis *> &from, const std::vector<Axis *> &to) {
  if (building() && product(from).value.value_or(INT64_MAX) > INT32_MAX) {
    error(Code::H0214, span, "together the axes have more than 2147483647 positions");
    return {};
  }
  Value result = Value::tensor(x.element, {});
  result.index = x.index;
  result.range = x.range;
  for (Axis *axis : x.dims)
    if (axis == from[0])
      result.dims.insert(result.dims.end(), to.begin(), to.end());
    else if (!llvm::is_contained(from, axis))
      result.dims.push_back(axis);
  return building() ? emit<RegroupOp>(span, result, x.ir, ids(from), ids(to)) : result;
}

Value Elaborator::regroup(Value x, const IndexItem &item, Frame &frame) {
  std::vector<Axis *> from, to;
  auto resolve = [&](const std::vector<Ident> &names, std::vector<Axis *> &axes) {
    for (const Ident &name : names) {
      Axis *axis = dim(name, frame);
      if (!axis)
        return false;
      if (llvm::is_contained(axes, axis)) {
        error(Code::H0211, name.span, fmt::format("`{}` stands twice", name.name));
        return false;
      }
      axes.push_back(axis);
    }
    return true;
  };
  if (!resolve(item.from, from) || !resolve(item.to, to))
    return {};
  for (size_t i = 0; i < from.size(); ++i) {
    x = spread(item.span, x, from[i]);
    if (x.isUnknown() || !hasAxis(x, from[i], item.from[i]))
      return {};
  }
  for (size_t i = 0; i < to.size(); ++i)
    if (!lacksAxis(x, to[i], item.to[i]))
      return {};
  const std::vector<Axis *> &several = from.size() > 1 ? from : to;
  Axis *whole = from.size() > 1 ? to[0] : from[0];
  std::string text;
  for (Axis *axis : several)
    text += (text.empty() ? "" : " * ") + axis->name;
  Size size = product(several);
  if (!sameSize(*this, item.span, size.formula, size.value, text, whole, whole->name + " = " + text))
    return {};
  return regroup(item.span, x, from, to);
}

Value Elaborator::concat(const Call &call, Frame &frame) {
  Span span = call.callee.span;
  const char *usage = "write `concat(a, b, over M + N -> T)`, with `1` for a piece that has no such axis";
  std::vector<Operand> pieces;
  const Argument *over = nullptr;
  bool known = true;
  for (const Argument &arg : call.args) {
    if (arg.kind == Argument::Kind::Positional) {
      Value v = expr(*arg.value, frame);
      known &= !v.isUnknown();
      pieces.push_back({v, arg.value->span});
    } else if (arg.kind == Argument::Kind::Over && arg.over.into && !over) {
      over = &arg;
    } else {
      error(Code::H0224, arg.span, "`concat` takes tensors, and the axes that it joins").help(usage);
      return {};
    }
  }
  if (call.as) {
    error(Code::H0304, call.as->span, "`as` names a call of a module; `concat` is a function");
    return {};
  }
  if (!over) {
    error(Code::H0220, span, "`concat` does not say which axes it joins").help(usage);
    return {};
  }
  if (pieces.size() != over->over.axes.size()) {
    error(Code::H0224, over->span, fmt::format("{} tensor{} joined over {} ax{}", pieces.size(), pieces.size() == 1 ? "" : "s",
                                               over->over.axes.size(), over->over.axes.size() == 1 ? "is" : "es"))
        .help(usage);
    return {};
  }
  Axis *to = dim(*over->over.into, frame);
  std::vector<Axis *> axes; // null: the piece has none
  for (const Over::Axis &axis : over->over.axes) {
    if (axis.size && *axis.size != 1) {
      error(Code::H0224, axis.dim.span, "a piece without an axis is one element long, `1`").help(usage);
      return {};
    }
    axes.push_back(axis.size ? nullptr : dim(axis.dim, frame));
    known &= axis.size || axes.back();
  }
  if (!to || !known)
    return {};

  bool index = true;
  Element element = Element::Bool;
  for (Operand &piece : pieces) {
    if (piece.value.isNumber())
      piece.value = toTensor(piece.span, piece.value, piece.value.number.element());
    if (!piece.value.isTensor()) {
      error(Code::H0204, piece.span, "`concat` joins tensors").here(fmt::format("this is {}", typeText(piece.value)));
      return {};
    }
    index &= piece.value.index;
    if (piece.value.isF32() || (piece.value.isI32() && element == Element::Bool))
      element = piece.value.element;
  }
  // The dims that every piece has, in the order of the first that has them all; `to` stands where the axis stood.
  Value result = Value::tensor(element, {});
  result.index = index;
  result.range = {INT32_MAX, INT32_MIN};
  Formula sum = Formula::number(0);
  std::optional<int64_t> size = 0;
  std::string text;
  std::vector<std::vector<Axis *>> rests;
  size_t first = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    Value &x = pieces[i].value;
    if (x.element != element && (element != Element::F32 || !x.index || x.isBool())) {
      error(Code::H0204, pieces[i].span, fmt::format("`concat` joins tensors of one type, this is {}", typeText(x)))
          .label(pieces[0].span, typeText(pieces[0].value));
      return {};
    }
    x = element == Element::F32 ? toFloat(pieces[i].span, x) : x;
    Axis *axis = axes[i];
    x = axis ? spread(pieces[i].span, x, axis) : x;
    if (axis && !hasAxis(x, axis, over->over.axes[i].dim))
      return {};
    if (axis != to && !lacksAxis(x, to, *over->over.into))
      return {};
    sum = sum + (axis ? axis->formula : Formula::number(1));
    int64_t next;
    if (!size || (axis && !axis->size) || __builtin_add_overflow(*size, axis ? *axis->size : 1, &next))
      size = std::nullopt;
    else
      size = next;
    text += (text.empty() ? "" : " + ") + (axis ? axis->name : std::string("1"));
    std::vector<Axis *> rest;
    for (Axis *dim : x.dims)
      if (dim != axis)
        rest.push_back(dim);
    rests.push_back(rest);
    if (rest.size() > rests[first].size() || (axis && !axes[first] && rest.size() == rests[first].size()))
      first = i;
    result.range = {std::min(result.range.lo, x.range.lo), std::max(result.range.hi, x.range.hi)};
  }
  if (!sameSize(*this, over->span, sum, size, text, to, to->name + " = " + text))
    return {};
  for (size_t i = 0; i < pieces.size(); ++i) {
    for (Axis *dim : rests[first]) {
      if (llvm::is_contained(rests[i], dim) || pieces[i].value.index)
        continue;
      Diagnostic &d = error(Code::H0225, pieces[i].span, fmt::format("{} lacks the axis `{}` of the other pieces",
                                                                   called(pieces[i].value), dim->name));
      d.label(pieces[first].span, typeText(pieces[first].value));
      d.here(fmt::format("this is {}", typeText(pieces[i].value)));
      d.help(fmt::format("add it in the open: `{}[+{}]`", pieces[i].value.name.empty() ? "x" : pieces[i].value.name, dim->name));
      return {};
    }
    for (Axis *dim : rests[i])
      if (!llvm::is_contained(rests[first], dim)) {
        error(Code::H0225, pieces[i].span, fmt::format("{} has an axis `{}` that another piece lacks",
                                                     called(pieces[i].value), dim->name))
            .here(fmt::format("this is {}", typeText(pieces[i].value)))
            .label(pieces[first].span, typeText(pieces[first].value));
        return {};
      }
    if (rests[i].size() < rests[first].size()) { // an index value spreads
      std::vector<Axis *> dims = rests[first];
      if (axes[i])
        dims.push_back(axes[i]);
      pieces[i].value = broadcast(pieces[i].span, pieces[i].value, dims);
    }
  }
  result.dims = pieces[first].value.dims;
  if (axes[first])
    std::replace(result.dims.begin(), result.dims.end(), axes[first], to);
  else
    result.dims.push_back(to);
  if (!building())
    return result;
  std::vector<mlir::Value> values;
  std::vector<mlir::Attribute> names;
  for (size_t i = 0; i < pieces.size(); ++i) {
    values.push_back(pieces[i].value.ir);
    names.push_back(axes[i] ? id(axes[i]) : builder->getStringAttr(""));
    if (!values.back())
      return {};
  }
  Interval range = result.range;
  result = emit<ConcatOp>(span, result, values, builder->getArrayAttr(names), id(to));
  result.range = range;
  return result;
}

} // namespace heddle
