// Makers and options of the passes of Passes.td, and their registration for heddle-opt (registerHeddlePasses).
#pragma once
#include "ir/graph/Heddle.h"
#include "mlir/Pass/Pass.h"

namespace heddle {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/Passes.h.inc"
}  // namespace heddle
