// Optimizers and their groups as the train block writes them. What an optimizer does with its arguments is library text,
// std/optim.heddle, or the file's own.
#include "frontend/DidYouMean.h"
#include "frontend/Schedule.h"
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

std::optional<double> readBounded(const Expr &e, Elaborator &el, Elaborator::Frame &frame, const char *what, double lo,
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

static const Parameter *argumentOf(const Module &rule, const std::string &name) {
  for (size_t i = 2; i < rule.params.size(); ++i)
    if (rule.params[i].name.name == name)
      return &rule.params[i];
  return nullptr;
}

static std::vector<std::string> argumentNames(const Module &rule, bool clip) {
  std::vector<std::string> names;
  for (size_t i = 2; i < rule.params.size(); ++i)
    names.push_back(rule.params[i].name.name);
  if (clip)
    names.push_back("clip");
  return names;
}

static std::string listed(const std::vector<std::string> &names) {
  std::string list;
  for (const std::string &name : names)
    list += (list.empty() ? "" : ", ") + name;
  return list;
}

// Says which argument was meant by one that the optimizer has not.
static void helpArgument(Diagnostic &d, const Module &rule, const Ident &name, bool clip) {
  static const std::map<std::string, std::string> habits = {
      {"weight_decay", "decay"}, {"learning_rate", "lr"}, {"betas", "beta"}, {"max_norm", "clip"}};
  std::vector<std::string> names = argumentNames(rule, clip);
  auto habit = habits.find(name.name);
  if (habit != habits.end() && llvm::is_contained(names, habit->second))
    d.help(fmt::format("did you mean `{}`?", habit->second)).replace(name.span, habit->second);
  else if (!suggest(d, name.span, name.name, names))
    d.help("its arguments are " + listed(names));
}

namespace {

/// The value of one `const` argument: a number of its kind, a bool, or as many numbers as its default has.
class ConstReader {
public:
  ConstReader(const Optimizer &optimizer, const Parameter &p, Elaborator &el, Elaborator::Frame &frame)
      : p(p), el(el), frame(frame), ofLibrary(optimizer.rule->name.span.source != el.modules().file().source) {}

  Value read(const Expr &e) {
    auto *wanted = p.defaultValue ? p.defaultValue->as<Tuple>() : nullptr;
    if (!wanted)
      return one(e, p.defaultValue.get());
    auto *tuple = e.as<Tuple>();
    if (!tuple && e.is<Name>())
      return el.expr(e, frame); // what it was before
    if (!tuple || tuple->elements.size() != wanted->elements.size()) {
      el.error(Code::H0412, e.span, wanted->elements.size() == 2 ? fmt::format("`{}` is a pair", p.name.name)
                                                                 : fmt::format("`{}` is {} numbers", p.name.name, wanted->elements.size()))
          .help(fmt::format("write `{} = {}`", p.name.name, std::string(wanted->span.text())));
      return {};
    }
    Value all;
    all.kind = Value::Kind::Tuple;
    for (size_t i = 0; i < tuple->elements.size(); ++i) {
      all.parts.push_back(one(*tuple->elements[i], wanted->elements[i].get()));
      if (all.parts.back().isUnknown())
        return {};
    }
    return all;
  }

private:
  Value one(const Expr &e, const Expr *otherwise) {
    using C = Parameter::ConstType;
    const std::string &name = p.name.name;
    bool isBool = p.constType == C::Bool || (p.constType == C::Unstated && otherwise && otherwise->is<BoolLiteral>());
    if (isBool) {
      Value v = el.expr(e, frame);
      if (v.isUnknown() || (v.isNumber() && v.number.isBool()))
        return v;
      el.error(Code::H0412, e.span, fmt::format("`{}` is true or false", name));
      return {};
    }
    std::string what = fmt::format("`{}`", name);
    if (p.constType == C::Int) {
      auto n = readWhole(e, el, frame, what.c_str(), INT64_MIN);
      return n ? Value::of(Number::ofInt(*n)) : Value();
    }
    bool isPart = name == "momentum" || name == "beta"; // of what is kept: 1 would never let go
    double most = isPart && ofLibrary ? 1 : INFINITY, least = ofLibrary || name == "decay" ? 0 : -INFINITY;
    auto n = readBounded(e, el, frame, what.c_str(), least, most, true);
    return n ? Value::of(Number::ofFloat(*n)) : Value();
  }

  const Parameter &p;
  Elaborator &el;
  Elaborator::Frame &frame;
  bool ofLibrary; // whose arguments are known to have bounds
};

/// Reads `optim = ...` and its groups.
class OptimizerReader {
public:
  OptimizerReader(int64_t steps, Elaborator &el, Elaborator::Frame &frame) : steps(steps), el(el), frame(frame) {
    Elaborator::nameSteps(this->frame, Elaborator::stepValue(), steps);
  }

  std::optional<Optimizer> read(const Expr &e, const std::vector<const GroupStmt *> &groups) {
    auto *call = e.as<Call>();
    result.span = e.span;
    result.rule = call ? el.modules().findOptimizer(call->callee.name) : nullptr;
    if (!result.rule) {
      std::vector<std::string> names;
      for (const Module *rule : el.modules().optimizers())
        names.push_back(rule->name.name);
      Diagnostic &d = el.error(Code::H0412, call ? call->callee.span : e.span, call ? fmt::format("there is no optimizer `{}`", call->callee.name) : "this is not an optimizer");
      if (!call || !suggest(d, call->callee.span, call->callee.name, names))
        d.help(fmt::format("there are {}; one of your own is declared: `optimizer Name(w: f32[..], g: f32[..], lr: f32) {{ ... }}`", listed(names)));
      return std::nullopt;
    }
    Diagnostics silent;
    if (Elaborator quiet(el.modules(), silent, Elaborator::Mode::Check); !quiet.ruleSignature(*result.rule))
      return std::nullopt; // reported where it is declared
    for (const Argument &arg : call->args)
      argument(*call, arg);
    for (size_t i = 2; i < result.rule->params.size(); ++i)
      missing(*call, result.rule->params[i]);
    for (const GroupStmt *stmt : groups)
      group(*stmt);
    if (good)
      check();
    return good ? std::optional(result) : std::nullopt;
  }

private:
  void argument(const Call &call, const Argument &arg) {
    const Module &rule = *result.rule;
    std::string name = arg.kind == Argument::Kind::Named ? arg.name.name : "";
    bool known = name == "clip" || argumentOf(rule, name), twice = known && (result.given.count(name) || (name == "clip" && clips));
    if (!known || twice) {
      Diagnostic &d = el.error(Code::H0412, arg.span, name.empty() ? "the arguments of an optimizer are named"
                               : twice ? fmt::format("`{}` is given twice", name)
                                       : fmt::format("`{}` has no argument `{}`", rule.name.name, name));
      if (arg.kind == Argument::Kind::Positional && &arg == &call.args[0])
        d.help(fmt::format("name it: `lr = {}`", std::string(arg.span.text()))).replace({arg.span.source, arg.span.begin, arg.span.begin}, "lr = ");
      else if (name.empty() || twice)
        d.help("its arguments are " + listed(argumentNames(rule, true)));
      else
        helpArgument(d, rule, arg.name, true);
      // A rate under another name, or under none, is not missing too.
      hasRate |= name.empty() || name == "learning_rate" || nearest(name, argumentNames(rule, true)) == "lr";
      good = false;
      return;
    }
    if (name != "clip") {
      result.given[name] = arg.value.get();
      return;
    }
    auto n = readBounded(*arg.value, el, frame, "`clip`", 0, INFINITY, true);
    clips = true, good &= n.has_value();
    result.clip = n.value_or(0);
  }

  void missing(const Call &call, const Parameter &p) {
    const std::string &name = p.name.name;
    if (p.defaultValue || result.given.count(name) || (name == "lr" && hasRate))
      return;
    const std::string &optimizer = result.rule->name.name;
    Diagnostic &d = el.error(Code::H0412, call.span, name == "lr" ? fmt::format("`{}` has no learning rate", optimizer)
                                                                  : fmt::format("`{}` does not say `{}`", optimizer, name));
    d.help(name == "lr" ? fmt::format("write `{}(lr = 3e-4)`", optimizer) : "its arguments are " + listed(argumentNames(*result.rule, true)));
    good = false;
  }

  void group(const GroupStmt &stmt) {
    Group group{&stmt, {}};
    for (const GroupStmt::Selector &selector : stmt.selectors)
      if (selector.word && selector.text != "matrices" && selector.text != "vectors") {
        Diagnostic &d = el.error(Code::H0416, selector.span, fmt::format("`{}` is no kind of parameter", selector.text));
        if (!suggest(d, selector.span, selector.text, {"matrices", "vectors"}))
          d.help(fmt::format("the kinds are `matrices`, of two dims and more, and `vectors`; a name is a pattern in quotes: `\"{}\"`", selector.text));
        good = false;
      }
    for (const std::unique_ptr<LetStmt> &let : stmt.settings) {
      const Ident &name = let->targets[0];
      bool known = let->targets.size() == 1 && argumentOf(*result.rule, name.name);
      if (known && group.given.emplace(name.name, let->value.get()).second)
        continue;
      Diagnostic &d = el.error(Code::H0416, name.span, known ? fmt::format("`{}` is given twice", name.name)
                               : name.name == "clip"         ? "`clip` acts on all gradients together"
                                                             : fmt::format("`{}` has no argument `{}`", result.rule->name.name, name.name));
      if (name.name == "clip")
        d.help("give it in `optim`");
      else if (!known)
        helpArgument(d, *result.rule, name, false);
      good = false;
    }
    if (stmt.settings.empty()) {
      el.error(Code::H0416, stmt.span, "this group sets nothing").help("write `group vectors { decay = 0 }`");
      good = false;
    }
    result.groups.push_back(group);
  }

  // All values, by themselves and in each group, and the schedules along the run.
  void check() {
    size_t errors = el.diags().errorCount();
    argumentValues(result, false, {}, el, frame);
    for (const Group &group : result.groups)
      if (el.diags().errorCount() == errors)
        argumentValues(result, false, {&group}, el, frame);
    good = el.diags().errorCount() == errors;
    for (auto &[name, given] : result.given)
      if (good && argumentOf(*result.rule, name)->kind == Parameter::Kind::Tensor)
        if (auto schedule = readSchedule(*given, name, el, frame)) {
          checkSchedule(*schedule, name, el, frame, steps);
          good = el.diags().errorCount() == errors;
        }
  }

  int64_t steps;
  Elaborator &el;
  Elaborator::Frame frame;
  Optimizer result;
  bool good = true, hasRate = false, clips = false;
};

} // namespace

std::optional<Optimizer> readOptimizer(const Expr &e, const std::vector<const GroupStmt *> &groups, int64_t steps,
                                       Elaborator &el, Elaborator::Frame &frame) {
  return OptimizerReader(steps, el, frame).read(e, groups);
}

std::map<std::string, Value> argumentValues(const Optimizer &optimizer, bool vector, const std::vector<const Group *> &groups,
                                            Elaborator &el, Elaborator::Frame frame) {
  std::map<std::string, Value> values;
  const Module &rule = *optimizer.rule;
  auto give = [&](const Parameter &p, const Expr &e) {
    const std::string &name = p.name.name;
    Value v;
    if (p.kind == Parameter::Kind::Const) {
      v = ConstReader(optimizer, p, el, frame).read(e);
    } else if (auto schedule = readSchedule(e, name, el, frame)) {
      v = scheduleValue(*schedule, name, el, frame);
      if (!v.isUnknown())
        v = el.toFloat(e.span, v);
      v.index = false;
    }
    v.name = name;
    v.made = e.span;
    values[name] = v;
  };
  for (size_t i = 2; i < rule.params.size(); ++i) {
    const Parameter &p = rule.params[i];
    auto given = optimizer.given.find(p.name.name);
    const Expr *e = given == optimizer.given.end() ? p.defaultValue.get() : given->second;
    if (e)
      give(p, *e);
  }
  if (const Parameter *decay = argumentOf(rule, "decay"); vector && decay) {
    Value none = Value::of(Number::ofFloat(0));
    values["decay"] = decay->kind == Parameter::Kind::Const ? none : el.toFloat(optimizer.span, none);
    values["decay"].index = false;
  }
  for (const Group *group : groups) {
    for (auto &[name, value] : values)
      frame.names[name] = value;
    for (auto &[name, e] : group->given)
      give(*argumentOf(rule, name), *e);
  }
  return values;
}

} // namespace heddle
