// The checks and the doors as passes of heddle-opt, for tests and for developers.
#pragma once

namespace heddle {

/// Registers --verify-kernel-form, --emit-llvm and --emit-cpp.
void registerCodegenPasses();

}  // namespace heddle
