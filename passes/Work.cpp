// See Work.h.
#include "passes/Work.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace heddle;

int64_t heddle::addWork(int64_t x, int64_t y) {
  int64_t sum;
  return llvm::AddOverflow(x, y, sum) ? INT64_MAX : sum;
}
int64_t heddle::multiplyWork(int64_t x, int64_t y) {
  int64_t product;
  return llvm::MulOverflow(x, y, product) ? INT64_MAX : product;
}

int64_t heddle::flopsOf(ContractOp op) {
  auto x = cast<Tensor>(op.getX().getType()), result = cast<Tensor>(op.getResult().getType());
  int64_t flops = multiplyWork(2, result.getNumElements());
  for (StringAttr name : op.getOver().getAsRange<StringAttr>()) flops = multiplyWork(flops, x.sizeOf(name));
  return flops;
}

int64_t heddle::flopsOfProducts(Operation *op) {
  int64_t flops = 0;
  op->walk([&](ContractOp contract) { flops = addWork(flops, flopsOf(contract)); });
  return flops;
}

// Elements that the ops of a region read of its argument.
static int64_t elementsRead(BlockArgument argument) {
  int64_t all = cast<Tensor>(argument.getType()).getNumElements(), gathered = 0;
  for (OpOperand &use : argument.getUses()) {
    auto gather = dyn_cast<GatherOp>(use.getOwner());
    if (!gather || use.getOperandNumber() != 0) return all;
    gathered = addWork(gathered, cast<Tensor>(gather.getType()).getNumElements());
  }
  return std::min(all, gathered);
}

int64_t heddle::bytesOf(Operation *op) {
  int64_t elements = 0;
  auto fused = dyn_cast<FusedOp>(op);
  if (auto scatter = dyn_cast<ScatterAddOp>(op); scatter && scatter.getOnto()) {  // only what is added to is met
    auto updates = cast<Tensor>(scatter.getUpdates().getType()), index = cast<Tensor>(scatter.getIndex().getType());
    return multiplyWork(4, addWork(multiplyWork(3, updates.getNumElements()), index.getNumElements()));
  }
  llvm::SmallSetVector<Value, 8> seen;
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    auto type = dyn_cast<Tensor>(operand.getType());
    if (!type || !seen.insert(operand)) continue;
    elements = addWork(elements, fused ? elementsRead(fused.getBody().getArgument(i)) : type.getNumElements());
  }
  for (Type type : op->getResultTypes()) elements = addWork(elements, cast<Tensor>(type).getNumElements());
  return multiplyWork(4, elements);
}

namespace {
// What an op of integers computes; null: not known here.
using Function = int64_t (*)(int64_t, int64_t, int64_t);
Function functionOf(Operation *op) {
  if (isa<arith::AddIOp>(op)) return [](int64_t x, int64_t y, int64_t) { return x + y; };
  if (isa<arith::SubIOp>(op)) return [](int64_t x, int64_t y, int64_t) { return x - y; };
  if (isa<arith::MulIOp>(op)) return [](int64_t x, int64_t y, int64_t) { return x * y; };
  if (isa<arith::DivUIOp>(op)) return [](int64_t x, int64_t y, int64_t) { return y ? int64_t(uint64_t(x) / uint64_t(y)) : 0; };
  if (isa<arith::MinSIOp>(op)) return [](int64_t x, int64_t y, int64_t) { return std::min(x, y); };
  if (isa<arith::MaxSIOp>(op)) return [](int64_t x, int64_t y, int64_t) { return std::max(x, y); };
  if (isa<arith::AndIOp>(op)) return [](int64_t x, int64_t y, int64_t) { return x & y; };
  if (isa<arith::OrIOp>(op)) return [](int64_t x, int64_t y, int64_t) { return x | y; };
  if (isa<arith::SelectOp>(op)) return [](int64_t c, int64_t x, int64_t y) { return c ? x : y; };
  auto order = dyn_cast<arith::CmpIOp>(op);
  if (!order) return nullptr;
  switch (order.getPredicate()) {
    case arith::CmpIPredicate::eq: return [](int64_t x, int64_t y, int64_t) { return int64_t(x == y); };
    case arith::CmpIPredicate::ne: return [](int64_t x, int64_t y, int64_t) { return int64_t(x != y); };
    case arith::CmpIPredicate::sgt: return [](int64_t x, int64_t y, int64_t) { return int64_t(x > y); };
    case arith::CmpIPredicate::sge: return [](int64_t x, int64_t y, int64_t) { return int64_t(x >= y); };
    case arith::CmpIPredicate::slt: return [](int64_t x, int64_t y, int64_t) { return int64_t(x < y); };
    case arith::CmpIPredicate::sle: return [](int64_t x, int64_t y, int64_t) { return int64_t(x <= y); };
    default: return nullptr;
  }
}

/// A number computed from two indices, as a list of steps that runs for many of them.
class Formula {
public:
  Formula(Value first, Value second) : values(2), slots({{first, 0}, {second, 1}}) {}
  /// The slot of a value; none where it depends on anything else.
  std::optional<int> add(Value value) {
    if (auto it = slots.find(value); it != slots.end()) return it->second;
    Operation *op = value.getDefiningOp();
    if (!op || op->getNumResults() != 1 || op->getNumOperands() > 3) return std::nullopt;
    IntegerAttr number;
    Step step;
    if (!matchPattern(op, m_Constant(&number))) {
      step.function = functionOf(op);
      if (!step.function) return std::nullopt;
      for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
        std::optional<int> slot = add(operand);
        if (!slot) return std::nullopt;
        step.operands[i] = *slot;
      }
      step.result = values.size();
      steps.push_back(step);
    }
    values.push_back(!number ? 0 : number.getType().isInteger(1) ? !number.getValue().isZero() : number.getInt());
    return slots[value] = values.size() - 1;
  }
  int64_t operator()(int slot, int64_t first, int64_t second) {
    values[0] = first, values[1] = second;
    for (const Step &s : steps) values[s.result] = s.function(values[s.operands[0]], values[s.operands[1]], values[s.operands[2]]);
    return values[slot];
  }

private:
  struct Step {
    Function function = nullptr;
    int operands[3] = {0, 0, 0}, result = 0;
  };
  std::vector<int64_t> values;
  llvm::SmallDenseMap<Value, int> slots;
  std::vector<Step> steps;
};
}  // namespace

std::optional<int64_t> heddle::countTrue(Value condition, CountedLoop first, CountedLoop second) {
  // Above so many combinations counting would be felt.
  if (llvm::divideCeil(first.end, first.step) * llvm::divideCeil(second.end, second.step) > (1 << 22)) return std::nullopt;
  Formula formula(first.index, second.index);
  std::optional<int> slot = formula.add(condition);
  if (!slot) return std::nullopt;
  int64_t count = 0;
  for (int64_t i = 0; i < first.end; i += first.step)
    for (int64_t j = 0; j < second.end; j += second.step) count += formula(*slot, i, j) != 0;
  return count;
}
