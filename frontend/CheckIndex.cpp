// `x[...]`: take (gather), rename, and an added axis; CheckRegroup.cpp splits and merges. The items act one after the
// other.
//
// A gather's index may hold the axis that it replaces (`x[K = (pos(K) + J) % K]` rotates); the graph's gather may not,
// so such an index is renamed to a fresh axis and the result back.
#include "frontend/Elaborator.h"

namespace heddle {
using namespace ast;

Value Elaborator::index(const Index &e, Frame &frame) {
  Value x = expr(*e.base, frame);
  if (x.isUnknown())
    return {};
  if (building() && x.isNumber()) // which stands for a tensor that spreads
    return x;
  if (!x.isTensor()) {
    error(Code::H0209, e.brackets, fmt::format("{} has no axes", typeText(x)));
    return {};
  }
  for (const IndexItem &item : e.items) {
    Value next;
    switch (item.kind) {
    case IndexItem::Kind::At: {
      Axis *axis = dim(item.from[0], frame);
      if (!axis)
        return {};
      auto saved = frame.names.find("len");
      bool bindsLen = saved == frame.names.end();
      if (bindsLen)
        frame.names["len"] = Value::of(Number::ofInt(axis->size.value_or(2), axis->size.has_value()));
      Value at = expr(*item.index, frame);
      if (bindsLen)
        frame.names.erase("len");
      next = take(x, item, at, frame);
      break;
    }
    case IndexItem::Kind::Rename:
      next = rename(x, item, frame);
      break;
    case IndexItem::Kind::Add:
      next = addAxis(x, item, frame);
      break;
    case IndexItem::Kind::Split:
    case IndexItem::Kind::Merge:
      next = regroup(x, item, frame);
      break;
    }
    if (next.isUnknown())
      return {};
    next.name = x.name;
    next.made = x.made;
    x = next;
  }
  return x;
}

bool Elaborator::hasAxis(const Value &x, Axis *axis, const Ident &name) {
  if (x.has(axis))
    return true;
  Diagnostic &d = error(Code::H0209, name.span,
                        fmt::format("{} has no dim `{}`: it is {}", called(x), name.name, typeText(x)));
  labelMade(d, x, name.span);
  noteSameSize(d, axis, x);
  return false;
}

Value Elaborator::spread(Span span, const Value &x, Axis *axis) {
  if (!spreadsOver(x, axis))
    return x;
  std::vector<Axis *> dims = x.dims;
  dims.push_back(axis);
  return broadcast(span, x, dims);
}

bool Elaborator::lacksAxis(const Value &x, Axis *axis, const Ident &name) {
  if (!x.has(axis))
    return true;
  Diagnostic &d = error(Code::H0211, name.span,
                        fmt::format("{} has the axis `{}` already: it is {}", called(x), axis->name, typeText(x)));
  labelMade(d, x, name.span);
  return false;
}

Value Elaborator::take(Value x, const IndexItem &item, Value at, Frame &frame) {
  Axis *axis = dim(item.from[0], frame);
  if (axis && !at.isUnknown() && spreadsOver(x, axis))
    return x;
  if (!axis || at.isUnknown() || !hasAxis(x, axis, item.from[0]))
    return {};
  if (at.isNumber() && at.number.isInt())
    at = toTensor(item.index->span, at, Element::I32);
  if (at.isUnknown())
    return {};
  if (!at.isI32()) {
    error(Code::H0210, item.index->span, fmt::format("an index must be i32, this is {}", typeText(at)))
        .help("`i32(x)` cuts a float to a whole number");
    return {};
  }
  if (!inRange(at, item.index->span, axis, frame))
    return {};
  Axis *fresh = nullptr; // stands for `axis` in the index
  if (at.has(axis)) {
    fresh = freshAxis(axis->name, axis->size, axis->formula, axis->declared);
    Value renamed = Value::tensor(Element::I32, at.dims);
    std::replace(renamed.dims.begin(), renamed.dims.end(), axis, fresh);
    renamed.index = at.index;
    if (building())
      renamed = emit<RenameOp>(item.span, renamed, at.ir, id(axis), id(fresh));
    at = renamed;
  }
  Value result = Value::tensor(x.element, {});
  result.index = x.index && at.index;
  result.range = x.range;
  for (Axis *dim : x.dims) {
    if (dim != axis) {
      result.dims.push_back(dim);
      continue;
    }
    for (Axis *other : at.dims)
      if (!x.has(other))
        result.dims.push_back(other);
  }
  if (building())
    result = emit<GatherOp>(item.span, result, x.ir, at.ir, id(axis));
  if (!fresh || result.isUnknown())
    return result;
  std::replace(result.dims.begin(), result.dims.end(), fresh, axis);
  return building() ? emit<RenameOp>(item.span, result, result.ir, id(fresh), id(axis)) : result;
}

Value Elaborator::rename(Value x, const IndexItem &item, Frame &frame) {
  Axis *from = dim(item.from[0], frame), *to = dim(item.to[0], frame);
  if (from && to && spreadsOver(x, from))
    return x;
  if (!from || !to || !hasAxis(x, from, item.from[0]))
    return {};
  if (from == to)
    return x;
  if (!lacksAxis(x, to, item.to[0]))
    return {};
  bool differs = from->size && to->size && *from->size != *to->size;
  if (differs || (!building() && !(from->formula == to->formula))) {
    Diagnostic &d = error(Code::H0218, item.span, fmt::format("{} and {} are not known to have one size",
                                                              describe(from), describe(to)));
    for (const Axis *axis : {from, to})
      if (axis->declared.valid())
        d.label(axis->declared, axis->size ? fmt::format("{} is {}", axis->name, *axis->size)
                                           : fmt::format("{} is declared here", axis->name));
    if (from->size && to->size && !differs)
      d.note("the two sizes are equal by chance: a change of one would break the other");
    d.help(fmt::format("declare one by the other: `dim {} ~ {}`", to->name, from->name));
    return {};
  }
  Value result = x;
  result.input = x.input;
  std::replace(result.dims.begin(), result.dims.end(), from, to);
  return building() ? emit<RenameOp>(item.span, result, x.ir, id(from), id(to)) : result;
}

Value Elaborator::addAxis(Value x, const IndexItem &item, Frame &frame) {
  Axis *to = dim(item.to[0], frame);
  if (!to)
    return {};
  if (!lacksAxis(x, to, item.to[0]))
    return {};
  std::vector<Axis *> dims{to};
  dims.insert(dims.end(), x.dims.begin(), x.dims.end());
  return broadcast(item.span, x, dims);
}

bool Elaborator::inRange(const Value &index, Span span, const Axis *axis, Frame &frame) {
  if (!building() || !axis->size)
    return true;
  int64_t size = *axis->size;
  if (index.range.lo >= 0 && index.range.hi < size)
    return true;
  if (index.input >= 0) {
    auto &below = inputs[index.input].below;
    below = std::min(below.value_or(size), size);
    return true;
  }
  bool says = index.range.lo > INT32_MIN || index.range.hi < INT32_MAX;
  Diagnostic &d = error(Code::H0219, span, fmt::format("this index may leave `{}`", axis->name));
  if (says)
    d.here(fmt::format("from {} to {}", index.range.lo, index.range.hi));
  d.note(fmt::format("`{}` has positions 0 to {}", axis->name, size - 1));
  if (axis->declared.valid())
    d.label(axis->declared, fmt::format("{} is {}", axis->name, size));
  d.help(fmt::format("keep it inside: `clamp({}, 0, {} - 1)`", std::string(span.text()), axis->name));
  return false;
}

} // namespace heddle
