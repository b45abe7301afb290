// ApplyOptimizer: the update of every parameter as elementwise ops in the graph, so that it is fused, planned and split
// over threads like everything else, and the runtime knows no optimizer. Nor does this pass: what an optimizer does stands
// in its rules (std/optim.heddle has those of the library), which are written here for each parameter.
//
// Clipping is that of torch.nn.utils.clip_grad_norm_, in its order of operations. The norm over all gradients is taken in
// an order that no thread count changes: of each, all dims behind the layer axes and one more, then the rest, then over
// parameters in the order of their gradients.
#include "passes/graph/ApplyOptimizer.h"
#include "passes/graph/OptimizerRule.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/StringExtras.h"

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
  std::string name;
  double clip = 0;
  func::FuncOp rate;
  llvm::MapVector<StringRef, func::FuncOp> rules;  // by the parameter's symbol
};

struct Parameter {
  VariableOp variable;
  Value gradient;
  func::FuncOp rule;
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
  VariableOp state(StringRef name, double initial, Parameter &parameter);

  ModuleOp module;
  GraphBuilder b;
  const Settings &settings;
  Value step, scale;  // of all parameters; scale is null without clipping
};
}  // namespace

// An error if attribute or rules are malformed.
static FailureOr<Settings> readSettings(ModuleOp module, DictionaryAttr attribute) {
  Settings settings;
  auto fail = [&](const Twine &what) { return module.emitError() << "heddle.optimizer: " << what; };
  auto function = [&](Attribute symbol) {
    auto name = dyn_cast_or_null<FlatSymbolRefAttr>(symbol);
    return name ? module.lookupSymbol<func::FuncOp>(name.getValue()) : func::FuncOp();
  };
  auto name = attribute.getAs<StringAttr>("name");
  bool named = name && !name.getValue().empty() && !llvm::isDigit(name.getValue()[0]) &&
               llvm::all_of(name.getValue(), [](char c) { return llvm::isAlnum(c) || c == '_'; });
  if (!named) return fail("name is no name");
  settings.name = name.str();
  auto clip = attribute.getAs<FloatAttr>("clip");
  settings.clip = clip ? clip.getValueAsDouble() : 0;
  if (!(settings.clip >= 0) || (!clip && attribute.contains("clip"))) return fail("clip is no number from 0");
  settings.rate = function(attribute.get("lr"));
  if (!settings.rate) return fail("lr is no function of the module");
  if (failed(verifyRate(settings.rate))) return failure();
  auto rules = attribute.getAs<ArrayAttr>("rules");
  if (!rules) return fail("rules are missing");
  llvm::SmallPtrSet<Operation *, 8> used{settings.rate};
  for (Attribute one : rules) {
    auto dictionary = dyn_cast<DictionaryAttr>(one);
    func::FuncOp rule = function(dictionary ? dictionary.get("rule") : Attribute());
    auto parameters = dictionary ? dictionary.getAs<ArrayAttr>("parameters") : ArrayAttr();
    if (!rule || !parameters) return fail("a rule is {rule = @f, parameters = [@p, ...]}, where @f is a function");
    if (used.insert(rule).second && failed(verifyRule(rule))) return failure();
    for (Attribute parameter : parameters) {
      auto symbol = dyn_cast<FlatSymbolRefAttr>(parameter);
      auto variable = symbol ? module.lookupSymbol<VariableOp>(symbol.getValue()) : VariableOp();
      if (!variable || variable.getKind() != "parameter") return (fail("this is no parameter: ") << parameter), failure();
      if (!settings.rules.insert({symbol.getValue(), rule}).second) return (fail("two rules have the parameter ") << parameter), failure();
    }
  }
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPrivate() && !used.contains(function))
      return function.emitError() << "this function is neither an entry nor a rule of the optimizer";
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

VariableOp Update::state(StringRef name, double initial, Parameter &parameter) {
  VariableOp of = parameter.variable;
  std::string symbol = settings.name + "." + name.str() + "." + of.getSymName().str();
  if (auto shared = module.lookupSymbol<VariableOp>(symbol)) return shared;  // of an entry of another length
  OpBuilder top(module.getContext());
  VariableOp last = of;
  for (auto variable : module.getOps<VariableOp>()) last = variable;
  top.setInsertionPointAfter(last);
  return VariableOp::create(top, of.getLoc(), top.getStringAttr(symbol), of.getTypeAttr(), top.getStringAttr("optimizer"),
                            of.getRepeatsAttr(), top.getStringAttr("constant"), top.getF64FloatAttr(initial),
                            top.getF64FloatAttr(0), top.getI64IntegerAttr(0), UnitAttr(), IntegerAttr());
}

void Update::update(Parameter &parameter) {
  func::FuncOp rule = parameter.rule;
  Tensor type = tensorOf(parameter.gradient);
  llvm::StringMap<VariableOp> variables;  // by the name of the rule's argument
  SmallVector<Value> arguments;
  for (unsigned i = 0; i < rule.getNumArguments(); ++i) {
    StringRef name = argumentName(rule, i), own = name;
    if (name == "$step") arguments.push_back(step);
    else if (name == "gradient") arguments.push_back(scale ? b.mul(parameter.gradient, scale) : parameter.gradient);
    else {
      VariableOp &variable = variables[name];
      variable = parameter.variable;
      if (own.consume_front("state."))
        variable = state(own, rule.getArgAttrOfType<FloatAttr>(i, kInitAttr).getValueAsDouble(), parameter);
      arguments.push_back(read(variable, type));
    }
  }
  for (auto [i, value] : llvm::enumerate(spreadRule(b, rule, arguments, type, parameter.repeats()))) {
    if (value.getType() != type) value = b.as(value, type);
    WriteOp::create(b.builder, b.loc, value, variables[resultName(rule, i)].getSymName());
  }
}

// The argument `$step`, added if the entry has none.
static Value stepOf(func::FuncOp entry) {
  for (BlockArgument arg : entry.getArguments())
    if (argumentName(entry, arg.getArgNumber()) == "$step") return arg;
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
    StringRef symbol = resultName(entry, i);
    if (!symbol.consume_front("grad.")) continue;
    auto variable = module.lookupSymbol<VariableOp>(symbol);
    if (!variable) return entry.emitError() << "no variable for the gradient of " << symbol;
    func::FuncOp rule = settings.rules.lookup(symbol);
    if (!rule) return variable.emitError() << "heddle.optimizer: no rule has the parameter " << symbol;
    parameters.push_back({variable, end->getOperand(i), rule});
    end->eraseOperand(i);
    if (failed(entry.eraseResult(i))) return failure();
  }
  std::reverse(parameters.begin(), parameters.end());

  auto named = [&](StringRef name) { return NameLoc::get(b.builder.getStringAttr(name), entry.getLoc()); };
  b.builder.setInsertionPoint(end);
  b.loc = named("lr");
  step = stepOf(entry);
  Value rate = spreadRule(b, settings.rate, step, {}, 0)[0];
  b.loc = named("grad_norm");
  Value total = norm(parameters);
  if (settings.clip > 0)
    scale = b.min(b.number(1), b.div(b.number(settings.clip), b.add(total, b.number(1e-6))));
  for (Parameter &parameter : parameters) {
    b.loc = NameLoc::get(b.builder.getStringAttr(settings.name + "." + parameter.variable.getSymName().str()),
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

// @train and those of its length buckets.
static SmallVector<func::FuncOp> trainingEntries(ModuleOp module) {
  auto entries = module.getOps<func::FuncOp>();
  return llvm::to_vector(llvm::make_filter_range(entries, [](func::FuncOp entry) {
    return entry.isPublic() && (entry.getSymName() == "train" || entry.getSymName().starts_with("train."));
  }));
}

LogicalResult heddle::verifyOptimizer(ModuleOp module) {
  if (!module->hasAttr(kOptimizerAttr)) {
    for (auto function : module.getOps<func::FuncOp>())
      if (function.isPrivate()) return function.emitError() << "this function is no entry, and there is no optimizer";
    return success();
  }
  auto attribute = module->getAttrOfType<DictionaryAttr>(kOptimizerAttr);
  if (!attribute) return module.emitError("heddle.optimizer: it is no dictionary");
  if (failed(readSettings(module, attribute))) return failure();
  if (trainingEntries(module).empty()) return module.emitError("heddle.optimizer: there is no @train");
  return success();
}

LogicalResult heddle::applyOptimizer(ModuleOp module) {
  if (failed(verifyOptimizer(module))) return failure();
  auto attribute = module->getAttrOfType<DictionaryAttr>(kOptimizerAttr);
  if (!attribute) return success();
  FailureOr<Settings> settings = readSettings(module, attribute);
  if (failed(settings)) return failure();
  OpBuilder builder(module.getContext());
  for (func::FuncOp entry : trainingEntries(module))
    if (failed(Update(module, builder, *settings).run(entry))) return failure();
  dropOptimizer(module);
  return success();
}

void heddle::dropOptimizer(ModuleOp module) {
  module->removeAttr(kOptimizerAttr);
  for (auto function : llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
    if (function.isPrivate()) function.erase();
}

namespace {
struct ApplyOptimizer : heddle::impl::ApplyOptimizerBase<ApplyOptimizer> {
  void runOnOperation() override {
    if (failed(applyOptimizer(getOperation()))) signalPassFailure();
  }
};
}  // namespace
