// How far a single-precision executor may be from the exact results, element by element: a forward analysis of the graph
// beside its evaluation. Every value is a pair (x, e): x in double precision by the interpreter's rules, and e with
// |x' - x| <= e for the x' of any executor that computes each op as its definition says, once rounded, and its sums in
// any order.
//
// An op's rule has two parts: what the operands' errors become (the function over [x - e, x + e]), and what the op's own
// roundings add. u = 2^-24; a sum of n terms in any order errs by at most n u / (1 - n u) times the sum of their
// absolute values (Higham 2002, chapters 3 and 4); functions err by what passes/kernel/MathFunctions.h states. Where an
// interval spans a jump (a comparison, floor, a cast) the bound is the size of the jump. No number here is fitted to what
// an executor returns.
//
// The graph is taken before norms are decomposed (stage `grad`), so that the bound is the ops' and not a lowering's.
#pragma once
#include "tests/random/Program.h"

namespace heddle {

struct Bounded {
  Array value;
  std::vector<double> error;  // empty where errors are not asked for
  bool nonNegative = false;   // no executor has an element below 0: a square, an exponential, a sum of such

  explicit Bounded(Array value) : value(std::move(value)) {}
};
using BoundedArrays = std::map<std::string, Bounded>;

struct BoundedOutcome {
  BoundedArrays results, variables;  // as Interpretation has them
};

/// Values that stop_grad held still while they were recorded, in the order in which they were met.
using Frozen = std::vector<std::vector<double>>;

struct BoundOptions {
  bool errors = true;
  double unit = 0x1p-24;  // the unit roundoff of the executor
  Frozen *record = nullptr;        // filled
  const Frozen *replay = nullptr;  // what stop_grad gives instead of its operand
};

/// Runs `entry` (of a stage up to `grad`) on exact inputs. Every input and variable must be given.
llvm::Expected<BoundedOutcome> boundErrors(mlir::func::FuncOp entry, const Arrays &inputs, const Arrays &variables,
                                           BoundOptions options = {});

//===------------------------------------------------------------------------------------------------- rules
/// The unit roundoff, while boundErrors runs.
inline thread_local double unit = BoundOptions().unit;
/// What a result, or an operand, that is flushed to zero may lose: the least normal number.
inline constexpr double kFlushed = 0x1p-126;
/// Largest relative errors of the functions, in u: twice the ulps of MathFunctions.h. Of 1 / (1 + e^-x) that of e^-x counts at
/// most in full, and the sum and the quotient round.
inline constexpr double kExp = 2 * 1.0, kExpm1 = 2 * 1.6, kLog = 2 * 0.9, kLog1p = 2 * 1.5, kTanh = 2 * 1.4,
                        kSigmoid = kExp + 2, kErf = 2 * 1.4, kPow = 2 * 3.6, kSin = 2 * 2.4;

using BoundedOperands = llvm::ArrayRef<const Bounded *>;
/// n u / (1 - n u).
double gammaOf(double n);
/// Whether a sum of these exact numbers is exact in any order: they are multiples of one power of two, and few and small.
bool sumsExactly(double sumOfSizes, double smallestBit);
/// The largest power of two that a number is a multiple of; infinity for 0.
double lowestBit(double x);
/// `error` as the bound of a result: infinite where the result may overflow.
double checkedError(double y, double error);

/// Of ops that are computed element by element.
std::vector<double> elementwiseError(mlir::Operation *op, BoundedOperands operands, const Array &result);
/// Of contract, reduce, argmax, softmax, log_softmax, layer_norm, rms_norm and cross_entropy.
std::vector<double> alongAxesError(mlir::Operation *op, BoundedOperands operands, const Array &result);
/// Of gather, scatter_add, constant; none of position, bernoulli and rename.
std::vector<double> indexingError(mlir::Operation *op, BoundedOperands operands, const Array &result);

}  // namespace heddle
