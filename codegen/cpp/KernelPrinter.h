// One function of kernel form as C++.
#pragma once
#include "ir/kernel/TargetInfo.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"
#include <functional>
#include <string>

namespace heddle {

/// The text of a line of the source, for comments; empty if unknown.
using SourceLine = std::function<std::string(llvm::StringRef file, unsigned line)>;

struct PrintedFunction {
  std::string comment;  // the lines of the source that it computes
  std::string code;
};

/// The C++ of a kernel or function of lanes of a class under the name `names` gives its symbol, with the names of the
/// functions that it calls from there too.
PrintedFunction printKernel(mlir::func::FuncOp function, const TargetInfo &target,
                            const llvm::StringMap<std::string> &names, const SourceLine &sourceLine);

}  // namespace heddle
