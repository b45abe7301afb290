// The functions that kernels may use beyond arithmetic, as arithmetic: no table, no library, no branch.
//
// Largest error in units in the last place, over dense sweeps (tests/numeric/MathTest.cpp), with fused multiply-add and
// without (the class `baseline`):
//
//   exp 1.0   expm1 1.6   log 0.9   log1p 1.5   tanh 1.4   erf 1.4   pow 3.6
//   sin, cos 2.4 for |x| <= 10^4, but an absolute 2^-25 near their zeros other than 0
//
// Subnormal arguments, intermediate values and results count as zero, as everywhere in kernels. Infinities, NaN and the
// sign of zero go as in C's library. Past 10^4 the error of sin and cos grows with x; past 2^18 only |result| <= 1 holds.
//
// Methods: arguments are reduced as by Cody and Waite (1980), with constants so short that products with the multiple
// are exact even without fma; then a minimax polynomial (fitted by linear programming on Chebyshev points in 40 digits,
// the coefficients rounded to f32). Moshier's Cephes and the SLEEF paper (Shibata and Petrogalli 2020) divide the work
// in the same way.
#pragma once
#include "passes/kernel/LaneExpressions.h"

namespace heddle::lanes {

F exp(F x);
F expm1(F x);
F log(F x);
F log1p(F x);
F sin(F x);
F cos(F x);
F tanh(F x);
F erf(F x);
F pow(F x, F y);

}  // namespace heddle::lanes
