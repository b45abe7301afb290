// What a shrinker may do to a program. Every edit leaves a valid module or one that the verifier refuses.
#pragma once
#include "tests/random/Program.h"

namespace heddle {

/// An edit of a module, in place; false if it does not apply.
using Edit = std::function<bool(mlir::ModuleOp)>;

/// All edits of a module, the ones that take away most first.
std::vector<Edit> editsOf(mlir::ModuleOp module);

/// Texts with one dim, or the count of one loop, made smaller.
std::vector<std::string> smallerDims(const std::string &text);

/// Takes away what nothing uses: ops, results and slices of loops, arguments, variables.
void removeUnused(mlir::ModuleOp module);

}  // namespace heddle
