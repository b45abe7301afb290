// A function as a rewrite pattern of any op, counted as an optional rewrite.
#pragma once
#include "mlir/IR/PatternMatch.h"
#include "passes/OptionalRewrite.h"

namespace heddle {

template <llvm::LogicalResult (*rewrite)(mlir::Operation *, mlir::PatternRewriter &)>
struct CountedPattern : mlir::RewritePattern {
  CountedPattern(mlir::MLIRContext *context, const char *what)
      : RewritePattern(MatchAnyOpTypeTag(), 1, context), what(what) {}
  llvm::LogicalResult matchAndRewrite(mlir::Operation *op, mlir::PatternRewriter &rewriter) const override {
    return llvm::success(runOptional(op, what, [&] { return llvm::succeeded(rewrite(op, rewriter)); }));
  }
  const char *what;
};

}  // namespace heddle
