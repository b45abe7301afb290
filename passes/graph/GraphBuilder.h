// Writes graph expressions as a formula reads: b.mul(y, b.sub(g, b.sum(b.mul(g, y), "S"))). Types follow by name: an
// elementwise result takes the dims of its operand of highest rank (the first of equals), then those that it lacks.
//
// For passes that make many small ops (gradients, optimizers, decompositions); a result that needs another order of
// dims is asked for with `as`.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

/// The tensor type of a value.
inline Tensor tensorOf(mlir::Value value) { return llvm::cast<Tensor>(value.getType()); }

class GraphBuilder {
public:
  GraphBuilder(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  /// An f32 or i32 scalar.
  mlir::Value number(double value);
  mlir::Value integer(int32_t value);
  /// The same number in every element of a type.
  mlir::Value fill(Tensor type, double value);
  /// 0, 1, ... along one dim, i32.
  mlir::Value position(mlir::StringAttr name, int64_t size);

  mlir::Value add(mlir::Value x, mlir::Value y) { return elementwise<AddOp>(x, y); }
  mlir::Value sub(mlir::Value x, mlir::Value y) { return elementwise<SubOp>(x, y); }
  mlir::Value mul(mlir::Value x, mlir::Value y) { return elementwise<MulOp>(x, y); }
  mlir::Value div(mlir::Value x, mlir::Value y) { return elementwise<DivOp>(x, y); }
  mlir::Value pow(mlir::Value x, mlir::Value y) { return elementwise<PowOp>(x, y); }
  mlir::Value min(mlir::Value x, mlir::Value y) { return elementwise<MinOp>(x, y); }
  mlir::Value max(mlir::Value x, mlir::Value y) { return elementwise<MaxOp>(x, y); }
  mlir::Value floordiv(mlir::Value x, mlir::Value y) { return elementwise<FloorDivOp>(x, y); }
  mlir::Value logicalAnd(mlir::Value x, mlir::Value y) { return elementwise<AndOp>(x, y); }
  mlir::Value neg(mlir::Value x) { return elementwise<NegOp>(x); }
  mlir::Value exp(mlir::Value x) { return elementwise<ExpOp>(x); }
  mlir::Value expm1(mlir::Value x) { return elementwise<Expm1Op>(x); }
  mlir::Value log(mlir::Value x) { return elementwise<LogOp>(x); }
  mlir::Value sqrt(mlir::Value x) { return elementwise<SqrtOp>(x); }
  mlir::Value rsqrt(mlir::Value x) { return elementwise<RsqrtOp>(x); }
  mlir::Value sin(mlir::Value x) { return elementwise<SinOp>(x); }
  mlir::Value cos(mlir::Value x) { return elementwise<CosOp>(x); }
  mlir::Value compare(llvm::StringRef predicate, mlir::Value x, mlir::Value y);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);
  mlir::Value cast(mlir::Value x, mlir::Type element);

  mlir::Value reduce(llvm::StringRef kind, mlir::Value x, llvm::ArrayRef<mlir::StringAttr> over);
  mlir::Value sum(mlir::Value x, llvm::ArrayRef<mlir::StringAttr> over) { return reduce("sum", x, over); }
  /// sum(x) / n over one dim.
  mlir::Value mean(mlir::Value x, mlir::StringAttr over);
  /// The sum of products over `over`, which may be empty (then a product), with the result's type given.
  mlir::Value contract(mlir::Value x, mlir::Value y, llvm::ArrayRef<mlir::StringAttr> over, Tensor type);
  /// `x` in exactly this type: summed over the dims that it lacks, spread over those that `x` lacks, reordered.
  mlir::Value as(mlir::Value x, Tensor type);

  mlir::OpBuilder &builder;
  mlir::Location loc;

private:
  Tensor unite(mlir::ValueRange values, mlir::Type element);
  template <typename Op, typename... Values>
  mlir::Value elementwise(mlir::Value x, Values... rest) {
    return Op::create(builder, loc, unite({x, rest...}, tensorOf(x).getElementType()), x, rest...);
  }
};

}  // namespace heddle
