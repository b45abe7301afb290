// Arithmetic on lanes written as formulas: F is a value of f32, I of i32, M of i1, all scalars or all vectors of one
// shape. For the bodies of functions of lanes (MathFunctions.cpp).
#pragma once
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include <bit>
#include <cstdint>
#include <initializer_list>

namespace heddle::lanes {

/// Where ops go, and the type of a float: f32 or a vector of f32.
struct Place {
  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type floats;
  mlir::Type with(mlir::Type element) const {
    auto vector = llvm::dyn_cast<mlir::VectorType>(floats);
    return vector ? mlir::Type(vector.cloneWith(std::nullopt, element)) : element;
  }
  mlir::Value constant(mlir::TypedAttr value) const {
    auto vector = llvm::dyn_cast<mlir::VectorType>(with(value.getType()));
    mlir::TypedAttr attr = vector ? mlir::TypedAttr(mlir::DenseElementsAttr::get(vector, mlir::Attribute(value))) : value;
    return mlir::arith::ConstantOp::create(b, loc, attr);
  }
  template <typename Op, typename... Args>
  mlir::Value make(Args... args) const {
    return Op::create(b, loc, args...).getResult();
  }
};

struct Lane {
  const Place *at;
  mlir::Value value;
};
struct F : Lane {};
struct I : Lane {};
struct M : Lane {};

inline F number(const Place &p, float x) { return {{&p, p.constant(p.b.getF32FloatAttr(x))}}; }
inline I integer(const Place &p, int32_t x) { return {{&p, p.constant(p.b.getI32IntegerAttr(x))}}; }
inline F like(F x, float y) { return number(*x.at, y); }
inline I like(I x, int32_t y) { return integer(*x.at, y); }

#define HEDDLE_LANE_OPERATOR(T, Number, symbol, Op)                                                    \
  inline T operator symbol(T x, T y) { return {{x.at, x.at->make<mlir::arith::Op>(x.value, y.value)}}; } \
  inline T operator symbol(T x, Number y) { return x symbol like(x, y); }
HEDDLE_LANE_OPERATOR(F, float, +, AddFOp)
HEDDLE_LANE_OPERATOR(F, float, -, SubFOp)
HEDDLE_LANE_OPERATOR(F, float, *, MulFOp)
HEDDLE_LANE_OPERATOR(F, float, /, DivFOp)
HEDDLE_LANE_OPERATOR(I, int32_t, +, AddIOp)
HEDDLE_LANE_OPERATOR(I, int32_t, -, SubIOp)
HEDDLE_LANE_OPERATOR(I, int32_t, &, AndIOp)
HEDDLE_LANE_OPERATOR(I, int32_t, |, OrIOp)
HEDDLE_LANE_OPERATOR(I, int32_t, ^, XOrIOp)
HEDDLE_LANE_OPERATOR(I, int32_t, <<, ShLIOp)
HEDDLE_LANE_OPERATOR(I, int32_t, >>, ShRSIOp)
#undef HEDDLE_LANE_OPERATOR

inline M compare(mlir::arith::CmpFPredicate order, F x, F y) {
  return {{x.at, x.at->make<mlir::arith::CmpFOp>(order, x.value, y.value)}};
}
inline M operator<(F x, float y) { return compare(mlir::arith::CmpFPredicate::OLT, x, like(x, y)); }
inline M operator>(F x, float y) { return compare(mlir::arith::CmpFPredicate::OGT, x, like(x, y)); }
inline M operator>=(F x, float y) { return compare(mlir::arith::CmpFPredicate::OGE, x, like(x, y)); }
inline M operator==(F x, float y) { return compare(mlir::arith::CmpFPredicate::OEQ, x, like(x, y)); }
inline M operator==(F x, F y) { return compare(mlir::arith::CmpFPredicate::OEQ, x, y); }
inline M operator==(I x, int32_t y) {
  return {{x.at, x.at->make<mlir::arith::CmpIOp>(mlir::arith::CmpIPredicate::eq, x.value, like(x, y).value)}};
}
inline M operator&(M x, M y) { return {{x.at, x.at->make<mlir::arith::AndIOp>(x.value, y.value)}}; }
inline M operator|(M x, M y) { return {{x.at, x.at->make<mlir::arith::OrIOp>(x.value, y.value)}}; }

template <typename T>
T select(M condition, T x, T y) {
  return {{x.at, x.at->template make<mlir::arith::SelectOp>(condition.value, x.value, y.value)}};
}
inline F select(M condition, float x, F y) { return select(condition, like(y, x), y); }
inline F select(M condition, F x, float y) { return select(condition, x, like(x, y)); }
/// x, but at most (least) y; NaN stays.
inline F atMost(F x, float y) { return select(x > y, y, x); }
inline F atLeast(F x, float y) { return select(x < y, y, x); }

/// x * y + z, rounded once where the class has it.
inline F fma(F x, F y, F z) { return {{x.at, x.at->make<mlir::math::FmaOp>(x.value, y.value, z.value)}}; }
inline F fma(F x, float y, F z) { return fma(x, like(x, y), z); }
inline F abs(F x) { return {{x.at, x.at->make<mlir::math::AbsFOp>(x.value)}}; }
inline F copySign(F x, F sign) { return {{x.at, x.at->make<mlir::math::CopySignOp>(x.value, sign.value)}}; }
inline F sqrt(F x) { return {{x.at, x.at->make<mlir::math::SqrtOp>(x.value)}}; }
inline F floor(F x) { return {{x.at, x.at->make<mlir::math::FloorOp>(x.value)}}; }
inline I bitsOf(F x) {
  return {{x.at, x.at->make<mlir::arith::BitcastOp>(x.at->with(x.at->b.getI32Type()), x.value)}};
}
inline F floatOf(I bits) { return {{bits.at, bits.at->make<mlir::arith::BitcastOp>(bits.at->floats, bits.value)}}; }
inline F toFloat(I x) { return {{x.at, x.at->make<mlir::arith::SIToFPOp>(x.at->floats, x.value)}}; }

/// c0 + c1 x + c2 x^2 + ..., by Horner's rule.
inline F polynomial(F x, std::initializer_list<float> coefficients) {
  const float *c = coefficients.end() - 1;
  F sum = like(x, *c);
  while (c != coefficients.begin()) sum = fma(sum, x, like(x, *--c));
  return sum;
}

}  // namespace heddle::lanes
