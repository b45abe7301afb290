// One stage of a blocked kernel: a small graph over block tensors, made as a function of its own, fused into nests and
// matrix products by the passes that do it for whole programs, and then emitted in the middle of a kernel.
#pragma once
#include "passes/lower/Blocks.h"
#include "passes/lower/Lowering.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MathExtras.h"

namespace heddle {

/// A block tensor in scratch; or the index of a `repeat`, which lies nowhere.
struct BlockBuffer {
  Tensor type;
  int64_t at = 0;       // elements from the start of buffers in scratch
  bool allKeys = false; // all blocks of keys one after the other: `at` is that of the first
  mlir::Value index;
};

/// Scratch of a blocked kernel, handed out piece by piece.
class BlockScratch {
public:
  explicit BlockScratch(const TargetInfo &target) : lanes(target.lanes()) {}
  /// Room for a tensor, and for a vector that is stored at its last element.
  int64_t take(int64_t elements);
  /// A buffer of a block; with `keyBlocks`, of so many blocks of keys (allKeys).
  int add(Tensor type, int64_t keyBlocks = 0);
  BlockBuffer &operator[](int buffer) { return buffers[buffer]; }
  /// The memory of nests lies at the start: all share it, since none outlives its turn. To be known before emission.
  void reserveForNest(int64_t elements) { nests = std::max(nests, int64_t(llvm::alignTo(elements, 16))); }
  /// The memory of a buffer, one dim. `keyOffset` is the number of keys before the block.
  mlir::Value part(mlir::OpBuilder &builder, mlir::Location loc, KernelFrame &frame, int buffer, mlir::Value keyOffset);
  int64_t bytes() const { return (nests + elements) * 4; }

private:
  int64_t lanes, nests = 0, elements = 0;
  std::vector<BlockBuffer> buffers;
};

class BlockStage {
public:
  BlockStage(BlockScratch &scratch, mlir::MLIRContext *context, mlir::Location loc);

  /// Where ops are added.
  mlir::OpBuilder builder;
  /// What a buffer holds when the stage begins.
  mlir::Value argument(int buffer);
  /// Puts a value into a buffer; with `accumulate` (of a product), adds it to what the buffer holds then.
  void result(mlir::Value value, int buffer, bool accumulate = false);

  /// Sums of a block of keys x rows (rows last) over its diagonals: the last dim of `type`, row - key in ascending order.
  mlir::Value sumOfDiagonals(mlir::Value x, Tensor type);

  /// Ends the building: ops become nests. A reason if there is an op that no block can hold.
  std::string form(const TargetInfo &target);
  /// Writes the stage at the frame's point. `keyOffset` is the number of keys before the block.
  /// `guard` tells of a buffer of keys whether the block holds numbers that are not finite (i1, or null: it never does):
  /// then what has weight 0 does not enter a sum over keys, whatever its value.
  void emit(mlir::OpBuilder &at, KernelFrame &frame, const NestBlock &place, mlir::Value keyOffset, const TargetInfo &target,
            llvm::function_ref<mlir::Value(int)> guard = [](int) { return mlir::Value(); });

private:
  struct Target {
    int buffer;
    bool accumulate;
  };
  bool isOfDiagonals(ScatterAddOp scatter) const;
  BlockScratch &scratch;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp function;
  llvm::DenseMap<int, mlir::Value> arguments;
  llvm::DenseMap<mlir::Value, int> held;  // the buffer of a value
  llvm::SmallVector<Target> targets;      // of each result
  int sheared = -1;                       // a buffer for sums of diagonals
  llvm::SmallVector<mlir::Value> results;
};

}  // namespace heddle
