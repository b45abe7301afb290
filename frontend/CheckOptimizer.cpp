// The update rules of optimizers where they are declared.
//
// A rule is written for one element and used for all: `..` is every axis of a parameter, and nothing in a rule may tell
// one from another. So what goes along axes is refused by the text alone, but for `sum(x)`, the sum over one parameter.
// BuildOptimizer.cpp makes a function of a rule and its arguments; the pass ApplyOptimizer spreads it over parameters.
#include "frontend/AstWalk.h"
#include "frontend/DidYouMean.h"
#include "frontend/Elaborator.h"

namespace heddle {
using namespace ast;

Value Elaborator::stepValue() {
  Value step = Value::tensor(Element::I32, {});
  step.index = true;
  step.range = {1, INT32_MAX};
  step.name = "step";
  return step;
}

void Elaborator::nameSteps(Frame &frame, const Value &step, std::optional<int64_t> steps) {
  frame.names["step"] = step;
  frame.names["steps"] = Value::of(Number::ofInt(steps.value_or(1), steps.has_value()));
}

void Elaborator::openRule(const Module &rule, Frame &frame, const Value &step, std::optional<int64_t> steps) {
  frame.module = &rule;
  frame.file = table.info(&rule).file;
  frame.rest = {freshAxis("rest", building() ? std::optional<int64_t>(1) : std::nullopt, Formula::symbol("..@rule"), {})};
  frame.rest[0]->rest = true;
  nameSteps(frame, step, steps);
}

void Elaborator::walkRule(Frame &frame) {
  const Frame *outer = current;
  current = &frame;
  const Ident &parameter = frame.module->params[0].name;
  State &known = frame.states[parameter.name];
  known.value = frame.names[parameter.name];
  known.full = parameter.name;
  known.span = parameter.span;
  statements(frame.module->body, frame, nullptr);
  endStates(frame);
  current = outer;
}

namespace {

/// What stands in a rule, and in the modules that it calls, that is not elementwise.
class RuleText {
public:
  RuleText(Elaborator &el, const Module &rule) : el(el), rule(rule) {}

  bool good() {
    for (const StmtPtr &stmt : rule.body) {
      if (auto *state = stmt->as<StateStmt>(); state && (!state->type.rest || !state->type.dims.empty()))
        refuse(state->type.span, "the state of an optimizer has the shape of the parameter")
            .help(fmt::format("write `state {}: f32[..] = zeros`", state->name.name));
      if (!stmt->is<LetStmt>() && !stmt->is<StateStmt>() && !stmt->is<NextStmt>())
        refuse(stmt->span, "an optimizer holds values, `state` and `next`, and nothing else");
    }
    body(rule.body);
    return sound;
  }

private:
  void body(const std::vector<StmtPtr> &statements) {
    AstVisitor visitor;
    visitor.expr = [&](const Expr &e) { visit(e); };
    walk(statements, visitor);
  }

  void visit(const Expr &e) {
    if (e.is<Contract>() || e.is<Index>())
      refuse(e.span, "an update rule is elementwise: it cannot index or sum over axes");
    auto *call = e.as<Call>();
    if (!call)
      return;
    const std::string &name = call->callee.name;
    const Module *module = el.modules().find(el.modules().info(&rule).file, name);
    if (!module) {
      static const std::set<std::string> along = {"pos",        "softmax", "log_softmax", "layer_norm", "rms_norm",
                                                  "dropout",    "mean",    "mse",    "argmax",      "concat",     "cross_entropy"};
      bool reduces = (name == "min" || name == "max") && call->args.size() < 2;
      bool says = llvm::any_of(call->args, [](const Argument &arg) { return arg.kind == Argument::Kind::Over; });
      if (along.count(name) || reduces || says)
        refuse(call->callee.span, fmt::format("an update rule is elementwise: it cannot call `{}`", name))
            .help("of the functions that go over axes there is `sum(x)`, over the whole parameter");
      return;
    }
    if (!seen.insert(module).second)
      return;
    bool plain = !el.modules().info(module).holdsParameters &&
                 llvm::all_of(module->body, [](const StmtPtr &s) { return s->is<LetStmt>() || s->is<ReturnStmt>(); });
    if (!plain)
      refuse(call->callee.span, fmt::format("an update rule cannot call `{}`, which is more than an expression", name))
          .label(module->name.span, "declared here");
    else if (auto p = llvm::find_if(module->params, [](const Parameter &p) { return !p.type.dims.empty(); });
             p != module->params.end())
      refuse(call->callee.span, fmt::format("an update rule cannot call `{}`, which names an axis", name))
          .label(p->type.span, "declared here")
          .help("write `f32[..]`: one axis stands for all of a parameter, and its size is not known here");
    else
      body(module->body);
  }

  Diagnostic &refuse(Span span, std::string message) {
    sound = false;
    return el.error(Code::H0415, span, std::move(message));
  }

  Elaborator &el;
  const Module &rule;
  std::set<const Module *> seen;
  bool sound = true;
};

bool isScalar(const Parameter &p) {
  return p.kind == Parameter::Kind::Tensor && p.type.element == Element::F32 && !p.type.rest && p.type.dims.empty();
}

} // namespace

bool Elaborator::ruleSignature(const Module &rule) {
  auto refuse = [&](Span span, std::string message) -> Diagnostic & { return error(Code::H0415, span, std::move(message)); };
  auto isWhole = [](const Parameter &p) {
    return p.kind == Parameter::Kind::Tensor && p.type.element == Element::F32 && p.type.rest && p.type.dims.empty();
  };
  const std::vector<Parameter> &params = rule.params;
  std::string form = fmt::format("optimizer {}(w: f32[..], g: f32[..], lr: f32, ...)", rule.name.name);
  if (params.size() < 2 || !isWhole(params[0]) || !isWhole(params[1])) {
    refuse(rule.header, "the first arguments of an optimizer are a parameter and its gradient").help("write `" + form + "`");
    return false;
  }
  bool good = true;
  std::map<std::string, Span> seen;
  for (size_t i = 0; i < params.size(); ++i) {
    const Parameter &p = params[i];
    const std::string &name = p.name.name;
    auto [it, fresh] = seen.emplace(name, p.name.span);
    size_t before = diagnostics.errorCount();
    if (!fresh)
      error(Code::H0301, p.name.span, fmt::format("the argument `{}` stands twice", name)).label(it->second, "here first");
    else if (name == "step" || name == "steps" || name == "clip")
      refuse(p.name.span, name == "clip" ? "every optimizer has `clip`, which acts before its rule"
                                         : fmt::format("every optimizer has `{}`: it needs no argument", name));
    else if (i >= 2 && p.kind != Parameter::Kind::Const && !isScalar(p))
      refuse(p.span, "behind the gradient, an optimizer takes numbers")
          .help(fmt::format("one that may change from step to step is `{0}: f32`, one that stays `const {0}`", name));
    good &= diagnostics.errorCount() == before;
  }
  if (good && (!seen.count("lr") || llvm::none_of(params, [](const Parameter &p) { return p.name.name == "lr" && isScalar(p); }))) {
    refuse(rule.header, fmt::format("the optimizer `{}` has no learning rate", rule.name.name)).help("write `" + form + "`");
    good = false;
  }
  return good;
}

void Elaborator::checkOptimizers() {
  for (const Module *rule : table.optimizers())
    checkOptimizer(*rule);
}

void Elaborator::checkOptimizer(const Module &rule) {
  Frame frame;
  if (!ruleSignature(rule) || !RuleText(*this, rule).good())
    return;
  openRule(rule, frame, stepValue(), std::nullopt);
  for (const Parameter &p : rule.params) {
    Value v;
    if (p.kind == Parameter::Kind::Tensor) {
      v = Value::tensor(Element::F32, p.type.rest ? frame.rest : std::vector<Axis *>());
    } else {
      auto *tuple = p.defaultValue ? p.defaultValue->as<Tuple>() : nullptr;
      v.kind = Value::Kind::Tuple;
      for (size_t i = 0; i < (tuple ? tuple->elements.size() : 1); ++i) {
        const Expr *given = tuple ? tuple->elements[i].get() : p.defaultValue.get();
        Value d = given ? expr(*given, frame) : Value::of(Number::ofFloat(1));
        if (!d.isUnknown() && !d.isNumber())
          error(Code::H0310, given->span, fmt::format("the default of `{}` is no number", p.name.name));
        Number::Kind kind = p.constType == Parameter::ConstType::Bool    ? Number::Kind::Bool
                            : p.constType == Parameter::ConstType::Int   ? Number::Kind::Int
                            : p.constType == Parameter::ConstType::Float ? Number::Kind::Float
                            : d.number.isBool()                          ? Number::Kind::Bool
                                                                         : Number::Kind::Float;
        v.parts.push_back(Value::of({kind, false, 1, 1}));
      }
      if (!tuple)
        v = Value(v.parts[0]);
    }
    v.name = p.name.name;
    v.made = p.span;
    frame.names[p.name.name] = v;
  }
  const Ident &parameter = rule.params[0].name;
  bool updates = llvm::any_of(rule.body, [&](const StmtPtr &stmt) {
    auto *next = stmt->as<NextStmt>();
    return next && next->target.name == parameter.name;
  });
  if (!updates) {
    error(Code::H0415, rule.name.span, fmt::format("the optimizer `{}` does not say what `{}` becomes", rule.name.name, parameter.name))
        .help(fmt::format("end it with `next {0} = {0} - lr * ...`", parameter.name));
    return;
  }
  walkRule(frame);
}

} // namespace heddle
