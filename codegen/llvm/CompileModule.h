// From LLVM IR of kernels to machine code.
#pragma once
#include "ir/kernel/TargetInfo.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>

namespace heddle {

/// Makes LLVM know this machine's kind of code. Cheap after the first time.
void initializeNativeTarget();

/// Code generation for a class, on any machine. Floating-point operations are never contracted.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> makeTargetMachine(const TargetInfo &target);

/// Inlines and tidies kernels. Their loops are tiled, vectorised and unrolled already, so what is left is what the
/// literal translation of addresses and wrappers brings in.
void optimizeKernels(llvm::Module &module, llvm::TargetMachine &machine);

/// Machine code of a module, as an object file or as assembly. Fails if it calls anything outside itself: a kernel
/// never calls a library.
llvm::Expected<std::string> compileModule(llvm::Module &module, llvm::TargetMachine &machine,
                                          llvm::CodeGenFileType type);

}  // namespace heddle
