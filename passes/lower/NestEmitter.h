// Emits one nest: scopes (loops), memory accesses, ops. LowerFused.cpp opens the loops, NestMemory.cpp loads and
// stores, NestOps.cpp and NestRandom.cpp compute.
//
// A value that does not vary along the vector axis is a vector with equal lanes (ElementEmitter.h). A value is emitted on
// demand, in the outermost scope that binds the axes along which it varies: hoisting needs no pass.
#pragma once
#include "passes/lower/ElementEmitter.h"
#include "passes/lower/Lowering.h"
#include "passes/lower/NestPlan.h"
#include "mlir/IR/Builders.h"
#include <array>

namespace heddle {

class NestEmitter : ElementEmitter {
 public:
  NestEmitter(FusedOp op, const NestPlan &plan, mlir::OpBuilder &builder, KernelFrame &frame, NestBlock block = NestBlock());
  /// Emits tiles [frame.begin, frame.end); the builder then stands behind them.
  void run();

 private:
  // A vector of the vector axis: where it starts, and which lanes are inside (null: all).
  struct Column {
    mlir::Value start, mask;
  };
  struct Scope {
    llvm::SmallBitVector bound;  // axes with an index here
    mlir::OpBuilder::InsertPoint point;
    llvm::DenseMap<std::pair<mlir::Value, int>, mlir::Value> values{};  // by region value and column (-1: any)
  };
  struct Emitted {
    mlir::Value value;
    size_t depth;  // the scope that holds it
  };
  using Body = llvm::function_ref<Values(mlir::Value, mlir::ValueRange)>;

  //===--------------------------------------------------------------------------------------- LowerFused.cpp
  void emitUnits();
  void emitUpdate();
  void emitOuter(size_t next);
  void emitRow();
  /// One pass under the reduced loops from `next` on; returns `accumulators` with the rest of the row added.
  Values sweep(size_t next, Values accumulators);
  /// The innermost loop of a pass along a reduced vector axis.
  Values sweepVectors(Values accumulators);
  Values leaf(Values accumulators, int firstColumn, int columns);
  void finishReductions(llvm::ArrayRef<mlir::Value> accumulators);
  /// A loop over [lower, upper); `axis` (or -1) is bound to its variable.
  Values loop(mlir::Value lower, mlir::Value upper, int64_t step, Values inits, int axis, Body body);
  Scope &scope() { return scopes.back(); }
  void pushScope(mlir::OpBuilder::InsertPoint point);
  void bind(int axis, mlir::Value index);
  void bindColumns(mlir::Value start, int64_t count, int64_t lastLanes);

  //===--------------------------------------------------------------------------------------- NestColumns.cpp
  /// The kept vector axis of a unit: groups of columns with a row each, or rows of the whole chunk.
  void emitColumns();
  void forColumns(mlir::Value lower, mlir::Value upper, llvm::function_ref<void()> body);
  void accumulateInScratch(mlir::Value lower, mlir::Value upper);
  void sweepRows(size_t next, llvm::function_ref<void()> body);
  mlir::Value accumulatorIndex(size_t slot, mlir::Value lower);

  //===--------------------------------------------------------------------------------------- NestMemory.cpp
  /// Gives the kernel's memrefs the shapes of their views.
  void shapeArguments();
  /// The index of every dim of a memref; `indexed` is a gather's, and start that of the vector axis.
  Values indicesIn(const NestView &view, int column, mlir::Value indexed);
  Emitted load(const NestAccess &access, int column);
  /// The first lane of integers with a slope, as an index.
  Emitted firstLane(mlir::Value value, int column);
  /// A sum of indices again, without what cancels.
  mlir::Value shortened(mlir::Value x);
  /// The lanes of a gather one by one, with 64-bit indices.
  mlir::Value loadLanes(const NestAccess &access, Values indices, mlir::Value indexVector, int column);
  void store(unsigned result, int column);
  void storeAll(llvm::ArrayRef<unsigned> results, int column);
  void save(mlir::Value value, int column);
  mlir::Value loadSaved(mlir::Value value, int column);
  /// Scratch as memory of f32, or of i32 for whole numbers and truth values.
  mlir::Value scratchOf(mlir::Type element);
  /// A vector in scratch, whatever its element type.
  void storeScratch(mlir::Value vector, mlir::Value at);
  mlir::Value loadScratch(mlir::Type element, mlir::Value at);
  mlir::Value scratchIndex(mlir::Value value, int column);

  //===--------------------------------------------------------------------------------------- NestOps.cpp
  /// The value of the region at a column, emitted where it belongs.
  Emitted emit(mlir::Value value, int column);
  /// Starting values of a reduction, one or (argmax: value and position) two.
  Values identity(mlir::Operation *reduction);
  Values accumulate(mlir::Operation *reduction, mlir::ValueRange accumulators, int column);
  /// Two partial results into one; those of `right` come later along every axis, or (interleaved) between.
  Values combine(mlir::Operation *reduction, mlir::ValueRange left, mlir::ValueRange right);
  mlir::Value acrossLanes(mlir::Operation *reduction, mlir::ValueRange accumulators);
  size_t width(mlir::Operation *reduction) { return mlir::isa<ArgmaxOp>(reduction) ? 2 : 1; }
  /// The index along a dim at the first lane of a column.
  mlir::Value startAlong(mlir::StringAttr dim, int column);
  /// The index along a dim at a column, as i32.
  mlir::Value positionAlong(mlir::StringAttr dim, int column);

  //===--------------------------------------------------------------------------------------- NestRandom.cpp
  struct Stream {
    std::array<mlir::Value, 2> key, words;
  };
  /// A random mask at a column, in scope `depth`.
  mlir::Value computeMask(BernoulliOp mask, llvm::ArrayRef<mlir::Value> operands, int column, size_t depth);
  const Stream &streamOf(BernoulliOp mask, llvm::ArrayRef<mlir::Value> operands);
  /// The number of the mask's element at a column's first lane; how many there are, and how far apart lanes are (0: one number).
  mlir::Value firstElement(BernoulliOp mask, int column, int64_t &total, int64_t &laneStride);
  mlir::Value drawFour(BernoulliOp mask, const Stream &stream, int column, size_t depth);

  void at(size_t depth) { b.restoreInsertionPoint(scopes[depth].point); }
  size_t depthOf(const llvm::SmallBitVector &axes) const;

  FusedOp op;
  const NestPlan &plan;
  KernelFrame &frame;
  NestBlock block;
  llvm::SmallVector<Scope> scopes;
  llvm::SmallVector<mlir::Value> axisIndex;  // of each axis but the vector axis
  llvm::SmallVector<Column> columns;         // of the vector axis
  llvm::DenseMap<mlir::Value, Stream> streams;  // of each random mask
  mlir::Value unitChunk;  // index of the unit's chunk, or null
  size_t pass = 0;
};

}  // namespace heddle
