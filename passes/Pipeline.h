// The order of passes, from the graph that the frontend builds to kernels.
#pragma once
#include "ir/kernel/TargetInfo.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"
#include <optional>
#include <string>

namespace heddle {

/// The textual stages of a program. Each prints, parses back and compiles on from there.
enum class Stage { graph, grad, fused, plan, kernel };

llvm::StringRef stageName(Stage stage);
std::optional<Stage> findStage(llvm::StringRef name);

/// One pass of the pipeline: it leads towards `stage`. `pipeline` is its textual form, as heddle-opt takes it; `{}` in
/// it stands for the target class. Only on classes without fused multiply-add where `withoutFma` is set.
struct PipelineStep {
  Stage stage;
  const char *pipeline;
  const char *purpose;
  bool withoutFma = false;
};
llvm::ArrayRef<PipelineStep> pipelineSteps();

/// Loads the dialects that a program may hold at any stage.
void loadDialects(mlir::MLIRContext &context);

/// Takes a module from one stage to another, in place. A failure is a bug of Heddle, told through the context's
/// diagnostics. The module is verified after every pass.
mlir::LogicalResult runPipeline(mlir::ModuleOp module, Stage from, Stage to, const TargetInfo &target);

}  // namespace heddle
