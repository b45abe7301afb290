// From kernel form to LLVM IR.
#pragma once
#include "ir/kernel/TargetInfo.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace heddle {

/// Loads the dialects and translations that lowering uses. Once per context, before any thread lowers in it.
void prepareForLlvm(mlir::MLIRContext &context);

/// The external name of a kernel in LLVM IR and in objects.
std::string kernelSymbol(llvm::StringRef kernel);

/// LLVM IR of all functions of a module in kernel form; the module is consumed (left in a lower form). Every kernel K
/// becomes kernelSymbol(K) with the signature of HeddleKernel; all else is internal.
llvm::Expected<std::unique_ptr<llvm::Module>> lowerToLlvm(mlir::ModuleOp module, const TargetInfo &target,
                                                          llvm::LLVMContext &context);

}  // namespace heddle
