// Target classes: what lowering may know of the machine. Kernels are lowered once per class, so register tiles and
// packing may depend on it; nothing finer (a model name, a core count) may.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace heddle {

struct TargetInfo {
  llvm::StringRef name;   // "avx512", "avx2", "baseline"
  int64_t vscale;         // lanes of vector<[4]xf32> are 4 * vscale
  int64_t registers;      // vector registers
  bool fma;               // without it `fma` is expanded to multiply and add before both doors
  llvm::StringRef cpu;    // LLVM's name of the least CPU of the class
  llvm::StringRef features;  // what that CPU must have beyond it, in LLVM's spelling
  llvm::StringRef highway;   // Highway's name of the target that the C++ door compiles it as
  int64_t lanes() const { return 4 * vscale; }
};

/// All classes, best first.
llvm::ArrayRef<TargetInfo> targetClasses();
/// The class of a name, or null.
const TargetInfo *findTargetClass(llvm::StringRef name);

}  // namespace heddle
