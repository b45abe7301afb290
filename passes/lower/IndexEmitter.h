// What lowerings by hand share: index arithmetic that folds as it is built, and loops called by what they walk.
#pragma once
#include "ir/graph/Heddle.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

namespace heddle {

/// Elements between neighbours along a dim of a row-major tensor; 0 if it lacks the dim.
inline int64_t strideOf(Tensor type, mlir::StringAttr name) {
  int64_t index = type.indexOf(name), stride = 1;
  if (index < 0) return 0;
  for (int64_t size : type.getSizes().drop_front(index + 1)) stride *= size;
  return stride;
}

/// A base of emitters: everything is made at `builder`'s point, with the place of the graph op that is lowered.
class IndexEmitter {
protected:
  IndexEmitter(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  mlir::Value constant(int64_t value) { return mlir::arith::ConstantIndexOp::create(builder, loc, value); }
  mlir::Value add(mlir::Value x, mlir::Value y) { return builder.createOrFold<mlir::arith::AddIOp>(loc, x, y); }
  mlir::Value add(mlir::Value x, int64_t y) { return add(x, constant(y)); }
  mlir::Value mul(mlir::Value x, int64_t y) { return builder.createOrFold<mlir::arith::MulIOp>(loc, x, constant(y)); }
  mlir::Value least(mlir::Value x, mlir::Value y) { return builder.createOrFold<mlir::arith::MinUIOp>(loc, x, y); }
  /// The flat index of an element; dims whose position is null stand at 0.
  mlir::Value offsetOf(Tensor type, llvm::function_ref<mlir::Value(mlir::StringAttr)> position) {
    mlir::Value offset = constant(0);
    for (mlir::StringAttr name : type.getNames())
      if (mlir::Value at = position(name)) offset = add(offset, mul(at, strideOf(type, name)));
    return offset;
  }
  /// for name = from to to step: body(name), the name in lower case.
  void loop(llvm::StringRef name, mlir::Value from, mlir::Value to, int64_t step,
            llvm::function_ref<void(mlir::Value)> body) {
    auto op = mlir::scf::ForOp::create(builder, loc, from, to, constant(step));
    mlir::OpBuilder::InsertionGuard guard(builder);
    op.getInductionVar().setLoc(mlir::NameLoc::get(builder.getStringAttr(name.lower()), loc));
    builder.setInsertionPointToStart(op.getBody());
    body(op.getInductionVar());
  }

  /// As many f32 vectors as one has lanes, transposed. Rounds in which vectors i and i + lanes/2 are interleaved do it:
  /// each is a perfect shuffle of all elements, and turns the bits of (row, column) by one (Stone 1971).
  llvm::SmallVector<mlir::Value> transposed(llvm::ArrayRef<mlir::Value> rows) {
    auto pair = mlir::VectorType::get({8}, builder.getF32Type(), {true});
    llvm::SmallVector<mlir::Value> now(rows);
    size_t lanes = rows.size();
    for (size_t round = 1; round < lanes; round *= 2) {
      llvm::SmallVector<mlir::Value> next;
      for (size_t j = 0; j < lanes / 2; ++j) {
        mlir::Value both = mlir::vector::InterleaveOp::create(builder, loc, pair, now[j], now[j + lanes / 2]);
        for (int64_t half : {0, 4})
          next.push_back(mlir::vector::ScalableExtractOp::create(builder, loc, now[0].getType(), both, half));
      }
      now = next;
    }
    return now;
  }

  mlir::OpBuilder &builder;
  mlir::Location loc;
};

}  // namespace heddle
