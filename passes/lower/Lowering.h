// From one fused graph op to one kernel. Each lowering is a function here and a source of its own.
//
// A kernel is a func.func in kernel form (ir/kernel/KernelForm.h):
//   func.func @name(operands..., results..., loops..., begin: index, end: index, scratch: memref<Nxf32>)
// - operands, results: one static, row-major memref each, in the order of the op's operands and results; i1 elements
//   are i32 0 or 1 in memory; a rank-0 tensor is a rank-0 memref (a lowering may ask for flat, one-dim memrefs). An operand that is the index of an enclosing
//   `repeat` has no memref: it is the loop argument of that depth.
// - loops: the index of every enclosing `repeat`, outermost first
// - [begin, end): the tiles to compute; tiles write disjoint elements
// - scratch: this thread's memory; N is at least 1
// Every op carries the source location of the graph op that it computes (NameLoc of what the user called it, over
// file:line:column), for comments in the emitted code.
#pragma once
#include "ir/graph/Heddle.h"
#include "ir/kernel/TargetInfo.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace heddle {

struct LoweredKernel {
  mlir::func::FuncOp function;
  int64_t tiles;         // fixed by shapes and target class, never by the number of threads
  int64_t scratchBytes;  // per thread
  int64_t flops = 0;     // multiplications and additions of its matrix products, without blocks that a mask closes
};

/// The memref of a tensor in memory: its dims in order, row-major; i1 is i32.
mlir::MemRefType memoryType(Tensor type);
/// If `value` is the index of a `repeat`, the depth of that repeat (0 is the outermost), else -1.
int repeatIndexDepth(mlir::Value value);

/// Where operands and results of an op lie, as the plan says: the places of operands by number (null: a repeat's index), then
/// those of results. Empty where there is no plan.
llvm::SmallVector<mlir::Attribute> placesOf(mlir::Operation *op);
/// How many `repeat`s enclose an op.
int repeatDepth(mlir::Operation *op);

/// A kernel under construction: its function, and its arguments by role.
struct KernelFrame {
  mlir::func::FuncOp function;
  llvm::SmallVector<mlir::Value> operands;  // memrefs; for a repeat index the loop argument (index)
  llvm::SmallVector<mlir::Value> results;   // memrefs
  llvm::SmallVector<mlir::Value> loops;
  mlir::Value begin, end, scratch;
};
/// Makes the function of `op` at the end of `module` with an empty body; `builder` then stands in it, at its end,
/// before the return. With `flat`, memrefs have one dim: the lowering computes addresses from strides itself.
KernelFrame openKernel(mlir::OpBuilder &builder, mlir::ModuleOp module, llvm::StringRef name, mlir::Operation *op,
                       int64_t scratchBytes, bool flat = false);

/// A chain of elementwise ops, gathers and reductions: one loop nest. (LowerFused.cpp)
LoweredKernel lowerFused(FusedOp op, llvm::StringRef name, const TargetInfo &target, mlir::ModuleOp module);
/// A matrix product, a contract or a fused op that holds one: packed, blocked, register-tiled. (LowerContract.cpp)
LoweredKernel lowerContract(mlir::Operation *op, llvm::StringRef name, const TargetInfo &target, mlir::ModuleOp module);
/// Sums of rows by index. (LowerScatterAdd.cpp)
LoweredKernel lowerScatterAdd(ScatterAddOp op, llvm::StringRef name, const TargetInfo &target, mlir::ModuleOp module);

/// An attention or attention_backward, block by block. (LowerAttention.h)
LoweredKernel lowerAttention(mlir::Operation *op, llvm::StringRef name, const TargetInfo &target, mlir::ModuleOp module);
/// What threads share of an attention_backward: the number of tiles, and the blocks of keys in each of them, of so many keys.
struct BackwardTiles {
  int64_t count, keyBlocks, keys;
};
BackwardTiles backwardTiles(AttentionBackwardOp op);
/// Why `lowerAttention` cannot lower an op; empty if it can.
std::string whyNotBlocked(mlir::Operation *op);

}  // namespace heddle
