// The roles of a contraction's dims, and a small cost model that chooses register tiles and blocks.
#include "passes/lower/ContractShape.h"
#include "passes/lower/IndexEmitter.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace heddle;

// Merges neighbours (outermost first) that are one axis in memory, in every tensor.
static SmallVector<ContractAxis> merge(ArrayRef<ContractAxis> axes) {
  SmallVector<ContractAxis> merged;
  for (const ContractAxis &axis : axes) {
    if (axis.size == 1) continue;
    if (!merged.empty()) {
      ContractAxis &outer = merged.back();
      if (outer.a == axis.a * axis.size && outer.b == axis.b * axis.size && outer.c == axis.c * axis.size) {
        outer = {outer.size * axis.size, axis.a, axis.b, axis.c};
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

ContractShape heddle::contractShape(ContractOp op) {
  auto x = cast<Tensor>(op.getX().getType()), y = cast<Tensor>(op.getY().getType());
  auto result = cast<Tensor>(op.getResult().getType());
  ContractShape shape;
  // The dim that lies contiguous in C is the last that is longer than 1.
  for (auto [name, size] : llvm::zip(result.getNames(), result.getSizes()))
    if (size > 1) shape.swapped = x.has(name);
  Tensor a = shape.swapped ? y : x, b = shape.swapped ? x : y;

  auto axisOf = [&](StringAttr name, int64_t size) {
    return ContractAxis{size, strideOf(a, name), strideOf(b, name), strideOf(result, name)};
  };
  SmallVector<ContractAxis> m, n, k, batch;
  for (auto [name, size] : llvm::zip(result.getNames(), result.getSizes())) {
    ContractAxis axis = axisOf(name, size);
    (a.has(name) && b.has(name) ? batch : a.has(name) ? m : n).push_back(axis);
  }
  // Summed dims in the order of B, whose memory is walked by vectors.
  for (auto [name, size] : llvm::zip(b.getNames(), b.getSizes()))
    if (!result.has(name)) k.push_back(axisOf(name, size));

  auto take = [](SmallVector<ContractAxis> axes, SmallVectorImpl<ContractAxis> &rest) {
    axes = merge(axes);
    ContractAxis inner = axes.empty() ? ContractAxis{} : axes.pop_back_val();
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

ContractTiling heddle::contractTiling(const ContractShape &shape, const TargetInfo &target, bool whole) {
  // Register tiles that leave room for the vectors of B and one broadcast of A (and, without FMA, one product).
  static constexpr std::pair<int64_t, int64_t> kWide[] = {{8, 3}, {6, 4}, {8, 2}, {12, 2}, {8, 1}};
  static constexpr std::pair<int64_t, int64_t> kNarrow[] = {{6, 2}, {4, 3}, {4, 2}, {4, 1}};
  ContractTiling tiling{};
  double best = -1;
  auto candidates = target.registers >= 32 ? ArrayRef<std::pair<int64_t, int64_t>>(kWide) : kNarrow;
  for (auto [rows, vectors] : candidates) {
    double panels = llvm::divideCeil(shape.n.size, vectors * target.lanes());
    int64_t tail = shape.m.size % rows;
    double cost = panels * ((shape.m.size / rows) * stepCost(rows, vectors) + (tail ? stepCost(tail, vectors) : 0));
    if (best < 0 || cost < best) best = cost, tiling.rows = rows, tiling.vectors = vectors;
  }
  int64_t width = tiling.vectors * target.lanes();
  tiling.panels = llvm::divideCeil(shape.n.size, width);
  // A panel of 768 x 48 floats (147 KB) stays in L2 beside the rows of A that meet it.
  tiling.blockK = std::min<int64_t>(shape.k.size, 768);
  // Packing a panel is paid once for the rows of a block: 256 rows make it a few percent.
  tiling.blocksM = whole ? 1 : llvm::divideCeil(shape.m.size, int64_t(256));
  tiling.blocksN = 1;
  double flops = 2.0 * shape.m.size * shape.n.size * shape.k.size;
  for (const ContractAxis &axis : shape.outerK) flops *= axis.size;
  // Enough tiles for the threads to share evenly, none smaller than about 20 us of work.
  auto tiles = [&] { return shape.products() * tiling.blocksM * tiling.blocksN; };
  while (!whole && tiles() < 16 && flops * shape.products() / tiles() > 2e6) {
    if (tiling.blocksN < tiling.panels) tiling.blocksN = std::min(tiling.panels, tiling.blocksN * 2);
    else if (tiling.blocksM * tiling.rows * 2 < shape.m.size) tiling.blocksM *= 2;
    else break;
  }
  tiling.blockPanels = llvm::divideCeil(tiling.panels, tiling.blocksN);
  tiling.blocksN = llvm::divideCeil(tiling.panels, tiling.blockPanels);
  tiling.blockM = llvm::alignTo(llvm::divideCeil(shape.m.size, tiling.blocksM), tiling.rows);
  tiling.blocksM = llvm::divideCeil(shape.m.size, tiling.blockM);
  return tiling;
}
