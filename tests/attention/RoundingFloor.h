// What roundings that fused attention has, and unfused has not, may change in a result.
//
// A sum of n products in single precision, in any order, is the exact sum of products whose factors are changed a little
// each: by n u at most, and by about sqrt(n) u where roundings are as good as independent (Higham and Mary 2019, "A new
// approach to probabilistic rounding error analysis"; u = 2^-24). So whatever such a kernel does in whatever order, its
// results are about those of exact maths on inputs that are changed by as much. Exact maths is the interpreter in double
// precision: it runs the program with every input of every attention and attention_backward multiplied by
// 1 + or - 2 sqrt(n) u, with random signs, those of the backward other ones than those of the forward, since it computes
// the scores again. n is the longest sum: over keys, rows or the width of a head.
//
// One input is changed by more: the row's dot product of result and gradient, which the kernel subtracts from the
// gradient of each weight. Where one key has all the weight both are the same number in exact maths and in unfused
// execution, and only there they cancel. The dot product is a sum of K products as the gradient of a weight is, so the
// same factor times the sum of their absolute values may be left.
//
// Nothing in this is fitted to what a kernel returns. A result's own rounding comes on top: u times its largest element.
#pragma once
#include "tests/attention/Program.h"

namespace heddle {

inline constexpr double kSingleUnit = 0x1p-24;
/// Of the sum of n independent roundings: a sum stays within as many standard deviations with probability 0.95.
inline constexpr double kDeviations = 2;

/// A loss is one number, the sum of what a result tells element by element: it is not compared.
bool isLoss(llvm::StringRef name);

/// The floor of each result of a module at stage grad with fused attention, but for losses. `exact` are the results of the
/// unfused graph; an error if those of the fused one, in double precision, are others.
/// The largest of few elements is luck: so the noise is drawn until the smallest result has had 16 elements.
llvm::Expected<std::map<std::string, double>> roundingFloors(mlir::ModuleOp grad, const Values &values,
                                                             const Arrays &exact, const AttentionShape &shape);

/// The largest |x - y| of two arrays with the same dims; infinite if it is none.
double distance(const Array &x, const Array &y);
double largestOf(const Array &x);

}  // namespace heddle
