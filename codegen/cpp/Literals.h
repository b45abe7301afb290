// Constants as C++ literals of exactly their value.
#pragma once
#include "mlir/IR/BuiltinAttributes.h"
#include <string>

namespace heddle {

/// A float as the shortest decimal that reads back as it: 0.125f, -kInfinity, kNaN.
std::string floatLiteral(float value);
/// A constant of kernel form: a number, or Splat(number), AllLanes(), NoLanes().
std::string literalText(mlir::Attribute constant);

}  // namespace heddle
