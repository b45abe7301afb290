// Rewrites that a program is complete without, counted, so that a miscompile can be bisected: `--pass-limit=N` stops after
// the N-th (as LLVM's opt-bisect-limit does). What must happen for a program to have kernels at all never comes here.
//
// They are actions of MLIR: whoever runs a pipeline may set a handler in the context, and no pass knows of counters.
#pragma once
#include "mlir/IR/Action.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Operation.h"

namespace heddle {

class OptionalRewrite : public mlir::tracing::ActionImpl<OptionalRewrite> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(OptionalRewrite)
  static constexpr llvm::StringLiteral tag = "heddle-optional-rewrite";

  OptionalRewrite(llvm::ArrayRef<mlir::IRUnit> units, llvm::StringRef what, mlir::Location place, bool &changed)
      : ActionImpl(units), what(what), place(place), changed(changed) {}

  llvm::StringRef what;  // "simplify: drop neutral operands"
  mlir::Location place;  // of the op that it starts from, which it may erase
  bool &changed;         // set by the rewrite: one that found nothing to do does not count
};

/// Runs `rewrite`, which returns whether it changed something. False also where a limit has been reached.
inline bool runOptional(mlir::Operation *at, llvm::StringRef what, llvm::function_ref<bool()> rewrite) {
  bool changed = false;
  at->getContext()->executeAction<OptionalRewrite>([&] { changed = rewrite(); }, {at}, what, at->getLoc(), changed);
  return changed;
}

}  // namespace heddle
