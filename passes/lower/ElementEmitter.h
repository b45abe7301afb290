// Elementwise ops on vectors: for nests, and for what is done with the sums of a product.
//
// Every value is a vector<[4]xT>; one that is the same for all elements has equal lanes, so that there is one way to compute
// anything and the bits do not depend on where a value is computed.
#pragma once
#include "ir/graph/Heddle.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"

namespace heddle {

class ElementEmitter {
 public:
  /// Ops are made at the builder's point, constants at the start of the kernel.
  ElementEmitter(mlir::OpBuilder &builder, mlir::func::FuncOp function, mlir::Location loc)
      : b(builder), function(function), loc(loc) {}

  /// What an elementwise or constant op makes of its operands.
  mlir::Value compute(mlir::Operation *op, llvm::ArrayRef<mlir::Value> operands);

 protected:
  using Values = llvm::SmallVector<mlir::Value>;
  mlir::Value choose(mlir::Value condition, mlir::Value x, mlir::Value y);
  mlir::Value divideIntegers(mlir::Value x, mlir::Value y, bool remainder);
  mlir::Value toInteger(mlir::Value x);

  mlir::VectorType vectorOf(mlir::Type element);
  mlir::Value splat(mlir::Value scalar);
  mlir::Value floatSplat(double value);  // rounded to f32 once
  mlir::Value intSplat(int64_t value);
  mlir::Value boolSplat(bool value);
  mlir::Value constant(mlir::TypedAttr value);
  mlir::Value index(int64_t value);
  mlir::Value laneZero(mlir::Value vector);
  mlir::Value laneNumbers();  // 0, 1, 2, ... as i32
  mlir::Value toIndex(mlir::Value i32);
  template <typename Op, typename... Args>
  mlir::Value make(Args &&...args) {
    return Op::create(b, loc, std::forward<Args>(args)...).getResult();
  }

  mlir::OpBuilder &b;
  mlir::func::FuncOp function;
  mlir::Location loc;

 private:
  llvm::DenseMap<mlir::Attribute, mlir::Value> constants;
};

}  // namespace heddle
