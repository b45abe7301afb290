// A random mask of a block of keys x rows. Along keys four elements in a row share the words of one counter, so that one
// draw gives four rows of the block.
#pragma once
#include "ir/kernel/TargetInfo.h"
#include "passes/lower/IndexEmitter.h"
#include "passes/lower/NestPlan.h"

namespace heddle {

class BlockRandom : IndexEmitter {
public:
  BlockRandom(mlir::OpBuilder &builder, FusedOp nest, const NestBlock &place, const TargetInfo &target);
  /// Whether the nest is such a mask and nothing else.
  explicit operator bool() const { return bool(mask); }
  /// Writes it. The nest's inputs are a buffer each, or an index.
  void emit(llvm::ArrayRef<mlir::Value> inputs, mlir::Value result);

private:
  mlir::Value splat(mlir::Value scalar) { return mlir::vector::BroadcastOp::create(builder, loc, words, scalar); }
  BernoulliOp mask;
  int64_t lanes, keys = 0, rows = 0;
  int64_t rowStride = 1;  // of the mask's elements
  mlir::Value first;      // the block's first element
  mlir::VectorType words;
};

}  // namespace heddle
