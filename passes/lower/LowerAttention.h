// Attention forward and backward as one kernel each.
//
//   for tile: outer axes that every result has (batch, heads); rows forward, keys backward, where these are few
//     for outer axes that some result lacks                  their sums run in order
//       what masks compare of all keys -> scratch
//       for blocks of rows
//         the rows' tensors -> scratch
//         stage `before`: what depends on rows alone
//         for blocks of keys                            not those that a mask closes
//           at the first time, the keys' tensors -> scratch
//           stage `body`: scores, probabilities, products; nothing of rows x keys outlives it
//         stage `after`: what is done with sums over all keys
//         results of rows -> memory
//       results of keys -> memory
//
// Each stage is a small graph over blocks (BlockStage.h), so that there is no score function, mask or weight to which
// this file would have to know the loops.
#pragma once
#include "passes/lower/BeyondEnd.h"
#include "passes/lower/BlockDiagonal.h"
#include "passes/lower/BlockStage.h"

namespace heddle {

class BlockedKernel {
public:
  BlockedKernel(mlir::Operation *op, const TargetInfo &target);
  virtual ~BlockedKernel() = default;
  /// Builds the stages. A reason if blocks cannot compute the op.
  std::string plan();
  LoweredKernel emit(llvm::StringRef name, mlir::ModuleOp module);

protected:
  virtual void build() = 0;

  /// The value of the region as a block tensor in a stage.
  mlir::Value use(mlir::Value value, BlockOrder order, BlockStage &stage);
  /// `use` gives this instead, in the body.
  void define(mlir::Value value, mlir::Value block) { inBody[{value, 0}] = block; }
  void defineAfter(mlir::Value value, mlir::Value block) { inAfter[{value, 1}] = block; }
  /// `use`, of a term of a sum over `over`: 0 where rows or keys do not exist, or finite if `factor`.
  mlir::Value useInSum(mlir::Value value, mlir::ArrayAttr over, bool factor, BlockOrder order, BlockStage &stage);
  mlir::Value useIndex(mlir::Value index, BlockStage &stage);
  /// `use`, of what has neither rows nor keys.
  auto uniformIn(BlockStage &stage) {
    return [this, &stage](mlir::Value value) { return use(value, BlockOrder::rowsLast, stage); };
  }
  bool isPair(mlir::Value value) const { return axes.hasKeys(value) && axes.hasRows(value); }
  mlir::Value product(ContractOp op, BlockStage &stage);

  struct Result {
    unsigned number;
    int buffer;
    bool add;  // to memory: an outer axis that it lacks is looped over in the tile
  };
  struct Start {
    int buffer;
    double number;
  };
  mlir::Operation *op;
  mlir::Block &region;
  const TargetInfo &target;
  BlockAxes axes;
  BlockDiagonal diagonal;
  BlockScratch scratch;
  BlockStage before, body, after;
  mlir::Value score;                          // whose masks are looked at
  mlir::Value probability;                    // of a forward
  mlir::Value ended;                          // -inf for keys and rows that do not exist: score, or score - max
  llvm::SmallVector<Result> rowResults, keyResults, otherResults, pairResults;
  llvm::SmallVector<Start> rowStarts;         // at the start of a block of rows
  llvm::SmallVector<std::pair<int, int>> moves;  // buffer to buffer, at the end of a block of keys
  llvm::SmallVector<int64_t> parallel;        // outer axes of tiles, as indices; the others are looped over
  int64_t rowTiles = 1;                       // tiles that share the rows
  int64_t keyTiles = 1;                       // tiles that share the keys: parts of sums, along partAxis
  mlir::StringAttr partAxis;
  bool maskRows = false;
  std::optional<int64_t> openBlocks;  // pairs of blocks that the score's masks leave open, where positions alone tell it
  std::string refusal;  // why blocks cannot compute the op; set by `build`

private:
  struct Load {
    unsigned input;
    BlockOrder order;
    int buffer;
  };
  class Emitter;
  int64_t blocksOfPart() const { return (axes.keyBlocks() + keyTiles - 1) / keyTiles; }
  bool dependsOnKeys(mlir::Value value);
  mlir::Value clone(mlir::Value value, BlockStage &stage);
  mlir::Value whereExists(mlir::Value value, bool keys, bool rows, double other, BlockStage &stage);
  int load(mlir::BlockArgument argument, BlockOrder order);
  llvm::DenseMap<std::pair<mlir::Value, int>, mlir::Value> &valuesOf(BlockStage &stage) {
    return &stage == &before ? inBefore : &stage == &body ? inBody : inAfter;
  }
  llvm::SmallVector<Load> loads;
  llvm::DenseMap<std::pair<mlir::Value, int>, mlir::Value> inBefore, inBody, inAfter;
  llvm::DenseMap<std::pair<mlir::Value, int>, int> handed;  // from `before` to later stages
  llvm::DenseMap<mlir::Value, bool> keyed;
  std::optional<BeyondEnd> beyond;  // from the first sum on
};

}  // namespace heddle
