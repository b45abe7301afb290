// Which parameters a loss can reach.
#pragma once
#include "frontend/Elaborator.h"

namespace heddle {

/// Reports every parameter of the entry that training cannot reach from `loss`. Those behind stop_grad, or behind a
/// result that the block discards with `_`, are marked frozen instead. An error, at `span`, too if none is left to train.
void checkReachable(Elaborator &el, mlir::Value loss, Span span);

} // namespace heddle
