// The meaning of each op, one function each: from the values of the operands to the value of the result. Ops with a
// region, `read` and `write` are the walk's own (Interpreter.cpp).
#pragma once
#include "ir/graph/interpreter/Array.h"
#include "llvm/Support/Error.h"

namespace heddle {

using Operands = llvm::ArrayRef<const Array *>;

/// An error at an op's place.
llvm::Error errorAt(mlir::Operation *op, const llvm::Twine &message);
/// The error for an index outside of its axis.
llvm::Error outOfRange(mlir::Operation *op, double index, mlir::StringAttr axis, int64_t size);

/// The value of an op without a region, by its rule below; an error for an op that has none.
llvm::Expected<Array> evaluateAny(mlir::Operation *op, Operands operands);

// Sources.cpp
Array evaluate(ConstantOp op, Operands);
Array evaluate(PositionOp op, Operands);
Array evaluate(BernoulliOp op, Operands operands);  // seed, step, indices...

// Elementwise.cpp: every op with the trait IsElementwise
llvm::Expected<Array> evaluateElementwise(mlir::Operation *op, Operands operands);

// AlongAxes.cpp
Array evaluate(ContractOp op, Operands operands);
Array evaluate(ReduceOp op, Operands operands);
Array evaluate(ArgmaxOp op, Operands operands);
Array evaluate(SoftmaxOp op, Operands operands);
Array evaluate(LogSoftmaxOp op, Operands operands);
Array evaluate(LayerNormOp op, Operands operands);
Array evaluate(RmsNormOp op, Operands operands);
llvm::Expected<Array> evaluate(CrossEntropyOp op, Operands operands);

// Indexing.cpp
llvm::Expected<Array> evaluate(GatherOp op, Operands operands);
llvm::Expected<Array> evaluate(ScatterAddOp op, Operands operands);
Array evaluate(RenameOp op, Operands operands);
Array evaluate(RegroupOp op, Operands operands);
Array evaluate(ConcatOp op, Operands operands);

}  // namespace heddle
