// Every value gets a piece of memory (a storage) and, inside `repeat`, how far it moves per iteration. Values share a
// storage where one is a view of the other, where a `repeat` carries or collects them, and where an op writes over
// what it read. Storages then get offsets: the largest first, each at the lowest place that is free as long as it
// lives ("greedy by size", Pisarchyk and Lee 2020, which comes within a few percent of the lower bound).
#include "passes/graph/PlanMemory.h"
#include "passes/graph/PlaceCopies.h"
#include "passes/graph/Views.h"
#include "passes/lower/Lowering.h"
#include "passes/Passes.h"
#include "runtime/Abi.h"
#include "llvm/Support/MathExtras.h"

namespace heddle {
#define GEN_PASS_DEF_PLANMEMORY
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

int64_t heddle::bytesOf(Type type) { return cast<Tensor>(type).getNumElements() * 4; }

namespace {

struct Storage {
  int64_t bytes = 0, offset = 0;
  bool variable = false;  // lies in the variables' arena, at `offset`
  Operation *home = nullptr;  // the repeat in whose body it lives, or null
  int64_t first = INT64_MAX, last = -1;  // points of the program at which it is in use
};

struct Place {
  int storage = -1;
  SmallVector<int64_t> strides;  // bytes per iteration of each enclosing repeat
};

class Planner {
public:
  Planner(func::FuncOp entry, const llvm::StringMap<int64_t> &variables) : entry(entry), variables(variables) {}
  void run();

private:
  void number(Block *block);
  void placeBlock(Block *block);
  void placeRepeat(RepeatOp repeat);
  int newStorage(Value value, Operation *home);
  void preplace(Value value, Place place);
  void use(Value value, Operation *at);
  void assignOffsets();
  Attribute argOf(Value value, int depth);

  func::FuncOp entry;
  const llvm::StringMap<int64_t> &variables;
  std::vector<Storage> storages;
  llvm::DenseMap<Value, Place> places;
  llvm::DenseMap<Operation *, std::pair<int64_t, int64_t>> points;  // first and last point of an op
  int64_t nextPoint = 1;  // 0 is before the entry
  int64_t workspace = 0;
};

Operation *homeOf(Block *block) { return dyn_cast<RepeatOp>(block->getParentOp()); }

}  // namespace

void Planner::number(Block *block) {
  for (Operation &op : *block) {
    int64_t first = nextPoint++;
    if (auto repeat = dyn_cast<RepeatOp>(op)) number(&repeat.getBody().front());
    points[&op] = {first, nextPoint++};
  }
}

int Planner::newStorage(Value value, Operation *home) {
  Storage storage;
  storage.bytes = bytesOf(value.getType());
  storage.home = home;
  storages.push_back(storage);
  return storages.size() - 1;
}

// Marks the storage of a value as in use at an op: all through the outermost repeat between the storage's home and it.
void Planner::use(Value value, Operation *at) {
  Storage &storage = storages[places[value].storage];
  while (at->getParentOp() != entry && at->getParentOp() != storage.home) at = at->getParentOp();
  storage.first = std::min(storage.first, points[at].first);
  storage.last = std::max(storage.last, points[at].second);
}

void Planner::preplace(Value value, Place place) {
  Value owner = viewedValue(value);
  if (!places.count(owner)) places[owner] = place;
}

void Planner::placeRepeat(RepeatOp repeat) {
  Block *body = &repeat.getBody().front();
  int depth = repeatDepth(repeat);
  Operation *yield = repeat.getYield();
  auto slice = [&](Value stack, Type type) {
    Place place = places[stack];
    place.strides.resize(depth + 1, 0);
    place.strides[depth] = bytesOf(type);
    return place;
  };
  for (auto [i, init] : llvm::enumerate(repeat.getCarried())) {
    Place place = places[init];
    places[repeat.getCarriedArgs()[i]] = place;
    if (!places.count(repeat.getResult(i))) places[repeat.getResult(i)] = place;
    preplace(yield->getOperand(i), place);
  }
  for (auto [stack, arg] : llvm::zip(repeat.getStacked(), repeat.getStackedArgs()))
    places[arg] = slice(stack, arg.getType());
  for (size_t i = repeat.getCarried().size(); i < repeat.getNumResults(); ++i) {
    Value result = repeat.getResult(i);
    if (!places.count(result)) places[result] = {newStorage(result, homeOf(repeat->getBlock())), {}};
    preplace(yield->getOperand(i), slice(result, yield->getOperand(i).getType()));
  }
  for (Value value : repeat.getOperands()) use(value, repeat);
  for (Value value : repeat.getResults()) use(value, repeat);
  placeBlock(body);
}

void Planner::placeBlock(Block *block) {
  for (Operation &op : *block) {
    if (auto read = dyn_cast<ReadOp>(op)) {
      Storage storage;
      storage.variable = true;
      storage.offset = variables.lookup(read.getVariable());
      storages.push_back(storage);
      places[read.getResult()] = {static_cast<int>(storages.size() - 1), {}};
    } else if (Value viewed = viewedBy(&op)) {
      Place place = places[viewed];  // a copy: the next line may move what is in the map
      places[op.getResult(0)] = place;
    } else if (auto repeat = dyn_cast<RepeatOp>(op)) {
      placeRepeat(repeat);
    } else {
      if (auto scatter = dyn_cast<ScatterAddOp>(op); scatter && scatter.getOnto()) {
        Place place = places[scatter.getOnto()];
        places[scatter.getResult()] = place;
      }
      for (Value result : op.getResults())
        if (!places.count(result)) places[result] = {newStorage(result, homeOf(block)), {}};
      for (Value result : op.getResults()) use(result, &op);
      for (Value operand : op.getOperands())
        if (repeatIndexDepth(operand) < 0) use(operand, &op);
    }
  }
}

void Planner::assignOffsets() {
  std::vector<Storage *> order, done;
  for (Storage &storage : storages)
    if (!storage.variable) order.push_back(&storage);
  llvm::stable_sort(order, [](Storage *a, Storage *b) { return a->bytes > b->bytes; });
  for (Storage *storage : order) {
    std::vector<std::pair<int64_t, int64_t>> busy;
    for (Storage *other : done)
      if (other->first <= storage->last && storage->first <= other->last)
        busy.push_back({other->offset, other->offset + other->bytes});
    llvm::sort(busy);
    int64_t offset = 0;
    for (auto [from, to] : busy) {
      if (from - offset >= storage->bytes) break;
      offset = std::max(offset, static_cast<int64_t>(llvm::alignTo(to, HEDDLE_ALIGNMENT)));
    }
    storage->offset = offset;
    workspace = std::max(workspace, offset + storage->bytes);
    done.push_back(storage);
  }
}

Attribute Planner::argOf(Value value, int depth) {
  const Place &place = places[value];
  const Storage &storage = storages[place.storage];
  SmallVector<int64_t> strides(place.strides);
  strides.resize(depth, 0);
  return ArgAttr::get(entry.getContext(), storage.variable ? "variables" : "workspace", storage.offset, strides);
}

void Planner::run() {
  Block *body = &entry.getBody().front();
  Builder builder(entry.getContext());
  number(body);
  for (BlockArgument arg : body->getArguments()) {
    places[arg] = {newStorage(arg, nullptr), {}};
    storages.back().first = 0;
    storages.back().last = INT64_MAX;  // whoever fills the inputs may fill some of them once
  }
  for (WriteOp write : body->getOps<WriteOp>()) {
    Storage storage;
    storage.variable = true;
    storage.offset = variables.lookup(write.getVariable());
    storages.push_back(storage);
    places[write.getValue()] = {static_cast<int>(storages.size() - 1), {}};
  }
  placeBlock(body);
  Operation *end = body->getTerminator();
  for (Value value : end->getOperands()) storages[places[value].storage].last = INT64_MAX;
  assignOffsets();

  entry->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isa<FusedOp, ContractOp, ScatterAddOp, AttentionOp, AttentionBackwardOp>(op)) return WalkResult::advance();
    SmallVector<Attribute> args;
    int depth = repeatDepth(op);
    for (Value operand : op->getOperands())
      if (repeatIndexDepth(operand) < 0) args.push_back(argOf(operand, depth));
    for (Value result : op->getResults()) args.push_back(argOf(result, depth));
    op->setAttr(kArgsAttr, builder.getArrayAttr(args));
    return WalkResult::skip();
  });
  for (BlockArgument arg : body->getArguments())
    entry.setArgAttr(arg.getArgNumber(), kOffsetAttr, builder.getI64IntegerAttr(storages[places[arg].storage].offset));
  for (auto [i, value] : llvm::enumerate(end->getOperands()))
    entry.setResultAttr(i, kOffsetAttr, builder.getI64IntegerAttr(storages[places[value].storage].offset));
  entry->setAttr(kWorkspaceAttr, builder.getI64IntegerAttr(llvm::alignTo(workspace, HEDDLE_ALIGNMENT)));
}

void heddle::planMemory(ModuleOp module) {
  Builder builder(module.getContext());
  llvm::StringMap<int64_t> offsets;
  int64_t bytes = 0;
  auto place = [&](bool caches) {
    for (VariableOp variable : module.getOps<VariableOp>()) {
      if ((variable.getKind() == "cache") != caches) continue;
      variable.setOffset(bytes);
      offsets[variable.getSymName()] = bytes;
      bytes = llvm::alignTo(bytes + bytesOf(variable.getType()), HEDDLE_ALIGNMENT);
    }
  };
  place(false);
  place(true);  // last: only who generates takes memory for them
  module->setAttr(kVariablesAttr, builder.getI64IntegerAttr(bytes));
  for (func::FuncOp entry : module.getOps<func::FuncOp>()) {
    placeCopies(entry);
    Planner(entry, offsets).run();
  }
}

namespace {
struct PlanMemory : heddle::impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override { planMemory(getOperation()); }
};
}  // namespace
