// Axes, vector axis, tiles and passes of a nest. The order of functions is the order of decisions.
#include "passes/lower/NestPlan.h"
#include "passes/lower/Lowering.h"
#include <numeric>

using namespace mlir;
using namespace heddle;

static Tensor tensorOf(Value value) { return cast<Tensor>(value.getType()); }

int NestView::groupOf(int axis) const {
  auto it = axis < 0 ? axes.end() : llvm::find(axes, axis);
  return it == axes.end() ? -1 : it - axes.begin();
}
int NestPlan::axisOf(StringAttr dim) const {
  for (auto [i, axis] : llvm::enumerate(axes))
    if (llvm::is_contained(axis.dims, dim)) return i;
  return -1;
}
bool NestPlan::variesInRow(Value value) const {
  auto it = depends.find(value);
  if (it == depends.end()) return false;
  return llvm::any_of(it->second.set_bits(), [&](unsigned axis) { return axes[axis].reduced; });
}
const NestAccess *NestPlan::accessOf(Value value) const {
  for (const NestAccess &access : accesses)
    if (access.value == value) return &access;
  return nullptr;
}

//===------------------------------------------------------------------------------------------------- accesses
static Value throughRenames(Value value) {
  while (auto rename = value.getDefiningOp<RenameOp>()) value = rename.getX();
  return value;
}

static void findAccesses(NestPlan &plan, FusedOp op) {
  auto add = [&](Value value, Value source, StringAttr along) {
    if (plan.accessOf(value)) return;
    unsigned operand = cast<BlockArgument>(throughRenames(source)).getArgNumber();
    plan.accesses.push_back({value, operand, tensorOf(source), along, {}});
  };
  for (Operation &inner : op.getBody().front()) {
    if (isa<RenameOp>(inner)) continue;
    auto gather = dyn_cast<GatherOp>(inner);
    if (gather) add(gather.getResult(), gather.getX(), gather.getAxisAttr());
    auto mask = dyn_cast<BernoulliOp>(inner);
    for (Value operand : inner.getOperands()) {
      bool elsewhere = (gather && operand == gather.getX()) || (mask && operand == mask.getSeed());
      if (isa<BlockArgument>(throughRenames(operand)) && !elsewhere) add(operand, operand, nullptr);
    }
  }
}

//===------------------------------------------------------------------------------------------------- axes
namespace {
// The order of dims of something that must see a merged axis as one: a tensor in memory, or the counter of a mask.
using Order = SmallVector<StringAttr>;
}  // namespace

static bool vanishes(const NestPlan &plan, StringAttr dim) {
  auto it = llvm::find(plan.shape.dims, dim);
  return it != plan.shape.dims.end() && plan.shape.sizes[it - plan.shape.dims.begin()] == 1 &&
         !plan.shape.isReduced(dim);
}

static Order orderOf(const NestPlan &plan, ArrayRef<StringAttr> names, StringAttr along = {}) {
  Order order;
  for (StringAttr name : names)
    if (name == along) order.push_back(StringAttr());
    else if (!vanishes(plan, name)) order.push_back(name);
  return order;
}

static bool adjacent(const Order &order, StringAttr a, StringAttr b) {
  auto ia = llvm::find(order, a), ib = llvm::find(order, b);
  if (ia == order.end() && ib == order.end()) return true;
  return ia != order.end() && ib != order.end() && ib == ia + 1;
}

static void formAxes(NestPlan &plan, FusedOp op, bool inBlock) {
  SmallVector<Order> orders;
  Order reference;
  int64_t most = -1;
  auto consider = [&](Tensor type, StringAttr along, bool result) {
    orders.push_back(orderOf(plan, type.getNames(), along));
    int64_t weight = along ? 0 : type.getNumElements() * (result ? 2 : 1);
    if (weight > most) most = weight, reference = orders.back();
  };
  for (const NestAccess &access : plan.accesses) consider(access.type, access.along, false);
  for (Value result : op.getResults()) consider(tensorOf(result), {}, true);

  llvm::SmallDenseSet<StringAttr> pinned;  // dims that an op needs the index along
  for (Operation &inner : op.getBody().front()) {
    if (auto mask = dyn_cast<BernoulliOp>(inner))
      orders.push_back(orderOf(plan, llvm::to_vector(mask.getOrder().getAsRange<StringAttr>())));
    if (auto position = dyn_cast<PositionOp>(inner)) pinned.insert(tensorOf(position.getResult()).getNames()[0]);
    if (auto argmax = dyn_cast<ArgmaxOp>(inner)) pinned.insert(argmax.getOverAttr());
  }

  llvm::erase(reference, StringAttr());
  for (StringAttr dim : plan.shape.dims)
    if (!vanishes(plan, dim) && !llvm::is_contained(reference, dim)) {
      // A dim that the reference lacks is kept outside, unless it is reduced: then it is inside.
      if (plan.shape.isReduced(dim)) reference.push_back(dim);
      else reference.insert(reference.begin(), dim);
    }
  for (StringAttr dim : reference) {
    int64_t size = plan.shape.sizes[llvm::find(plan.shape.dims, dim) - plan.shape.dims.begin()];
    bool reduced = plan.shape.isReduced(dim);
    if (!plan.axes.empty()) {
      NestAxis &last = plan.axes.back();
      StringAttr before = last.dims.back();
      if (last.reduced == reduced && !inBlock && !pinned.contains(before) && !pinned.contains(dim) &&
          llvm::all_of(orders, [&](const Order &order) { return adjacent(order, before, dim); })) {
        last.dims.push_back(dim);
        last.size *= size;
        continue;
      }
    }
    plan.axes.push_back({{dim}, size, reduced});
  }
}

// The axis of each dim of a tensor; kFirst for a dim that vanished.
static SmallVector<int> axesOf(const NestPlan &plan, Tensor type, StringAttr along) {
  SmallVector<int> axes;
  for (StringAttr name : type.getNames()) {
    int axis = name == along ? NestView::kIndexed : plan.axisOf(name);
    axes.push_back(axis < 0 && name != along ? NestView::kFirst : axis);
  }
  return axes;
}

// The dims at which a new dim of the memref must start; vanished dims join their neighbour.
static void markStarts(ArrayRef<int> axes, llvm::SmallBitVector &starts) {
  int last = NestView::kFirst;
  for (auto [i, axis] : llvm::enumerate(axes)) {
    if (axis == NestView::kFirst) continue;
    if (axis != last || axis == NestView::kIndexed) starts.set(last == NestView::kFirst ? 0 : i);
    last = axis;
  }
}

static NestView viewOf(Tensor type, ArrayRef<int> axes, const llvm::SmallBitVector &starts) {
  NestView view;
  if (starts.none()) return view;
  for (auto [i, axis] : llvm::enumerate(axes)) {
    if (starts.test(i)) view.shape.push_back(1), view.axes.push_back(NestView::kFirst);
    view.shape.back() *= type.getSizes()[i];
    if (axis != NestView::kFirst) view.axes.back() = axis;
  }
  view.strides.assign(view.shape.size(), 1);
  for (size_t i = view.shape.size() - 1; i-- > 0;) view.strides[i] = view.strides[i + 1] * view.shape[i + 1];
  return view;
}

// An operand that is read in several ways has one memref, which keeps apart what any of them does.
static void formViews(NestPlan &plan, FusedOp op) {
  SmallVector<llvm::SmallBitVector> starts;
  for (Value operand : op.getOperands()) starts.emplace_back(std::max<int64_t>(1, tensorOf(operand).getRank()));
  for (const NestAccess &access : plan.accesses)
    markStarts(axesOf(plan, access.type, access.along), starts[access.operand]);
  for (NestAccess &access : plan.accesses)
    access.view = viewOf(access.type, axesOf(plan, access.type, access.along), starts[access.operand]);
  for (Value result : op.getResults()) {
    Tensor type = tensorOf(result);
    llvm::SmallBitVector own(std::max<int64_t>(1, type.getRank()));
    SmallVector<int> axes = axesOf(plan, type, {});
    markStarts(axes, own);
    plan.results.push_back(viewOf(type, axes, own));
  }
}

static void chooseVectorAxis(NestPlan &plan, FusedOp op) {
  if (plan.axes.empty()) return;
  // Elements that are met next to each other along an axis, less those that are met with a stride.
  SmallVector<int64_t> weight(plan.axes.size(), 0);
  auto count = [&](const NestView &view, int64_t elements) {
    for (auto [axis, stride] : llvm::zip(view.axes, view.strides))
      if (axis >= 0) weight[axis] += stride == 1 ? elements : -elements;
  };
  for (const NestAccess &access : plan.accesses)
    count(access.view, access.along ? tensorOf(access.value).getNumElements() : access.type.getNumElements());
  for (auto [view, result] : llvm::zip(plan.results, op.getResults()))
    count(view, 2 * tensorOf(result).getNumElements());
  plan.vectorAxis = plan.axes.size() - 1;
  for (size_t i = 0; i < weight.size(); ++i)
    if (weight[i] > weight[plan.vectorAxis]) plan.vectorAxis = i;
  for (auto [i, axis] : llvm::enumerate(plan.axes))
    if (static_cast<int>(i) != plan.vectorAxis) (axis.reduced ? plan.inner : plan.outer).push_back(i);
}

//===------------------------------------------------------------------------------------------------- dependence
static void findDependence(NestPlan &plan, FusedOp op) {
  auto none = llvm::SmallBitVector(plan.axes.size());
  auto along = [&](ArrayRef<StringAttr> names) {
    llvm::SmallBitVector bits = none;
    for (StringAttr name : names)
      if (int axis = plan.axisOf(name); axis >= 0) bits.set(axis);
    return bits;
  };
  for (const NestAccess &access : plan.accesses)
    if (!access.along) plan.depends[access.value] = along(access.type.getNames());
  for (Operation &inner : op.getBody().front().without_terminator()) {
    if (isa<RenameOp>(inner)) continue;
    llvm::SmallBitVector bits = none;
    if (auto mask = dyn_cast<BernoulliOp>(inner)) bits = along(tensorOf(mask.getResult()).getNames());
    else if (auto position = dyn_cast<PositionOp>(inner)) bits = along(tensorOf(position.getResult()).getNames());
    else
      for (Value operand : inner.getOperands())
        if (auto it = plan.depends.find(operand); it != plan.depends.end()) bits |= it->second;
    if (auto gather = dyn_cast<GatherOp>(inner)) {
      bits = plan.depends.lookup(gather.getIndex());
      bits |= along(tensorOf(gather.getX()).without({gather.getAxisAttr()}).getNames());
    }
    for (StringAttr name : reducedDims(&inner))
      if (int axis = plan.axisOf(name); axis >= 0) bits.reset(axis);
    plan.depends[inner.getResult(0)] = bits;
  }
}

//===------------------------------------------------------------------------------------------------- passes
namespace {
// The pass in which a value can first be computed.
struct Stages {
  llvm::DenseMap<Value, unsigned> stage;
  explicit Stages(FusedOp op) {
    for (Operation &inner : op.getBody().front().without_terminator()) {
      unsigned last = 0;
      for (Value operand : inner.getOperands()) last = std::max(last, stage.lookup(operand));
      stage[inner.getResult(0)] = last + isa<ReduceOp, ArgmaxOp>(inner);
    }
  }
};
}  // namespace

// Scratch of a row is at most this many elements a value: above it recomputing reads less memory than a buffer that
// has left the second-level cache.
static constexpr int64_t kMaxSavedElements = 1 << 17;

static void formPasses(NestPlan &plan, FusedOp op) {
  Stages stages(op);
  auto passAt = [&](unsigned index) -> NestPass & {
    if (plan.passes.size() <= index) plan.passes.resize(index + 1);
    return plan.passes[index];
  };
  for (Operation &inner : op.getBody().front().without_terminator())
    if (isa<ReduceOp, ArgmaxOp>(inner)) passAt(stages.stage.lookup(inner.getOperand(0))).reductions.push_back(&inner);
  for (auto [i, value] : llvm::enumerate(op.getYield()->getOperands())) {
    bool full = !plan.reduces() || plan.shape.isFull(tensorOf(value));
    if (full) passAt(stages.stage.lookup(value)).stores.push_back(i);
    else plan.rowStores.push_back(i);
  }

  // Which passes need a value, from each pass's roots down; a costly value met again is kept by the first that had it.
  llvm::DenseMap<Value, bool> costly;
  for (Operation &inner : op.getBody().front().without_terminator()) {
    bool cost = isExpensive(&inner);
    for (Value operand : inner.getOperands()) cost |= costly.lookup(operand);
    costly[inner.getResult(0)] = cost && plan.variesInRow(inner.getResult(0));
  }
  int64_t rowElements = 1;
  for (const NestAxis &axis : plan.axes)
    if (axis.reduced) rowElements *= axis.size;
  llvm::DenseMap<Value, size_t> first;
  for (size_t pass = 0; pass < plan.passes.size(); ++pass) {
    SmallVector<Value> work;
    for (Operation *reduction : plan.passes[pass].reductions) work.push_back(reduction->getOperand(0));
    for (unsigned store : plan.passes[pass].stores) work.push_back(op.getYield()->getOperand(store));
    llvm::SmallDenseSet<Value> seen;
    while (!work.empty()) {
      Value value = work.pop_back_val();
      Operation *def = value.getDefiningOp();
      if (!def || !plan.variesInRow(value) || !seen.insert(value).second) continue;
      auto [it, fresh] = first.try_emplace(value, pass);
      if (!fresh && costly.lookup(value) && rowElements <= kMaxSavedElements) {
        if (plan.savedIn.try_emplace(value, it->second).second) plan.passes[it->second].saves.push_back(value);
        continue;
      }
      plan.passes[pass].costly |= isExpensive(def);
      if (auto mask = dyn_cast<BernoulliOp>(def)) plan.passes[pass].draws |= plan.sharesCounters(mask);
      llvm::append_range(work, def->getOperands());
    }
  }
}

//===------------------------------------------------------------------------------------------------- tiles
// A tile should be worth waking a thread for (tens of microseconds), and there should be enough for many threads.
static constexpr int64_t kTileElements = 4096;
static constexpr int64_t kMaxTiles = 256;
// Tiles of a column reduction are strips of rows: few and wide, for prefetchers to follow, and narrower where there would be
// fewer than kColumnTiles, but of four cache lines at least.
static constexpr int64_t kColumnTileElements = 16384;
static constexpr int64_t kColumnChunk = 2048;
static constexpr int64_t kColumnTiles = 8;
static constexpr int64_t kNarrowestChunk = 64;

static int64_t roundUp(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

static void chooseTiles(NestPlan &plan, const TargetInfo &target, bool inBlock) {
  plan.lanes = target.lanes();
  size_t accumulators = 1;
  for (const NestPass &pass : plan.passes) {
    size_t count = 0;
    for (Operation *reduction : pass.reductions) count += isa<ArgmaxOp>(reduction) ? 2 : 1;
    accumulators = std::max(accumulators, count);
  }
  // Half of the registers may hold accumulators; four of one reduction hide the latency of an add.
  int64_t most = std::max<int64_t>(1, target.registers / 2 / static_cast<int64_t>(accumulators));
  int64_t size = plan.vectorAxis < 0 ? 1 : plan.axes[plan.vectorAxis].size;
  if (plan.vectorReduced()) plan.columns = size >= (plan.draws ? 4 : 8) * plan.lanes ? std::min<int64_t>(4, most) : 1;
  else if (plan.draws && !plan.reduces()) plan.columns = std::clamp<int64_t>(size / plan.lanes, 1, 4);
  else if (plan.reduces() && plan.vectorAxis >= 0 && plan.passes.size() == 1) {
    plan.accumulatesInScratch = true;
  } else if (plan.reduces()) {
    // As wide as four vectors; one cache line where the body is long.
    bool costly = llvm::any_of(plan.passes, [](const NestPass &pass) { return pass.costly; });
    int64_t widest = costly && !plan.draws ? 16 / plan.lanes : 4;
    plan.columns = std::clamp<int64_t>(size / plan.lanes, 1, std::min(widest, most));
  }

  int64_t worth = plan.accumulatesInScratch ? kColumnTileElements : kTileElements;
  int64_t elements = plan.shape.elements() / (plan.updated < 0 ? 1 : plan.axes[plan.updated].size);
  int64_t desired = inBlock ? 1 : std::clamp<int64_t>(elements / worth, 1, kMaxTiles);
  while (plan.split < plan.outer.size() && plan.units < desired)
    plan.units *= plan.axes[plan.outer[plan.split++]].size;
  if (plan.vectorAxis >= 0 && !plan.vectorReduced()) {
    int64_t step = plan.lanes * plan.columns, wanted = llvm::divideCeil(desired, plan.units);
    if (plan.accumulatesInScratch) {
      step = kNarrowestChunk;
      int64_t enough = llvm::divideCeil(std::min(desired, kColumnTiles), plan.units);
      wanted = std::min(wanted, std::max<int64_t>(enough, llvm::divideCeil(size, kColumnChunk)));
    }
    plan.chunk = roundUp(llvm::divideCeil(size, wanted), step);
    plan.chunks = (size + plan.chunk - 1) / plan.chunk;
    plan.units *= plan.chunks;
  }
  plan.unitsPerTile = std::max<int64_t>(1, plan.units / desired);
  plan.tiles = (plan.units + plan.unitsPerTile - 1) / plan.unitsPerTile;

  int64_t rowElements = plan.vectorReduced() ? roundUp(size, plan.lanes) : plan.lanes * plan.columns;
  for (int axis : plan.inner) rowElements *= plan.axes[axis].size;
  for (const NestPass &pass : plan.passes)
    for (Value value : pass.saves) {
      plan.saved[value] = plan.scratchElements;
      plan.scratchElements += rowElements;
    }
  if (plan.accumulatesInScratch)
    for (Operation *reduction : plan.passes[0].reductions)
      for (int i = 0; i < (isa<ArgmaxOp>(reduction) ? 2 : 1); ++i) {
        plan.accumulators.push_back(plan.scratchElements);
        plan.scratchElements += plan.chunk;
      }
  bool byLanes = llvm::any_of(plan.results, [&](const NestView &view) {
    int group = view.groupOf(plan.vectorAxis);
    return group >= 0 && view.strides[group] != 1;
  });
  byLanes |= llvm::any_of(plan.accesses, [&](const NestAccess &access) { return plan.beyondGather(access); });
  if (byLanes) {
    plan.laneScratch = plan.scratchElements;
    plan.scratchElements += plan.lanes;
  }
}

bool NestPlan::sharesCounters(BernoulliOp mask) const {
  if (inBlock || vectorAxis < 0) return false;
  bool varies = false;
  Tensor type = cast<Tensor>(mask.getResult().getType());
  auto order = llvm::to_vector(mask.getOrder().getAsRange<StringAttr>());
  int64_t along = 1, outside = 1;
  for (StringAttr dim : llvm::reverse(order)) {
    if (axisOf(dim) != vectorAxis) outside *= type.sizeOf(dim);
    else if (outside > 1) return false;
    else along *= type.sizeOf(dim), varies = true;
  }
  return varies && along == axes[vectorAxis].size && (outside == 1 || along % 4 == 0) && along * outside <= int64_t(1) << 34;
}

bool NestPlan::indexVaries(const NestAccess &access) const {
  return access.along && variesAlong(cast<GatherOp>(access.value.getDefiningOp()).getIndex(), vectorAxis);
}

std::optional<int64_t> NestPlan::slope(Value value, int &steps) const {
  if (!variesAlong(value, vectorAxis)) return 0;
  if (--steps < 0) return std::nullopt;
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<PositionOp>(op)) return 1;  // its axis is not merged with others
  if (isa_and_nonnull<BroadcastOp>(op)) return slope(op->getOperand(0), steps);
  if (!isa_and_nonnull<AddOp, SubOp>(op)) return std::nullopt;
  auto x = slope(op->getOperand(0), steps), y = slope(op->getOperand(1), steps);
  if (!x || !y) return std::nullopt;
  return isa<AddOp>(op) ? *x + *y : *x - *y;
}
bool NestPlan::isShifted(const NestAccess &access) const {
  if (!indexVaries(access) || access.view.groupOf(vectorAxis) >= 0 || access.view.strides[access.view.groupOfIndexed()] != 1)
    return false;
  int steps = 32;  // an index that is a longer sum is gathered
  return slope(cast<GatherOp>(access.value.getDefiningOp()).getIndex(), steps) == 1;
}

bool NestPlan::beyondGather(const NestAccess &access) const {
  if (isShifted(access)) return false;
  const NestView &view = access.view;
  int group = view.groupOf(vectorAxis), indexed = view.groupOfIndexed();
  int64_t reach = group >= 0 ? view.strides[group] * (lanes - 1) : 0;
  if (indexVaries(access)) reach += view.strides[indexed] * (view.shape[indexed] - 1);
  return reach > INT32_MAX;
}

NestPlan heddle::planNest(FusedOp op, const TargetInfo &target, bool inBlock) {
  NestPlan plan;
  plan.shape = shapeOfNest(op);
  plan.inBlock = inBlock;
  findAccesses(plan, op);
  formAxes(plan, op, inBlock);
  formViews(plan, op);
  chooseVectorAxis(plan, op);
  findUpdate(plan, op);
  plan.draws = llvm::any_of(op.getBody().front().getOps<BernoulliOp>(), [&](BernoulliOp mask) { return plan.sharesCounters(mask); });
  findDependence(plan, op);
  formPasses(plan, op);
  chooseTiles(plan, target, inBlock);
  return plan;
}
