// The update rules of an optimizer: what form they have, and how they are written for a parameter. ApplyOptimizer.h
// defines them.
#pragma once
#include "passes/graph/GraphBuilder.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace heddle {

/// The heddle.name of an argument or result of a function; "" if it has none.
llvm::StringRef argumentName(mlir::func::FuncOp function, unsigned i);
llvm::StringRef resultName(mlir::func::FuncOp function, unsigned i);

/// Says, as an error at the function or op, why a function is no rule.
llvm::LogicalResult verifyRule(mlir::func::FuncOp rule);
/// The same of the function of a learning rate.
llvm::LogicalResult verifyRate(mlir::func::FuncOp rate);

/// Writes a rule for a tensor: `arguments` stand for those of the rule, in their order, those of its dim all with one type,
/// whose first `repeats` dims are layers. The results, in their order.
llvm::SmallVector<mlir::Value> spreadRule(GraphBuilder &b, mlir::func::FuncOp rule, mlir::ValueRange arguments, Tensor type,
                                          int64_t repeats);

/// The sum over all dims but the first `repeats`, in an order that no thread count changes: all but one dim, then that.
mlir::Value sumOfLayer(GraphBuilder &b, mlir::Value x, int64_t repeats);

}  // namespace heddle
