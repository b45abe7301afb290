// See FoldConstants.h. Folding here, in double precision and once, is what makes constants the same in both doors: no
// back end folds floats.
#include "passes/graph/FoldConstants.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace heddle;

std::optional<double> heddle::constantOf(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant) return std::nullopt;
  if (auto number = dyn_cast<FloatAttr>(constant.getValue())) return number.getValueAsDouble();
  auto integer = cast<IntegerAttr>(constant.getValue());
  return integer.getType().isInteger(1) ? double(!integer.getValue().isZero()) : double(integer.getInt());
}

static double wrap(double value) { return static_cast<int32_t>(static_cast<uint32_t>(static_cast<int64_t>(value))); }
static double saturate(double value) {
  if (std::isnan(value)) return 0;
  return std::trunc(std::fmin(std::fmax(value, INT32_MIN), INT32_MAX));
}

static std::optional<double> unary(Operation *op, double x) {
  return llvm::TypeSwitch<Operation *, std::optional<double>>(op)
      .Case([&](NegOp) { return -x; })
      .Case([&](AbsOp) { return std::fabs(x); })
      .Case([&](FloorOp) { return std::floor(x); })
      .Case([&](ExpOp) { return std::exp(x); })
      .Case([&](Expm1Op) { return std::expm1(x); })
      .Case([&](LogOp) { return std::log(x); })
      .Case([&](Log1pOp) { return std::log1p(x); })
      .Case([&](SqrtOp) { return std::sqrt(x); })
      .Case([&](RsqrtOp) { return 1 / std::sqrt(x); })
      .Case([&](SinOp) { return std::sin(x); })
      .Case([&](CosOp) { return std::cos(x); })
      .Case([&](TanhOp) { return std::tanh(x); })
      .Case([&](SigmoidOp) { return 1 / (1 + std::exp(-x)); })
      .Case([&](ErfOp) { return std::erf(x); })
      .Case([&](NotOp) { return double(x == 0); })
      .Case<BroadcastOp, StopGradOp>([&](auto) { return x; })
      .Case([&](CastOp cast) {
        bool truncates = llvm::cast<Tensor>(cast.getX().getType()).isFloat() &&
                         llvm::cast<Tensor>(cast.getType()).isInt();
        return truncates ? saturate(x) : x;
      })
      .Default([](Operation *) { return std::optional<double>(); });
}

static std::optional<double> binary(Operation *op, double x, double y) {
  bool isInt = cast<Tensor>(op->getOperand(0).getType()).isInt();
  auto quotient = [&] { return isInt && y == 0 ? 0 : std::floor(x / y); };
  return llvm::TypeSwitch<Operation *, std::optional<double>>(op)
      .Case([&](AddOp) { return x + y; })
      .Case([&](SubOp) { return x - y; })
      .Case([&](MulOp) { return x * y; })
      .Case([&](DivOp) { return x / y; })
      .Case([&](FloorDivOp) { return quotient(); })
      .Case([&](ModOp) { return isInt && y == 0 ? 0 : x - y * quotient(); })
      .Case([&](PowOp) { return std::pow(x, y); })
      .Case([&](MinOp) { return x < y ? x : y; })
      .Case([&](MaxOp) { return x > y ? x : y; })
      .Case([&](AndOp) { return double(x != 0 && y != 0); })
      .Case([&](OrOp) { return double(x != 0 || y != 0); })
      .Case([&](CompareOp compare) {
        return double(llvm::StringSwitch<bool>(compare.getPredicate())
                          .Case("eq", x == y)
                          .Case("ne", x != y)
                          .Case("lt", x < y)
                          .Case("le", x <= y)
                          .Case("gt", x > y)
                          .Default(x >= y));
      })
      .Default([](Operation *) { return std::optional<double>(); });
}

std::optional<double> heddle::foldElementwise(Operation *op) {
  if (!op->hasTrait<IsElementwise>()) return std::nullopt;
  SmallVector<double, 3> operands;
  for (Value operand : op->getOperands()) {
    std::optional<double> number = constantOf(operand);
    if (!number) return std::nullopt;
    operands.push_back(*number);
  }
  std::optional<double> result;
  if (operands.size() == 1) result = unary(op, operands[0]);
  if (operands.size() == 2) result = binary(op, operands[0], operands[1]);
  if (isa<SelectOp>(op)) result = operands[0] != 0 ? operands[1] : operands[2];
  // The product of two ints may not be a double: leave what is not exact to the executor.
  if (result && cast<Tensor>(op->getResult(0).getType()).isInt())
    return std::fabs(*result) < 0x1p53 ? std::optional(wrap(*result)) : std::nullopt;
  return result;
}
