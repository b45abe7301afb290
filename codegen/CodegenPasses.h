// The checks and the doors as passes of heddle-opt, for tests and for developers.
#pragma once

namespace heddle {

/// Registers --verify-kernel-form and --emit-llvm.
void registerCodegenPasses();

}  // namespace heddle
