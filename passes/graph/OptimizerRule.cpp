// See OptimizerRule.h. A rule's one dim becomes the dims of the parameter, and what has no dim stays a scalar: so what is
// the same for all parameters (bias corrections, a schedule) is equal text for each, which Simplify computes once. A sum
// over the dim goes over one layer, so what follows from it has the layer axes.
#include "passes/graph/OptimizerRule.h"
#include "passes/graph/ApplyOptimizer.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace mlir;
using namespace heddle;

StringRef heddle::argumentName(func::FuncOp function, unsigned i) {
  auto name = function.getArgAttrOfType<StringAttr>(i, kNameAttr);
  return name ? name.getValue() : "";
}
StringRef heddle::resultName(func::FuncOp function, unsigned i) {
  auto name = function.getResultAttrOfType<StringAttr>(i, kNameAttr);
  return name ? name.getValue() : "";
}

static LogicalResult verifyBody(func::FuncOp function) {
  if (function.isDeclaration() || !function.getBody().hasOneBlock())
    return function.emitError() << "heddle.optimizer: @" << function.getSymName() << " has no body of one block";
  if (!function.isPrivate()) return function.emitError() << "heddle.optimizer: @" << function.getSymName() << " is not private";
  return success();
}

static bool isScalar(Type type, bool step) {
  auto tensor = dyn_cast<Tensor>(type);
  return tensor && tensor.getRank() == 0 && (step ? tensor.isInt() : tensor.isFloat());
}

static LogicalResult verifyOps(func::FuncOp function, StringAttr dim) {
  for (Operation &op : function.getBody().front().without_terminator()) {
    auto reduce = dyn_cast<ReduceOp>(op);
    bool sums = reduce && reduce.getKind() == "sum" && dim && reduce.getOver().size() == 1 && reduce.getOver()[0] == dim;
    if (!op.hasTrait<IsElementwise>() && !isa<ConstantOp>(op) && !sums)
      return op.emitError() << "heddle.optimizer: '" << op.getName() << "' is not elementwise";
    for (StringAttr name : cast<Tensor>(op.getResult(0).getType()).getNames())
      if (name != dim) return op.emitError() << "heddle.optimizer: " << name << " is not the dim of the rule";
  }
  return success();
}

LogicalResult heddle::verifyRate(func::FuncOp rate) {
  if (failed(verifyBody(rate))) return failure();
  if (rate.getNumArguments() != 1 || argumentName(rate, 0) != "$step" || !isScalar(rate.getArgumentTypes()[0], true) ||
      rate.getNumResults() != 1 || resultName(rate, 0) != "lr" || !isScalar(rate.getResultTypes()[0], false))
    return rate.emitError() << "heddle.optimizer: a learning rate is a function of $step, an i32, that gives lr, an f32";
  return verifyOps(rate, {});
}

LogicalResult heddle::verifyRule(func::FuncOp rule) {
  if (failed(verifyBody(rule))) return failure();
  auto fail = [&](const Twine &what) { return rule.emitError() << "heddle.optimizer: " << what; };
  Tensor whole;
  SmallVector<StringRef> arguments, results;
  for (unsigned i = 0; i < rule.getNumArguments(); ++i) {
    StringRef name = argumentName(rule, i);
    if (llvm::is_contained(arguments, name)) return fail("two arguments are named \"" + name + "\"");
    arguments.push_back(name);
    Type type = rule.getArgumentTypes()[i];
    if (name == "$step") {
      if (!isScalar(type, true)) return fail("$step is an i32 scalar");
      continue;
    }
    auto tensor = dyn_cast<Tensor>(type);
    if (!tensor || !tensor.isFloat() || tensor.getRank() != 1 || (whole && tensor != whole))
      return fail("all arguments of a rule but $step are f32 tensors of one dim, the same for all");
    whole = tensor;
    auto initial = rule.getArgAttrOfType<FloatAttr>(i, kInitAttr);
    bool isState = name.starts_with("state.") && name.size() > 6 &&
                   llvm::all_of(name.drop_front(6), [](char c) { return llvm::isAlnum(c) || c == '_'; });
    if (isState && (!initial || !std::isfinite(initial.getValueAsDouble()))) return fail("\"" + name + "\" has no heddle.init");
    if (!isState && name != "parameter" && name != "gradient") return fail("\"" + name + "\" is no argument of a rule");
  }
  for (unsigned i = 0; i < rule.getNumResults(); ++i) {
    StringRef name = resultName(rule, i);
    bool isNext = name == "parameter" || name.starts_with("state.");
    if (!isNext || !llvm::is_contained(arguments, name) || llvm::is_contained(results, name) || rule.getResultTypes()[i] != whole)
      return fail("the results of a rule are \"parameter\" and each of its states, of their type");
    results.push_back(name);
  }
  for (StringRef name : arguments)
    if (name.starts_with("state.") && !llvm::is_contained(results, name)) return fail("\"" + name + "\" has no next value");
  if (!llvm::is_contained(arguments, "gradient") || !llvm::is_contained(results, "parameter"))
    return fail("a rule takes \"gradient\" and \"parameter\" and gives \"parameter\"");
  return verifyOps(rule, whole.getNames()[0]);
}

Value heddle::sumOfLayer(GraphBuilder &b, Value x, int64_t repeats) {
  ArrayRef<StringAttr> names = tensorOf(x).getNames().drop_front(std::min<size_t>(repeats, tensorOf(x).getRank()));
  if (names.size() > 1) x = b.sum(x, names.drop_front());
  return names.empty() ? x : b.sum(x, names.take_front());
}

SmallVector<Value> heddle::spreadRule(GraphBuilder &b, func::FuncOp rule, ValueRange arguments, Tensor type, int64_t repeats) {
  IRMapping mapping;
  Block &block = rule.getBody().front();
  mapping.map(block.getArguments(), arguments);
  for (Operation &op : block.without_terminator()) {
    Value result = op.getResult(0);
    if (auto reduce = dyn_cast<ReduceOp>(op)) {
      mapping.map(result, sumOfLayer(b, mapping.lookup(reduce.getX()), repeats));
      continue;
    }
    Operation *copy = b.builder.clone(op, mapping);
    copy->setLoc(b.loc);
    Tensor own = tensorOf(result);
    Tensor spread = own.getRank() ? type.withElement(own.getElementType()) : own;
    if (!own.getRank()) // a scalar of the rule has a value for each layer where it comes from a sum
      for (Value operand : copy->getOperands())
        if (tensorOf(operand).getRank()) spread = tensorOf(operand).withElement(own.getElementType());
    copy->getResult(0).setType(spread);
  }
  SmallVector<Value> results;
  for (Value value : block.getTerminator()->getOperands()) results.push_back(mapping.lookup(value));
  return results;
}
