// The tables of runtime/Abi.h as C++ text.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "runtime/Abi.h"
#include "llvm/ADT/StringMap.h"
#include <string>

namespace heddle {

/// Definitions of all tables of `program`, ending in `const HeddleProgram kProgram`. Kernels are named
/// heddle::NAMESPACE::name, where namespaces[t] is Highway's namespace of target t and `names` gives a kernel its C++ name.
/// classes[t] is the module of target t, for the names of arguments.
std::string printPlan(const HeddleProgram &program, llvm::ArrayRef<mlir::ModuleOp> classes,
                      llvm::ArrayRef<std::string> namespaces, const llvm::StringMap<std::string> &names);

}  // namespace heddle
