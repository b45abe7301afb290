// The LLVM door: kernels compiled in this process, or printed as LLVM IR, assembly or an object file.
#pragma once
#include "ir/kernel/TargetInfo.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/Abi.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace heddle {

/// A program whose kernels are machine code in this process. They live as long as it does.
class JitProgram {
 public:
  ~JitProgram();
  const HeddleProgram &program() const;

 private:
  struct State;
  explicit JitProgram(std::unique_ptr<State> state);
  friend llvm::Expected<std::unique_ptr<JitProgram>> jitProgram(mlir::ModuleOp, const TargetInfo &, unsigned);
  std::unique_ptr<State> state;
};

/// Compiles a module in kernel form for `target`, which the machine must be able to run, with `threads` threads (0: one
/// per core). The module is left as it is. Memory is never writable and executable at once. An error is a bug of the
/// compiler; messages at ops go to the context's handlers.
llvm::Expected<std::unique_ptr<JitProgram>> jitProgram(mlir::ModuleOp kernelStage, const TargetInfo &target,
                                                       unsigned threads = 0);

enum class LlvmOutput { ir, assembly, object };
/// All kernels of the module as one text or object file; kernel K is the symbol heddle_K with the signature of
/// HeddleKernel (runtime/Abi.h).
llvm::Expected<std::string> emitLlvm(mlir::ModuleOp kernelStage, const TargetInfo &target, LlvmOutput output);

}  // namespace heddle
