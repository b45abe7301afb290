// See Schedule.h. A schedule is a handful of scalar ops on the step, in the graph: a checkpoint need hold nothing but the
// step, and every executor computes the same bits.
#include "frontend/Schedule.h"
#include "frontend/DidYouMean.h"
#include "frontend/TrainBlock.h"

#include <cmath>

namespace heddle {
using namespace ast;
using Operand = Elaborator::Operand;

static bool isPart(const std::string &name) { return name == "warmup" || name == "constant" || name == "linear" || name == "cosine"; }

static std::string called(const std::string &name) { return name == "lr" ? "a learning rate" : fmt::format("`{}`", name); }

static std::optional<double> plainNumber(const Expr &e, const std::string &name, Elaborator &el, Elaborator::Frame &frame) {
  std::string what = called(name);
  return name == "lr" ? readBounded(e, el, frame, what.c_str(), 0, INFINITY, false)
                      : readBounded(e, el, frame, what.c_str(), -INFINITY, INFINITY, false);
}

namespace {

/// schedule = part { "then" part };  part = expression | warmup(n) | constant(a) | linear(a, b) | cosine(a, b)
class Reader {
public:
  Reader(const std::string &name, Elaborator &el, Elaborator::Frame &frame) : name(name), el(el), frame(frame) {}

  bool read(const Expr &e) {
    if (auto *binary = e.as<Binary>(); binary && binary->op == BinaryOp::Then)
      return read(*binary->lhs) && read(*binary->rhs);
    if (last) {
      el.error(Code::H0411, last->span, fmt::format("`{}` fills the rest of the run: nothing can follow it", lastName()));
      return false;
    }
    auto *call = e.as<Call>();
    const std::string &part = call ? call->callee.name : name;
    if (call && isPart(part))
      return readPart(*call);
    if (call && !Elaborator::isBuiltin(part) && !el.modules().find(frame.file, part)) {
      Diagnostic &d = el.error(Code::H0411, call->callee.span, fmt::format("there is no schedule `{}`", part));
      if (!suggest(d, call->callee.span, part, {"warmup", "constant", "linear", "cosine"}))
        d.help("a learning rate is a number, an expression of `step` and `steps`, warmup(n), constant(a), linear(a, b) or "
               "cosine(a, b)");
      return false;
    }
    last = &e;
    result.main = &e;
    return true;
  }

  std::optional<Schedule> finish(const Expr &e) {
    result.span = e.span;
    if (last)
      return result;
    el.error(Code::H0411, e.span, "a warmup rises to the rate that follows, and none does")
        .help("write `warmup(100) then cosine(3e-4, 3e-5)`, or `then constant(3e-4)`");
    return std::nullopt;
  }

private:
  bool readPart(const Call &call) {
    const std::string &part = call.callee.name;
    size_t wants = part == "linear" || part == "cosine" ? 2 : 1;
    std::vector<double> numbers;
    for (const Argument &arg : call.args) {
      if (arg.kind != Argument::Kind::Positional) {
        el.error(Code::H0411, arg.span, fmt::format("`{}` takes no such argument", part));
        return false;
      }
      std::optional<double> n;
      if (part != "warmup")
        n = plainNumber(*arg.value, name, el, frame);
      else if (auto length = readWhole(*arg.value, el, frame, "the length of a warmup", 1, INT32_MAX))
        n = static_cast<double>(*length);
      if (!n)
        return false;
      numbers.push_back(*n);
    }
    if (numbers.size() != wants) {
      el.error(Code::H0411, call.span, fmt::format("`{}` takes {} number{}", part, wants, wants == 1 ? "" : "s"))
          .help(part == "warmup" ? "write `warmup(100) then cosine(3e-4, 3e-5)`" : wants == 2 ? "from where to where: `" + part + "(3e-4, 3e-5)`" : "write `constant(3e-4)`");
      return false;
    }
    if (part == "warmup") {
      result.warmup += static_cast<int64_t>(numbers[0]);
      if (result.warmup <= INT32_MAX)
        return true;
      el.error(Code::H0411, call.span, fmt::format("the warmups have more than {} steps together", INT32_MAX));
      return false;
    }
    last = &call;
    if (part == "constant")
      result.main = call.args[0].value.get();
    else
      result.kind = part, result.from = numbers[0], result.to = numbers[1];
    return true;
  }
  std::string lastName() const {
    auto *call = last->as<Call>();
    return call && isPart(call->callee.name) ? call->callee.name : std::string(last->span.text());
  }

  const std::string &name;
  Elaborator &el;
  Elaborator::Frame &frame;
  Schedule result;
  const Expr *last = nullptr; // what fills the rest of the run
};

/// Writes ops at the place of a schedule.
struct ScalarOps {
  Elaborator &el;
  Span span;

  Value op(BinaryOp o, const Value &a, const Value &b) { return el.arithmetic(o, span, {a, span}, {b, span}); }
  Value number(double x) { return Value::of(Number::ofFloat(x)); }
  Value real(const Value &x) { return x.isNumber() ? number(x.number.real()) : el.toFloat(span, x); }
  Value cosine(const Value &x) {
    return x.isNumber() ? number(std::cos(x.number.real())) : el.unaryOp<CosOp>(span, x);
  }
};

} // namespace

std::optional<Schedule> readSchedule(const Expr &e, const std::string &name, Elaborator &el, Elaborator::Frame &frame) {
  Reader reader(name, el, frame);
  return reader.read(e) ? reader.finish(e) : std::nullopt;
}

// The main part by itself.
static Value mainValue(const Schedule &schedule, const std::string &name, Elaborator &el, Elaborator::Frame &frame) {
  ScalarOps f{el, schedule.span};
  if (schedule.main) {
    Value v = el.expr(*schedule.main, frame);
    if (v.isUnknown())
      return v;
    bool number = (v.isNumber() && !v.number.isBool()) || ((v.isF32() || v.isI32()) && v.dims.empty());
    const Number &n = v.number;
    bool usable = !v.isNumber() || !n.known || (std::isfinite(n.real()) && (name != "lr" || n.real() >= 0));
    if (number && usable)
      return f.real(v);
    bool negative = number && std::isfinite(n.real());
    Diagnostic &d = el.error(Code::H0410, schedule.main->span,
                             fmt::format("{} must be {}", called(name), negative ? "at least 0" : "a number"));
    Value step = frame.names["step"];
    if (!number)
      d.here(fmt::format("this is {}", typeText(v)));
    else if (step.isNumber())
      d.here(fmt::format("at step {} this is {}", step.number.i, n.real()));
    return {};
  }
  const Value step = frame.names["step"];
  const Number steps = frame.names["steps"].number;
  // How far the run after the warmup is: in (0, 1], and 1 after the last step.
  double length = static_cast<double>(std::max<int64_t>(1, steps.i - schedule.warmup));
  Value done = f.real(f.op(BinaryOp::Subtract, step, Value::of(Number::ofInt(schedule.warmup))));
  Value part = el.extremum(false, f.span, {f.number(1), f.span}, {f.op(BinaryOp::Divide, done, f.number(length)), f.span});
  double from = schedule.from, to = schedule.to;
  if (schedule.kind == "linear")
    return f.op(BinaryOp::Add, f.number(from), f.op(BinaryOp::Multiply, f.number(to - from), part));
  Value turn = f.cosine(f.op(BinaryOp::Multiply, f.number(M_PI), part));
  return f.op(BinaryOp::Add, f.number(to), f.op(BinaryOp::Multiply, f.number((from - to) / 2), f.op(BinaryOp::Add, f.number(1), turn)));
}

Value scheduleValue(const Schedule &schedule, const std::string &name, Elaborator &el, Elaborator::Frame &frame) {
  Value rate = mainValue(schedule, name, el, frame);
  if (schedule.warmup == 0 || rate.isUnknown())
    return rate;
  ScalarOps f{el, schedule.span};
  Value step = frame.names["step"], whole = Value::of(Number::ofInt(schedule.warmup));
  Value top = f.number(schedule.from);
  if (schedule.main) {
    Elaborator::Frame end = frame;
    end.names["step"] = whole;
    top = mainValue(schedule, name, el, end);
  }
  if (top.isUnknown())
    return top;
  Value risen = f.op(BinaryOp::Multiply, top, f.op(BinaryOp::Divide, f.real(step), f.number(static_cast<double>(schedule.warmup))));
  if (step.isNumber())
    return step.number.i <= schedule.warmup ? risen : rate;
  return el.where(f.span, {el.compare("le", f.span, "`<=`", {step, f.span}, {whole, f.span}), f.span}, {risen, f.span}, {rate, f.span});
}

void checkSchedule(const Schedule &schedule, const std::string &name, Elaborator &el, Elaborator::Frame frame, int64_t steps) {
  if (!schedule.main)
    return; // its numbers have been looked at
  constexpr int64_t most = 256;
  int64_t last = std::clamp<int64_t>(steps, 1, INT32_MAX), samples = std::min(most, last);
  for (int64_t i = 0; i < samples; ++i) {
    double part = samples == 1 ? 0 : static_cast<double>(i) / static_cast<double>(samples - 1);
    int64_t step = 1 + static_cast<int64_t>(static_cast<double>(last - 1) * part);
    frame.names["step"] = Value::of(Number::ofInt(step));
    size_t errors = el.diags().errorCount();
    Value v = scheduleValue(schedule, name, el, frame);
    if (!v.isNumber() || el.diags().errorCount() > errors)
      return; // reported, or known to the graph alone
  }
}

} // namespace heddle
