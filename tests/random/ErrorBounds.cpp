// The walk over a program that carries values and errors, with the loops' own rules. Values come from the interpreter's
// rules; the walk is its own, because errors have to go where values go.
#include "tests/random/ErrorBounds.h"
#include "ir/graph/interpreter/Rules.h"
#include <cfloat>
#include <cmath>

#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using namespace heddle;

double heddle::gammaOf(double n) { return n * unit / (1 - n * unit); }

double heddle::lowestBit(double x) {
  if (x == 0 || !std::isfinite(x)) return INFINITY;
  int exponent;
  int64_t bits = static_cast<int64_t>(std::ldexp(std::frexp(std::fabs(x), &exponent), 53));
  return std::ldexp(static_cast<double>(bits & -bits), exponent - 53);
}

// Every partial sum is a multiple of the bit and no larger than 2^24 of it, so it is a single-precision number.
bool heddle::sumsExactly(double sumOfSizes, double smallestBit) {
  return sumOfSizes == 0 || sumOfSizes <= 0x1p24 * smallestBit;
}

double heddle::checkedError(double y, double error) {
  if (std::isnan(error)) return INFINITY;
  return std::isfinite(y) && std::fabs(y) + error > FLT_MAX ? INFINITY : error;
}

namespace {
std::vector<double> errorOf(Operation *op, BoundedOperands operands, const Array &result) {
  if (op->hasTrait<IsElementwise>()) return elementwiseError(op, operands, result);
  if (isa<ContractOp, ReduceOp, ArgmaxOp, SoftmaxOp, LogSoftmaxOp, LayerNormOp, RmsNormOp, CrossEntropyOp>(op))
    return alongAxesError(op, operands, result);
  return indexingError(op, operands, result);
}

// What makes a result nonnegative for certain beside the bounds themselves.
bool isNonNegative(Operation *op, BoundedOperands operands, const Bounded &result) {
  auto all = [&] { return llvm::all_of(operands, [](const Bounded *operand) { return operand->nonNegative; }); };
  if (isa<AbsOp, ExpOp, SqrtOp, RsqrtOp, SoftmaxOp>(op)) return true;
  if (isa<MulOp>(op) && op->getOperand(0) == op->getOperand(1)) return true;
  if (isa<AddOp, MulOp, DivOp, MinOp, ReduceOp, ContractOp, ScatterAddOp, BroadcastOp, StopGradOp, RenameOp, RegroupOp,
          ConcatOp>(op) && all())
    return true;
  if (isa<SelectOp>(op) && operands[1]->nonNegative && operands[2]->nonNegative) return true;
  if (isa<GatherOp>(op) && operands[0]->nonNegative) return true;
  for (size_t i = 0; i < result.error.size(); ++i)
    if (!(result.value.elements[i] - result.error[i] >= 0)) return false;
  return true;
}

// The same values in the order of dims of `type`.
Bounded ordered(const Bounded &from, Tensor type) {
  Bounded result(reordered(from.value, type));
  result.nonNegative = from.nonNegative;
  if (!from.error.empty()) result.error = reordered(Array(from.value.type, from.error), type).elements;
  return result;
}

Bounded part(const Bounded &stack, Tensor type, int64_t index) {
  size_t size = type.getNumElements();
  auto slice = [&](const std::vector<double> &all) {
    return all.empty() ? all : std::vector<double>(all.begin() + index * size, all.begin() + (index + 1) * size);
  };
  Bounded result(Array(type, slice(stack.value.elements)));
  result.error = slice(stack.error);
  result.nonNegative = stack.nonNegative;
  return result;
}

class BoundWalk {
public:
  BoundWalk(const Arrays &before, BoundOptions options) : options(options) {
    for (auto &[name, array] : before) variables.insert({name, exact(array)});
    after = variables;
  }

  Bounded exact(const Array &array) const {
    Bounded result(array);
    if (options.errors) result.error.assign(array.elements.size(), 0);
    result.nonNegative = llvm::all_of(array.elements, [](double x) { return x >= 0; });
    return result;
  }
  void bind(mlir::Value value, Bounded bounded) { values.insert_or_assign(value, std::move(bounded)); }
  const Bounded &operator[](mlir::Value value) const { return values.find(value)->second; }
  BoundedArrays takeVariables() { return std::move(after); }

  llvm::Error run(Block &block) {
    for (Operation &op : block.without_terminator())
      if (auto error = run(&op)) return error;
    return llvm::Error::success();
  }

private:
  llvm::Error run(Operation *op) {
    if (auto repeat = dyn_cast<RepeatOp>(op)) return run(repeat);
    if (auto read = dyn_cast<ReadOp>(op)) {
      auto found = variables.find(read.getVariable().str());
      if (found == variables.end()) return errorAt(op, "no value for the variable");
      bind(read.getResult(), ordered(found->second, cast<Tensor>(read.getType())));
      return llvm::Error::success();
    }
    if (auto write = dyn_cast<WriteOp>(op)) {
      auto found = after.find(write.getVariable().str());
      if (found == after.end()) return errorAt(op, "no value for the variable");
      found->second = ordered((*this)[write.getValue()], found->second.value.type);
      return llvm::Error::success();
    }
    SmallVector<const Array *> arrays;
    SmallVector<const Bounded *> operands;
    for (mlir::Value operand : op->getOperands()) {
      operands.push_back(&(*this)[operand]);
      arrays.push_back(&operands.back()->value);
    }
    llvm::Expected<Array> value = evaluateAny(op, arrays);
    if (!value) return value.takeError();
    if (isa<StopGradOp>(op)) {
      if (options.record) options.record->push_back(value->elements);
      if (options.replay) value->elements = (*options.replay)[nextFrozen++];
    }
    Bounded result(std::move(*value));
    if (options.errors) {
      result.error = errorOf(op, operands, result.value);
      result.nonNegative = isNonNegative(op, operands, result);
    }
    bind(op->getResult(0), std::move(result));
    return llvm::Error::success();
  }

  llvm::Error run(RepeatOp op) {
    int64_t count = op.getCount();
    size_t carriedCount = op.getCarried().size();
    SmallVector<Bounded> carried, collected;
    for (mlir::Value value : op.getCarried()) carried.push_back((*this)[value]);
    for (mlir::Value value : op.getCollected()) collected.push_back(exact(Array(cast<Tensor>(value.getType()))));
    for (int64_t turn = 0; turn < count; ++turn) {
      int64_t index = op.getReverse() ? count - 1 - turn : turn;
      bind(op.getIndex(), exact(Array(cast<Tensor>(op.getIndex().getType()), {double(index)})));
      for (auto [argument, value] : llvm::zip(op.getCarriedArgs(), carried)) bind(argument, value);
      for (auto [argument, stack] : llvm::zip(op.getStackedArgs(), op.getStacked()))
        bind(argument, part((*this)[stack], cast<Tensor>(argument.getType()), index));
      if (auto error = run(op.getBody().front())) return error;
      auto yielded = op.getYield()->getOperands();
      for (size_t i = 0; i < carriedCount; ++i) carried[i] = (*this)[yielded[i]];
      for (size_t i = 0; i < collected.size(); ++i) {
        const Bounded &made = (*this)[yielded[carriedCount + i]];
        size_t size = made.value.elements.size();
        std::copy_n(made.value.elements.begin(), size, collected[i].value.elements.begin() + index * size);
        collected[i].nonNegative &= made.nonNegative;
        if (options.errors) std::copy_n(made.error.begin(), size, collected[i].error.begin() + index * size);
      }
    }
    for (auto [result, value] : llvm::zip(op.getCarriedResults(), carried)) bind(result, std::move(value));
    for (auto [result, value] : llvm::zip(op.getCollected(), collected)) bind(result, std::move(value));
    return llvm::Error::success();
  }

  BoundOptions options;
  BoundedArrays variables, after;
  llvm::DenseMap<mlir::Value, Bounded> values;
  size_t nextFrozen = 0;
};
}  // namespace

llvm::Expected<BoundedOutcome> heddle::boundErrors(func::FuncOp entry, const Arrays &inputs, const Arrays &variables,
                                                   BoundOptions options) {
  unit = options.unit;
  llvm::scope_exit restore([] { unit = BoundOptions().unit; });
  BoundWalk walk(variables, options);
  for (BlockArgument argument : entry.getArguments()) {
    auto name = entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr);
    auto found = name ? inputs.find(name.str()) : inputs.end();
    if (found == inputs.end()) return errorAt(entry, "no value for an input");
    walk.bind(argument, walk.exact(reordered(found->second, cast<Tensor>(argument.getType()))));
  }
  Block &body = entry.getBody().front();
  if (auto error = walk.run(body)) return error;
  BoundedOutcome outcome;
  for (auto [i, value] : llvm::enumerate(body.getTerminator()->getOperands())) {
    auto name = entry.getResultAttrOfType<StringAttr>(i, kNameAttr);
    outcome.results.insert_or_assign(name ? name.str() : ("result" + Twine(i)).str(), walk[value]);
  }
  outcome.variables = walk.takeVariables();
  return outcome;
}
