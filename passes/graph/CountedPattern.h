// A function as a rewrite pattern of any op, counted as an optional rewrite.
#pragma once
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
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

/// Rewrites until no pattern applies, for patterns of which each brings the end nearer.
inline llvm::LogicalResult rewriteToTheEnd(mlir::Operation *op, mlir::RewritePatternSet patterns) {
  mlir::GreedyRewriteConfig config;
  config.setRegionSimplificationLevel(mlir::GreedySimplifyRegionLevel::Disabled);
  config.setMaxIterations(mlir::GreedyRewriteConfig::kNoLimit);
  return mlir::applyPatternsGreedily(op, std::move(patterns), config);
}

}  // namespace heddle
