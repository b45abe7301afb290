// See IndexRange.h. One walk forward over each entry, in the order of the program.
#include "passes/IndexRange.h"
#include "passes/Intervals.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace heddle;

namespace {
class IndexVerifier {
public:
  bool failed = false;

  explicit IndexVerifier(ModuleOp module) {
    auto config = module->getAttrOfType<StringAttr>("heddle.config");
    llvm::Expected<llvm::json::Value> parsed = llvm::json::parse(config ? config.getValue() : "");
    if (!parsed) {
      module.emitError() << "heddle.config is no JSON: " << llvm::toString(parsed.takeError());
      failed = true;
      return;
    }
    if (const llvm::json::Object *object = parsed->getAsObject())
      if (const llvm::json::Object *list = object->getObject("ranges"))
        for (auto &[name, below] : *list)
          if (auto bound = below.getAsInteger()) ranges[StringRef(name)] = {0, *bound - 1};
  }

  void visitEntry(func::FuncOp entry) {
    for (BlockArgument argument : entry.getArguments())
      if (auto name = entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr))
        if (auto range = ranges.find(name.getValue()); range != ranges.end()) known[argument] = range->second;
    visitBlock(entry.getBody().front());
  }

private:
  Interval of(Value value) const {
    auto found = known.find(value);
    if (found != known.end()) return found->second;
    return anyOf(value);
  }

  void visitBlock(Block &block) {
    for (Operation &op : block.without_terminator()) {
      if (auto repeat = dyn_cast<RepeatOp>(op)) visitRepeat(repeat);
      else if (isa<FusedOp, AttentionOp, AttentionBackwardOp>(op)) visitIsolated(op);
      else visit(&op);
    }
  }
  void visitRepeat(RepeatOp repeat) {
    known[repeat.getIndex()] = {0, std::min<int64_t>(repeat.getCount(), INT32_MAX) - 1};
    for (auto [argument, stack] : llvm::zip(repeat.getStackedArgs(), repeat.getStacked())) known[argument] = of(stack);
    visitBlock(repeat.getBody().front());
    size_t carried = repeat.getCarried().size();  // may be anything: their range after one turn says nothing of the next
    for (auto [result, value] : llvm::zip(repeat.getCollected(), repeat.getYield()->getOperands().drop_front(carried)))
      known[result] = of(value);
  }
  void visitIsolated(Operation &op) {
    Block &body = op.getRegion(0).front();
    for (auto [argument, input] : llvm::zip(body.getArguments(), op.getOperands())) known[argument] = of(input);
    visitBlock(body);
    for (auto [result, value] : llvm::zip(op.getResults(), body.getTerminator()->getOperands())) known[result] = of(value);
  }

  void visit(Operation *op) {
    if (auto gather = dyn_cast<GatherOp>(op)) require(op, gather.getIndex(), gather.getX(), gather.getAxisAttr());
    if (auto scatter = dyn_cast<ScatterAddOp>(op)) require(op, scatter.getIndex(), scatter.getResult(), scatter.getAxisAttr());
    if (op->getNumResults() != 1) return;
    auto type = cast<Tensor>(op->getResult(0).getType());
    if (!type.isFloat()) known[op->getResult(0)] = intervalOf(op, [&](Value value) { return of(value); });
  }
  void require(Operation *op, Value index, Value indexed, StringAttr axis) {
    Interval range = of(index);
    int64_t size = cast<Tensor>(indexed.getType()).sizeOf(axis);
    if (range.lo >= 0 && range.hi < size) return;
    failed = true;
    InFlightDiagnostic error = op->emitError() << "this index may leave dim " << axis << ", which has positions 0 to " << size - 1;
    if (range.lo > INT32_MIN || range.hi < INT32_MAX) error << ": it lies between " << range.lo << " and " << range.hi;
  }

  llvm::StringMap<Interval> ranges;
  llvm::DenseMap<Value, Interval> known;
};
}  // namespace

LogicalResult heddle::verifyIndices(ModuleOp module) {
  IndexVerifier verifier(module);
  if (!verifier.failed)
    for (auto entry : module.getOps<func::FuncOp>())
      if (entry.isPublic()) verifier.visitEntry(entry);  // a rule of the optimizer indexes nothing
  return failure(verifier.failed);
}
