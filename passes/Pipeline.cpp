// The file to read first: what happens to a program, in order.
#include "passes/Pipeline.h"
#include "ir/graph/Heddle.h"
#include "passes/OptionalRewrite.h"
#include "passes/Passes.h"
#include "passes/TensorSize.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FormatVariadic.h"
#include <mutex>

using namespace mlir;
using namespace heddle;

static constexpr PipelineStep kSteps[] = {
    // graph: what the frontend built
    {Stage::grad, "raise-softmax", "a softmax that is written out becomes one op"},
    {Stage::grad, "derive-decoding", "generation computes one position more, with the keys and values of the others kept"},
    {Stage::grad, "normalize-attention", "renames, gathers and sums around a softmax take the form that is found",
     StepScope::module, "", true},
    {Stage::grad, "fuse-attention", "softmax(score) @ value becomes one op, which stores no tensor of rows x keys",
     StepScope::module, "", true},
    {Stage::grad, "derive-backward", "append the gradient of the minimised loss for every parameter"},
    {Stage::grad, "accumulate-gradients", "a step of several micro-batches adds up their losses and gradients"},
    {Stage::grad, "apply-optimizer", "turn gradients into the new values of parameters and optimizer state"},
    {Stage::grad, "simplify", "fold constants, drop what changes nothing, compute equal values once"},
    // grad: forward, backward and update, one op per idea
    {Stage::fused, "block-logits", "logits and their loss are computed for a block of rows at a time", StepScope::module, ""},
    {Stage::fused, "inline-attention", "an attention that blocks cannot compute becomes the ops of its region"},
    {Stage::fused, "split-attention", "the keys of a gradient are divided where tiles are few"},
    {Stage::fused, "decompose-norms", "softmax, norms and cross entropy become reductions and elementwise ops"},
    {Stage::fused, "decompose-regroups", "split and merged axes become views, joined ones indexed reads"},
    {Stage::fused, "normalize-contracts", "bring matrix products into the one form that has a kernel"},
    {Stage::fused, "sink-into-repeats", "layers are updated in the turn that makes their gradients", StepScope::module, ""},
    {Stage::fused, "simplify", "fold constants, drop what changes nothing, compute equal values once"},
    {Stage::fused, "add-onto", "biases, residuals and sums of gradients are added where products are stored", StepScope::module, ""},
    {Stage::fused, "fuse-products", "activations are computed where products are stored, bias gradients where they pack",
     StepScope::module, ""},
    {Stage::fused, "split-reductions", "give large reductions rows that threads can share"},
    {Stage::fused, "fuse-elementwise", "group what becomes one loop nest", StepScope::module,
     "fuse-elementwise{join=false}"},
    // fused: every op left is one kernel
    {Stage::plan, "plan-memory", "give every value its place"},
    // plan: every buffer has an offset
    {Stage::kernel, "lower-to-kernels{target={}}", "write a kernel for every op"},
    {Stage::kernel, "expand-math", "exp, tanh, ... become polynomials: no kernel calls a library"},
    {Stage::kernel, "expand-fma", "multiply and add, rounded twice, where there is no fma", StepScope::withoutFma},
    {Stage::kernel, "canonicalize{region-simplify=disabled}", "tidy up", StepScope::eachKernel},
    {Stage::kernel, "cse", "compute equal values once", StepScope::eachKernel},
    // kernel: in kernel form, ready for both back ends
};

static constexpr const char *kNames[] = {"graph", "grad", "fused", "plan", "kernel"};

StringRef heddle::stageName(Stage stage) { return kNames[static_cast<int>(stage)]; }

std::optional<Stage> heddle::findStage(StringRef name) {
  for (int i = 0; i < 5; ++i)
    if (name == kNames[i]) return static_cast<Stage>(i);
  return std::nullopt;
}

ArrayRef<PipelineStep> heddle::pipelineSteps() { return kSteps; }

void heddle::loadDialects(MLIRContext &context) {
  context.loadDialect<HeddleDialect, func::FuncDialect, arith::ArithDialect, math::MathDialect, memref::MemRefDialect,
                      scf::SCFDialect, vector::VectorDialect>();
}

namespace {
/// Counts optional rewrites, and stops them at a limit, for as long as it lives.
class RewriteLimit {
public:
  RewriteLimit(MLIRContext &context, const PipelineOptions &options, PipelineObserver &observer) : context(context) {
    RewriteCount &count = options.rewrites ? *options.rewrites : own;
    int64_t limit = options.passLimit.value_or(INT64_MAX);
    context.registerActionHandler([&count, &observer, limit](function_ref<void()> run, const tracing::Action &action) {
      auto *rewrite = dyn_cast<OptionalRewrite>(&action);
      if (!rewrite) return run();
      if (count.done >= limit) return void(count.stopped = true);
      run();
      if (!rewrite->changed) return;
      observer.afterRewrite(++count.done);
      if (count.done != limit) return;
      llvm::raw_string_ostream stream(count.last);
      stream << rewrite->what << " at " << rewrite->place;
    });
  }
  ~RewriteLimit() { context.registerActionHandler({}); }

private:
  MLIRContext &context;
  RewriteCount own;
};
}  // namespace

// A pass may stack what a loop of many iterations computes. Reports the first value that is too large for any memory.
static bool hasTooLarge(ModuleOp module) {
  WalkResult walked = module.walk([](Operation *op) {
    for (Type type : op->getResultTypes())
      if (auto tensor = dyn_cast<Tensor>(type); tensor && isTooLarge(tensor)) {
        std::string dims;
        for (auto [name, size] : llvm::zip(tensor.getNames(), tensor.getSizes()))
          dims += (dims.empty() ? "" : ", ") + name.str() + "=" + std::to_string(size);
        op->emitError() << "a value here, [" << dims << "], has more than 2^40 elements";
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return walked.wasInterrupted();
}

static PassOutcome runStep(ModuleOp module, const PipelineStep &step, StringRef text) {
  bool eachKernel = step.scope == StepScope::eachKernel;
  StringRef anchor = eachKernel ? func::FuncOp::getOperationName() : ModuleOp::getOperationName();
  PassManager manager(module.getContext(), anchor);
  manager.enableVerifier(false);  // below, to tell what a pass refuses from what it breaks
  bool failed = mlir::failed(parsePassPipeline(text, manager));
  if (!failed && !eachKernel) failed = mlir::failed(manager.run(module));
  if (!failed && eachKernel)
    for (auto function : module.getOps<func::FuncOp>())
      runOptional(function, text, [&] {
        failed |= mlir::failed(manager.run(function));
        return true;
      });
  if (!failed && hasTooLarge(module)) return PassOutcome::tooLarge;
  return failed ? PassOutcome::refused : succeeded(verify(module)) ? PassOutcome::passed : PassOutcome::invalid;
}

LogicalResult heddle::runPipeline(ModuleOp module, Stage from, Stage to, const TargetInfo &target,
                                  const PipelineOptions &options) {
  static std::once_flag once;
  std::call_once(once, [] {
    registerHeddlePasses();
    registerCanonicalizerPass();
    registerCSEPass();
  });
  PipelineObserver silent;
  PipelineObserver &observer = options.observer ? *options.observer : silent;
  RewriteLimit limit(*module.getContext(), options, observer);
  int64_t left = options.passes.value_or(INT64_MAX);
  ArrayRef<PipelineStep> steps(kSteps);
  for (auto [i, step] : llvm::enumerate(steps)) {
    if (step.stage <= from || step.stage > to) continue;
    bool fuses = step.attention ? options.fuseAttention : options.fuse;
    std::string text = step.unfused && !fuses ? step.unfused : step.pipeline;
    if (!text.empty() && (step.scope != StepScope::withoutFma || !target.fma)) {
      if (left-- == 0) return success();
      if (size_t at = text.find("{}"); at != std::string::npos) text.replace(at, 2, target.name.str());
      if (text == "derive-backward" && options.recomputeUpTo >= 0)
        text += llvm::formatv("{{recompute-up-to={0:f9}}", options.recomputeUpTo).str();
      observer.beforePass(text, module);
      if (observer.afterPass(text, module, runStep(module, step, text)) != PassOutcome::passed) return failure();
    }
    if (i + 1 == steps.size() || steps[i + 1].stage != step.stage) observer.reached(step.stage, module);
  }
  return success();
}
