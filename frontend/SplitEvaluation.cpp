// See SplitEvaluation.h. A walk from the results towards the data stops at the sums; what lies in between, and what depends
// on no data, is copied to @report.
#include "frontend/SplitEvaluation.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace heddle {
namespace {

class Split {
public:
  Split(func::FuncOp eval, StringAttr batch) : eval(eval), batch(batch), builder(eval.getContext()) {}

  void run() {
    Block &body = eval.getBody().front();
    Operation *end = body.getTerminator();
    for (Operation &op : body)
      for (Value result : op.getResults())
        if (reads(&op))
          varying.insert(result);
    for (BlockArgument argument : body.getArguments())
      varying.insert(argument);
    for (Value value : end->getOperands())
      visit(value);

    builder.setInsertionPointAfter(eval);
    auto report = func::FuncOp::create(builder, eval.getLoc(), "report", builder.getFunctionType({}, {}));
    Block *entry = report.addEntryBlock();
    IRMapping mapping;
    SmallVector<Attribute> names;
    int sums = 0, means = 0;
    for (Value leaf : leaves) {
      mapping.map(leaf, entry->addArgument(leaf.getType(), leaf.getLoc()));
      names.push_back(builder.getStringAttr(isSum(leaf) ? "sum." + Twine(sums++) : "mean." + Twine(means++)));
    }
    builder.setInsertionPointToEnd(entry);
    for (Operation &op : body.without_terminator())
      if (copied.contains(&op))
        builder.clone(op, mapping);
    SmallVector<Value> results;
    for (Value value : end->getOperands())
      results.push_back(mapping.lookup(value));
    func::ReturnOp::create(builder, end->getLoc(), results);
    report.setFunctionType(builder.getFunctionType(entry->getArgumentTypes(), TypeRange(ValueRange(results))));
    for (auto [i, name] : llvm::enumerate(names))
      report.setArgAttr(i, kNameAttr, name);
    for (unsigned i = 0; i < results.size(); ++i)
      report.setResultAttr(i, kNameAttr, eval.getResultAttr(i, kNameAttr));

    end->setOperands(leaves.getArrayRef());
    eval.setFunctionType(builder.getFunctionType(eval.getArgumentTypes(), TypeRange(ValueRange(leaves.getArrayRef()))));
    dropUnused(eval);
    eval.setAllResultAttrs(SmallVector<Attribute>(names.size(), builder.getDictionaryAttr({})));
    for (auto [i, name] : llvm::enumerate(names))
      eval.setResultAttr(i, kNameAttr, name);
  }

private:
  bool has(Value value) const { return cast<Tensor>(value.getType()).has(batch); }
  // Depends on the arguments of the entry.
  bool reads(Operation *op) {
    bool found = false;
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        found |= varying.contains(operand) || (isa<BlockArgument>(operand) && operand.getParentBlock() == &eval.getBody().front());
    });
    return found;
  }
  bool isSum(Value value) const {
    Operation *op = value.getDefiningOp();
    auto sumsOver = [&](ArrayAttr over) { return llvm::is_contained(over, batch); };
    auto reduce = dyn_cast_or_null<ReduceOp>(op);
    auto contract = dyn_cast_or_null<ContractOp>(op);
    return (reduce && reduce.getKind() == "sum" && sumsOver(reduce.getOver())) || (contract && sumsOver(contract.getOver()));
  }

  void visit(Value value) {
    Operation *op = value.getDefiningOp();
    bool isMean = varying.contains(value) &&
                  (!op || op->getNumRegions() > 0 || llvm::any_of(op->getOperands(), [&](Value x) { return has(x); }));
    if (isSum(value) || isMean) {
      leaves.insert(value);
      return;
    }
    if (!copied.insert(op).second)
      return;
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (operand.getParentBlock() == &eval.getBody().front())
          visit(operand);
    });
  }

  func::FuncOp eval;
  StringAttr batch;
  OpBuilder builder;
  llvm::DenseSet<Value> varying;
  llvm::SetVector<Value> leaves;
  llvm::DenseSet<Operation *> copied;
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

void splitEvaluation(func::FuncOp eval, StringAttr batch) { Split(eval, batch).run(); }

} // namespace heddle
