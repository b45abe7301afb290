// See IndexRange.h. One walk forward over each entry, in the order of the program; the rules for operators are those of
// frontend/CheckArithmetic.cpp.
#include "passes/IndexRange.h"
#include "ir/graph/Heddle.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace heddle;

namespace {
/// Bounds of an int or bool, both included. The default says nothing.
struct Interval {
  int64_t lo = INT32_MIN, hi = INT32_MAX;
};

// i32 arithmetic wraps: bounds that leave 32 bits say nothing.
Interval within32(int64_t lo, int64_t hi) { return lo < INT32_MIN || hi > INT32_MAX ? Interval{} : Interval{lo, hi}; }
int64_t floorDiv(int64_t x, int64_t y) { return x / y - (x % y != 0 && (x < 0) != (y < 0)); }
Interval hull(std::initializer_list<int64_t> values) {
  auto [lo, hi] = std::minmax(values);
  return within32(lo, hi);
}

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
    return cast<Tensor>(value.getType()).isBool() ? Interval{0, 1} : Interval{};
  }

  void visitBlock(Block &block) {
    for (Operation &op : block.without_terminator()) {
      if (auto repeat = dyn_cast<RepeatOp>(op)) visitRepeat(repeat);
      else if (isa<FusedOp, AttentionOp, AttentionBackwardOp>(op)) visitIsolated(op);
      else visit(&op);
    }
  }
  void visitRepeat(RepeatOp repeat) {
    known[repeat.getIndex()] = within32(0, int64_t(repeat.getCount()) - 1);
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
    if (type.isInt()) known[op->getResult(0)] = rangeOf(op, type);
  }
  void require(Operation *op, Value index, Value indexed, StringAttr axis) {
    Interval range = of(index);
    int64_t size = cast<Tensor>(indexed.getType()).sizeOf(axis);
    if (range.lo >= 0 && range.hi < size) return;
    failed = true;
    InFlightDiagnostic error = op->emitError() << "this index may leave dim " << axis << ", which has positions 0 to " << size - 1;
    if (range.lo > INT32_MIN || range.hi < INT32_MAX) error << ": it lies between " << range.lo << " and " << range.hi;
  }

  Interval rangeOf(Operation *op, Tensor type) {
    auto operand = [&](unsigned i) { return of(op->getOperand(i)); };
    if (op->getNumOperands() == 2 && isa<AddOp, SubOp, MulOp, FloorDivOp, ModOp, MinOp, MaxOp>(op))
      return binary(op, operand(0), operand(1));
    return llvm::TypeSwitch<Operation *, Interval>(op)
        .Case([&](ConstantOp constant) {
          int64_t value = cast<IntegerAttr>(constant.getValue()).getInt();
          return Interval{value, value};
        })
        .Case([&](PositionOp) { return within32(0, type.getSizes()[0] - 1); })
        .Case([&](NegOp) { return within32(-operand(0).hi, -operand(0).lo); })
        .Case([&](AbsOp) {
          Interval x = operand(0);
          return within32(x.lo > 0 ? x.lo : x.hi < 0 ? -x.hi : 0, std::max(std::abs(x.lo), std::abs(x.hi)));
        })
        .Case([&](SelectOp) { return hull({operand(1).lo, operand(2).lo, operand(1).hi, operand(2).hi}); })
        .Case([&](ArgmaxOp argmax) {
          return within32(0, cast<Tensor>(argmax.getX().getType()).sizeOf(argmax.getOverAttr()) - 1);
        })
        .Case([&](ReduceOp reduce) { return reduce.getKind() == "sum" ? Interval{} : operand(0); })
        .Case([&](CastOp cast) {
          return llvm::cast<Tensor>(cast.getX().getType()).isFloat() ? Interval{} : operand(0);
        })
        .Case<BroadcastOp, RenameOp, RegroupOp, GatherOp>([&](Operation *) { return operand(0); })
        .Case([&](ConcatOp concat) {
          Interval all = operand(0);
          for (Value piece : concat.getPieces()) all = {std::min(all.lo, of(piece).lo), std::max(all.hi, of(piece).hi)};
          return all;
        })
        .Default([](Operation *) { return Interval{}; });
  }

  // Bounds fit 32 bits, so none of this overflows 64.
  static Interval binary(Operation *op, Interval a, Interval b) {
    if (isa<AddOp>(op)) return within32(a.lo + b.lo, a.hi + b.hi);
    if (isa<SubOp>(op)) return within32(a.lo - b.hi, a.hi - b.lo);
    if (isa<MulOp>(op)) return hull({a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi});
    if (isa<MinOp>(op)) return {std::min(a.lo, b.lo), std::min(a.hi, b.hi)};
    if (isa<MaxOp>(op)) return {std::max(a.lo, b.lo), std::max(a.hi, b.hi)};
    if (b.lo <= 0) return {};
    if (isa<ModOp>(op)) return a.lo >= 0 && a.hi < b.lo ? a : Interval{0, b.hi - 1};
    return hull({floorDiv(a.lo, b.lo), floorDiv(a.lo, b.hi), floorDiv(a.hi, b.lo), floorDiv(a.hi, b.hi)});
  }

  llvm::StringMap<Interval> ranges;
  llvm::DenseMap<Value, Interval> known;
};
}  // namespace

LogicalResult heddle::verifyIndices(ModuleOp module) {
  IndexVerifier verifier(module);
  if (!verifier.failed)
    for (auto entry : module.getOps<func::FuncOp>()) verifier.visitEntry(entry);
  return failure(verifier.failed);
}
