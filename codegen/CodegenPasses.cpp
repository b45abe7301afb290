// Passes of heddle-opt over modules in kernel form. The class is read from the module's heddle.target.
#include "codegen/CodegenPasses.h"
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
}  // namespace

void heddle::registerCodegenPasses() { PassRegistration<VerifyKernelForm>(); }
