// The table of target classes.
#include "ir/kernel/TargetInfo.h"

using namespace heddle;

static constexpr TargetInfo kClasses[] = {
    {"avx512", 4, 32, true, "x86-64-v4", "", "AVX3"},
    {"avx2", 2, 16, true, "x86-64-v3", "", "AVX2"},
    {"baseline", 1, 16, false, "x86-64-v2", "", "SSE4"},
};

llvm::ArrayRef<TargetInfo> heddle::targetClasses() { return kClasses; }

const TargetInfo *heddle::findTargetClass(llvm::StringRef name) {
  for (const TargetInfo &info : kClasses)
    if (info.name == name) return &info;
  return nullptr;
}
