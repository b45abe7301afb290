// What is done element by element with a product is done where its sums are stored: an activation, its derivative, a scale, a
// gate. Else the product would be stored only to be read for it.
//
// Of the ops that follow from a product those move in that lead to a value which lies in memory anyway, because a product, an
// attention or the next layer reads it; with them those that only they need, and what these give to others that lies in
// memory anyway. A value that only nests read is left to them: they compute it as they go, and store nothing. And where a nest
// must read the product itself, as an update of weights reads their gradient, all is left to it.
//
// And the sum of what the product packs is taken as it is packed: the gradient of a bias, beside that of its weight.
#include "passes/OptionalRewrite.h"
#include "passes/Passes.h"
#include "passes/graph/FusionGroups.h"
#include "passes/lower/FusedProduct.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "llvm/ADT/SetVector.h"

namespace heddle {
#define GEN_PASS_DEF_FUSEPRODUCTS
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

// Beyond so many ops the vectors of a region no longer fit the registers.
static constexpr size_t kMostOps = 64;

static Tensor tensorOf(Value value) { return cast<Tensor>(value.getType()); }

namespace {
class Epilogue {
public:
  explicit Epilogue(ContractOp product) : product(product), block(product->getBlock()) {
    needsOneOf(product, [](Operation *) { return false; }, needs);
  }
  /// Moves into a fused op with the product what can; whether there is something.
  bool run();

private:
  bool findEpilogue();
  bool needsOneOf(Operation *op, function_ref<bool(Operation *)> wanted, llvm::SmallDenseSet<Operation *> &seen);
  bool isAlong(Operation *op);
  void find();
  ReduceOp findColumnSum();
  bool operandsFit(Operation *op);
  bool isOfNest(Operation *user, Value value);
  bool isStored(Value value);
  void removeWithUsers(Operation *op);
  void keepWanted();
  SmallVector<Value> escaping();
  void write();

  ContractOp product;
  Block *block;
  llvm::SetVector<Operation *> group;     // without the product
  ReduceOp columnSum;                      // null: none moves in
  llvm::SmallDenseSet<Operation *> needs;  // what must be computed before the product
};
}  // namespace

// Whether `op` needs one of the ops of this block that are wanted. What it needs is noted, up to the first of these.
bool Epilogue::needsOneOf(Operation *op, function_ref<bool(Operation *)> wanted, llvm::SmallDenseSet<Operation *> &seen) {
  SmallVector<Operation *> work{op};
  while (!work.empty()) {
    WalkResult walked = work.pop_back_val()->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        Operation *def = operand.getDefiningOp();
        if (!def || def->getBlock() != block || !seen.insert(def).second) continue;
        if (wanted(def)) return WalkResult::interrupt();
        work.push_back(def);
      }
      return WalkResult::advance();
    });
    if (walked.wasInterrupted()) return true;
  }
  return false;
}

// Elementwise, and of the product's dims.
bool Epilogue::isAlong(Operation *op) {
  return op->getBlock() == block && !needs.contains(op) && op->hasTrait<IsElementwise>() && !isFreelyRecomputed(op) &&
         tensorOf(op->getResult(0)).getNames() == tensorOf(product.getResult()).getNames() &&
         tensorOf(op->getResult(0)).getSizes() == tensorOf(product.getResult()).getSizes();
}

// What follows from the product, and what that needs, and what follows from that.
void Epilogue::find() {
  SmallVector<Operation *> work;
  auto take = [&](Operation *op) {
    if (op && op != product && isAlong(op) && group.size() <= kMostOps && group.insert(op)) work.push_back(op);
  };
  for (Operation *user : product->getUsers()) take(user);
  while (!work.empty()) {
    Operation *op = work.pop_back_val();
    for (Value operand : op->getOperands()) take(operand.getDefiningOp());
    for (Operation *user : op->getUsers()) take(user);
  }
}

// Whether `user` will be part of a nest that reads `value` element by element.
bool Epilogue::isOfNest(Operation *user, Value value) {
  auto gather = dyn_cast<GatherOp>(user);
  bool computes = user->hasTrait<IsElementwise>() || isa<ReduceOp, ArgmaxOp>(user) || (gather && gather.getX() != value);
  return computes && user->getBlock() == block;
}
// Whether a value lies in memory whatever happens here.
bool Epilogue::isStored(Value value) {
  return !llvm::all_of(value.getUsers(), [&](Operation *user) { return isOfNest(user, value); });
}

bool Epilogue::operandsFit(Operation *op) {
  return llvm::all_of(op->getOperands(), [&](Value value) {
    Operation *def = value.getDefiningOp();
    if (def && (def == product || group.contains(def))) return true;
    if (!fitsProduct(tensorOf(value), product)) return false;
    if (!def || def->getBlock() != block) return true;
    if (isFreelyRecomputed(def))
      return llvm::all_of(freeOperandsOf({op}), [](Operation *free) { return isa<ConstantOp>(free); });
    // Of the product's size it lies in memory already: a nest would have to store it for this.
    bool large = tensorOf(value).getNumElements() == tensorOf(product.getResult()).getNumElements();
    if (large && (def->hasTrait<IsElementwise>() || isa<GatherOp>(def)) && !isStored(value)) return false;
    llvm::SmallDenseSet<Operation *> seen;
    return !needsOneOf(def, [&](Operation *other) { return other == product || group.contains(other); }, seen);
  });
}

void Epilogue::removeWithUsers(Operation *op) {
  if (!group.remove(op)) return;
  for (Operation *user : op->getUsers()) removeWithUsers(user);
}

SmallVector<Value> Epilogue::escaping() {
  SmallVector<Value> values;
  auto add = [&](Operation *op) {
    bool read = llvm::any_of(op->getUsers(), [&](Operation *user) { return !group.contains(user); });
    if (read) values.push_back(op->getResult(0));
  };
  add(product);
  for (Operation *op : group) add(op);
  return values;
}

// Ops that lead to no value which is stored, of those that depend on the product.
void Epilogue::keepWanted() {
  llvm::SmallDenseSet<Operation *> dependent, wanted;
  std::function<void(Operation *)> spread = [&](Operation *op) {
    for (Operation *user : op->getUsers())
      if (group.contains(user) && dependent.insert(user).second) spread(user);
  };
  spread(product);
  std::function<void(Operation *)> want = [&](Operation *op) {
    if (!group.contains(op) || !wanted.insert(op).second) return;
    for (Value operand : op->getOperands())
      if (Operation *def = operand.getDefiningOp()) want(def);
  };
  for (Operation *op : group)
    if (dependent.contains(op) && isStored(op->getResult(0))) want(op);
  // With what these are made of, others can be stored too that need nothing else of the product's size.
  auto isWanted = [&](Value value) { return wanted.contains(value.getDefiningOp()); };
  for (Operation *op : group)
    if (!dependent.contains(op) && isStored(op->getResult(0)) && llvm::any_of(op->getOperands(), isWanted)) want(op);
  group.remove_if([&](Operation *op) { return !wanted.contains(op); });
}

// The sum of what the product packs: the gradient of a bias beside that of its weight.
ReduceOp Epilogue::findColumnSum() {
  for (Value operand : {product.getX(), product.getY()})
    for (Operation *user : operand.getUsers()) {
      auto sum = dyn_cast<ReduceOp>(user);
      if (!sum || sum->getBlock() != block || !isColumnSum(sum, product) || sum->use_empty() || needs.contains(sum)) continue;
      llvm::SmallDenseSet<Operation *> seen;
      auto isSum = [&](Operation *other) { return other == sum; };
      if (llvm::none_of(group, [&](Operation *op) { return needsOneOf(op, isSum, seen); })) return sum;
    }
  return nullptr;
}

bool Epilogue::run() {
  if (!findEpilogue()) group.clear();
  columnSum = product->use_empty() ? nullptr : findColumnSum();
  if (group.empty() && !columnSum) return false;
  write();
  return true;
}

// Whether a nest need not read the product anyway.
bool Epilogue::findEpilogue() {
  find();
  if (group.size() > kMostOps) return false;
  while (true) {
    size_t before = group.size();
    for (Operation *op : llvm::to_vector(group))
      if (group.contains(op) && !operandsFit(op)) removeWithUsers(op);
    keepWanted();
    for (Value value : escaping()) {
      bool fits = isStored(value) && value.getType() == product.getType();
      if (value != product.getResult() && !fits) removeWithUsers(value.getDefiningOp());
    }
    if (group.empty()) return false;
    if (group.size() == before) break;
  }
  auto readsAnyway = [&](Operation *user) { return !group.contains(user) && isOfNest(user, product.getResult()); };
  return llvm::none_of(product->getUsers(), readsAnyway);
}

void Epilogue::write() {
  SmallVector<Operation *> ops;
  for (Operation &op : *block)
    if (group.contains(&op)) ops.push_back(&op);
  SmallVector<Value> results = escaping();
  if (columnSum) ops.push_back(columnSum), results.push_back(columnSum.getResult());
  SmallVector<Operation *> all = freeOperandsOf(ops);
  llvm::append_range(all, ops);
  llvm::SmallDenseSet<Operation *> inside(all.begin(), all.end());
  inside.insert(product);
  llvm::SetVector<Value> operands(product->operand_begin(), product->operand_end());
  for (Operation *op : all)
    for (Value operand : op->getOperands())
      if (Operation *def = operand.getDefiningOp(); !def || !inside.contains(def)) operands.insert(operand);
  SmallVector<Value> inputs = operands.takeVector();

  OpBuilder builder(product);
  all.insert(all.begin(), product);
  FusedOp fused = makeFused(builder, product.getLoc(), all, inputs, inputs, results);
  for (auto [result, value] : llvm::zip(results, fused.getResults())) result.replaceAllUsesWith(value);
  for (Operation *op : llvm::reverse(ops)) op->erase();
  product->erase();
  sortTopologically(block);
}

namespace {
struct FuseProducts : heddle::impl::FuseProductsBase<FuseProducts> {
  void runOnOperation() override {
    SmallVector<ContractOp> products;
    getOperation().walk([&](ContractOp product) {
      if (!isa<AttentionOp, AttentionBackwardOp, FusedOp>(product->getParentOp())) products.push_back(product);
    });
    for (ContractOp product : products)
      runOptional(product, "fuse-products: compute where a product is stored", [&] { return Epilogue(product).run(); });
  }
};
}  // namespace
