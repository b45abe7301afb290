// Passes of heddle-opt over modules in kernel form. The class is read from the module's heddle.target.
#include "codegen/CodegenPasses.h"
#include "codegen/cpp/EmitCpp.h"
#include "codegen/llvm/Jit.h"
#include "ir/kernel/KernelForm.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace heddle;

/// The class named by the module's heddle.target; reports an error and gives null when there is none.
static const TargetInfo *targetOf(ModuleOp module) {
  auto name = module->getAttrOfType<StringAttr>("heddle.target");
  const TargetInfo *target = name ? findTargetClass(name) : nullptr;
  if (!target) module.emitError("kernel form: heddle.target names a target class");
  return target;
}

namespace {
struct VerifyKernelForm : PassWrapper<VerifyKernelForm, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(VerifyKernelForm)
  StringRef getArgument() const final { return "verify-kernel-form"; }
  StringRef getDescription() const final { return "check that a module is in kernel form"; }
  void runOnOperation() override {
    const TargetInfo *target = targetOf(getOperation());
    if (!target || failed(verifyKernelForm(getOperation(), *target))) signalPassFailure();
    markAllAnalysesPreserved();
  }
};

struct EmitLlvm : PassWrapper<EmitLlvm, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(EmitLlvm)
  EmitLlvm() = default;
  EmitLlvm(const EmitLlvm &other) : PassWrapper(other) {}
  StringRef getArgument() const final { return "emit-llvm"; }
  StringRef getDescription() const final { return "print the kernels of a module in kernel form as LLVM IR or assembly"; }
  Option<bool> assembly{*this, "asm", llvm::cl::desc("assembly in place of LLVM IR"), llvm::cl::init(false)};
  void runOnOperation() override {
    const TargetInfo *target = targetOf(getOperation());
    if (!target) return signalPassFailure();
    auto text = emitLlvm(getOperation(), *target, assembly ? LlvmOutput::assembly : LlvmOutput::ir);
    if (!text) {
      getOperation().emitError(llvm::toString(text.takeError()));
      return signalPassFailure();
    }
    llvm::outs() << *text;
  }
};

struct EmitCpp : PassWrapper<EmitCpp, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(EmitCpp)
  StringRef getArgument() const final { return "emit-cpp"; }
  StringRef getDescription() const final {
    return "print a module in kernel form, or a module of such modules (one for each class), as C++";
  }
  void runOnOperation() override {
    SmallVector<ModuleOp> classes(getOperation().getOps<ModuleOp>());
    if (classes.empty()) classes.push_back(getOperation());
    auto text = emitCpp(classes, CppOptions());
    if (!text) {
      getOperation().emitError(llvm::toString(text.takeError()));
      return signalPassFailure();
    }
    llvm::outs() << *text;
  }
};
}  // namespace

void heddle::registerCodegenPasses() {
  PassRegistration<EmitCpp>();
  PassRegistration<VerifyKernelForm>();
  PassRegistration<EmitLlvm>();
}
