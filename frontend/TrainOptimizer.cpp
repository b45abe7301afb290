// Optimizers and learning rates as the train block writes them.
#include "frontend/DidYouMean.h"
#include "frontend/TrainBlock.h"

#include <cmath>

namespace heddle {
using namespace ast;

std::optional<Number> readNumber(const Expr &e, Elaborator &el, Elaborator::Frame &frame, const char *what) {
  Value v = el.expr(e, frame);
  if (v.isUnknown())
    return std::nullopt;
  if (v.isNumber() && !v.number.isBool() && std::isfinite(v.number.real()))
    return v.number;
  el.error(Code::H0410, e.span, fmt::format("{} must be a number", what));
  return std::nullopt;
}

std::optional<int64_t> readWhole(const Expr &e, Elaborator &el, Elaborator::Frame &frame, const char *what, int64_t least,
                                 int64_t most) {
  auto n = readNumber(e, el, frame, what);
  if (!n)
    return std::nullopt;
  if (n->isInt() && (!n->known || (n->i >= least && n->i <= most)))
    return n->i;
  Diagnostic &d = el.error(Code::H0410, e.span,
                           most == INT64_MAX ? fmt::format("{} must be a whole number from {}", what, least)
                                             : fmt::format("{} must be a whole number from {} to {}", what, least, most));
  double x = n->real();
  if (n->known && n->isFloat() && x == std::floor(x) && x >= least && x <= std::min<double>(most, 1e15))
    d.help(fmt::format("write `{}`", static_cast<int64_t>(x))).replace(e.span, std::to_string(static_cast<int64_t>(x)));
  return std::nullopt;
}

static std::optional<double> bounded(const Expr &e, Elaborator &el, Elaborator::Frame &frame, const char *what, double lo,
                                     double hi, bool openTop) {
  auto n = readNumber(e, el, frame, what);
  if (!n)
    return std::nullopt;
  double x = n->real();
  if (n->known && (x < lo || x > hi || (openTop && x == hi))) {
    el.error(Code::H0410, e.span,
             std::isinf(hi) ? fmt::format("{} must be at least {}", what, lo)
                            : fmt::format("{} must lie between {} and {}", what, lo, hi));
    return std::nullopt;
  }
  return x;
}

// schedule = part { "then" part };  part = number | warmup(n) | constant(a) | linear(a, b) | cosine(a, b)
static bool schedule(const Expr &e, Elaborator &el, Elaborator::Frame &frame, std::vector<SchedulePart> &parts) {
  if (auto *binary = e.as<Binary>(); binary && binary->op == BinaryOp::Then)
    return schedule(*binary->lhs, el, frame, parts) && schedule(*binary->rhs, el, frame, parts);
  auto *call = e.as<Call>();
  std::string name = call ? call->callee.name : "constant";
  bool known = name == "warmup" || name == "constant" || name == "linear" || name == "cosine";
  if (call && !known && !Elaborator::isBuiltin(name)) {
    Diagnostic &d = el.error(Code::H0411, call->callee.span, fmt::format("there is no schedule `{}`", name));
    if (!suggest(d, call->callee.span, name, {"warmup", "constant", "linear", "cosine"}))
      d.help("a learning rate is a number, warmup(n), constant(a), linear(a, b) or cosine(a, b)");
    return false;
  }
  SchedulePart part;
  part.kind = known ? name : "constant";
  if (!call || !known) {
    auto rate = bounded(e, el, frame, "a learning rate", 0, INFINITY, false);
    if (rate)
      part.from = part.to = *rate, parts.push_back(part);
    return rate.has_value();
  }
  size_t wants = name == "linear" || name == "cosine" ? 2 : 1;
  std::vector<double> numbers;
  for (const Argument &arg : call->args) {
    if (arg.kind != Argument::Kind::Positional) {
      el.error(Code::H0411, arg.span, fmt::format("`{}` takes no such argument", name));
      return false;
    }
    std::optional<double> n;
    if (name != "warmup")
      n = bounded(*arg.value, el, frame, "a learning rate", 0, INFINITY, false);
    else if (auto length = readWhole(*arg.value, el, frame, "the length of a warmup", 1, INT32_MAX))
      n = part.steps = *length;
    if (!n)
      return false;
    numbers.push_back(*n);
  }
  if (numbers.size() != wants) {
    el.error(Code::H0411, call->span, fmt::format("`{}` takes {} number{}", name, wants, wants == 1 ? "" : "s"))
        .help(name == "warmup" ? "write `warmup(100) then cosine(3e-4, 3e-5)`" : wants == 2 ? "from where to where: `" + name + "(3e-4, 3e-5)`" : "write `constant(3e-4)`");
    return false;
  }
  if (name != "warmup")
    part.from = numbers[0], part.to = numbers.back();
  parts.push_back(part);
  return true;
}

std::optional<Optimizer> readOptimizer(const Expr &e, Elaborator &el, Elaborator::Frame &frame) {
  auto *call = e.as<Call>();
  static const std::map<std::string, std::vector<std::string>> kinds = {
      {"sgd", {"lr", "decay", "clip"}},
      {"momentum", {"lr", "momentum", "nesterov", "decay", "clip"}},
      {"adam", {"lr", "beta", "eps", "decay", "clip"}},
      {"adamw", {"lr", "beta", "eps", "decay", "clip"}},
  };
  auto kind = call ? kinds.find(call->callee.name) : kinds.end();
  if (kind == kinds.end()) {
    Diagnostic &d = el.error(Code::H0412, call ? call->callee.span : e.span, call ? fmt::format("there is no optimizer `{}`", call->callee.name) : "this is not an optimizer");
    if (!call || !suggest(d, call->callee.span, call->callee.name, {"sgd", "momentum", "adam", "adamw"}))
      d.help("there are sgd, momentum, adam and adamw; one's own update rules are not supported yet");
    return std::nullopt;
  }
  Optimizer result;
  result.kind = kind->first;
  bool good = true, hasRate = false;
  std::set<std::string> seen;
  for (const Argument &arg : call->args) {
    std::string name = arg.kind == Argument::Kind::Named ? arg.name.name : "";
    if (!llvm::is_contained(kind->second, name) || !seen.insert(name).second) {
      Diagnostic &d = el.error(Code::H0412, arg.span, name.empty() ? "the arguments of an optimizer are named"
                               : seen.count(name) ? fmt::format("`{}` is given twice", name)
                                                  : fmt::format("`{}` has no argument `{}`", result.kind, name));
      std::string list;
      for (const std::string &other : kind->second)
        list += (list.empty() ? "" : ", ") + other;
      static const std::map<std::string, std::string> habits = {
          {"weight_decay", "decay"}, {"learning_rate", "lr"}, {"betas", "beta"}, {"max_norm", "clip"}};
      auto habit = habits.find(name);
      if (habit != habits.end() && llvm::is_contained(kind->second, habit->second))
        d.help(fmt::format("did you mean `{}`?", habit->second)).replace(arg.name.span, habit->second);
      else if (arg.kind == Argument::Kind::Positional && &arg == &call->args[0])
        d.help(fmt::format("name it: `lr = {}`", std::string(arg.span.text()))).replace({arg.span.source, arg.span.begin, arg.span.begin}, "lr = ");
      else if (name.empty() || seen.count(name) || !suggest(d, arg.name.span, name, kind->second))
        d.help("its arguments are " + list);
      // A rate under another name, or under none, is not missing too.
      hasRate |= name.empty() || name == "learning_rate" || nearest(name, kind->second) == "lr";
      good = false;
      continue;
    }
    if (name == "lr") {
      hasRate = true;
      good &= schedule(*arg.value, el, frame, result.rate);
      for (size_t i = 0; good && i + 1 < result.rate.size(); ++i)
        if (result.rate[i].kind != "warmup") {
          el.error(Code::H0411, arg.value->span, fmt::format("`{}` fills the rest of the run: nothing can follow it", result.rate[i].kind));
          good = false;
        }
      if (good && result.rate.back().kind == "warmup") {
        el.error(Code::H0411, arg.value->span, "a warmup rises to the rate that follows, and none does")
            .help("write `warmup(100) then cosine(3e-4, 3e-5)`, or `then constant(3e-4)`");
        good = false;
      }
    } else if (name == "beta") {
      auto *pair = arg.value->as<Tuple>();
      if (!pair || pair->elements.size() != 2) {
        el.error(Code::H0412, arg.value->span, "`beta` is a pair").help("write `beta = (0.9, 0.95)`");
        good = false;
        continue;
      }
      auto b1 = bounded(*pair->elements[0], el, frame, "`beta`", 0, 1, true);
      auto b2 = bounded(*pair->elements[1], el, frame, "`beta`", 0, 1, true);
      good &= b1 && b2;
      result.beta1 = b1.value_or(0), result.beta2 = b2.value_or(0);
    } else if (name == "nesterov") {
      Value v = el.expr(*arg.value, frame);
      if (!v.isNumber() || !v.number.isBool()) {
        el.error(Code::H0412, arg.value->span, "`nesterov` is true or false");
        good = false;
        continue;
      }
      result.nesterov = v.number.i;
    } else {
      std::string what = fmt::format("`{}`", name);
      auto n = bounded(*arg.value, el, frame, what.c_str(), 0, name == "momentum" ? 1 : INFINITY, true);
      good &= n.has_value();
      double x = n.value_or(0);
      (name == "eps" ? result.eps : name == "decay" ? result.decay : name == "clip" ? result.clip : result.momentum) = x;
    }
  }
  if (!hasRate) {
    el.error(Code::H0412, call->span, fmt::format("`{}` has no learning rate", result.kind))
        .help(fmt::format("write `{}(lr = 3e-4)`", result.kind));
    good = false;
  }
  return good ? std::optional(result) : std::nullopt;
}

mlir::DictionaryAttr Optimizer::attribute(mlir::Builder &b, int64_t steps) const {
  auto entry = [&](const char *name, mlir::Attribute value) { return b.getNamedAttr(name, value); };
  auto real = [&](const char *name, double value) { return entry(name, b.getF64FloatAttr(value)); };
  llvm::SmallVector<mlir::Attribute> parts;
  for (const SchedulePart &part : rate) {
    if (part.kind == "warmup")
      parts.push_back(b.getDictionaryAttr({entry("kind", b.getStringAttr(part.kind)), entry("steps", b.getI64IntegerAttr(part.steps))}));
    else
      parts.push_back(b.getDictionaryAttr({entry("kind", b.getStringAttr(part.kind)), real("from", part.from), real("to", part.to)}));
  }
  llvm::SmallVector<mlir::NamedAttribute> all{entry("kind", b.getStringAttr(kind)), entry("lr", b.getArrayAttr(parts)),
                                              entry("steps", b.getI64IntegerAttr(steps)), real("decay", decay),
                                              real("clip", clip)};
  if (kind == "adam" || kind == "adamw")
    all.append({real("beta1", beta1), real("beta2", beta2), real("eps", eps)});
  if (kind == "momentum")
    all.append({real("momentum", momentum), entry("nesterov", b.getBoolAttr(nesterov))});
  return b.getDictionaryAttr(all);
}

} // namespace heddle
