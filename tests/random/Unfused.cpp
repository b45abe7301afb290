// The pipeline to stage fused with every op in a nest of its own: FuseElementwise and FuseProducts are left out, and so are
// their notions of what may be computed together or again.
#include "tests/random/Execution.h"
#include "passes/Passes.h"
#include "passes/Pipeline.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace heddle;

static void wrap(Operation *op) {
  OpBuilder builder(op);
  SmallVector<Value> inputs;
  for (Value operand : op->getOperands())
    if (!llvm::is_contained(inputs, operand)) inputs.push_back(operand);
  auto fused = FusedOp::create(builder, op->getLoc(), op->getResultTypes(), inputs);
  SmallVector<Location> places(inputs.size(), op->getLoc());
  Block *body = builder.createBlock(&fused.getBody(), {}, ValueRange(inputs).getTypes(), places);
  IRMapping mapping;
  mapping.map(inputs, body->getArguments());
  Operation *inside = builder.clone(*op, mapping);
  YieldOp::create(builder, op->getLoc(), inside->getResults());
  op->replaceAllUsesWith(fused.getResults());
  op->erase();
}

LogicalResult heddle::lowerUnfused(ModuleOp module) {
  PassManager manager(module.getContext());
  for (const PipelineStep &step : pipelineSteps())
    if (step.stage == Stage::fused && !StringRef(step.pipeline).starts_with("fuse-") &&
        failed(parsePassPipeline(step.pipeline, manager)))
      return failure();
  if (failed(manager.run(module))) return failure();
  SmallVector<Operation *> ops;
  module.walk([&](Operation *op) {
    if (op->hasTrait<IsElementwise>() || isa<ReduceOp, ArgmaxOp, GatherOp, PositionOp, ConstantOp, BernoulliOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops) wrap(op);
  return success();
}
