// What elementwise ops compute, on vectors. Transcendental functions stay ops of `math` here; ExpandMath makes polynomials of
// them.
#include "passes/lower/ElementEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace heddle;

using FloatOrder = arith::CmpFPredicate;
using IntOrder = arith::CmpIPredicate;

//===------------------------------------------------------------------------------------------------- values
VectorType ElementEmitter::vectorOf(Type element) { return VectorType::get({4}, element, {true}); }

Value ElementEmitter::constant(TypedAttr value) {
  Value &made = constants[value];
  if (!made) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&function.getBody().front());
    made = arith::ConstantOp::create(b, function.getLoc(), value);
  }
  return made;
}
Value ElementEmitter::index(int64_t value) { return constant(b.getIndexAttr(value)); }
Value ElementEmitter::floatSplat(double value) {
  float rounded = static_cast<float>(value);
  if (std::fpclassify(rounded) == FP_SUBNORMAL) rounded = std::copysign(0.0f, rounded);
  return constant(DenseElementsAttr::get(vectorOf(b.getF32Type()), rounded));
}
Value ElementEmitter::intSplat(int64_t value) {
  return constant(DenseElementsAttr::get(vectorOf(b.getI32Type()), static_cast<int32_t>(value)));
}
Value ElementEmitter::boolSplat(bool value) {
  return constant(DenseElementsAttr::get(vectorOf(b.getI1Type()), value));
}
Value ElementEmitter::splat(Value scalar) { return make<vector::BroadcastOp>(vectorOf(scalar.getType()), scalar); }

// Any lane of a vector with equal lanes. Their maximum is such a lane, whatever the order of the tree.
Value ElementEmitter::laneZero(Value vector) {
  if (auto broadcast = vector.getDefiningOp<vector::BroadcastOp>()) return broadcast.getSource();
  bool isFloat = cast<VectorType>(vector.getType()).getElementType().isF32();
  return make<vector::ReductionOp>(isFloat ? vector::CombiningKind::MAXNUMF : vector::CombiningKind::MAXSI, vector);
}
Value ElementEmitter::laneNumbers() {
  Value numbers = make<vector::StepOp>(vectorOf(b.getIndexType()));
  return make<arith::IndexCastOp>(vectorOf(b.getI32Type()), numbers);
}
Value ElementEmitter::toIndex(Value i32) { return make<arith::IndexCastOp>(b.getIndexType(), i32); }

//===------------------------------------------------------------------------------------------------- ops
static FloatOrder floatOrder(StringRef predicate) {
  return llvm::StringSwitch<FloatOrder>(predicate)
      .Case("eq", FloatOrder::OEQ).Case("ne", FloatOrder::UNE).Case("lt", FloatOrder::OLT)
      .Case("le", FloatOrder::OLE).Case("gt", FloatOrder::OGT).Default(FloatOrder::OGE);
}
static IntOrder intOrder(StringRef predicate) {
  return llvm::StringSwitch<IntOrder>(predicate)
      .Case("eq", IntOrder::eq).Case("ne", IntOrder::ne).Case("lt", IntOrder::slt)
      .Case("le", IntOrder::sle).Case("gt", IntOrder::sgt).Default(IntOrder::sge);
}

Value ElementEmitter::compute(Operation *def, ArrayRef<Value> v) {
  loc = def->getLoc();
  bool isFloat = cast<Tensor>(def->getResult(0).getType()).isFloat();
  auto isBool = [](Value x) { return cast<VectorType>(x.getType()).getElementType().isInteger(1); };
  auto negated = [&](Value x) { return make<arith::XOrIOp>(x, boolSplat(true)); };

  if (auto o = dyn_cast<ConstantOp>(def)) {
    if (auto number = dyn_cast<FloatAttr>(o.getValue())) return floatSplat(number.getValueAsDouble());
    if (auto flag = dyn_cast<BoolAttr>(o.getValue())) return boolSplat(flag.getValue());
    return intSplat(cast<IntegerAttr>(o.getValue()).getInt());
  }
  if (isa<BroadcastOp, StopGradOp>(def)) return v[0];
  if (isa<AddOp>(def)) return isFloat ? make<arith::AddFOp>(v[0], v[1]) : make<arith::AddIOp>(v[0], v[1]);
  if (isa<SubOp>(def)) return isFloat ? make<arith::SubFOp>(v[0], v[1]) : make<arith::SubIOp>(v[0], v[1]);
  if (isa<MulOp>(def)) return isFloat ? make<arith::MulFOp>(v[0], v[1]) : make<arith::MulIOp>(v[0], v[1]);
  if (isa<DivOp>(def)) return make<arith::DivFOp>(v[0], v[1]);
  if (isa<FloorDivOp>(def)) {
    if (!isFloat) return divideIntegers(v[0], v[1], false);
    return make<math::FloorOp>(make<arith::DivFOp>(v[0], v[1]));
  }
  if (isa<ModOp>(def)) {
    if (!isFloat) return divideIntegers(v[0], v[1], true);
    Value whole = make<math::FloorOp>(make<arith::DivFOp>(v[0], v[1]));
    return make<arith::SubFOp>(v[0], make<arith::MulFOp>(v[1], whole));
  }
  if (isa<PowOp>(def)) return make<math::PowFOp>(v[0], v[1]);
  if (isa<MinOp, MaxOp>(def)) {
    bool least = isa<MinOp>(def);
    if (!isFloat) return least ? make<arith::MinSIOp>(v[0], v[1]) : make<arith::MaxSIOp>(v[0], v[1]);
    Value first = make<arith::CmpFOp>(least ? FloatOrder::OLT : FloatOrder::OGT, v[0], v[1]);
    return make<arith::SelectOp>(first, v[0], v[1]);
  }
  if (isa<NegOp>(def)) return isFloat ? make<arith::NegFOp>(v[0]) : make<arith::SubIOp>(intSplat(0), v[0]);
  if (isa<AbsOp>(def)) {
    if (isFloat) return make<math::AbsFOp>(v[0]);
    return make<arith::MaxSIOp>(v[0], make<arith::SubIOp>(intSplat(0), v[0]));
  }
  if (isa<FloorOp>(def)) return make<math::FloorOp>(v[0]);
  if (isa<ExpOp>(def)) return make<math::ExpOp>(v[0]);
  if (isa<Expm1Op>(def)) return make<math::ExpM1Op>(v[0]);
  if (isa<LogOp>(def)) return make<math::LogOp>(v[0]);
  if (isa<Log1pOp>(def)) return make<math::Log1pOp>(v[0]);
  if (isa<SqrtOp>(def)) return make<math::SqrtOp>(v[0]);
  if (isa<RsqrtOp>(def)) return make<arith::DivFOp>(floatSplat(1), make<math::SqrtOp>(v[0]));
  if (isa<SinOp>(def)) return make<math::SinOp>(v[0]);
  if (isa<CosOp>(def)) return make<math::CosOp>(v[0]);
  if (isa<TanhOp>(def)) return make<math::TanhOp>(v[0]);
  if (isa<SigmoidOp>(def)) {
    Value power = make<math::ExpOp>(make<arith::NegFOp>(v[0]));
    return make<arith::DivFOp>(floatSplat(1), make<arith::AddFOp>(power, floatSplat(1)));
  }
  if (isa<ErfOp>(def)) return make<math::ErfOp>(v[0]);
  if (isa<NotOp>(def)) return negated(v[0]);
  if (isa<AndOp>(def)) return make<arith::AndIOp>(v[0], v[1]);
  if (isa<OrOp>(def)) return make<arith::OrIOp>(v[0], v[1]);
  if (auto o = dyn_cast<CompareOp>(def)) {
    if (isBool(v[0])) {
      Value differ = make<arith::XOrIOp>(v[0], v[1]);
      return o.getPredicate() == "ne" ? differ : negated(differ);
    }
    if (cast<Tensor>(o.getX().getType()).isFloat())
      return make<arith::CmpFOp>(floatOrder(o.getPredicate()), v[0], v[1]);
    return make<arith::CmpIOp>(intOrder(o.getPredicate()), v[0], v[1]);
  }
  if (isa<SelectOp>(def)) return choose(v[0], v[1], v[2]);
  if (isa<CastOp>(def)) {
    if (isBool(v[0])) {
      if (!isFloat) return make<arith::ExtUIOp>(vectorOf(b.getI32Type()), v[0]);
      return make<arith::SelectOp>(v[0], floatSplat(1), floatSplat(0));
    }
    bool fromFloat = cast<VectorType>(v[0].getType()).getElementType().isF32();
    if (fromFloat == isFloat) return v[0];
    return isFloat ? make<arith::SIToFPOp>(vectorOf(b.getF32Type()), v[0]) : toInteger(v[0]);
  }
  llvm_unreachable("an elementwise op without a rule");
}

//===------------------------------------------------------------------------------------------------- integers
// Truncates and saturates; NaN gives 0. 2147483520 is the largest float below 2^31.
Value ElementEmitter::toInteger(Value x) {
  Value isNumber = make<arith::CmpFOp>(FloatOrder::OEQ, x, x);
  Value number = make<arith::SelectOp>(isNumber, x, floatSplat(0));
  Value tooLarge = make<arith::CmpFOp>(FloatOrder::OGE, number, floatSplat(2147483648.0));
  Value tooSmall = make<arith::CmpFOp>(FloatOrder::OLT, number, floatSplat(-2147483648.0));
  Value clamped = make<arith::SelectOp>(tooLarge, floatSplat(2147483520.0), number);
  clamped = make<arith::SelectOp>(tooSmall, floatSplat(-2147483648.0), clamped);
  Value whole = make<arith::FPToSIOp>(vectorOf(b.getI32Type()), clamped);
  return make<arith::SelectOp>(tooLarge, intSplat(std::numeric_limits<int32_t>::max()), whole);
}

// condition ? x : y. Masks have no select of their own: they are chosen bit by bit.
Value ElementEmitter::choose(Value condition, Value x, Value y) {
  if (!cast<VectorType>(x.getType()).getElementType().isInteger(1)) return make<arith::SelectOp>(condition, x, y);
  Value otherwise = make<arith::XOrIOp>(condition, boolSplat(true));
  return make<arith::OrIOp>(make<arith::AndIOp>(condition, x), make<arith::AndIOp>(otherwise, y));
}

// floor(x / y), or x - y * floor(x / y), of 32-bit integers by two float divisions: no target divides vectors of
// integers. The first quotient is off by less than |x/y| 2^-22 + 1 (where it saturates, at |y| = 1, by 129), so what
// remains is below 516 + |y| in size and does not wrap. The second is then the true one, truncated, or, by rounding up to
// 1, one more: rounding keeps order, and for |y| <= 516 all numbers are exact. So the remainder is smaller than |y|, and
// one correction gives it the divisor's sign.
Value ElementEmitter::divideIntegers(Value x, Value y, bool wantRemainder) {
  Value zero = intSplat(0), one = intSplat(1);
  Value byZero = make<arith::CmpIOp>(IntOrder::eq, y, zero);
  y = make<arith::SelectOp>(byZero, one, y);
  VectorType floats = vectorOf(b.getF32Type());
  Value divisor = make<arith::SIToFPOp>(floats, y);
  Value quotient = toInteger(make<arith::DivFOp>(make<arith::SIToFPOp>(floats, x), divisor));
  Value rest = make<arith::SubIOp>(x, make<arith::MulIOp>(quotient, y));
  Value more = toInteger(make<arith::DivFOp>(make<arith::SIToFPOp>(floats, rest), divisor));
  quotient = make<arith::AddIOp>(quotient, more);
  rest = make<arith::SubIOp>(rest, make<arith::MulIOp>(more, y));

  Value negative = make<arith::CmpIOp>(IntOrder::slt, y, zero);
  Value below = make<arith::CmpIOp>(IntOrder::slt, rest, zero), above = make<arith::CmpIOp>(IntOrder::sgt, rest, zero);
  Value wrong = choose(negative, above, below);
  rest = make<arith::SelectOp>(wrong, make<arith::AddIOp>(rest, y), rest);
  quotient = make<arith::SelectOp>(wrong, make<arith::SubIOp>(quotient, one), quotient);
  return make<arith::SelectOp>(byZero, zero, wantRemainder ? rest : quotient);
}
