// The roles of a contraction's dims, and a small cost model that chooses register tiles and blocks.
#include "passes/lower/ContractShape.h"
#include "passes/lower/IndexEmitter.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace heddle;

// Merges neighbours (outermost first) that are one axis in memory, in every tensor.
static SmallVector<ContractAxis> merge(ArrayRef<ContractAxis> axes) {
  SmallVector<ContractAxis> merged;
  for (const ContractAxis &axis : axes) {
    if (axis.size == 1) continue;
    if (!merged.empty()) {
      ContractAxis &outer = merged.back();
      bool beside = llvm::all_of(llvm::zip(outer.beside, axis.beside),
                                 [&](auto strides) { return std::get<0>(strides) == std::get<1>(strides) * axis.size; });
      if (outer.a == axis.a * axis.size && outer.b == axis.b * axis.size && outer.c == axis.c * axis.size && beside) {
        outer = {outer.size * axis.size, axis.a, axis.b, axis.c, axis.beside};
        continue;
      }
    }
    merged.push_back(axis);
  }
  return merged;
}

int64_t ContractShape::products() const {
  int64_t product = 1;
  for (const ContractAxis &axis : batches) product *= axis.size;
  return product;
}

ContractShape heddle::contractShape(ContractOp op, ArrayRef<Tensor> beside) {
  auto x = cast<Tensor>(op.getX().getType()), y = cast<Tensor>(op.getY().getType());
  auto result = cast<Tensor>(op.getResult().getType());
  ContractShape shape;
  // The dim that lies contiguous in C is the last that is longer than 1.
  for (auto [name, size] : llvm::zip(result.getNames(), result.getSizes()))
    if (size > 1) shape.swapped = x.has(name);
  Tensor a = shape.swapped ? y : x, b = shape.swapped ? x : y;

  auto axisOf = [&](StringAttr name, int64_t size) {
    ContractAxis axis{size, strideOf(a, name), strideOf(b, name), strideOf(result, name)};
    for (Tensor type : beside) axis.beside.push_back(strideOf(type, name));
    return axis;
  };
  SmallVector<ContractAxis> m, n, k, batch;
  for (auto [name, size] : llvm::zip(result.getNames(), result.getSizes())) {
    ContractAxis axis = axisOf(name, size);
    (a.has(name) && b.has(name) ? batch : a.has(name) ? m : n).push_back(axis);
  }
  // Summed dims in the order of B, whose memory is walked by vectors.
  for (auto [name, size] : llvm::zip(b.getNames(), b.getSizes()))
    if (!result.has(name)) k.push_back(axisOf(name, size));

  ContractAxis none;
  none.beside.assign(beside.size(), 0);
  auto take = [&](SmallVector<ContractAxis> axes, SmallVectorImpl<ContractAxis> &rest) {
    axes = merge(axes);
    ContractAxis inner = axes.empty() ? none : axes.pop_back_val();
    rest.append(axes);
    return inner;
  };
  shape.batches = merge(batch);
  shape.m = take(m, shape.batches);
  shape.n = take(n, shape.batches);
  shape.k = take(k, shape.outerK);
  if (shape.n.size == 1) shape.n.c = 1;
  return shape;
}

// Cycles of one step along k for a register tile: two FMAs, two loads a cycle; an FMA takes four.
static double stepCost(int64_t rows, int64_t vectors) {
  return std::max({rows * vectors / 2.0, (rows + vectors) / 2.0, 4.0});
}

// Chooses the register tile: it leaves room for the vectors of B and one broadcast of A (and, without FMA, one product).
// Returns the cycles of C[m,n] for each k.
static double chooseRegisterTile(const ContractShape &shape, const TargetInfo &target, ContractTiling &tiling) {
  static constexpr std::pair<int64_t, int64_t> kWide[] = {{8, 3}, {6, 4}, {8, 2}, {12, 2}, {8, 1}};
  static constexpr std::pair<int64_t, int64_t> kNarrow[] = {{6, 2}, {4, 3}, {4, 2}, {4, 1}};
  double best = -1;
  for (auto [rows, vectors] : target.registers >= 32 ? ArrayRef<std::pair<int64_t, int64_t>>(kWide) : kNarrow) {
    if (tiling.packsA && target.lanes() % rows) continue;
    double panels = llvm::divideCeil(shape.n.size, vectors * target.lanes());
    int64_t tail = shape.m.size % rows;
    double cost = panels * ((shape.m.size / rows) * stepCost(rows, vectors) + (tail ? stepCost(tail, vectors) : 0));
    if (best < 0 || cost < best) best = cost, tiling.rows = rows, tiling.vectors = vectors;
  }
  return best;
}

// Elements between neighbours along k from which on packing A paid in trials (AVX-512, L1 of 32 KB).
constexpr int64_t kLongStride = 320;

// Whether lines so many elements apart take more ways of their sets than a second-level cache has (2048 sets of 8): the lines of
// one row tile are gone before the next one reads them.
static bool shareSets(int64_t stride, int64_t lines) {
  constexpr int64_t kSets = 2048, kWays = 8, kLine = 16;
  return stride % kLine == 0 && lines * std::gcd(stride / kLine, kSets) > kSets * kWays;
}

// Elements between the rows of B up to which it is read as fast where it lies: a few lines of each, near enough for the
// translation of addresses and for the sets of the caches (Zen 4: 0.85 to 1 times the time of packing, up to 512 much the same).
// And elements of a B that is as fast with longer rows.
constexpr int64_t kNearRows = 128, kNearB = 1 << 16;
// Elements of A that the second-level caches of a few cores hold: up to which threads keep their rows, or take several tiles at once.
constexpr int64_t kNear = 1 << 19;

// Cycles to pack an element, by its strides along the strip and along k.
static double packCost(int64_t across, int64_t k, int64_t lanes) {
  return across == 1 ? 12.0 / lanes : k == 1 ? 16.0 / lanes : 2.0;
}

// Elements of B that a tile streams: of each row, if that is cut; shorter pieces are fetched slowly.
constexpr int64_t kStreamedRow = 192, kStreamedTile = 1 << 16;

bool heddle::isStreamed(const ContractShape &shape) {
  if (shape.m.size > 4 || !shape.outerK.empty()) return false;
  return shape.n.b == 1 ? shape.n.size >= 128 : shape.k.b == 1 && shape.k.a == 1 && shape.k.size >= 64;
}

ContractTiling heddle::contractTiling(const ContractShape &shape, const TargetInfo &target, bool whole) {
  const int64_t lanes = target.lanes(), m = shape.m.size, k = shape.k.size, products = shape.products();
  double summed = k;
  for (const ContractAxis &axis : shape.outerK) summed *= axis.size;
  // Enough tiles for the threads to share evenly, none smaller than about 20 us of work.
  double flops = 2.0 * m * shape.n.size * summed * products;
  int64_t wanted = whole ? 1 : int64_t(std::clamp(flops / 1e6, 1.0, 16.0));

  if (!whole && isStreamed(shape)) {
    ContractTiling tiling{};
    // Vectors of B and sums of C, or sums alone, take half of the registers.
    tiling.streams = std::max<int64_t>(2, std::min<int64_t>(8, llvm::bit_floor(uint64_t(target.registers / 2 / m))));
    tiling.rows = tiling.blockM = m, tiling.blocksM = 1, tiling.vectors = 1, tiling.blockK = k;
    tiling.panels = llvm::divideCeil(shape.n.size, lanes);
    // Tiles have a piece of every row, or some rows.
    wanted = std::clamp<int64_t>(shape.n.b == 1 ? shape.n.size / kStreamedRow : shape.n.size * k / kStreamedTile, 1, 16);
    tiling.blockPanels = llvm::divideCeil(tiling.panels, wanted);
    tiling.blocksN = llvm::divideCeil(tiling.panels, tiling.blockPanels);
    return tiling;
  }
  // Small products are divided by rows alone where they have enough of them, as nests are, which then find them near their core.
  bool keepsRows = !whole && m * k <= kNear && shape.n.size <= m && m >= 48 * wanted;
  ContractTiling best{};
  double least = -1;
  auto consider = [&](ContractTiling tiling, double cycles, int64_t blocksM) {
    tiling.blockM = llvm::alignTo(llvm::divideCeil(m, blocksM), tiling.packsA ? lanes : tiling.rows);
    tiling.blocksM = llvm::divideCeil(m, tiling.blockM);
    int64_t tilesM = products * tiling.blocksM;
    bool byRows = keepsRows && !tiling.packsA;
    if (byRows && 4 * tilesM < 3 * wanted) return;
    tiling.blockPanels = byRows ? tiling.panels : llvm::divideCeil(tiling.panels, llvm::divideCeil(wanted, tilesM));
    tiling.blocksN = llvm::divideCeil(tiling.panels, tiling.blockPanels);
    // Each block of n packs A anew, each block of m packs B.
    if (tiling.packsB) cycles += packCost(shape.n.b, shape.k.b, lanes) * shape.n.size * tiling.blocksM;
    if (tiling.packsA) cycles += packCost(shape.m.a, shape.k.a, lanes) * m * tiling.blocksN;
    int64_t tiles = products * tiling.blocksM * tiling.blocksN;
    if (tiles < wanted) cycles *= double(wanted) / double(tiles);
    if (least < 0 || cycles < least) least = cycles, best = tiling;
  };
  for (bool packsA : {false, true}) {
    // Only rows that lie side by side are packed; along k, each line of A serves many steps as it lies.
    if (packsA && (whole || shape.m.a != 1 || shape.k.a == 1)) continue;
    ContractTiling tiling{};
    tiling.packsA = packsA;
    double cycles = chooseRegisterTile(shape, target, tiling);
    // What is packed stays in L2 beside what comes next: a panel of 768 x 48 floats (147 KB), or one of 512 x 48 and 192
    // rows of A (491 KB). Shorter rows may be more, up to 24 vectors: the code that packs them has a line for each.
    const int64_t longest = packsA ? 512 : 768;
    tiling.blockK = std::min<int64_t>(k, llvm::alignTo(llvm::divideCeil(k, llvm::divideCeil(k, longest)), lanes));
    // What long strides cost: a row tile uses a part of each line, they meet in few sets of the cache, and no page holds two.
    if (!packsA && shape.k.a >= kLongStride) cycles *= shareSets(shape.k.a, tiling.blockK) ? 1.8 : 1.3;
    bool isNear = shape.k.b <= kNearRows || tiling.blockK * shape.k.b <= kNearB;
    tiling.packsB = !whole && (shape.n.b != 1 || !isNear || shape.n.size % (tiling.vectors * lanes));
    int64_t mostRows = packsA ? std::min<int64_t>(24, 12 * longest / tiling.blockK) * lanes : 4096;
    tiling.panels = llvm::divideCeil(shape.n.size, tiling.vectors * lanes);
    for (int64_t blocksM = whole ? 1 : llvm::divideCeil(m, mostRows);; blocksM *= 2) {
      consider(tiling, cycles, blocksM);
      if (whole || blocksM * tiling.rows * 2 > m || blocksM >= wanted) break;
    }
  }
  // Their panels are packed once then; but not where their rows would not stay near, or are packed block by block.
  best.joins = best.blocksM > 1 && best.blocksN == 1 && !best.packsA && m * best.blockK <= kNear;
  return best;
}
