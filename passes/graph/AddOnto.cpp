// What is added to a product is added by its kernel, before it stores a sum: a bias, the residual stream, the gradient that
// another use of the value has. Else the product would be stored only to be read for the addition. Results are the same, bit
// by bit. And the gradient of an embedding is added, update by update, to that of the same table's use as output layer.
#include "passes/OptionalRewrite.h"
#include "passes/Passes.h"
#include "passes/graph/FusionGroups.h"
#include "passes/graph/Views.h"
#include "passes/lower/FusedProduct.h"

namespace heddle {
#define GEN_PASS_DEF_ADDONTO
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

static Tensor tensorOf(Value value) { return cast<Tensor>(value.getType()); }

// Whether `value` lies in memory whatever is done with it here: a nest that would only be read by the addition is better
// left to become one with it.
static bool isStored(Value value) {
  Operation *op = viewedValue(value).getDefiningOp();
  if (op && isFreelyRecomputed(op)) return false;
  return !op || !value.hasOneUse() || isa<ReadOp, RepeatOp, ContractOp, ScatterAddOp, AttentionOp, AttentionBackwardOp>(op);
}

// Its register tiles load whole rows, or one row of all columns for all of them.
static bool startsFrom(ContractOp op, Value start) {
  Tensor type = tensorOf(start), result = tensorOf(op.getResult());
  if (type == result) return isStored(start);
  return type.getNames() == ArrayRef<StringAttr>(columnsOf(op)) && type.getElementType() == result.getElementType();
}

static bool addOnto(ContractOp op, AddOp add, Value start) {
  if (add.getType() != op.getType() || !startsFrom(op, start)) return false;
  OpBuilder builder(add);
  SmallVector<Value> onto(op.getOnto());
  onto.push_back(start);
  add.replaceAllUsesWith(ContractOp::create(builder, op.getLoc(), op.getType(), op.getX(), op.getY(), op.getOver(), onto).getResult());
  add.erase();
  op.erase();
  return true;
}

// A product, or one that a repeat sums up: a sum of so many terms that some more of them do not round worse.
static bool isProductSum(Value value) {
  Operation *op = value.getDefiningOp();
  auto repeat = dyn_cast_if_present<RepeatOp>(op);
  unsigned slot = repeat ? cast<OpResult>(value).getResultNumber() : 0;
  if (repeat && slot < repeat.getCarried().size()) op = repeat.getYield()->getOperand(slot).getDefiningOp();
  return isa_and_nonnull<ContractOp>(op);
}

// In place: `start` is memory that nothing else reads.
static bool addOnto(ScatterAddOp op, AddOp add, Value start) {
  if (!isProductSum(start) || !start.hasOneUse() || start.getParentBlock() != add->getBlock() || op.getOnto()) return false;
  if (start.getType() != op.getType() || add.getType() != op.getType()) return false;
  OpBuilder builder(add);
  add.replaceAllUsesWith(
      ScatterAddOp::create(builder, op.getLoc(), op.getType(), op.getUpdates(), op.getIndex(), op.getAxisAttr(), start).getResult());
  add.erase();
  op.erase();
  return true;
}

static bool addOnto(AddOp add) {
  // Of two products the later one is added to the earlier.
  SmallVector<Value, 2> sides{add.getX(), add.getY()};
  if (Operation *x = sides[0].getDefiningOp(), *y = sides[1].getDefiningOp(); x && y && x->getBlock() == y->getBlock() && x->isBeforeInBlock(y))
    std::swap(sides[0], sides[1]);
  for (size_t i : {0, 1}) {
    Operation *op = sides[i].getDefiningOp();
    if (!op || op->getBlock() != add->getBlock() || !sides[i].hasOneUse()) continue;
    if (auto contract = dyn_cast<ContractOp>(op); contract && addOnto(contract, add, sides[1 - i])) return true;
    if (auto scatter = dyn_cast<ScatterAddOp>(op); scatter && addOnto(scatter, add, sides[1 - i])) return true;
  }
  return false;
}

namespace {
struct AddOnto : heddle::impl::AddOntoBase<AddOnto> {
  void runOnOperation() override {
    SmallVector<AddOp> adds;
    getOperation().walk([&](AddOp add) {
      if (!isa<AttentionOp, AttentionBackwardOp, FusedOp>(add->getParentOp())) adds.push_back(add);
    });
    for (AddOp add : adds) runOptional(add, "add-onto: add where a product is stored", [&] { return addOnto(add); });
  }
};
}  // namespace
