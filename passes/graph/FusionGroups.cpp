// See FusionGroups.h. Everything runs in the order of the block, so the same program gives the same groups.
#include "passes/graph/FusionGroups.h"
#include "passes/OptionalRewrite.h"
#include "mlir/IR/IRMapping.h"
#include <numeric>
#include <queue>

using namespace mlir;
using namespace heddle;

// Beyond this a nest has more streams than hardware prefetchers follow.
static constexpr size_t kMaxTensors = 32;
static constexpr size_t kMaxOps = 256;
// Nests over fewer elements cost more to start than to run: those of one shape share one.
static constexpr int64_t kSmall = 16384;

static Tensor tensorOf(Value value) { return cast<Tensor>(value.getType()); }

static bool isFusable(Operation *op) {
  return op->hasTrait<IsElementwise>() ||
         isa<ReduceOp, ArgmaxOp, GatherOp, PositionOp, ConstantOp, BernoulliOp>(op);
}

// `depth` bounds the work of asking, and of computing again.
static bool isFree(Operation *op, int depth) {
  if (isa<ConstantOp, PositionOp, BernoulliOp>(op)) return true;
  if (depth == 0 || !op->hasTrait<IsElementwise>() || isExpensive(op)) return false;
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    if (Operation *def = operand.getDefiningOp()) return isFree(def, depth - 1);
    return tensorOf(operand).getRank() == 0 && tensorOf(operand).isInt();
  });
}
bool heddle::isFreelyRecomputed(Operation *op) { return isFree(op, 6); }

// A gather reads at any place of its source: that has to lie in memory.
static bool readsFromMemory(Operation *op, Value operand) {
  auto gather = dyn_cast<GatherOp>(op);
  return gather && gather.getX() == operand;
}

static void addFree(Operation *op, llvm::SmallDenseSet<Operation *> &seen, SmallVectorImpl<Operation *> &order) {
  for (Value operand : op->getOperands()) {
    Operation *def = operand.getDefiningOp();
    if (!def || readsFromMemory(op, operand) || def->getBlock() != op->getBlock() || !isFreelyRecomputed(def) || !seen.insert(def).second) continue;
    addFree(def, seen, order);
    order.push_back(def);
  }
}
SmallVector<Operation *> heddle::freeOperandsOf(ArrayRef<Operation *> ops) {
  llvm::SmallDenseSet<Operation *> seen(ops.begin(), ops.end());
  SmallVector<Operation *> order;
  for (Operation *op : ops) addFree(op, seen, order);
  return order;
}

FusedOp heddle::makeFused(OpBuilder &builder, Location loc, ArrayRef<Operation *> ops, ArrayRef<Value> inputs,
                          ArrayRef<Value> operands, ArrayRef<Value> results) {
  auto fused = FusedOp::create(builder, loc, ValueRange(results).getTypes(), operands);
  OpBuilder::InsertionGuard guard(builder);
  SmallVector<Location> locs = llvm::map_to_vector(inputs, [](Value input) { return input.getLoc(); });
  Block *body = builder.createBlock(&fused.getBody(), {}, ValueRange(operands).getTypes(), locs);
  IRMapping mapping;
  mapping.map(inputs, body->getArguments());
  for (Operation *op : ops) builder.clone(*op, mapping);
  YieldOp::create(builder, loc, llvm::map_to_vector(results, [&](Value result) { return mapping.lookup(result); }));
  return fused;
}

// A free op that something other than a nest reads must be computed for it.
static bool isDemanded(Operation *op) {
  return llvm::any_of(op->getUsers(), [&](Operation *user) {
    return user->getBlock() != op->getBlock() || !isFusable(user) || readsFromMemory(user, op->getResult(0));
  });
}

FusionGroups::FusionGroups(Block &block, bool join) : block(block) {
  for (auto [i, op] : llvm::enumerate(block.without_terminator())) {
    place[&op] = i;
    if (isFreelyRecomputed(&op) && !isDemanded(&op)) continue;
    nodeOf[&op] = nodes.size();
    nodes.push_back({{&op}, isFusable(&op)});
  }
  if (!join) return;
  reach.resize(place.size());
  std::iota(reach.begin(), reach.end(), 0);
  for (Operation &op : block.without_terminator())
    if (nodeOf.contains(&op) && isFusable(&op) && !isFreelyRecomputed(&op)) joinProducers(&op);
  joinSiblings();
}

SmallVector<Value> FusionGroups::resultsOf(ArrayRef<Operation *> ops) {
  llvm::SmallDenseSet<Operation *> inside(ops.begin(), ops.end());
  SmallVector<Value> results;
  for (Operation *op : ops)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) {
            // A free op that this group computes as a result still leaves other nests to compute it themselves.
            if (isFreelyRecomputed(op) && user->getBlock() == op->getBlock() && isFusable(user) &&
                !readsFromMemory(user, result))
              return false;
            return !inside.contains(user);
          }))
        results.push_back(result);
  return results;
}

//===------------------------------------------------------------------------------------------------- joining
// Producers in the order of size, then of operands: the largest tensor is what is worth not storing.
void FusionGroups::joinProducers(Operation *op) {
  SmallVector<Value> operands(op->getOperands());
  llvm::stable_sort(operands, [](Value a, Value b) {
    return tensorOf(a).getNumElements() > tensorOf(b).getNumElements();
  });
  for (Value operand : operands)
    if (Operation *def = operand.getDefiningOp(); def && nodeOf.contains(def) && !isFreelyRecomputed(def))
      if (!tryJoin(nodeOf[def], nodeOf[op]) && isa<ReduceOp>(op)) takeProducer(def, op);
}

// A reduction that may not join the nest of its operand takes the cheap last step of that nest with it, where no more
// tensors are stored than before: what that step reads is then often shared with other reductions.
void FusionGroups::takeProducer(Operation *producer, Operation *reduction) {
  Node &from = nodes[nodeOf[producer]], &to = nodes[nodeOf[reduction]];
  if (!from.fused || from.ops.size() < 2 || to.ops.size() != 1 || !producer->hasOneUse()) return;
  if (!producer->hasTrait<IsElementwise>() || isExpensive(producer)) return;
  SmallVector<Operation *> rest;
  for (Operation *op : from.ops)
    if (op != producer) rest.push_back(op);
  if (resultsOf(rest).size() > resultsOf(from.ops).size()) return;
  if (!shapeOfNest(rest, resultsOf(rest)) || !mayJoin({producer}, to.ops)) return;
  runOptional(reduction, "fuse-elementwise: take the last step of another nest", [&] {
    from.ops = rest;
    to.ops.insert(to.ops.begin(), producer);
    nodeOf[producer] = nodeOf.lookup(reduction);
    noteReach(to);
    return true;
  });
}

// Values from outside that a group reads and that have all of its dims.
static llvm::SmallDenseSet<Value> largeInputs(ArrayRef<Operation *> ops, int64_t elements) {
  llvm::SmallDenseSet<Operation *> inside(ops.begin(), ops.end());
  llvm::SmallDenseSet<Value> inputs;
  for (Operation *op : ops)
    for (Value operand : op->getOperands()) {
      Operation *def = operand.getDefiningOp();
      if (def && (inside.contains(def) || isFreelyRecomputed(def))) continue;
      if (tensorOf(operand).getNumElements() == elements) inputs.insert(operand);
    }
  return inputs;
}

void FusionGroups::joinSiblings() {
  auto isGroup = [&](int i) {
    return nodes[i].fused && !nodes[i].ops.empty() && !isFreelyRecomputed(nodes[i].ops[0]);
  };
  auto shape = [&](int i) { return shapeOfNest(nodes[i].ops, resultsOf(nodes[i].ops)); };
  for (int i = 0; i < static_cast<int>(nodes.size()); ++i) {
    if (!isGroup(i)) continue;
    NestShape mine = shape(i);
    for (int j = i + 1; j < static_cast<int>(nodes.size()) && isGroup(i); ++j) {
      if (!isGroup(j)) continue;
      NestShape other = shape(j);
      if (other.elements() != mine.elements()) continue;
      bool alike = llvm::all_of(other.dims, [&](StringAttr dim) { return llvm::is_contained(mine.dims, dim); }) &&
                   other.reduced.size() == mine.reduced.size();
      auto inputs = largeInputs(nodes[i].ops, mine.elements());
      bool share = llvm::any_of(largeInputs(nodes[j].ops, mine.elements()),
                                [&](Value value) { return inputs.contains(value); });
      if (share || (alike && mine.elements() < kSmall)) tryJoin(i, j);
    }
  }
}

// On success everything is in `right`, which comes later, and `left` is empty.
bool FusionGroups::tryJoin(int left, int right) {
  if (left == right || !nodes[left].fused || !nodes[right].fused) return false;
  if (!mayJoin(nodes[left].ops, nodes[right].ops) || pathBetween(left, right) || pathBetween(right, left)) return false;
  auto &ops = nodes[right].ops;
  return runOptional(ops.back(), "fuse-elementwise: join two nests", [&] {
    for (Operation *op : nodes[left].ops) nodeOf[op] = right, ops.push_back(op);
    llvm::sort(ops, [&](Operation *a, Operation *b) { return place.lookup(a) < place.lookup(b); });
    nodes[left].ops.clear();
    noteReach(nodes[right]);
    return true;
  });
}

bool FusionGroups::mayJoin(ArrayRef<Operation *> left, ArrayRef<Operation *> right) const {
  SmallVector<Operation *> both(left);
  llvm::append_range(both, right);
  if (both.size() > kMaxOps) return false;
  llvm::sort(both, [&](Operation *a, Operation *b) { return place.lookup(a) < place.lookup(b); });
  SmallVector<Operation *> all = freeOperandsOf(both);
  llvm::append_range(all, both);
  SmallVector<Value> results = resultsOf(both);
  NestShape joined = shapeOfNest(all, results);
  if (!joined) return false;

  llvm::SmallDenseSet<Value> tensors(results.begin(), results.end());
  llvm::SmallDenseSet<Operation *> inside(all.begin(), all.end());
  for (Operation *op : all)
    for (Value operand : op->getOperands())
      if (Operation *def = operand.getDefiningOp(); !def || !inside.contains(def)) tensors.insert(operand);
  if (tensors.size() > kMaxTensors) return false;

  // Neither part may be computed more often than before: it has all dims of the nest, or is the work of a row, or is a
  // few cheap ops that nothing else needs.
  for (ArrayRef<Operation *> part : {left, right}) {
    NestShape shape = shapeOfNest(part, resultsOf(part));
    if (shape.elements() == joined.elements()) continue;
    bool row = !joined.reduced.empty() && shape.reduced.empty() &&
               shape.elements() * joined.rowElements() == joined.elements() &&
               llvm::none_of(shape.dims, [&](StringAttr dim) { return joined.isReduced(dim); });
    bool cheap = part == left && shape.reduced.empty() && part.size() <= 4 && llvm::none_of(part, isExpensive) &&
                 llvm::none_of(part, [&](Operation *op) { return llvm::is_contained(results, op->getResult(0)); });
    if (!row && !cheap) return false;
  }
  // A nest that leaves the largest dims to one side only would grow.
  NestShape a = shapeOfNest(left, resultsOf(left)), b = shapeOfNest(right, resultsOf(right));
  return joined.elements() == std::max(a.elements(), b.elements());
}

SmallVector<int> FusionGroups::usersOf(int node) const {
  SmallVector<int> users;
  for (Operation *op : nodes[node].ops)
    for (Operation *user : op->getUsers()) {
      Operation *ancestor = block.findAncestorOpInBlock(*user);
      if (auto it = nodeOf.find(ancestor); it != nodeOf.end() && it->second != node) users.push_back(it->second);
    }
  return users;
}

void FusionGroups::noteReach(const Node &node) {
  int last = place.lookup(node.ops.back());
  for (int at = place.lookup(node.ops.front()); at < last && reach[at] < last; ++at) reach[at] = last;
}

bool FusionGroups::pathBetween(int from, int to) const {
  llvm::SmallDenseSet<int> seen;
  SmallVector<int> work;
  // A node that begins behind `end` leads nowhere; without this, every question walks to the end of the block. Behind
  // the end of `to` itself may stand one that leads to a node that begins before it.
  int end = place.lookup(nodes[to].ops.back());
  while (reach[end] > end) end = reach[end];
  auto visit = [&](int node) {
    if (place.lookup(nodes[node].ops.front()) <= end && seen.insert(node).second) work.push_back(node);
  };
  for (int user : usersOf(from))
    if (user != to) visit(user);
  while (!work.empty()) {
    for (int user : usersOf(work.pop_back_val())) {
      if (user == to) return true;
      visit(user);
    }
  }
  return false;
}

// Kahn's order; among nodes that can run, the one whose last op stands first.
std::vector<FusionGroups::Node> FusionGroups::schedule() const {
  std::vector<int> missing(nodes.size(), 0);
  std::vector<llvm::SmallDenseSet<int>> users(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i)
    for (int user : usersOf(i))
      if (users[i].insert(user).second) ++missing[user];
  auto later = [&](int a, int b) { return place.lookup(nodes[a].ops.back()) > place.lookup(nodes[b].ops.back()); };
  std::priority_queue<int, std::vector<int>, decltype(later)> ready(later);
  for (size_t i = 0; i < nodes.size(); ++i)
    if (!nodes[i].ops.empty() && missing[i] == 0) ready.push(i);
  std::vector<Node> order;
  while (!ready.empty()) {
    int next = ready.top();
    ready.pop();
    order.push_back(nodes[next]);
    for (int user : users[next])
      if (--missing[user] == 0) ready.push(user);
  }
  return order;
}
