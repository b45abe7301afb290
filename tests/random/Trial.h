// Runs programs by every executor and compares what comes out.
//
// Each program by itself: the interpreter at stage graph and at stage grad agree; the gradient agrees with differences
// of the loss. Then all programs of a trial as one module, which LLVM and the C++ compiler are started for once: the
// interpreter at stages fused and plan; the JIT with one thread and two, fused and every op a kernel of its own; the
// native library. What an executor gives stays within the bounds of ErrorBounds.h; one thread and two, and JIT and
// native, give the same bits.
#pragma once
#include "tests/random/ErrorBounds.h"
#include "tests/random/Findings.h"

namespace heddle {

struct TrialOptions {
  std::string targetClass;    // of the JIT and the native library
  std::string unfusedClass;   // of the unfused kernels; empty: none are run
  bool native = false;
  bool blocks = false;        // products are computed by blocks of rows wherever they can be, as large logits are
};

/// Told before each step of a trial, so that a crash has a place: the program, or -1 for all of them.
using TrialProgress = std::function<void(int program, const std::string &step)>;

/// Findings of each program. A pass or compiler that refuses all programs together is told at program -1.
struct TrialOutcome {
  std::map<int, std::vector<Finding>> findings;
  Statistics statistics;
};
TrialOutcome runTrial(mlir::MLIRContext &context, llvm::ArrayRef<mlir::ModuleOp> programs, const TrialOptions &options,
                      const TrialProgress &progress);

/// What one entry should give.
struct ExpectedEntry {
  std::string name;
  Arrays inputs;
  Interpretation graph;   // of the stage graph
  Interpretation grad;    // of the stage grad: gradients, updates
  BoundedOutcome bounds;  // of the stage grad
};
/// A program that the interpreter has run.
struct Expectation {
  mlir::OwningOpRef<mlir::ModuleOp> grad;
  Arrays variables;
  std::vector<ExpectedEntry> entries;
};

/// Compares two runs of the interpreter: both differ from the exact results by what the bounds say of single precision,
/// scaled to double, or else as derived from `function` for double. Empty if they agree.
std::string differenceInDouble(const Interpretation &want, const Interpretation &got, const ExpectedEntry &entry,
                               mlir::func::FuncOp function, const Arrays &variables);

/// The gradients of @train against differences of its loss along one random direction; `error` is the loss's bound.
std::vector<Finding> checkGradient(mlir::ModuleOp graph, double error, Statistics &statistics);

/// Whether what an executor returned is within the bound of the exact value.
bool withinBound(double got, double want, double error);
/// Whether a bound says little: above a tenth of the largest element.
bool isVacuous(double error, double largest);

}  // namespace heddle
