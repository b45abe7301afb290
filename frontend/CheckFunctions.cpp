// The built-in functions. What the graph has no op for is written out in ops that it has; the numerically delicate
// ones in a form whose gradient is finite everywhere (log_sigmoid through log1p).
#include "frontend/DidYouMean.h"
#include "frontend/Elaborator.h"

#include <cmath>

namespace heddle {
using namespace ast;
using Operand = Elaborator::Operand;

namespace {

/// The arguments of a built-in call, sorted out.
struct Args {
  std::vector<Operand> values; // positional
  std::map<std::string, Operand> named;
  std::vector<Axis *> over;
  bool hasOver = false;
  Span overSpan;
};

struct Function {
  const char *name;
  size_t least, most;             // positional arguments
  bool over;                      // takes `over`
  std::vector<const char *> also; // named arguments
  const char *usage;
};

const Function functions[] = {
    {"gelu", 1, 1, false, {}, "gelu(x)"},
    {"gelu_tanh", 1, 1, false, {}, "gelu_tanh(x)"},
    {"relu", 1, 1, false, {}, "relu(x)"},
    {"silu", 1, 1, false, {}, "silu(x)"},
    {"tanh", 1, 1, false, {}, "tanh(x)"},
    {"sigmoid", 1, 1, false, {}, "sigmoid(x)"},
    {"log_sigmoid", 1, 1, false, {}, "log_sigmoid(x)"},
    {"exp", 1, 1, false, {}, "exp(x)"},
    {"expm1", 1, 1, false, {}, "expm1(x)"},
    {"log", 1, 1, false, {}, "log(x)"},
    {"log1p", 1, 1, false, {}, "log1p(x)"},
    {"sqrt", 1, 1, false, {}, "sqrt(x)"},
    {"rsqrt", 1, 1, false, {}, "rsqrt(x)"},
    {"sin", 1, 1, false, {}, "sin(x)"},
    {"cos", 1, 1, false, {}, "cos(x)"},
    {"abs", 1, 1, false, {}, "abs(x)"},
    {"sign", 1, 1, false, {}, "sign(x)"},
    {"floor", 1, 1, false, {}, "floor(x)"},
    {"erf", 1, 1, false, {}, "erf(x)"},
    {"stop_grad", 1, 1, false, {}, "stop_grad(x)"},
    {"f32", 1, 1, false, {}, "f32(x)"},
    {"i32", 1, 1, false, {}, "i32(x)"},
    {"min", 1, 2, true, {}, "min(a, b) or min(x, over D)"},
    {"max", 1, 2, true, {}, "max(a, b) or max(x, over D)"},
    {"clamp", 3, 3, false, {}, "clamp(x, low, high)"},
    {"where", 3, 3, false, {}, "where(condition, a, b)"},
    {"pos", 1, 1, false, {}, "pos(T)"},
    {"softmax", 1, 1, true, {}, "softmax(x, over S)"},
    {"log_softmax", 1, 1, true, {}, "log_softmax(x, over V)"},
    {"layer_norm", 1, 2, true, {"eps"}, "layer_norm(x, over D, eps = 1e-5)"},
    {"rms_norm", 1, 2, true, {"eps"}, "rms_norm(x, over D, eps = 1e-6)"},
    {"dropout", 2, 2, false, {}, "dropout(x, 0.1)"},
    {"sum", 1, 1, true, {}, "sum(x, over D)"},
    {"mean", 1, 1, true, {}, "mean(x, over D)"},
    {"argmax", 1, 1, true, {}, "argmax(x, over V)"},
    {"cross_entropy", 2, 2, true, {"where", "smooth"}, "cross_entropy(logits, target, over V)"},
    {"mse", 2, 2, false, {"where"}, "mse(a, b) or mse(a, b, where = mask)"},
};

const Function *lookup(const std::string &name) {
  for (const Function &f : functions)
    if (name == f.name)
      return &f;
  return nullptr;
}

Value num(double x) { return Value::of(Number::ofFloat(x)); }

/// The functions of one float, elementwise.
class Pointwise {
public:
  Pointwise(Elaborator &el, Span span) : el(el), span(span) {}

  Value apply(const std::string &f, const Value &x) {
    if (f == "exp")
      return el.unaryOp<ExpOp>(span, x);
    if (f == "expm1")
      return el.unaryOp<Expm1Op>(span, x);
    if (f == "log")
      return el.unaryOp<LogOp>(span, x);
    if (f == "log1p")
      return el.unaryOp<Log1pOp>(span, x);
    if (f == "sqrt")
      return el.unaryOp<SqrtOp>(span, x);
    if (f == "rsqrt")
      return el.unaryOp<RsqrtOp>(span, x);
    if (f == "sin")
      return el.unaryOp<SinOp>(span, x);
    if (f == "cos")
      return el.unaryOp<CosOp>(span, x);
    if (f == "abs")
      return el.unaryOp<AbsOp>(span, x);
    if (f == "floor")
      return el.unaryOp<FloorOp>(span, x);
    if (f == "erf")
      return el.unaryOp<ErfOp>(span, x);
    if (f == "tanh")
      return el.unaryOp<TanhOp>(span, x);
    if (f == "stop_grad")
      return el.unaryOp<StopGradOp>(span, x);
    if (f == "relu")
      return el.extremum(true, span, {x, span}, {num(0), span});
    if (f == "sign") { // x where it is 0 or NaN; the gradient is 0 everywhere
      auto beyond = [&](const char *predicate) {
        return Operand{el.compare(predicate, span, "`sign`", {x, span}, {num(0), span}), span};
      };
      Value negative = el.where(span, beyond("lt"), {num(-1), span}, {el.unaryOp<StopGradOp>(span, x), span});
      return el.where(span, beyond("gt"), {num(1), span}, {negative, span});
    }
    if (f == "sigmoid")
      return el.unaryOp<SigmoidOp>(span, x);
    if (f == "silu") // x * sigmoid(x); Elfwing et al. 2017
      return mul(x, el.unaryOp<SigmoidOp>(span, x));
    if (f == "log_sigmoid") { // min(x, 0) - log1p(exp(-|x|))
      Value small = el.unaryOp<Log1pOp>(
          span, el.unaryOp<ExpOp>(span, el.negate(span, {el.unaryOp<AbsOp>(span, x), span})));
      return op(BinaryOp::Subtract, el.extremum(false, span, {x, span}, {num(0), span}), small);
    }
    if (f == "gelu") // 0.5 * x * (1 + erf(x / sqrt(2))); Hendrycks and Gimpel 2016
      return mul(mul(num(0.5), x), add(el.unaryOp<ErfOp>(span, mul(x, num(std::sqrt(0.5)))), num(1)));
    // gelu_tanh: 0.5 * x * (1 + tanh(y)), y = sqrt(2 / pi) * (x + 0.044715 * x^3), the same paper's approximation; that is
    // x * sigmoid(2 * y), which keeps its digits where tanh comes near -1
    double scale = 2 * std::sqrt(2 / M_PI);
    Value inner = mul(x, add(mul(num(0.044715 * scale), mul(x, x)), num(scale)));
    return mul(x, el.unaryOp<SigmoidOp>(span, inner));
  }

  /// The same of a number.
  static double number(const std::string &f, double x) {
    if (f == "exp") return std::exp(x);
    if (f == "expm1") return std::expm1(x);
    if (f == "log") return std::log(x);
    if (f == "log1p") return std::log1p(x);
    if (f == "sign") return x > 0 ? 1 : x < 0 ? -1 : x;
    if (f == "sqrt") return std::sqrt(x);
    if (f == "rsqrt") return 1 / std::sqrt(x);
    if (f == "sin") return std::sin(x);
    if (f == "cos") return std::cos(x);
    if (f == "abs") return std::fabs(x);
    if (f == "floor") return std::floor(x);
    if (f == "erf") return std::erf(x);
    if (f == "tanh") return std::tanh(x);
    if (f == "stop_grad") return x;
    if (f == "relu") return std::max(x, 0.0);
    if (f == "sigmoid") return 1 / (1 + std::exp(-x));
    if (f == "silu") return x / (1 + std::exp(-x));
    if (f == "log_sigmoid") return std::min(x, 0.0) - std::log1p(std::exp(-std::fabs(x)));
    if (f == "gelu") return 0.5 * x * (1 + std::erf(x * std::sqrt(0.5)));
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  }

private:
  Value op(BinaryOp o, const Value &a, const Value &b) { return el.arithmetic(o, span, {a, span}, {b, span}); }
  Value mul(const Value &a, const Value &b) { return op(BinaryOp::Multiply, a, b); }
  Value add(const Value &a, const Value &b) { return op(BinaryOp::Add, a, b); }
  Elaborator &el;
  Span span;
};

/// The functions that go along axes, and those of a kind of their own.
class Along {
public:
  Along(Elaborator &el, const Call &call, Args &args, Elaborator::Frame &frame)
      : el(el), call(call), args(args), frame(frame), span(call.callee.span) {}

  Value apply(const std::string &f) {
    if (f == "softmax" || f == "log_softmax" || f == "layer_norm" || f == "rms_norm")
      return normalise(f);
    if (f == "sum" || f == "mean" || f == "min" || f == "max")
      return reduction(f);
    if (f == "argmax")
      return argmax();
    if (f == "cross_entropy")
      return crossEntropy();
    if (f == "mse")
      return meanSquaredError();
    return dropout();
  }

private:
  Value &x() { return args.values[0].value; }

  /// The one axis of `over`, held by the first argument; null after an error. With `merges`, several become one, which
  /// `apart` takes apart again.
  Axis *axis(bool merges = false) {
    if (!args.hasOver) {
      el.error(Code::H0220, span, fmt::format("`{}` does not say which axis it goes over", call.callee.name))
          .help(fmt::format("write `{}`", lookup(call.callee.name)->usage));
      return nullptr;
    }
    for (Axis *axis : args.over)
      if (!held(axis))
        return nullptr;
    if (args.over.size() == 1)
      return args.over[0];
    if (!merges) {
      el.error(Code::H0220, args.overSpan, fmt::format("`{}` goes over one axis", call.callee.name))
          .help("merge the axes first: `x[(A,C) -> N]`");
      return nullptr;
    }
    std::string name;
    for (Axis *axis : args.over)
      name += (name.empty() ? "" : "_") + axis->name;
    Elaborator::Size size = el.product(args.over);
    Axis *merged = el.freshAxis(name, size.value, size.formula, args.overSpan);
    order = x().dims;
    x() = el.regroup(args.overSpan, x(), args.over, {merged});
    return x().isUnknown() ? nullptr : merged;
  }
  /// What `axis` has merged, in the order that it had.
  Value apart(Value result, Axis *axis) {
    if (args.over.size() == 1 || result.isUnknown())
      return result;
    result = el.regroup(span, result, {axis}, args.over);
    result.dims = order;
    return result;
  }
  bool held(Axis *a) {
    x() = el.spread(span, x(), a);
    if (x().isUnknown() || x().has(a))
      return x().has(a);
    Diagnostic &d = el.error(Code::H0221, args.overSpan,
                             fmt::format("`{}` cannot go over `{}`: {} has no such dim", call.callee.name, a->name,
                                         el.called(x())));
    d.label(args.values[0].span, fmt::format("{}", typeText(x())));
    el.labelMade(d, x(), args.values[0].span);
    el.noteSameSize(d, a, x());
    return false;
  }
  bool floats() {
    if (x().isI32() && x().index)
      x() = el.toFloat(span, x());
    if (x().isF32())
      return true;
    el.error(Code::H0204, args.values[0].span, fmt::format("`{}` needs a float tensor", call.callee.name))
        .here(fmt::format("this is {}", typeText(x())));
    return false;
  }

  Value normalise(const std::string &f) {
    if (!floats())
      return {};
    Axis *a = axis(true);
    if (!a)
      return {};
    Value result = Elaborator::like(x());
    if (f == "softmax" || f == "log_softmax") {
      if (el.building())
        result = f == "softmax" ? el.emit<SoftmaxOp>(span, result, x().ir, el.id(a))
                                : el.emit<LogSoftmaxOp>(span, result, x().ir, el.id(a));
      return apart(result, a);
    }
    double eps = f == "layer_norm" ? 1e-5 : 1e-6;
    const Operand *given = args.values.size() > 1 ? &args.values[1]
                           : args.named.count("eps") ? &args.named["eps"] : nullptr;
    if (given) {
      if (!given->value.isNumber() || given->value.number.isBool() ||
          (given->value.number.known && !(given->value.number.real() >= 0))) {
        el.error(Code::H0222, given->span, "`eps` must be a number that is not negative");
        return {};
      }
      eps = given->value.number.real();
    }
    if (el.building()) {
      auto attr = el.builder->getF64FloatAttr(eps);
      result = f == "layer_norm" ? el.emit<LayerNormOp>(span, result, x().ir, el.id(a), attr)
                                 : el.emit<RmsNormOp>(span, result, x().ir, el.id(a), attr);
    }
    return apart(result, a);
  }

  Value reduction(const std::string &f) {
    if (x().isBool())
      x() = toNumber(x(), f == "mean" ? Element::F32 : Element::I32);
    if (f == "mean")
      x() = el.toFloat(span, x());
    if (!x().isTensor()) {
      el.error(Code::H0204, args.values[0].span, fmt::format("`{}` needs a tensor", f))
          .here(fmt::format("this is {}", typeText(x())));
      return {};
    }
    std::vector<Axis *> over = args.hasOver ? args.over : x().dims;
    for (Axis *a : over)
      if (!held(a))
        return {};
    if (f != "mean")
      return el.reduce(span, f.c_str(), x(), over);
    return mean(x(), over);
  }
  Value mean(const Value &v, const std::vector<Axis *> &over) {
    bool counts = el.batch && llvm::is_contained(over, el.batch);
    double count = 1;
    for (Axis *a : over)
      count *= static_cast<double>(counts && a == el.batch ? 1 : a->size.value_or(1));
    Value total = el.reduce(span, "sum", v, over);
    if (counts) {
      Value one = el.broadcast(span, el.constant(span, 1, Element::F32), {el.batch});
      total = el.arithmetic(BinaryOp::Divide, span, {total, span}, {el.reduce(span, "sum", one, one.dims), span});
    }
    if (count == 1 || over.empty())
      return total;
    return el.arithmetic(BinaryOp::Multiply, span, {total, span}, {num(1 / count), span});
  }
  Value toNumber(const Value &v, Element element) {
    Value result = Elaborator::like(v);
    result.element = element;
    if (element == Element::I32)
      result.range = {0, 1};
    return el.emit<CastOp>(span, result, v.ir);
  }

  Value argmax() {
    Axis *a = axis();
    if (!a)
      return {};
    if (x().isBool())
      x() = toNumber(x(), Element::I32);
    Value result = Value::tensor(Element::I32, {});
    result.index = x().index;
    for (Axis *dim : x().dims)
      if (dim != a)
        result.dims.push_back(dim);
    if (a->size)
      result.range = {0, *a->size - 1};
    return el.building() ? el.emit<ArgmaxOp>(span, result, x().ir, el.id(a)) : result;
  }

  // mean over the rows that `where` leaves (0 if it leaves none) of
  //   (1 - smooth) * -log_softmax(logits)[target] + smooth * mean over V of -log_softmax(logits)   (Szegedy et al. 2015)
  Value crossEntropy() {
    if (!floats())
      return {};
    Axis *a = axis();
    if (!a)
      return {};
    Value &target = args.values[1].value;
    if (!target.isI32()) {
      el.error(Code::H0204, args.values[1].span, "the target of `cross_entropy` must be i32 ids")
          .here(fmt::format("this is {}", typeText(target)));
      return {};
    }
    Value rows = Value::tensor(Element::F32, {});
    for (Axis *dim : x().dims)
      if (dim != a)
        rows.dims.push_back(dim);
    for (Axis *dim : target.dims)
      if (!rows.has(dim)) {
        Diagnostic &d = el.error(Code::H0223, args.values[1].span,
                                 dim == a ? fmt::format("the target has the axis `{}` of the classes", dim->name)
                                          : fmt::format("the target has the axis `{}`, which the logits lack", dim->name));
        d.here(typeText(target)).label(args.values[0].span, typeText(x()));
        el.noteSameSize(d, dim, x());
        return {};
      }
    if (!el.inRange(target, args.values[1].span, a, frame))
      return {};
    if (el.building())
      rows = el.emit<CrossEntropyOp>(span, rows, x().ir, target.ir, el.id(a));
    if (auto it = args.named.find("smooth"); it != args.named.end())
      rows = smooth(rows, it->second, a);
    if (rows.isUnknown())
      return {};
    auto it = args.named.find("where");
    return it == args.named.end() ? mean(rows, rows.dims) : masked(rows, it->second);
  }
  Value smooth(const Value &rows, const Operand &by, Axis *a) {
    const Number &n = by.value.number;
    if (!by.value.isNumber() || n.isBool() || (n.known && !(n.real() >= 0 && n.real() < 1))) {
      el.error(Code::H0222, by.span, "`smooth` must be a number from 0 to below 1");
      return {};
    }
    Value logs = Elaborator::like(x());
    if (el.building())
      logs = el.emit<LogSoftmaxOp>(span, logs, x().ir, el.id(a));
    Value even = mean(logs, {a});
    Value kept = el.arithmetic(BinaryOp::Multiply, span, {rows, span}, {num(1 - n.real()), span});
    Value spread = el.arithmetic(BinaryOp::Multiply, span, {even, span}, {num(n.real()), span});
    return el.arithmetic(BinaryOp::Subtract, span, {kept, span}, {spread, span});
  }
  // mean over the elements that `where` leaves (0 if it leaves none) of (a - b)^2. The difference is masked, not its square:
  // a NaN that is left out has no gradient either.
  Value meanSquaredError() {
    Operand a = args.values[0], b = args.values[1];
    if (a.value.isNumber() && b.value.isNumber()) {
      el.error(Code::H0204, a.span, "`mse` needs a tensor").here("this is a number");
      return {};
    }
    if (!el.unify(span, "`mse`", a, b, true))
      return {};
    Value difference = el.binaryOp<SubOp>(span, "`mse`", a, b);
    if (difference.isUnknown())
      return {};
    auto squared = [&](const Value &x) { return el.arithmetic(BinaryOp::Multiply, span, {x, span}, {x, span}); };
    auto it = args.named.find("where");
    if (it == args.named.end())
      return mean(squared(difference), difference.dims);
    Value on = maskOf(difference, it->second, "elements", "an element is one of");
    if (on.isUnknown())
      return {};
    return meanWhere(on, squared(el.where(span, {on, span}, {difference, span}, {num(0), span})));
  }
  Value masked(const Value &rows, const Operand &mask) {
    Value on = maskOf(rows, mask, "rows", "a row is an element of");
    if (on.isUnknown())
      return {};
    return meanWhere(on, el.where(span, {on, span}, {rows, span}, {num(0), span}));
  }
  /// The mask over all dims of what it chooses from; unknown after an error.
  Value maskOf(const Value &of, const Operand &mask, const char *what, const char *meaning) {
    if (!mask.value.isBool()) {
      el.error(Code::H0204, mask.span, fmt::format("`where` of `{}` must be a bool", call.callee.name))
          .here(fmt::format("this is {}", typeText(mask.value)));
      return {};
    }
    for (Axis *dim : mask.value.dims)
      if (!of.has(dim)) {
        el.error(Code::H0223, mask.span, fmt::format("the mask has the axis `{}`, which the {} lack", dim->name, what))
            .here(typeText(mask.value))
            .note(fmt::format("{} {}", meaning, typeText(of)));
        return {};
      }
    return el.broadcast(span, mask.value, of.dims);
  }
  /// The sum of `kept`, which is 0 where the mask is not on, divided by how many are on.
  Value meanWhere(const Value &on, const Value &kept) {
    Value total = el.reduce(span, "sum", kept, kept.dims);
    Value count = el.reduce(span, "sum", toNumber(on, Element::F32), on.dims);
    Value least = el.extremum(true, span, {count, span}, {num(1), span});
    return el.arithmetic(BinaryOp::Divide, span, {total, span}, {least, span});
  }

  // In training: where(bernoulli(1 - p), x / (1 - p), 0); elsewhere x (Srivastava et al. 2014).
  Value dropout() {
    const Operand &p = args.values[1];
    const Number &n = p.value.number;
    if (!p.value.isNumber() || n.isBool() || (n.known && !(n.real() >= 0 && n.real() < 1))) {
      el.error(Code::H0222, p.span, "the rate of `dropout` must be a number from 0 to below 1");
      return {};
    }
    if (!floats())
      return {};
    unsigned occurrence = el.building() ? el.dropouts[frame.path]++ : 0;
    if (!el.building() || !el.seed || n.real() == 0)
      return x();
    double keep = 1 - n.real();
    Value mask = Value::tensor(Element::Bool, x().dims);
    llvm::SmallVector<mlir::Value> indices;
    if (el.micro)
      indices.push_back(el.micro);
    for (auto &loop : el.loops)
      indices.push_back(loop.block->getArgument(0));
    uint64_t stream = fnv1a(fmt::format("{}dropout.{}", frame.path, occurrence));
    mask = el.emit<BernoulliOp>(span, mask, el.seed, el.step, indices, el.builder->getF64FloatAttr(keep),
                                el.builder->getI64IntegerAttr(static_cast<int64_t>(stream)), el.ids(x().dims));
    if (mask.isUnknown())
      return {};
    Value scaled = el.arithmetic(BinaryOp::Multiply, span, {x(), span}, {num(1 / keep), span});
    Value zero = el.constant(span, 0, Element::F32);
    Value result = Elaborator::like(x());
    return el.emit<SelectOp>(span, result, mask.ir, scaled.ir, zero.ir);
  }

  Elaborator &el;
  const Call &call;
  Args &args;
  Elaborator::Frame &frame;
  Span span;
  std::vector<Axis *> order; // of x's dims before several were merged
};

/// Evaluates the arguments and checks their number and names. False after an error.
bool collectArgs(Elaborator &el, const Function &f, const Call &call, Elaborator::Frame &frame, Args &args) {
  bool good = true;
  for (const Argument &arg : call.args) {
    switch (arg.kind) {
    case Argument::Kind::Positional:
      args.values.push_back({el.expr(*arg.value, frame), arg.value->span});
      good &= !args.values.back().value.isUnknown();
      break;
    case Argument::Kind::Named: {
      bool known = false;
      for (const char *name : f.also)
        known |= arg.name.name == name;
      if (!known || args.named.count(arg.name.name)) {
        Diagnostic &d = el.error(Code::H0224, arg.name.span,
                                 known ? fmt::format("`{}` is given twice", arg.name.name)
                                       : fmt::format("`{}` has no argument `{}`", f.name, arg.name.name));
        if (known || !suggest(d, arg.name.span, arg.name.name, {f.also.begin(), f.also.end()}))
          d.help(fmt::format("write `{}`", f.usage));
        good = false;
        break;
      }
      Operand &value = args.named[arg.name.name] = {el.expr(*arg.value, frame), arg.value->span};
      good &= !value.value.isUnknown();
      break;
    }
    case Argument::Kind::Over:
      if (!f.over || args.hasOver || arg.over.into) {
        el.error(Code::H0224, arg.span, fmt::format("`{}` takes no such `over`", f.name))
            .help(fmt::format("write `{}`", f.usage));
        good = false;
        break;
      }
      args.hasOver = true;
      args.overSpan = arg.over.axes.size() == 1 ? arg.over.axes[0].dim.span : arg.over.span;
      for (const Over::Axis &axis : arg.over.axes) {
        Axis *a = axis.size ? nullptr : el.dim(axis.dim, frame);
        if (axis.size)
          el.error(Code::H0224, axis.dim.span, "`over` names dims, not numbers");
        if (a && llvm::is_contained(args.over, a))
          el.error(Code::H0211, axis.dim.span, fmt::format("`{}` stands twice", axis.dim.name)), a = nullptr;
        good &= a != nullptr;
        if (a)
          args.over.push_back(a);
      }
      break;
    case Argument::Kind::Field:
      el.error(Code::H0224, arg.span, "fields belong to data sources").help(fmt::format("write `{}`", f.usage));
      good = false;
      break;
    }
  }
  if (good && (args.values.size() < f.least || args.values.size() > f.most)) {
    el.error(Code::H0224, call.parens, fmt::format("`{}` takes {} argument{}, {} given", f.name, f.most == f.least
                 ? fmt::format("{}", f.least) : fmt::format("{} or {}", f.least, f.most),
             f.most == 1 ? "" : "s", args.values.size()))
        .help(fmt::format("write `{}`", f.usage));
    return false;
  }
  return good;
}

} // namespace

std::vector<std::string> Elaborator::builtinNames() {
  std::vector<std::string> names{"concat"};
  for (const Function &f : functions)
    names.push_back(f.name);
  return names;
}

bool Elaborator::isBuiltin(const std::string &name) { return lookup(name) || name == "concat"; }

Value Elaborator::builtin(const Call &call, Frame &frame) {
  const std::string &name = call.callee.name;
  Span span = call.callee.span;
  if (name == "concat")
    return concat(call, frame);
  const Function &f = *lookup(name);
  if (call.as) {
    error(Code::H0304, call.as->span, fmt::format("`as` names a call of a module; `{}` is a function", name))
        .help("a function has no parameters, so its calls need no name");
    return {};
  }
  if (name == "pos") {
    auto *axisName = call.args.size() == 1 && call.args[0].kind == Argument::Kind::Positional
                         ? call.args[0].value->as<Name>() : nullptr;
    if (!axisName) {
      error(Code::H0224, call.parens, "`pos` takes one dim").help("write `pos(T)`");
      return {};
    }
    Axis *axis = dim({axisName->name, axisName->span}, frame);
    if (!axis)
      return {};
    Value v = Value::tensor(Element::I32, {axis});
    v.index = true;
    v.range = {0, axis->size.value_or(int64_t(INT32_MAX)) - 1};
    return emit<PositionOp>(span, v);
  }
  if (name == "cross_entropy" && onCrossEntropy)
    onCrossEntropy(call, frame);
  Args args;
  if (!collectArgs(*this, f, call, frame, args))
    return {};
  Operand &x = args.values[0];
  if (name == "where")
    return where(span, args.values[0], args.values[1], args.values[2]);
  if (name == "clamp")
    return extremum(false, span, {extremum(true, span, args.values[0], args.values[1]), span}, args.values[2]);
  if ((name == "min" || name == "max") && args.values.size() == 2) {
    if (!args.hasOver)
      return extremum(name == "max", span, args.values[0], args.values[1]);
    error(Code::H0224, call.parens, fmt::format("`{}` of two values goes over no axis", name))
        .help(fmt::format("write `{}`", f.usage));
    return {};
  }
  if (f.over || name == "dropout" || name == "mse")
    return Along(*this, call, args, frame).apply(name);

  if (name == "f32" || name == "i32") {
    Element element = name == "f32" ? Element::F32 : Element::I32;
    if (x.value.isNumber()) {
      const Number &n = x.value.number;
      double cut = std::isnan(n.real()) ? 0 : std::clamp(n.real(), double(INT32_MIN), double(INT32_MAX));
      return Value::of(element == Element::F32 ? Number::ofFloat(n.real(), n.known) : Number::ofInt(int64_t(cut), n.known));
    }
    if (!x.value.isTensor() || x.value.element == element)
      return x.value;
    Value result = like(x.value);
    result.element = element;
    if (x.value.isBool())
      result.range = {0, 1};
    return emit<CastOp>(span, result, x.value.ir);
  }
  if (!numeric(span, fmt::format("`{}`", name), x))
    return {};
  if (x.value.isNumber()) {
    const Number &n = x.value.number;
    if (n.isInt() && (name == "abs" || name == "floor" || name == "relu"))
      return Value::of(Number::ofInt(name == "abs" ? std::abs(n.i) : name == "relu" ? std::max<int64_t>(n.i, 0) : n.i, n.known));
    return Value::of(Number::ofFloat(Pointwise::number(name, n.real()), n.known));
  }
  if (x.value.isI32() && (name == "abs" || name == "floor" || name == "relu")) {
    if (name == "floor")
      return x.value;
    if (name == "relu")
      return extremum(true, span, x, {Value::of(Number::ofInt(0)), span});
    Value result = like(x.value);
    int64_t lo = x.value.range.lo, hi = x.value.range.hi;
    if (lo > INT32_MIN)
      result.range = {lo > 0 ? lo : hi < 0 ? -hi : 0, std::max(std::abs(lo), std::abs(hi))};
    return emit<AbsOp>(span, result, x.value.ir);
  }
  return Pointwise(*this, span).apply(name, toFloat(span, x.value));
}

} // namespace heddle
