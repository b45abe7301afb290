// Rule 2: `a @[H,K] b` sums over the dims named, `a @ b` over the last dim of a.
#include "frontend/Elaborator.h"

namespace heddle {
using namespace ast;

// The axis of x that was probably meant: of the size of `axis`, best one that the other side lacks.
static Axis *twinOf(const Axis *axis, const Value &x, const Value &other) {
  Axis *twin = nullptr;
  for (Axis *candidate : x.dims)
    if (!candidate->rest && candidate->formula == axis->formula && (!twin || !other.has(candidate)))
      twin = candidate;
  return twin;
}

// `v = (x @ wv)[T -> S]`: what to write, from what is written.
static std::string renamed(const Value &x, Span node, const Axis *from, const Axis *to) {
  Span source = x.source.valid() ? x.source : node;
  std::string text(source.text()), left = x.source.valid() ? x.name + " = " : "";
  if (text.find('\n') != std::string::npos)
    text = "...";
  bool simple = text.find_first_of(" +-*/@") == std::string::npos;
  return fmt::format("`{}{}[{} -> {}]`", left, simple ? text : "(" + text + ")", from->name, to->name);
}

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
      Diagnostic &d = error(Code::H0203, node->span, fmt::format("`@` cannot sum over `{}`: {} has no such dim",
                                                                 axis->name, callIt(*x, side)));
      if (x->name.empty())
        d.here(fmt::format("{} is {}", side, typeText(*x)));
      labelMade(d, *x, node->span);
      d.label(otherNode->span, fmt::format("{} is {}", callIt(*other, otherSide), typeText(*other)));
      noteSameSize(d, axis, *x);
      if (Axis *twin = twinOf(axis, *x, *other))
        d.help("rename it where it is made: " + renamed(*x, node->span, twin, axis));
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
  if (!building())
    return result;
  a = counted(e.opSpan, a, over);
  return emit<ContractOp>(e.opSpan, result, a.ir, b.ir, ids(over));
}

} // namespace heddle
