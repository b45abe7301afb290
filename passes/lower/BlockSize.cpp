// The axes of an attention, and how large its blocks are: 64 rows by 64 keys, whose loops are long; but small ones where these
// follow the edges of a mask so much closer that they hold fewer scores by more than they cost. Of a causal mask that is so up
// to 512 rows, of a window of 256 always. The choice depends on shapes and the mask alone.
#include "passes/Work.h"
#include "passes/graph/AttentionParts.h"
#include "passes/graph/GraphBuilder.h"
#include "passes/lower/BlockMask.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace heddle;

// Rows of a block: a register tile's vectors, or two of them on classes with short ones. Of a small one: the longest vector.
static constexpr int64_t kLarge = 64, kSmall = 16;
// Small blocks take up to a twentieth longer for each score, for masks, softmax and loops.
static constexpr double kWorth = 0.93;
static constexpr int64_t kMostCounted = 1 << 16;

static void setBlocks(BlockAxes &axes, int64_t size) {
  axes.keyBlock = std::min(axes.keySize, size);
  axes.rowBlock = size;
}

// Scores in the blocks that masks leave open, all rows or a sample of them; nothing where positions do not tell.
static std::optional<double> openScores(const BlockAxes &axes, Value score) {
  OpBuilder builder(score.getContext());
  Location loc = score.getLoc();
  OwningOpRef<ModuleOp> module(ModuleOp::create(builder, loc));
  builder.setInsertionPointToEnd(module->getBody());
  SmallVector<Type> indices(2 + axes.outer.size(), builder.getIndexType());
  auto function = func::FuncOp::create(builder, loc, "open", builder.getFunctionType(indices, {}));
  builder.setInsertionPointToStart(function.addEntryBlock());
  NestBlock place;
  Value row = function.getArgument(0), key = function.getArgument(1);
  place.dims[axes.rows] = {row, axes.rowSize};
  place.dims[axes.keys] = {key, axes.keySize};
  for (auto [i, name] : llvm::enumerate(axes.outer)) place.dims[name] = {function.getArgument(2 + i), axes.outerSizes[i]};

  Value open = BlockMask(builder, loc, axes, place, [](BlockArgument) { return BlockMask::Bounds(); }).mayBeOpen(score);
  if (!open) return std::nullopt;
  int64_t pairs = axes.rowBlocks() * axes.keyBlocks(), every = llvm::divideCeil(pairs, kMostCounted) | 1;
  std::optional<int64_t> count = countTrue(open, {row, every * axes.rowBlock, axes.rowSize}, {key, axes.keyBlock, axes.keySize});
  if (!count) return std::nullopt;
  double counted = double(llvm::divideCeil(axes.rowBlocks(), every)) / double(axes.rowBlocks());
  return double(*count) * double(axes.rowBlock * axes.keyBlock) / counted;
}

BlockAxes heddle::blockAxes(Operation *op, const TargetInfo &target) {
  BlockAxes axes;
  axes.keys = op->getAttrOfType<StringAttr>("over");
  llvm::StringMap<int64_t> sizes;
  for (Operation &inner : op->getRegion(0).front())
    for (Value result : inner.getResults()) {
      auto type = cast<Tensor>(result.getType());
      for (auto [name, size] : llvm::zip(type.getNames(), type.getSizes())) sizes[name.getValue()] = size;
    }
  axes.keySize = sizes.lookup(axes.keys);
  auto rows = llvm::to_vector(op->getAttrOfType<ArrayAttr>("rows").getAsRange<StringAttr>());
  axes.rows = rows.front();
  for (StringAttr name : rows)
    if (sizes.lookup(name) > sizes.lookup(axes.rows)) axes.rows = name;
  axes.rowSize = sizes.lookup(axes.rows);
  // Outer axes are those of a row's largest score, which both kinds of op know.
  Value ofRow = isa<AttentionOp>(op) ? op->getResult(1) : op->getOperand(op->getNumOperands() - 2);
  Tensor type = tensorOf(ofRow);
  for (auto [name, size] : llvm::zip(type.getNames(), type.getSizes()))
    if (name != axes.rows) axes.outer.push_back(name), axes.outerSizes.push_back(size);

  auto attention = dyn_cast<AttentionOp>(op);
  Value score = attention ? AttentionParts(attention).score : scoreOf(cast<AttentionBackwardOp>(op));
  setBlocks(axes, kSmall);
  std::optional<double> small = openScores(axes, score);
  setBlocks(axes, kLarge);
  std::optional<double> large = openScores(axes, score);
  if (small && large && *small <= kWorth * *large) setBlocks(axes, kSmall);
  axes.rowBlock = std::min<int64_t>(axes.rowBlock, llvm::alignTo(axes.rowSize, target.lanes()));
  return axes;
}
