// See BatchSums.h. A walk from the results towards the data stops at the sums, the leaves. Evaluation copies what lies in
// between to @report. Accumulation needs the results to be linear in those leaves that depend on parameters: what lies in
// between is then computed of the sums of one micro-batch, where everything that is not one of them counts 1/N times.
#include "frontend/BatchSums.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace heddle {
namespace {

/// The leaves of an entry's results.
class Leaves {
public:
  Leaves(func::FuncOp entry, StringAttr batch) : batch(batch), body(&entry.getBody().front()) {
    varying.insert(body->getArguments().begin(), body->getArguments().end());
    for (Operation &op : *body)
      if (readsAny(&op, varying) || readsState(&op))
        varying.insert(op.getResults().begin(), op.getResults().end());
    walk();
  }

  const StringAttr batch;
  SmallVector<Value> all;              // in the order of the program
  llvm::DenseSet<Operation *> between; // and what depends on no data
  llvm::DenseSet<Value> varying;       // depends on the entry's arguments, or on a state

  bool isSum(Value value) const {
    auto reduce = value.getDefiningOp<ReduceOp>();
    auto contract = value.getDefiningOp<ContractOp>();
    return (reduce && reduce.getKind() == "sum" && llvm::is_contained(reduce.getOver(), batch)) ||
           (contract && llvm::is_contained(contract.getOver(), batch));
  }
  // Whether an op, or one inside of it, reads a value of the set.
  static bool readsAny(Operation *op, const llvm::DenseSet<Value> &values) {
    bool found = false;
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        found |= values.contains(operand);
    });
    return found;
  }

private:
  static bool readsState(Operation *op) {
    auto read = dyn_cast<ReadOp>(op);
    auto variable = read ? SymbolTable::lookupNearestSymbolFrom<VariableOp>(read, read.getVariableAttr()) : VariableOp();
    return variable && variable.getKind() == "state";
  }
  bool isLeaf(Value value) const {
    Operation *op = value.getDefiningOp();
    auto has = [&](Value x) { return cast<Tensor>(x.getType()).has(batch); };
    return isSum(value) ||
           (varying.contains(value) && (!op || isa<ReadOp>(op) || op->getNumRegions() > 0 || llvm::any_of(op->getOperands(), has)));
  }
  // A list of work, not a recursion: a chain may be as long as a program.
  void walk() {
    llvm::DenseSet<Value> found;
    SmallVector<Value> work(body->getTerminator()->getOperands());
    while (!work.empty()) {
      Value value = work.pop_back_val();
      if (isLeaf(value))
        found.insert(value);
      else if (between.insert(value.getDefiningOp()).second)
        value.getDefiningOp()->walk([&](Operation *inner) {
          for (Value operand : inner->getOperands())
            if (operand.getParentBlock() == body)
              work.push_back(operand);
        });
    }
    auto keep = [&](ValueRange values) { llvm::copy_if(values, std::back_inserter(all), [&](Value x) { return found.contains(x); }); };
    keep(body->getArguments());
    for (Operation &op : *body)
      keep(op.getResults());
  }

  Block *body;
};

void setResults(func::FuncOp entry, ValueRange values, ArrayRef<Attribute> names) {
  Builder builder(entry.getContext());
  Operation *end = entry.getBody().front().getTerminator();
  end->setOperands(values);
  entry.setFunctionType(builder.getFunctionType(entry.getBody().getArgumentTypes(), TypeRange(values)));
  entry.setAllResultAttrs(SmallVector<Attribute>(names.size(), builder.getDictionaryAttr({})));
  for (auto [i, name] : llvm::enumerate(names))
    entry.setResultAttr(i, kNameAttr, name);
}

/// An entry behind another one, empty but for its end.
func::FuncOp newEntry(func::FuncOp behind, const Twine &name) {
  OpBuilder builder(behind.getContext());
  builder.setInsertionPointAfter(behind);
  auto entry = func::FuncOp::create(builder, behind.getLoc(), name.str(), builder.getFunctionType({}, {}));
  builder.setInsertionPointToEnd(entry.addEntryBlock());
  func::ReturnOp::create(builder, behind.getLoc());
  return entry;
}

Value addArgument(func::FuncOp entry, Type type, Location loc, Attribute name) {
  Builder builder(entry.getContext());
  unsigned at = entry.getNumArguments();
  (void)entry.insertArgument(at, type, builder.getDictionaryAttr(builder.getNamedAttr(kNameAttr, name)), loc);
  return entry.getArgument(at);
}

/// Rewrites the results of @train as parts.
class Parts {
public:
  Parts(func::FuncOp train, StringAttr batch, int64_t number)
      : train(train), body(train.getBody().front()), leaves(train, batch), number(number), builder(train.getContext()) {}

  std::optional<NotASum> run() {
    for (Operation &op : body)
      if (isa<ReadOp, BernoulliOp>(op) || Leaves::readsAny(&op, trained) || holdsMask(&op))
        trained.insert(op.getResults().begin(), op.getResults().end());
    SmallVector<Value> counts, constants;
    for (Value leaf : leaves.all) {
      if (!leaves.varying.contains(leaf))
        constants.push_back(leaf);
      else if (!leaves.isSum(leaf))
        local.insert(leaf), culprits[leaf] = leaf.getDefiningOp();
      else if (Operation *mixer = firstMixing(leaf.getDefiningOp()))
        local.insert(leaf), culprits[leaf] = mixer;
      else if (!trained.contains(leaf))
        counts.push_back(leaf);
      else
        local.insert(leaf), parts[leaf] = leaf;
    }
    keepStates(counts, constants);
    for (Value leaf : constants)
      times(leaf, number);
    takeCounts(counts);
    SmallVector<Operation *> ops; // as they are now: parts are put in among them
    for (Operation &op : body.without_terminator())
      ops.push_back(&op);
    for (Operation *op : ops)
      if (leaves.between.contains(op) && Leaves::readsAny(op, local)) {
        Value result = op->getResult(0);
        local.insert(result);
        if (Value made = partOf(op))
          parts[result] = made;
        else if (!culprits.contains(result))
          culprits[result] = op;
      }
    Operation *end = body.getTerminator();
    for (unsigned i = 0; i < end->getNumOperands(); ++i) {
      Value value = part(end->getOperand(i));
      if (!value)
        return NotASum{i, culprits.lookup(end->getOperand(i))};
      end->setOperand(i, value);
    }
    dropUnused(train);
    return std::nullopt;
  }

private:
  static bool holdsMask(Operation *op) {
    return op->walk([](BernoulliOp) { return WalkResult::interrupt(); }).wasInterrupted();
  }

  // `value` times a number, in place of it for all others.
  Value scaled(Value value, double factor) {
    auto type = cast<Tensor>(value.getType());
    builder.setInsertionPointAfterValue(value);
    Value constant = ConstantOp::create(builder, value.getLoc(), Tensor::get({}, {}, type.getElementType()), factor);
    return MulOp::create(builder, value.getLoc(), type, value, constant);
  }
  void times(Value value, double factor) {
    Value product = scaled(value, factor);
    value.replaceAllUsesExcept(product, product.getDefiningOp());
  }

  // The ops that `values` come from, as far back as `follow` says.
  static llvm::DenseSet<Operation *> makersOf(SmallVector<Value> values, llvm::function_ref<bool(Value)> follow) {
    llvm::DenseSet<Operation *> makers;
    while (!values.empty()) {
      Value value = values.pop_back_val();
      Operation *op = value.getDefiningOp();
      if (op && follow(value) && makers.insert(op).second)
        op->walk([&](Operation *inner) { llvm::append_range(values, inner->getOperands()); });
    }
    return makers;
  }

  // What a sum over the batch adds up is made record by record: a micro-batch knows no others. The first op, of those that
  // the sum depends on, that goes along the batch: sums, looks up, renames or numbers it; null if there is none.
  Operation *firstMixing(Operation *sum) {
    llvm::DenseSet<Operation *> makers = makersOf(sum->getOperands(), [](Value) { return true; });
    llvm::SmallDenseSet<Attribute> records = {leaves.batch}; // and dims that it is merged into
    auto goesAlong = [&](Attribute names) { // a name, or a list of names
      auto list = dyn_cast_or_null<ArrayAttr>(names);
      return list ? llvm::any_of(list, [&](Attribute name) { return records.contains(name); })
                  : names && records.contains(names);
    };
    Operation *first = nullptr;
    for (Operation &op : body)
      if (!first && makers.contains(&op))
        op.walk<WalkOrder::PreOrder>([&](Operation *inner) {
          bool mixes = false;
          if (auto regroup = dyn_cast<RegroupOp>(inner); regroup && goesAlong(regroup.getFromAttr())) {
            if (regroup.getTo().size() == 1)
              records.insert(regroup.getTo()[0]);
          } else if (auto position = dyn_cast<PositionOp>(inner)) {
            mixes = llvm::any_of(cast<Tensor>(position.getType()).getNames(), goesAlong);
          } else {
            mixes = llvm::any_of(ArrayRef<StringRef>{"over", "axis", "from"},
                                 [&](StringRef attribute) { return goesAlong(inner->getAttr(attribute)); });
          }
          if (mixes)
            first = inner;
          return mixes ? WalkResult::interrupt() : WalkResult::advance();
        });
    return first;
  }

  // The next values of states are those of one micro-batch: what the sums that are about to change go into on the way there is
  // computed for them apart.
  void keepStates(ArrayRef<Value> counts, ArrayRef<Value> constants) {
    llvm::DenseSet<Value> changed(counts.begin(), counts.end());
    changed.insert(constants.begin(), constants.end());
    SmallVector<Value> work;
    for (Operation &op : body) {
      if (Leaves::readsAny(&op, changed))
        changed.insert(op.getResults().begin(), op.getResults().end());
      if (isa<WriteOp>(op))
        llvm::append_range(work, op.getOperands());
    }
    llvm::DenseSet<Operation *> needed = makersOf(std::move(work), [&](Value value) { return changed.contains(value); });
    IRMapping mapping;
    for (Operation &op : llvm::make_early_inc_range(body)) {
      if (needed.contains(&op)) {
        builder.setInsertionPointAfter(&op);
        builder.clone(op, mapping);
      } else if (isa<WriteOp>(op)) {
        for (OpOperand &operand : op.getOpOperands())
          operand.set(mapping.lookupOrDefault(operand.get()));
      }
    }
  }

  // Moves the sums of data alone to an entry of their own.
  void takeCounts(ArrayRef<Value> counts) {
    if (counts.empty())
      return;
    llvm::DenseSet<Operation *> needed = makersOf(SmallVector<Value>(counts), [](Value) { return true; });
    func::FuncOp entry = newEntry(train, train.getSymName() + ".counts");
    IRMapping mapping;
    for (BlockArgument argument : body.getArguments())
      if (llvm::any_of(argument.getUsers(), [&](Operation *user) {
            return needed.contains(body.findAncestorOpInBlock(*user));
          }))
        mapping.map(argument, addArgument(entry, argument.getType(), argument.getLoc(),
                                          train.getArgAttr(argument.getArgNumber(), kNameAttr)));
    builder.setInsertionPointToStart(&entry.getBody().front());
    for (Operation &op : body)
      if (needed.contains(&op))
        builder.clone(op, mapping);
    SmallVector<Value> results;
    SmallVector<Attribute> names;
    for (auto [i, count] : llvm::enumerate(counts)) {
      results.push_back(mapping.lookup(count));
      names.push_back(builder.getStringAttr("count." + Twine(i)));
      Value(count).replaceAllUsesWith(addArgument(train, count.getType(), count.getLoc(), names.back()));
    }
    setResults(entry, results, names);
  }

  // What one micro-batch gives to a value; null if the value is no sum of such parts.
  Value part(Value value) {
    auto known = parts.find(value);
    if (known != parts.end())
      return known->second;
    if (local.contains(value) || !cast<Tensor>(value.getType()).isFloat())
      return {};
    return parts[value] = scaled(value, 1.0 / number);
  }

  // The part of an op's result, where the op is linear in what the local sums have a part in; else null.
  Value partOf(Operation *op) {
    bool bothParts = isa<AddOp, SubOp>(op), select = isa<SelectOp>(op);
    auto reduce = dyn_cast<ReduceOp>(op);
    if (!isa<AddOp, SubOp, NegOp, BroadcastOp, RenameOp, StopGradOp, CastOp, MulOp, ContractOp, DivOp, SelectOp>(op) &&
        !(reduce && reduce.getKind() == "sum"))
      return {};
    auto isLocal = [&](unsigned i) { return local.contains(op->getOperand(i)); };
    if ((isa<MulOp, ContractOp>(op) && isLocal(0) && isLocal(1)) || (isa<DivOp>(op) && isLocal(1)) || (select && isLocal(0)))
      return {};
    IRMapping mapping;
    for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
      if (!bothParts && !(select ? i > 0 : local.contains(operand)))
        continue;
      Value inner = part(operand);
      if (!inner) {
        if (Operation *first = culprits.lookup(operand))
          culprits[op->getResult(0)] = first;
        return {};
      }
      mapping.map(operand, inner);
    }
    builder.setInsertionPointAfter(op);
    return builder.clone(*op, mapping)->getResult(0);
  }

  func::FuncOp train;
  Block &body;
  Leaves leaves;
  double number;
  OpBuilder builder;
  llvm::DenseSet<Value> trained, local; // depends on variables or masks; on sums that parameters have a part in
  llvm::DenseMap<Value, Value> parts;
  llvm::DenseMap<Value, Operation *> culprits; // of values without a part: the first op in the way
};

} // namespace

void dropUnused(func::FuncOp entry) {
  SmallVector<Operation *> ops;
  for (Operation &op : entry.getBody().front().without_terminator())
    ops.push_back(&op);
  for (Operation *op : llvm::reverse(ops))
    if (isOpTriviallyDead(op))
      op->erase();
}

void splitEvaluation(func::FuncOp eval, StringAttr batch) {
  Leaves leaves(eval, batch);
  Block &body = eval.getBody().front();
  Builder names(eval.getContext());
  func::FuncOp report = newEntry(eval, "report");
  IRMapping mapping;
  SmallVector<Attribute> leafNames, resultNames;
  int sums = 0, means = 0;
  for (Value leaf : leaves.all) {
    leafNames.push_back(names.getStringAttr(leaves.isSum(leaf) ? "sum." + Twine(sums++) : "mean." + Twine(means++)));
    mapping.map(leaf, addArgument(report, leaf.getType(), leaf.getLoc(), leafNames.back()));
  }
  OpBuilder builder = OpBuilder::atBlockTerminator(&report.getBody().front());
  for (Operation &op : body.without_terminator())
    if (leaves.between.contains(&op))
      builder.clone(op, mapping);
  SmallVector<Value> results;
  for (auto [i, value] : llvm::enumerate(body.getTerminator()->getOperands())) {
    results.push_back(mapping.lookup(value));
    resultNames.push_back(eval.getResultAttr(i, kNameAttr));
  }
  setResults(report, results, resultNames);
  setResults(eval, leaves.all, leafNames);
  dropUnused(eval);
}

std::optional<NotASum> splitTraining(func::FuncOp train, StringAttr batch, int64_t microBatches) {
  return Parts(train, batch, static_cast<double>(microBatches)).run();
}

} // namespace heddle
