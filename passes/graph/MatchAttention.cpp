// See MatchAttention.h.
#include "passes/graph/MatchAttention.h"
#include "passes/graph/FusionGroups.h"
#include "passes/graph/Proportional.h"

using namespace mlir;
using namespace heddle;

// Nobody writes a score of so many steps, and walking it would take a deep stack.
static constexpr int kMaxDepth = 1000;

namespace {
class Matcher {
public:
  explicit Matcher(SoftmaxOp softmax) : keys(softmax.getOverAttr()) { match.softmax = softmax; }

  AttentionMatch run() {
    if (!findProduct()) return std::move(match);
    do {
      match.ops.clear(), match.inputs.clear(), sources.clear();
      products = false;
    } while (collectAll() && storeShared());
    return std::move(match);
  }

private:
  bool fail(Operation *at, const Twine &reason) {
    match.reason = reason.str(), match.at = at;
    return false;
  }
  bool hasRows(Tensor type) const {
    return llvm::any_of(match.rows, [&](StringAttr name) { return type.has(name); });
  }
  bool isRowsByKeys(Value value) const { return tensorOf(value).has(keys) && hasRows(tensorOf(value)); }
  std::string name(StringAttr axis) const { return "`" + axis.str() + "`"; }

  // Down from the probabilities: multiples of them, to the product with the values.
  bool findProduct() {
    Value weight = match.softmax.getResult();
    while (true) {
      if (weight.use_empty()) return fail(match.softmax, "nothing uses its result");
      if (!checkUsesOf(weight)) return false;
      Operation *user = *weight.user_begin();
      if (auto product = dyn_cast<ContractOp>(user)) return takeProduct(product, weight);
      weights.push_back(user);
      weight = user->getResult(0);
    }
  }
  // One use, by a product or by something proportional to it. Of several uses the first that could not be fused even
  // alone is the reason; a second one that could is.
  bool checkUsesOf(Value weight) {
    SmallVector<OpOperand *> uses;
    for (OpOperand &use : weight.getUses()) uses.push_back(&use);
    Block *block = match.softmax->getBlock();
    for (OpOperand *use : uses)
      if (use->getOwner()->getBlock() != block) return fail(use->getOwner(), "the weights leave their block");
    llvm::sort(uses, [](OpOperand *a, OpOperand *b) { return a->getOwner()->isBeforeInBlock(b->getOwner()); });
    for (OpOperand *use : uses) {
      Operation *user = use->getOwner();
      if (isa<YieldOp, func::ReturnOp>(user)) return fail(user, "the weights are a result, so they must be stored");
      if (isa<AddOp, SubOp>(user))
        return fail(user, "the weights are one term of a sum: write a product with the values for each");
      if (user->hasTrait<IsElementwise>() && !isProportional(*use))
        return fail(user, "the weight is not linear in the probability, so that its gradient needs all keys of a row");
    }
    if (uses.size() > 1) return fail(uses[1]->getOwner(), "the weights have more than one use, so they must be stored");
    Operation *user = uses[0]->getOwner();
    if (user->hasTrait<IsElementwise>() || isa<ContractOp>(user)) return true;
    if (auto reduce = dyn_cast<ReduceOp>(user))
      return fail(user, "a " + reduce.getKind() + " of the weights is no product with values");
    return fail(user, "the weights go into `" + user->getName().stripDialect() + "`");
  }
  bool takeProduct(ContractOp product, Value weight) {
    match.product = product;
    if (!llvm::is_contained(product.getOver(), keys))
      return fail(product, "the weights are not summed over " + Twine(name(keys)));
    if (product.getOver().size() != 1)
      return fail(product, "the weights are summed over more than " + Twine(name(keys)));
    Tensor values = tensorOf(product.getX() == weight ? product.getY() : product.getX());
    for (StringAttr axis : tensorOf(weight).getNames())
      if (axis != keys && !values.has(axis)) match.rows.push_back(axis);
    room = std::max(values.getNumElements(), tensorOf(product.getResult()).getNumElements());
    return !match.rows.empty() || fail(product, "every row has values of its own");
  }

  // A projection of the keys that has an axis of rows too (heads that share their values, but not their keys) is stored
  // like the keys themselves. What such a tensor has that others have not: it lacks rows, products sum over one of its
  // axes, and it is no larger than what the attention reads and writes anyway.
  bool isProjection(Tensor type) {
    Tensor score = tensorOf(match.softmax.getX());
    bool lacksRows = llvm::any_of(match.rows, [&](StringAttr name) { return !type.has(name); });
    bool isSummed = llvm::any_of(type.getNames(), [&](StringAttr name) { return !score.has(name); });
    return lacksRows && isSummed && type.getNumElements() <= room;
  }
  // A mask or bias that no product is in, made element by element of smaller tensors and of what is stored anyway: every
  // attention that uses it makes its own, wherever it stands.
  bool isCheap(Value value, llvm::SmallDenseSet<Operation *> &&seen = {}) const {
    Operation *op = value.getDefiningOp();
    if (!op || !isRowsByKeys(value) || !seen.insert(op).second) return true;
    if (auto rename = dyn_cast<RenameOp>(op)) return !rename.getX().getDefiningOp();
    auto gather = dyn_cast<GatherOp>(op);
    if (gather ? hasRows(tensorOf(gather.getX())) : !op->hasTrait<IsElementwise>() && !isFreelyRecomputed(op))
      return false;
    return seen.size() < 64 && llvm::all_of(op->getOperands(), [&](Value operand) { return isCheap(operand, std::move(seen)); });
  }
  bool isComputedInside(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op || isa<RenameOp, ReadOp>(op) || stored.contains(value)) return false;
    if (op->getBlock() != match.softmax->getBlock() && !isCheap(value)) return false;
    // The source of a gather by rows and keys is a term of them under another name of the axis.
    return (isRowsByKeys(value) && !isProjection(tensorOf(value))) || sources.contains(value);
  }

  // A smaller tensor, the same for all rows or keys: it is spread inside.
  bool isSpread(Operation *op) const {
    auto spread = dyn_cast_or_null<BroadcastOp>(op);
    return spread && !isRowsByKeys(spread.getResult()) && tensorOf(spread.getX()).getNumElements() < tensorOf(spread.getResult()).getNumElements();
  }

  // Up from the score: everything of rows x keys that is computed goes inside.
  bool collect(Value value) {
    Operation *op = value.getDefiningOp();
    if (op && match.ops.contains(op)) return true;
    if (op && isFreelyRecomputed(op)) return collectOperands(op);  // positions, constants, masks: any nest has them
    if (isSpread(op)) return collectOperands(op);
    if (!isComputedInside(value)) {
      // What is left of these has other uses: NormalizeAttention moves the others.
      if (op && isa<RenameOp>(op) && isRowsByKeys(value)) renamed = op;
      match.inputs.insert(value);
      return true;
    }
    if (auto gather = dyn_cast<GatherOp>(op)) {
      if (!takeGather(gather)) return false;
    } else if (isa<ContractOp, ReduceOp>(op)) {
      products = true;
    } else if (!op->hasTrait<IsElementwise>()) {
      return fail(op, "the score holds `" + op->getName().stripDialect() + "` of rows and keys");
    }
    return collectOperands(op);
  }
  bool takeGather(GatherOp gather) {
    Value x = gather.getX();
    if (tensorOf(x).has(keys) && !tensorOf(gather.getIndex()).has(keys) && isRowsByKeys(x))
      return fail(gather, "the score is gathered from other rows' scores");
    bool ofRows = hasRows(tensorOf(x));
    if ((ofRows || tensorOf(x).has(keys)) && x.getDefiningOp<ContractOp>() && x.hasOneUse()) sources.insert(x);
    else if (ofRows && tensorOf(x).getNumElements() > tensorOf(gather.getResult()).getNumElements())
      return fail(gather, "the score is gathered from a larger tensor of rows");
    return true;
  }
  bool collectOperands(Operation *op) {
    if (++depth > kMaxDepth) return fail(op, "the score is too deep an expression");
    for (Value operand : op->getOperands())
      if (!collect(operand)) return false;
    --depth;
    match.ops.insert(op);
    return true;
  }

  bool collectAll() {
    if (!collect(match.softmax.getX())) return false;
    if (!products && shared) return fail(shared, whyShared);
    if (!products && renamed)
      return fail(renamed, "the score is renamed here from what has other uses, so it must be stored");
    if (!products) return fail(match.softmax, "the score holds no product over another axis");
    match.ops.insert(match.softmax);
    for (Operation *op : weights)
      if (!collectOperands(op)) return false;
    return collectOperands(match.product);
  }
  // What something else uses too must be stored, unless it is cheap: it becomes an input. False where nothing is new.
  bool storeShared() {
    for (Operation *op : match.ops) {
      if (op == match.product || isFreelyRecomputed(op) || isCheap(op->getResult(0))) continue;
      for (Operation *user : op->getUsers()) {
        if (match.ops.contains(user)) continue;
        llvm::SmallDenseSet<Operation *> seen;
        if (!shared)
          whyShared = isNeededBy(user, seen)
                          ? "the score needs this of a whole row before its softmax"
                          : "a tensor of rows and keys is used outside of the attention, so it must be stored";
        shared = shared ? shared : user;
        return stored.insert(op->getResult(0)).second;
      }
    }
    return false;
  }
  // Whether the attention reads what an op gives.
  bool isNeededBy(Operation *op, llvm::SmallDenseSet<Operation *> &seen) const {
    if (op->getBlock() != match.softmax->getBlock() || seen.size() > kMaxDepth || !seen.insert(op).second) return false;
    return llvm::any_of(op->getResults(), [&](Value result) {
      return match.inputs.contains(result) ||
             llvm::any_of(result.getUsers(), [&](Operation *user) { return isNeededBy(user, seen); });
    });
  }

  AttentionMatch match;
  StringAttr keys;
  SmallVector<Operation *> weights;
  llvm::SmallDenseSet<Value> sources, stored;
  Operation *renamed = nullptr, *shared = nullptr;
  const char *whyShared = "";
  int64_t room = 0;
  bool products = false;
  int depth = 0;
};
}  // namespace

AttentionMatch heddle::matchAttention(SoftmaxOp softmax) { return Matcher(softmax).run(); }
