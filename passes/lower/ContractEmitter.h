// The loops of a matrix product over buffers of one dim; LowerContract.cpp opens with the method.
#pragma once
#include "passes/lower/ContractShape.h"
#include "passes/lower/ElementEmitter.h"
#include "passes/lower/IndexEmitter.h"

namespace heddle {

class ContractEmitter : IndexEmitter {
public:
  ContractEmitter(mlir::OpBuilder &builder, mlir::Location loc, const ContractShape &shape, const ContractTiling &tiling,
                  const TargetInfo &target)
      : IndexEmitter(builder, loc), shape(shape), tiling(tiling), lanes(target.lanes()),
        width(tiling.vectors * target.lanes()), masked(shape.n.size % width != 0),
        direct(!tiling.packsB), vector(mlir::VectorType::get({4}, builder.getF32Type(), {true})) {}

  mlir::Value a, b, c, scratch;
  llvm::SmallVector<mlir::Value, 2> beside;  // what is read beside the sums, as in the shape
  size_t onto = 0;                           // the first so many of these are added to them
  bool addsInPlace = false;                  // C holds what the sums are added to, block by block of k
  mlir::Value columnSums;                    // memory of the sums of B over all of k, the last of `beside`; null: not wanted

  /// What is done with each sum: the elementwise ops of a region. C is then the memory of its first result.
  struct Epilogue {
    mlir::Block *body;
    mlir::Value sum;                               // the product's result in it
    llvm::DenseMap<mlir::Value, size_t> beside;    // the place of each argument that is read beside the sums
    llvm::SmallVector<mlir::Value> results;        // memory of what it yields
    ElementEmitter *elements;
  };
  const Epilogue *epilogue = nullptr;

  /// Tiles [begin, end) of the product.
  void emitTiles(mlir::Value begin, mlir::Value end);
  /// The whole of a small product, whose B is read where it lies: along n, with as much memory behind it as a panel is
  /// wide. `accumulate`: added to what C holds.
  void emitBlock(bool accumulate);

private:
  void emitTile(mlir::Value aBase, mlir::Value bBase, mlir::Value cBase);
  void streamTile(mlir::Value aBase, mlir::Value bBase, mlir::Value cBase);  // StreamContract.cpp
  void streamAlongN(mlir::Value aBase, mlir::Value bBase, mlir::Value cBase);
  void streamAlongK(mlir::Value aBase, mlir::Value bBase, mlir::Value cBase);
  void inGroups(llvm::StringRef name, mlir::Value from, mlir::Value to,
                llvm::function_ref<void(mlir::Value first, int64_t count)> body);
  void fetch(mlir::Value memory, mlir::Value at);
  void overVectors(mlir::Value cBase,
                   llvm::function_ref<void(mlir::Value m, mlir::Value n, int64_t v, mlir::Value at)> body);
  mlir::Value loadAlongN(mlir::Value memory, mlir::Value at, mlir::Value n, int64_t v);
  mlir::Value loadStart(mlir::Value memory, mlir::Value at, mlir::Value n, int64_t v);
  mlir::Value addOnto(mlir::Value sum, mlir::Value m, mlir::Value n, int64_t v);
  mlir::Value loadBeside(size_t i, mlir::Type element, mlir::Value m, mlir::Value n, int64_t v);
  void store(mlir::Value value, mlir::Value memory, mlir::Value at, mlir::Value n, int64_t v);
  void storeSum(mlir::Value sum, mlir::Value m, mlir::Value n, int64_t v, mlir::Value at, bool stored = false);
  void finishRows(mlir::Value cBase, mlir::Value from, mlir::Value to, mlir::Value n);
  void finishTile(mlir::Value cBase);
  mlir::Value zero();
  void emitBlockK(mlir::Value aBase, mlir::Value bBase, mlir::Value cBase, mlir::Value kCount, bool accumulate,
                  bool whole);
  void prefetch(mlir::Value memory, mlir::Value from, int64_t rows, int64_t stride, int64_t length, mlir::Value tile,
                int64_t tiles);
  void prefetchNext(mlir::Value bBase, mlir::Value n, mlir::Value m);
  void emitPanel(mlir::Value bBase, mlir::Value aBase, mlir::Value cBase, mlir::Value n, mlir::Value kCount, bool accumulate,
                 bool whole);
  void pack(mlir::Value base, mlir::Value n, mlir::Value kCount);
  void packRows(mlir::Value base, mlir::Value n, mlir::Value kCount);
  void packGathered(mlir::Value base, mlir::Value n, mlir::Value from, mlir::Value to);
  void packTransposed(mlir::Value base, mlir::Value n, mlir::Value to);
  void packA(mlir::Value base, mlir::Value kCount);
  mlir::Value packedRow(mlir::Value m);
  void sumColumns(mlir::Value n, mlir::Value kCount, bool whole);
  void registerTile(mlir::Value aBase, mlir::Value cBase, mlir::Value m, int64_t rows, mlir::Value n, mlir::Value kCount,
                    bool accumulate, bool whole);
  mlir::Value firstLanes(mlir::Value count);
  mlir::Value mask(int64_t size, mlir::Value first);  // of the lanes first, first + 1 ... that are below size
  mlir::Value mask(mlir::Value n, int64_t v) { return mask(shape.n.size, lane(n, v)); }  // of a panel's columns
  mlir::Value lane(mlir::Value n, int64_t v) { return add(n, v * lanes); }

  const ContractShape &shape;
  const ContractTiling &tiling;
  int64_t lanes, width;
  bool masked;  // the last panel is not full
  bool direct;                        // B is read where it lies
  bool accumulates = false;           // emitBlock: C is added to
  llvm::SmallVector<mlir::Value, 2> besideBase;  // where the tile's product begins in each of `beside`
  mlir::Value panelAt;                // where the panel's first row lies in b
  mlir::Value isFirstRows;            // whether the tile has the first rows, of all that meet the same B
  mlir::Value isFirst;                // of several blocks of k, whether this is the first; null: C is added to
  mlir::Value nextA;                  // where the block of A begins that is packed next, as far as one can know; null: the same
  struct {
    mlir::Value begin, end;
  } rows, panels;                     // of the tile
  mlir::VectorType vector;
};

}  // namespace heddle
