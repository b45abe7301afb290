// Every decision about a nest before a line of it is emitted: loops, vector axis, tiles, passes, what is kept in
// scratch. All of it is fixed by shapes and target class.
//
// Axes. Dims that are adjacent, in one order, in every tensor of the nest become one axis, so that most elementwise
// nests are a single loop; kept dims of size 1 vanish. One axis runs along vectors: the one that is contiguous in most
// of the memory touched.
//
// Rows. A row is what one pass over the reduced axes computes: one element of the kept axes when the vector axis is
// reduced (then every value of the row is a vector with equal lanes), or a group of neighbouring vectors of the vector
// axis when it is kept (then reductions keep one accumulator a vector and never cross lanes). In the second case, when
// one pass is enough, accumulators of a whole chunk of the vector axis lie in scratch instead, so that tensors are read
// in the order of memory.
//
// Passes. A reduction whose operand depends on another reduction needs a later pass over the row. A full value that
// several passes need is computed again when that is cheap, and kept in scratch when not.
#pragma once
#include "ir/kernel/TargetInfo.h"
#include "passes/lower/NestShape.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallBitVector.h"

namespace heddle {

struct NestAxis {
  llvm::SmallVector<mlir::StringAttr> dims;  // outermost first
  int64_t size;
  bool reduced;
};

/// How a tensor in memory lies along the axes. Neighbouring dims of one axis are one dim of the kernel's memref.
struct NestView {
  static constexpr int kIndexed = -1;    // the axis that a gather replaces
  static constexpr int kFirst = -2;      // dims of size 1: the index is 0
  llvm::SmallVector<int64_t> shape;      // of the memref
  llvm::SmallVector<int> axes;           // the axis of each of its dims
  llvm::SmallVector<int64_t> strides;    // in elements
  /// The group of an axis, or -1.
  int groupOf(int axis) const;
  int groupOfIndexed() const { return llvm::find(axes, +kIndexed) - axes.begin(); }
};

/// Where a nest's axes lie in larger ones, if it computes a block of what its dims name: by dim, the position of the
/// block's first element (an index) and the whole size.
struct NestBlock {
  struct Dim {
    mlir::Value from;
    int64_t size;
  };
  llvm::DenseMap<mlir::StringAttr, Dim> dims{};
};

/// A read of an operand, by a plain use, through renames, or by a gather.
struct NestAccess {
  mlir::Value value;       // what the region names: the argument, a rename of it, or the result of a gather
  unsigned operand;        // of the fused op
  Tensor type;             // with the names that the nest uses
  mlir::StringAttr along;  // the axis that a gather replaces, or null
  NestView view;
};

/// One pass over the reduced axes of a row. All values are of the region.
struct NestPass {
  llvm::SmallVector<mlir::Operation *> reductions;
  llvm::SmallVector<unsigned> stores;  // full results of the fused op
  llvm::SmallVector<mlir::Value> saves;  // full values put into scratch for later passes
  bool costly = false;                   // computes something whose latency hides that of the accumulators
  bool draws = false;                    // draws random numbers for four vectors at once
};

struct NestPlan {
  NestShape shape;
  llvm::SmallVector<NestAxis> axes;
  llvm::SmallVector<NestAccess> accesses;
  llvm::SmallVector<NestView> results;
  llvm::DenseMap<mlir::Value, llvm::SmallBitVector> depends;  // the axes that each value varies along
  llvm::SmallVector<NestPass> passes;
  llvm::SmallVector<unsigned> rowStores;  // results stored after the passes

  int vectorAxis = -1;                // -1: every value is a scalar
  llvm::SmallVector<int> outer;       // kept axes but the vector axis, outermost first
  llvm::SmallVector<int> inner;       // reduced axes but the vector axis, outermost first
  int updated = -1;                   // a kept axis of which only the element `updatedIndex` changes, or -1
  mlir::Value updatedIndex;           // of the region: an i32 scalar, which may lie outside
  int64_t lanes = 0;
  int64_t columns = 1;  // vectors of a row: side by side (vector axis kept) or unrolled (reduced)

  size_t split = 0;    // the first `split` outer axes make units of work; the others are loops within one
  int64_t chunk = 0;   // elements of the vector axis in a unit, when it is kept
  int64_t chunks = 1;
  int64_t units = 1, unitsPerTile = 1, tiles = 1;

  llvm::DenseMap<mlir::Value, int64_t> saved;    // offset in scratch, in elements
  llvm::DenseMap<mlir::Value, size_t> savedIn;  // the pass that computes it
  int64_t scratchElements = 0;
  bool accumulatesInScratch = false;
  bool inBlock = false;                     // its dims are parts of larger ones
  bool draws = false;                       // has masks of which four vectors are drawn at once
  llvm::SmallVector<int64_t> accumulators;  // offsets in scratch, for each reduction its one or two
  int64_t laneScratch = -1;  // offset of a vector through which lanes are loaded or stored one by one, or -1

  bool reduces() const { return !shape.reduced.empty(); }
  bool vectorReduced() const { return vectorAxis >= 0 && axes[vectorAxis].reduced; }
  /// The axis of a dim, or -1 if the dim vanished.
  int axisOf(mlir::StringAttr dim) const;
  bool variesAlong(mlir::Value value, int axis) const { return axis >= 0 && depends.lookup(value).test(axis); }
  bool variesInRow(mlir::Value value) const;  // along a reduced axis
  const NestAccess *accessOf(mlir::Value value) const;
  /// Does the index of a gather vary along the vector axis?
  bool indexVaries(const NestAccess &access) const;
  /// Does the index of a gather grow by one from lane to lane, and so the lanes lie side by side?
  bool isShifted(const NestAccess &access) const;
  /// By how much a value of integers grows from lane to lane, if a look at so many ops tells.
  std::optional<int64_t> slope(mlir::Value value, int &steps) const;
  /// Are elements of a random mask numbered along the vector axis, from a multiple of four in every vector? Then the counters of
  /// a vector's lanes give four vectors of the mask, one behind the other.
  bool sharesCounters(BernoulliOp mask) const;
  /// Do the lanes of a vector of the access lie further apart than the 32-bit offsets of a gather instruction reach?
  bool beyondGather(const NestAccess &access) const;
};

/// Finds the axis of which one element changes, if the results are written over what they change (NestUpdate.cpp).
void findUpdate(NestPlan &plan, FusedOp op);

/// Plans a fused op whose shape is admitted. `inBlock`: its dims are parts of larger ones, and it is one tile.
NestPlan planNest(FusedOp op, const TargetInfo &target, bool inBlock = false);

}  // namespace heddle
