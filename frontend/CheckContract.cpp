// Rule 2: `a @[H,K] b` sums over the dims named, `a @ b` over the last dim of a.
#include "frontend/Elaborator.h"

namespace heddle {
using namespace ast;

Value Elaborator::contract(const Contract &e, Frame &frame) {
  Value a = expr(*e.lhs, frame), b = expr(*e.rhs, frame);
  if (a.isUnknown() || b.isUnknown())
    return {};
  for (auto [x, side] : {std::pair(&a, e.lhs.get()), std::pair(&b, e.rhs.get())}) {
    if (x->isF32())
      continue;
    Diagnostic &d = error(Code::H0204, e.opSpan, "`@` needs two float tensors");
    d.label(side->span, fmt::format("this is {}", typeText(*x)));
    d.help(x->isNumber() ? "scale by a number with `*`" : "convert it: `f32(x)`");
    return {};
  }
  std::vector<Axis *> over;
  if (e.dims) {
    for (const Ident &name : *e.dims) {
      Axis *axis = dim(name, frame);
      if (!axis)
        return {};
      if (llvm::is_contained(over, axis)) {
        error(Code::H0211, name.span, fmt::format("`{}` is summed over twice", name.name));
        return {};
      }
      over.push_back(axis);
    }
  } else {
    if (a.dims.empty()) {
      error(Code::H0203, e.opSpan, "`@` sums over the last dim of its left side, which has none")
          .label(e.lhs->span, typeText(a))
          .help("scale by a number with `*`");
      return {};
    }
    over.push_back(a.dims.back());
  }
  auto callIt = [&](const Value &x, const char *side) { return x.name.empty() ? side : fmt::format("`{}`", x.name); };
  bool good = true;
  for (size_t i = 0; i < over.size(); ++i) {
    Axis *axis = over[i];
    for (auto [x, other, node, otherNode, side, otherSide] :
         {std::tuple(&a, &b, e.lhs.get(), e.rhs.get(), "the left side", "the right side"),
          std::tuple(&b, &a, e.rhs.get(), e.lhs.get(), "the right side", "the left side")}) {
      if (x->has(axis))
        continue;
      good = false;
      Span at = e.dims ? (*e.dims)[i].span : e.opSpan;
      Diagnostic &d = error(Code::H0203, at, fmt::format("`@` cannot sum over `{}`: {} has no such dim", axis->name,
                                                         callIt(*x, side)));
      d.label(otherNode->span, fmt::format("{} is {}", callIt(*other, otherSide), typeText(*other)));
      if (!x->name.empty() && x->made.valid())
        d.label(x->made, fmt::format("{} is {}", callIt(*x, side), typeText(*x)));
      else
        d.label(node->span, fmt::format("{} is {}", callIt(*x, side), typeText(*x)));
      noteSameSize(d, axis, *x);
      Axis *twin = nullptr;
      for (Axis *candidate : x->dims)
        if (!candidate->rest && !other->has(candidate) && candidate->formula == axis->formula)
          twin = candidate;
      if (twin)
        d.help(x->name.empty() ? fmt::format("rename it: `(...)[{} -> {}]`", twin->name, axis->name)
                               : fmt::format("rename it where it is made: `{} = (...)[{} -> {}]`", x->name, twin->name,
                                             axis->name));
      else if (!e.dims)
        d.help("plain `@` sums over the last dim of its left side; `@[K]` says which");
    }
  }
  if (!good)
    return {};
  Value result = Value::tensor(Element::F32, {});
  result.index = a.index && b.index;
  for (const Value *x : {&a, &b})
    for (Axis *axis : x->dims)
      if (!llvm::is_contained(over, axis) && !result.has(axis))
        result.dims.push_back(axis);
  return building() ? emit<ContractOp>(e.opSpan, result, a.ir, b.ir, ids(over)) : result;
}

} // namespace heddle
