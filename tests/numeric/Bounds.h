// How far a single-precision executor may be from the interpreter, as derived from what each op computes; no bound is
// fitted to what an executor returns. u = 2^-24 is the unit roundoff: one correctly rounded operation errs by at most
// u times its result (Higham 2002, "Accuracy and Stability of Numerical Algorithms", chapters 2 to 4).
#pragma once
#include "ir/graph/interpreter/Interpreter.h"
#include <functional>
#include <string>

namespace heddle {

struct Case;
inline constexpr double kUnit = 0x1p-24;

/// The largest absolute error allowed for each element of a result. All executors flush subnormal numbers to zero, so
/// the comparison adds the least normal number to every bound.
using Bound = std::function<std::vector<double>(const Case &, const std::string &result, const Array &expected)>;

/// Bit-equal to the exact result, rounded once.
Bound exact();
/// `units` roundings of the result: units * u * |y|.
Bound relative(double units);
/// An absolute error of units * u.
Bound absolute(double units);
/// units * u * (the same graph of the absolute values of the inputs): sums of products, in any order.
Bound magnitude(double units);
}  // namespace heddle
