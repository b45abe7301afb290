// ApplyOptimizer: the update of every parameter as elementwise ops in the graph, so that it is fused, planned and split
// over threads like everything else, and the runtime knows no optimizer.
//
// The formulas are those of torch.optim (SGD, Adam: Kingma and Ba 2015; AdamW: Loshchilov and Hutter 2019, decay
// decoupled and first) and of torch.nn.utils.clip_grad_norm_, in their order of operations. Bias corrections
// 1 - beta^t are -expm1(t * log(beta)), exact in f32 for small t and for large.
//
// The norm over all gradients is taken in an order that no thread count changes: of each, all dims behind the layer
// axes and one more, then the rest, then over parameters in the order of their gradients.
#include "passes/graph/ApplyOptimizer.h"
#include "passes/graph/LearningRate.h"
#include "mlir/Pass/Pass.h"

#include <cmath>
#include <optional>

namespace heddle {
#define GEN_PASS_DEF_APPLYOPTIMIZER
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

namespace {
struct Settings {
  std::string kind;
  ArrayAttr rate;
  int64_t steps = 0;
  double decay = 0, clip = 0, momentum = 0, beta1 = 0, beta2 = 0, eps = 0;
  bool nesterov = false;
};

struct Parameter {
  VariableOp variable;
  Value gradient;
  int64_t repeats() { return variable.getRepeats(); }
};

/// Writes the update of one entry.
class Update {
public:
  Update(ModuleOp module, OpBuilder &builder, const Settings &settings)
      : module(module), b(builder, builder.getUnknownLoc()), settings(settings) {}

  LogicalResult run(func::FuncOp entry);

private:
  Value norm(ArrayRef<Parameter> parameters);
  void update(Parameter &parameter);
  Value read(VariableOp variable, Tensor type) { return ReadOp::create(b.builder, b.loc, type, variable.getSymName()); }
  /// A variable of the optimizer for this parameter, read.
  std::pair<VariableOp, Value> state(StringRef name, Parameter &parameter);
  Value adamStep(Parameter &parameter, Value g, Value &m, Value &v);

  ModuleOp module;
  GraphBuilder b;
  const Settings &settings;
  Value step, rate, scale, correction1, correction2;  // of all parameters; scale is null without clipping
};
}  // namespace

static std::optional<Settings> readSettings(ModuleOp module, DictionaryAttr attribute) {
  Settings settings;
  auto fail = [&](const Twine &what) {
    module.emitError() << "heddle.optimizer: " << what;
    return std::nullopt;
  };
  auto kind = attribute.getAs<StringAttr>("kind");
  if (!kind || !llvm::is_contained({"sgd", "momentum", "adam", "adamw"}, kind.getValue()))
    return fail("kind is not sgd, momentum, adam or adamw");
  settings.kind = kind.str();
  settings.rate = attribute.getAs<ArrayAttr>("lr");
  auto steps = attribute.getAs<IntegerAttr>("steps");
  if (!settings.rate || !steps) return fail("lr and steps are needed");
  settings.steps = steps.getInt();
  std::string missing;
  auto number = [&](StringRef name, bool needed) {
    auto value = attribute.getAs<FloatAttr>(name);
    if (!value && needed) missing = name.str();
    return value ? value.getValueAsDouble() : 0.0;
  };
  bool adam = settings.kind == "adam" || settings.kind == "adamw", momentum = settings.kind == "momentum";
  settings.decay = number("decay", false);
  settings.clip = number("clip", false);
  settings.momentum = number("momentum", momentum);
  settings.beta1 = number("beta1", adam);
  settings.beta2 = number("beta2", adam);
  settings.eps = number("eps", adam);
  if (auto nesterov = attribute.getAs<BoolAttr>("nesterov")) settings.nesterov = nesterov.getValue();
  if (!missing.empty()) return fail(Twine(settings.kind) + " needs " + missing);
  return settings;
}

// sqrt of the sum of squares of all gradients.
Value Update::norm(ArrayRef<Parameter> parameters) {
  Value total;
  for (Parameter parameter : parameters) {
    Value g = parameter.gradient;
    Value square = b.mul(g, g);
    ArrayRef<StringAttr> names = tensorOf(g).getNames();
    size_t kept = std::min<size_t>(names.size(), parameter.repeats() + 1);
    for (ArrayRef<StringAttr> over : {names.drop_front(kept), names.take_front(kept)})
      if (!over.empty()) square = b.sum(square, over);
    total = total ? b.add(total, square) : square;
  }
  return total ? b.sqrt(total) : b.number(0);
}

std::pair<VariableOp, Value> Update::state(StringRef name, Parameter &parameter) {
  VariableOp of = parameter.variable;
  std::string symbol = settings.kind + "." + name.str() + "." + of.getSymName().str();
  OpBuilder top(module.getContext());
  VariableOp last = of;
  for (auto variable : module.getOps<VariableOp>()) last = variable;
  top.setInsertionPointAfter(last);
  auto variable = VariableOp::create(
      top, of.getLoc(), top.getStringAttr(symbol), of.getTypeAttr(), top.getStringAttr("optimizer"),
      of.getRepeatsAttr(), top.getStringAttr("constant"), top.getF64FloatAttr(0), top.getF64FloatAttr(0),
      top.getI64IntegerAttr(0), UnitAttr(), IntegerAttr());
  return {variable, read(variable, tensorOf(parameter.gradient))};
}

// rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps), with m and v brought up to date.
Value Update::adamStep(Parameter &parameter, Value g, Value &m, Value &v) {
  m = b.add(m, b.mul(b.sub(g, m), b.number(1 - settings.beta1)));
  v = b.add(b.mul(v, b.number(settings.beta2)), b.mul(b.mul(g, g), b.number(1 - settings.beta2)));
  Value deviation = b.add(b.div(b.sqrt(v), correction2), b.number(settings.eps));
  return b.mul(correction1, b.div(m, deviation));
}

void Update::update(Parameter &parameter) {
  Value g = parameter.gradient;
  Value p = read(parameter.variable, tensorOf(g));
  auto write = [&](Value value, VariableOp variable) {
    WriteOp::create(b.builder, b.loc, value, variable.getSymName());
  };
  bool decays = settings.decay != 0 && tensorOf(g).getRank() - parameter.repeats() >= 2;
  if (scale) g = b.mul(g, scale);
  if (decays && settings.kind == "adamw") p = b.mul(p, b.sub(b.number(1), b.mul(rate, b.number(settings.decay))));
  else if (decays) g = b.add(g, b.mul(p, b.number(settings.decay)));

  Value change;
  if (settings.kind == "sgd") {
    change = b.mul(rate, g);
  } else if (settings.kind == "momentum") {
    auto [variable, old] = state("buffer", parameter);
    Value buffer = b.add(b.mul(old, b.number(settings.momentum)), g);
    write(buffer, variable);
    if (settings.nesterov) buffer = b.add(g, b.mul(buffer, b.number(settings.momentum)));
    change = b.mul(rate, buffer);
  } else {
    auto [mVariable, m] = state("m", parameter);
    auto [vVariable, v] = state("v", parameter);
    change = adamStep(parameter, g, m, v);
    write(m, mVariable);
    write(v, vVariable);
  }
  write(b.sub(p, change), parameter.variable);
}

// The argument `$step`, added if the entry has none.
static Value stepOf(func::FuncOp entry) {
  for (BlockArgument arg : entry.getArguments()) {
    auto name = entry.getArgAttrOfType<StringAttr>(arg.getArgNumber(), kNameAttr);
    if (name && name.getValue() == "$step") return arg;
  }
  Builder builder(entry.getContext());
  auto name = builder.getNamedAttr(kNameAttr, builder.getStringAttr("$step"));
  unsigned at = entry.getNumArguments();
  Tensor type = Tensor::get({}, {}, builder.getI32Type());
  if (failed(entry.insertArgument(at, type, builder.getDictionaryAttr(name), entry.getLoc()))) return {};
  return entry.getArgument(at);
}

LogicalResult Update::run(func::FuncOp entry) {
  Operation *end = entry.getBody().front().getTerminator();
  SmallVector<Parameter> parameters;
  for (unsigned i = entry.getNumResults(); i-- > 0;) {
    auto name = entry.getResultAttrOfType<StringAttr>(i, kNameAttr);
    StringRef symbol = name ? name.getValue() : "";
    if (!symbol.consume_front("grad.")) continue;
    auto variable = module.lookupSymbol<VariableOp>(symbol);
    if (!variable) return entry.emitError() << "no variable for the gradient " << name;
    parameters.push_back({variable, end->getOperand(i)});
    end->eraseOperand(i);
    if (failed(entry.eraseResult(i))) return failure();
  }
  std::reverse(parameters.begin(), parameters.end());

  auto named = [&](StringRef name) { return NameLoc::get(b.builder.getStringAttr(name), entry.getLoc()); };
  b.builder.setInsertionPoint(end);
  b.loc = named("lr");
  step = stepOf(entry);
  FailureOr<Value> course = learningRate(b, settings.rate, settings.steps, step);
  if (failed(course)) return failure();
  rate = *course;
  b.loc = named("grad_norm");
  Value total = norm(parameters);
  if (settings.clip > 0)
    scale = b.min(b.number(1), b.div(b.number(settings.clip), b.add(total, b.number(1e-6))));
  if (settings.kind == "adam" || settings.kind == "adamw") {
    b.loc = named(settings.kind);
    Value t = b.cast(step, b.builder.getF32Type());
    auto correction = [&](double beta) { return b.neg(b.expm1(b.mul(t, b.number(std::log(beta))))); };
    correction1 = b.div(rate, correction(settings.beta1));
    correction2 = b.sqrt(correction(settings.beta2));
  }
  for (Parameter &parameter : parameters) {
    b.loc = NameLoc::get(b.builder.getStringAttr(settings.kind + "." + parameter.variable.getSymName().str()),
                         parameter.variable.getLoc());
    update(parameter);
  }
  for (auto [name, value] : {std::pair{"lr", rate}, std::pair{"grad_norm", total}}) {
    end->insertOperands(end->getNumOperands(), value);
    auto attribute = b.builder.getNamedAttr(kNameAttr, b.builder.getStringAttr(name));
    if (failed(entry.insertResult(entry.getNumResults(), value.getType(), b.builder.getDictionaryAttr(attribute))))
      return failure();
  }
  return success();
}

LogicalResult heddle::verifyOptimizer(ModuleOp module) {
  if (!module->hasAttr(kOptimizerAttr)) return success();
  auto attribute = module->getAttrOfType<DictionaryAttr>(kOptimizerAttr);
  if (!attribute) return module.emitError("heddle.optimizer: it is no dictionary");
  std::optional<Settings> settings = readSettings(module, attribute);
  if (!settings) return failure();
  auto entry = module.lookupSymbol<func::FuncOp>("train");
  if (!entry) return module.emitError("heddle.optimizer: there is no @train");
  return verifyLearningRate(entry.getLoc(), settings->rate);
}

LogicalResult heddle::applyOptimizer(ModuleOp module) {
  if (failed(verifyOptimizer(module))) return failure();
  auto attribute = module->getAttrOfType<DictionaryAttr>(kOptimizerAttr);
  if (!attribute) return success();
  std::optional<Settings> settings = readSettings(module, attribute);
  auto entry = module.lookupSymbol<func::FuncOp>("train");
  OpBuilder builder(module.getContext());
  if (failed(Update(module, builder, *settings).run(entry))) return failure();
  module->removeAttr(kOptimizerAttr);
  return success();
}

namespace {
struct ApplyOptimizer : heddle::impl::ApplyOptimizerBase<ApplyOptimizer> {
  void runOnOperation() override {
    if (failed(applyOptimizer(getOperation()))) signalPassFailure();
  }
};
}  // namespace
