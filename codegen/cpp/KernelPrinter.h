// One function of kernel form as C++.
#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"
#include <functional>
#include <string>

namespace heddle {

/// The text of a line of the source, for comments; empty if unknown.
using SourceLine = std::function<std::string(llvm::StringRef file, unsigned line)>;

/// The C++ of a kernel or function of lanes under the name `names` gives its symbol, with the names of the functions that
/// it calls from there too. Starts with a comment of source lines.
std::string printKernel(mlir::func::FuncOp function, const llvm::StringMap<std::string> &names,
                        const SourceLine &sourceLine);

}  // namespace heddle
