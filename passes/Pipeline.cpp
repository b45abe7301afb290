// The file to read first: what happens to a program, in order.
#include "passes/Pipeline.h"
#include "ir/graph/Heddle.h"
#include "passes/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include <mutex>

using namespace mlir;
using namespace heddle;

static constexpr PipelineStep kSteps[] = {
    // graph: what the frontend built
    {Stage::grad, "derive-backward", "append the gradient of the minimised loss for every parameter"},
    {Stage::grad, "apply-optimizer", "turn gradients into the new values of parameters and optimizer state"},
    {Stage::grad, "simplify", "fold constants, drop what changes nothing, compute equal values once"},
    // grad: forward, backward and update, one op per idea
    {Stage::fused, "decompose-norms", "softmax, norms and cross entropy become reductions and elementwise ops"},
    {Stage::fused, "normalize-contracts", "bring matrix products into the one form that has a kernel"},
    {Stage::fused, "simplify", "fold constants, drop what changes nothing, compute equal values once"},
    {Stage::fused, "split-reductions", "give large reductions rows that threads can share"},
    {Stage::fused, "fuse-elementwise", "group what becomes one loop nest"},
    // fused: every op left is one kernel
    {Stage::plan, "plan-memory", "give every value its place"},
    // plan: every buffer has an offset
    {Stage::kernel, "lower-to-kernels{target={}}", "write a kernel for every op"},
    {Stage::kernel, "expand-math", "exp, tanh, ... become polynomials: no kernel calls a library"},
    {Stage::kernel, "expand-fma", "multiply and add, rounded twice, where there is no fma", true},
    {Stage::kernel, "canonicalize{region-simplify=disabled}", "tidy up"},
    {Stage::kernel, "cse", "compute equal values once"},
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

LogicalResult heddle::runPipeline(ModuleOp module, Stage from, Stage to, const TargetInfo &target) {
  static std::once_flag once;
  std::call_once(once, [] {
    registerHeddlePasses();
    registerCanonicalizerPass();
    registerCSEPass();
  });
  PassManager manager(module.getContext());
  for (const PipelineStep &step : kSteps) {
    if (step.stage <= from || step.stage > to || (step.withoutFma && target.fma)) continue;
    std::string text = step.pipeline;
    if (size_t at = text.find("{}"); at != std::string::npos) text.replace(at, 2, target.name.str());
    if (failed(parsePassPipeline(text, manager))) return failure();
  }
  return manager.run(module);
}
