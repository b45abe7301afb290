// Machine code of kernels, each an object of its own, by all cores.
#pragma once
#include "codegen/llvm/ObjectCache.h"
#include "ir/kernel/TargetInfo.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"
#include <map>
#include <string>
#include <vector>

namespace heddle {

/// A module of the kernels given and of the functions of lanes that they call.
mlir::OwningOpRef<mlir::ModuleOp> extractKernels(mlir::ModuleOp module, llvm::ArrayRef<mlir::func::FuncOp> kernels);

struct CompiledKernels {
  std::vector<std::string> keys;                // of kernelsOf(module), in its order; equal for kernels with the same code
  std::map<std::string, std::string> objects;  // by key; each defines kernelSymbol(key)
};

/// Compiles the kernels of a module in kernel form with `threads` threads, largest first. Kernels that are the same but for
/// their names are compiled once, and not at all if `cache` has their object; what is new is kept there.
llvm::Expected<CompiledKernels> compileKernels(mlir::ModuleOp module, const TargetInfo &target, unsigned threads,
                                               const ObjectCache &cache);

}  // namespace heddle
