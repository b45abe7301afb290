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

/// Where a pass runs: on the module; on it, but only for classes without fused multiply-add; or on every kernel by itself,
/// where it may be left out for each (OptionalRewrite).
enum class StepScope { module, withoutFma, eachKernel };

/// One pass of the pipeline: it leads towards `stage`. `pipeline` is its textual form, as heddle-opt takes it; `{}` in
/// it stands for the target class.
struct PipelineStep {
  Stage stage;
  const char *pipeline;
  const char *purpose;
  StepScope scope = StepScope::module;
  const char *unfused = nullptr;  // the form that takes its place where it shall not fuse; "": none
  bool attention = false;         // PipelineOptions::fuseAttention decides, not fuse
};
llvm::ArrayRef<PipelineStep> pipelineSteps();

/// What became of a pass: `refused` is what the pass itself reported of its input, `tooLarge` that a value would have more
/// than kMostElements (also reported), `invalid` what the verifier found after.
enum class PassOutcome { passed, refused, tooLarge, invalid };

/// Told what happens in a pipeline, for timing, reports and files of each stage.
class PipelineObserver {
public:
  virtual ~PipelineObserver() = default;
  /// `pass` is the textual form that runs next on the module.
  virtual void beforePass(llvm::StringRef, mlir::ModuleOp) {}
  /// It ran, with this outcome, which the observer may change. The pipeline ends with the first that did not pass.
  virtual PassOutcome afterPass(llvm::StringRef, mlir::ModuleOp, PassOutcome outcome) { return outcome; }
  /// The `number`-th optional rewrite (from 1) was done.
  virtual void afterRewrite(int64_t /*number*/) {}
  /// The module has come to a stage; not called for the one that it starts from.
  virtual void reached(Stage, mlir::ModuleOp) {}
};

/// How far optional rewrites went. A pipeline that goes on from where another stopped counts on.
struct RewriteCount {
  int64_t done = 0;
  std::string last;      // what the one at the limit was, with its place
  bool stopped = false;  // the limit kept something from being done
};

struct PipelineOptions {
  bool fuse = true;                   // false: every elementwise op, reduction and gather is a kernel of its own
  bool fuseAttention = true;          // false: attention stays the ops that it was written as
  std::optional<int64_t> passLimit;   // of optional rewrites (OptionalRewrite.h); lowering always runs
  std::optional<int64_t> passes;      // stop after so many passes, wherever that is
  double recomputeUpTo = -1;          // FLOPs for a byte saved (passes/graph/SavedValues.h)
  RewriteCount *rewrites = nullptr;
  PipelineObserver *observer = nullptr;
};

/// Loads the dialects that a program may hold at any stage.
void loadDialects(mlir::MLIRContext &context);

/// Takes a module from one stage to another, in place. A failure is told through the context's diagnostics; it is a bug of
/// Heddle, unless a pass refused a text or a value is too large (PassOutcome). The module is verified after every pass.
mlir::LogicalResult runPipeline(mlir::ModuleOp module, Stage from, Stage to, const TargetInfo &target,
                                const PipelineOptions &options = {});

}  // namespace heddle
