// The loops of a matrix product over buffers of one dim; LowerContract.cpp opens with the method.
#pragma once
#include "passes/lower/ContractShape.h"
#include "passes/lower/IndexEmitter.h"

namespace heddle {

class ContractEmitter : IndexEmitter {
public:
  ContractEmitter(mlir::OpBuilder &builder, mlir::Location loc, const ContractShape &shape, const ContractTiling &tiling,
                  const TargetInfo &target)
      : IndexEmitter(builder, loc), shape(shape), tiling(tiling), lanes(target.lanes()),
        width(tiling.vectors * target.lanes()), masked(shape.n.size % width != 0),
        vector(mlir::VectorType::get({4}, builder.getF32Type(), {true})) {}

  mlir::Value a, b, c, scratch;

  /// Tiles [begin, end) of the product.
  void emitTiles(mlir::Value begin, mlir::Value end);
  /// The whole of a small product, whose B is read where it lies: along n, with as much memory behind it as a panel is
  /// wide. `accumulate`: added to what C holds.
  void emitBlock(bool accumulate);

private:
  void emitPanel(mlir::Value aBase, mlir::Value bBase, mlir::Value cBase, mlir::Value panel, mlir::Value mBegin, mlir::Value mEnd);
  void emitBlockK(mlir::Value aBase, mlir::Value bBase, mlir::Value cBase, mlir::Value n, mlir::Value kBegin, mlir::Value kCount, mlir::Value mBegin, mlir::Value mEnd,
                  bool accumulate);
  void pack(mlir::Value bBase, mlir::Value n, mlir::Value kBegin, mlir::Value kCount);
  void packRows(mlir::Value base, mlir::Value n, mlir::Value from, mlir::Value to);
  void packGathered(mlir::Value base, mlir::Value n, mlir::Value from, mlir::Value to);
  void packTransposed(mlir::Value base, mlir::Value n, mlir::Value to);
  void registerTile(mlir::Value aBase, mlir::Value cBase, mlir::Value m, int64_t rows, mlir::Value n, mlir::Value kBegin, mlir::Value kCount,
                    bool accumulate);
  mlir::Value mask(mlir::Value n, int64_t v);  // of the columns n + v * lanes ... that exist
  mlir::Value lane(mlir::Value n, int64_t v) { return add(n, v * lanes); }

  const ContractShape &shape;
  const ContractTiling &tiling;
  int64_t lanes, width;
  bool masked;  // the last panel is not full
  bool direct = false, onto = false;  // emitBlock
  mlir::Value panelAt;                // where the panel's first row lies in b
  mlir::VectorType vector;
};

}  // namespace heddle
