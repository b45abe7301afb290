// The walk: runs a block's ops in order and keeps the value of every SSA value in a map. Recursion follows regions, so
// that a body reads values from above without more ado. Rules of single ops stand in Sources, Elementwise, AlongAxes and
// Indexing.
#include "ir/graph/interpreter/Interpreter.h"
#include "ir/graph/interpreter/Rules.h"

using namespace mlir;
using namespace heddle;

llvm::Error heddle::errorAt(Operation *op, const Twine &message) {
  std::string place;
  llvm::raw_string_ostream stream(place);
  op->getLoc().print(stream);
  return llvm::createStringError(Twine(place) + ": " + op->getName().getStringRef() + ": " + message);
}

llvm::Expected<Array> heddle::evaluateAny(Operation *op, Operands operands) {
  if (op->hasTrait<IsElementwise>()) return evaluateElementwise(op, operands);
  if (auto known = dyn_cast<ConstantOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<PositionOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<BernoulliOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<ContractOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<ReduceOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<ArgmaxOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<SoftmaxOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<LogSoftmaxOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<LayerNormOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<RmsNormOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<CrossEntropyOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<GatherOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<ScatterAddOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<RenameOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<RegroupOp>(op)) return evaluate(known, operands);
  if (auto known = dyn_cast<ConcatOp>(op)) return evaluate(known, operands);
  return errorAt(op, "the interpreter has no rule for this op");
}

namespace {
class Walk {
public:
  Walk(const std::map<std::string, Array> &variables, InterpretOptions options)
      : before(variables), after(variables), options(options) {}

  void bind(mlir::Value value, Array array) { values.insert_or_assign(value, std::move(array)); }
  const Array &operator[](mlir::Value value) const { return values.find(value)->second; }
  std::map<std::string, Array> takeVariables() { return std::move(after); }

  // All ops but the terminator, in order.
  llvm::Error run(Block &block) {
    for (Operation &op : block.without_terminator())
      if (auto error = run(&op)) return error;
    return llvm::Error::success();
  }

private:
  llvm::Error run(Operation *op) {
    if (auto repeat = dyn_cast<RepeatOp>(op)) return run(repeat);
    if (isa<FusedOp, AttentionOp, AttentionBackwardOp>(op)) return runIsolated(op);
    if (auto read = dyn_cast<ReadOp>(op)) return run(read);
    if (auto write = dyn_cast<WriteOp>(op)) return run(write);
    SmallVector<const Array *> operands;
    for (mlir::Value operand : op->getOperands()) operands.push_back(&(*this)[operand]);
    llvm::Expected<Array> result = evaluateAny(op, operands);
    if (!result) return result.takeError();
    if (options.roundToFloat && result->type.isFloat())
      for (double &element : result->elements) element = static_cast<float>(element);
    bind(op->getResult(0), std::move(*result));
    return llvm::Error::success();
  }

  llvm::Error run(ReadOp op) {
    auto found = before.find(op.getVariable().str());
    if (found == before.end()) return errorAt(op, "no value for variable @" + op.getVariable());
    bind(op.getResult(), reordered(found->second, cast<Tensor>(op.getType())));
    return llvm::Error::success();
  }

  llvm::Error run(WriteOp op) {
    auto found = after.find(op.getVariable().str());
    if (found == after.end()) return errorAt(op, "no value for variable @" + op.getVariable());
    found->second = reordered((*this)[op.getValue()], found->second.type);
    return llvm::Error::success();
  }

  // A region whose arguments are the op's operands, run once.
  llvm::Error runIsolated(Operation *op) {
    Block &body = op->getRegion(0).front();
    for (auto [argument, input] : llvm::zip(body.getArguments(), op->getOperands())) bind(argument, (*this)[input]);
    if (auto error = run(body)) return error;
    for (auto [result, value] : llvm::zip(op->getResults(), body.getTerminator()->getOperands())) {
      Array array = (*this)[value];
      array.type = cast<Tensor>(result.getType());
      array.elements.resize(array.type.getNumElements());  // of partial sums the first has all
      bind(result, std::move(array));
    }
    return llvm::Error::success();
  }

  llvm::Error run(RepeatOp op) {
    int64_t count = op.getCount();
    size_t carriedCount = op.getCarried().size();
    SmallVector<Array> carried, collected;
    for (mlir::Value value : op.getCarried()) carried.push_back((*this)[value]);
    for (mlir::Value value : op.getCollected()) collected.emplace_back(cast<Tensor>(value.getType()));
    for (int64_t turn = 0; turn < count; ++turn) {
      int64_t index = op.getReverse() ? count - 1 - turn : turn;
      bind(op.getIndex(), Array(cast<Tensor>(op.getIndex().getType()), {double(index)}));
      for (auto [argument, value] : llvm::zip(op.getCarriedArgs(), carried)) bind(argument, value);
      // The layer axis leads, so that a slice is one run of elements.
      for (auto [argument, stack] : llvm::zip(op.getStackedArgs(), op.getStacked())) {
        Array slice(cast<Tensor>(argument.getType()));
        std::copy_n((*this)[stack].elements.begin() + index * slice.elements.size(), slice.elements.size(),
                    slice.elements.begin());
        bind(argument, std::move(slice));
      }
      if (auto error = run(op.getBody().front())) return error;
      auto yielded = op.getYield()->getOperands();
      for (size_t i = 0; i < carriedCount; ++i) carried[i] = (*this)[yielded[i]];
      for (size_t i = 0; i < collected.size(); ++i) {
        const Array &part = (*this)[yielded[carriedCount + i]];
        std::copy(part.elements.begin(), part.elements.end(),
                  collected[i].elements.begin() + index * part.elements.size());
      }
    }
    for (auto [result, value] : llvm::zip(op.getCarriedResults(), carried)) bind(result, std::move(value));
    for (auto [result, value] : llvm::zip(op.getCollected(), collected)) bind(result, std::move(value));
    return llvm::Error::success();
  }

  const std::map<std::string, Array> &before;
  std::map<std::string, Array> after;
  llvm::DenseMap<mlir::Value, Array> values;
  InterpretOptions options;
};

std::string nameOr(StringAttr name, StringRef prefix, unsigned index) {
  return name ? name.str() : (prefix + Twine(index)).str();
}

// Same dims with the same sizes, in any order, the same element type, and as many elements as that makes.
bool fits(const Array &array, Tensor type) {
  if (array.type.getRank() != type.getRank() || array.type.getElementType() != type.getElementType()) return false;
  for (auto [name, size] : llvm::zip(type.getNames(), type.getSizes()))
    if (!array.type.has(name) || array.type.sizeOf(name) != size) return false;
  return static_cast<int64_t>(array.elements.size()) == type.getNumElements();
}
}  // namespace

llvm::Expected<Interpretation> heddle::interpret(func::FuncOp entry, const std::map<std::string, Array> &inputs,
                                                 const std::map<std::string, Array> &variables,
                                                 InterpretOptions options) {
  if (auto module = entry->getParentOfType<ModuleOp>())
    for (auto variable : module.getOps<VariableOp>()) {
      auto given = variables.find(variable.getSymName().str());
      auto type = cast<Tensor>(variable.getType());
      if (given != variables.end() && !fits(given->second, type))
        return errorAt(variable, "the value given is not of the variable's type");
    }
  Walk walk(variables, options);
  for (BlockArgument argument : entry.getArguments()) {
    unsigned i = argument.getArgNumber();
    std::string name = nameOr(entry.getArgAttrOfType<StringAttr>(i, kNameAttr), "arg", i);
    auto found = inputs.find(name);
    if (found == inputs.end()) return errorAt(entry, "no value for input '" + name + "'");
    auto type = cast<Tensor>(argument.getType());
    if (!fits(found->second, type)) return errorAt(entry, "input '" + name + "' is not of the argument's type");
    walk.bind(argument, reordered(found->second, type));
  }
  Block &body = entry.getBody().front();
  if (auto error = walk.run(body)) return error;
  Interpretation outcome;
  for (auto [i, value] : llvm::enumerate(body.getTerminator()->getOperands()))
    outcome.results.insert_or_assign(nameOr(entry.getResultAttrOfType<StringAttr>(i, kNameAttr), "result", i),
                                     walk[value]);
  outcome.variables = walk.takeVariables();
  return outcome;
}
