// What may change from step to step, as a train block writes it: a number, an expression of `step` and `steps`, or a
// course of parts, `warmup(100) then cosine(3e-4, 3e-5)`.
#pragma once
#include "frontend/Elaborator.h"

namespace heddle {

/// With W the sum of the warmups, e the main part and r = min(1, (step - W) / (steps - W)):
///   step <= W       the value that the main part has at step W (a for those of a and b), times step / W
///   expression      e, with `step` counted from the first step of the run
///   constant(a)     a
///   linear(a, b)    a + (b - a) * r
///   cosine(a, b)    b + (a - b) / 2 * (1 + cos(pi * r))          (Loshchilov and Hutter 2017, eq. 5, one period)
struct Schedule {
  int64_t warmup = 0;
  std::string kind;                  // "linear", "cosine"; else the main part is `main`
  const ast::Expr *main = nullptr;   // the number or expression
  double from = 0, to = 0;           // of linear and cosine
  Span span;
};

/// Reads a schedule of `name`, whose value is `rate` (a learning rate: not negative). Nothing after an error (H0411).
/// `frame` names what its numbers may use.
std::optional<Schedule> readSchedule(const ast::Expr &expr, const std::string &name, Elaborator &el, Elaborator::Frame &frame);

/// Its value at `step`, in which `frame` has the names `step` and `steps`: an f32 without dims, a number where it is
/// known. Unknown after an error.
Value scheduleValue(const Schedule &schedule, const std::string &name, Elaborator &el, Elaborator::Frame &frame);

/// In Check, evaluates an expression at some of the steps of a run (at most 256, the first and the last among them), and
/// reports the first at which it is not finite, or a negative learning rate (H0410). Nothing for what modules compute.
void checkSchedule(const Schedule &schedule, const std::string &name, Elaborator &el, Elaborator::Frame frame, int64_t steps);

} // namespace heddle
