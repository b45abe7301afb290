// Optimizers for graphs that no file made, written as a train block writes them.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace heddle {

/// Gives a graph the optimizer of `block`, statements of a train block: "optim = adam(lr = 0.1)\n group vectors { lr = 0 }".
/// `declarations` may hold optimizers. Returns the errors, as "H0416 message"; "" if there are none.
std::string addOptimizer(mlir::ModuleOp graph, const std::string &block, int64_t steps, const std::string &declarations = "");

}  // namespace heddle
