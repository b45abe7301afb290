// The LLVM door: kernels compiled in this process, or printed as LLVM IR, assembly or an object file.
#pragma once
#include "codegen/llvm/ObjectCache.h"
#include "ir/kernel/TargetInfo.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/Abi.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace heddle {

struct CompiledKernels;

/// A program whose kernels are machine code in this process. They live as long as it does.
class JitProgram {
 public:
  ~JitProgram();
  const HeddleProgram &program() const;

  /// The program of a plan whose kernels are compiled. Bodies of kernels are not looked at.
  static llvm::Expected<std::unique_ptr<JitProgram>> link(mlir::ModuleOp plan, const CompiledKernels &kernels);

 private:
  struct State;
  explicit JitProgram(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

/// Compiles a module in kernel form for `target`, which the machine must be able to run, with `threads` threads (0: one
/// per core; one, in a context without multithreading). The module is left as it is. Memory is never writable and
/// executable at once. Kernels that `cache` has are taken from there, and others kept; under `key`, if it is not empty, the
/// program as a whole. An error is a bug of the compiler; messages at ops go to the context's handlers.
llvm::Expected<std::unique_ptr<JitProgram>> jitProgram(mlir::ModuleOp kernelStage, const TargetInfo &target,
                                                       unsigned threads = 0, const ObjectCache &cache = ObjectCache(""),
                                                       llvm::StringRef key = "");

/// The program that was kept under a key (ObjectCache::keyOf all that it was lowered from), or null.
std::unique_ptr<JitProgram> cachedProgram(mlir::MLIRContext &context, const ObjectCache &cache, llvm::StringRef key);

enum class LlvmOutput { ir, assembly, object };
/// All kernels of the module as one text or object file; kernel K is the symbol heddle_K with the signature of
/// HeddleKernel (runtime/Abi.h).
llvm::Expected<std::string> emitLlvm(mlir::ModuleOp kernelStage, const TargetInfo &target, LlvmOutput output);

}  // namespace heddle
