// Kernel form: what a kernel may say, and what it means to the last bit. Everything before the two doors (fusion,
// tiling, vectorising, math expansion) must end in it; both doors check it on entry and then only print or translate.
//
// A module in kernel form belongs to one target class and holds
// - `heddle.variable`s (with offset) and `heddle.entry`s: the plan (codegen/ProgramTables.h reads it);
// - kernels: public func.funcs (memrefs..., loop indices: index..., begin: index, end: index, scratch: memref<Nxf32>)
//   without results, each called by name from the plan;
// - functions of lanes: private func.funcs without memrefs, called by kernels and inlined by both doors. They are how
//   `exp` stays one line of the emitted C++ although it is a polynomial.
// Both may have the attributes heddle.arg_names (strings) and heddle.arg_types (types as the source has them), one for
// each memref, for comments; a kernel has heddle.results too, how many of its memrefs, the last ones, are results, so that
// a result that is not finite can be traced to it, and heddle.flops and heddle.bytes, what a call does (runtime/Abi.h).
//
// Types. Scalars are f32, i32, i1 and index (64 bits, signed). Vectors have one scalable dim: vector<[4]xT> of f32, i32
// or i1 is one register of the class, 4 * vscale lanes. vector<[8]xT> exists between an interleave, deinterleave and
// scalable.extract or insert only, and vector<[4]xindex> between a step and its index_cast only. Memrefs are static and
// row-major, of f32 or i32 (a bool is an i32 0 or 1), of any rank; each access is one address, base + linear index.
//
// Meaning.
// - f32 arithmetic is IEEE single precision, rounded to nearest even, one rounding an op: no op carries fast-math flags,
//   and neither door contracts, reassociates or approximates. Which NaN an op gives is not part of the contract. The
//   runtime sets flush-to-zero and denormals-are-zero, so a subnormal operand or result of f32 arithmetic and of
//   comparisons is zero; no constant may be subnormal. Moves, selects and bit operations keep all bits, but a select
//   between the two values compared may be the hardware's min or max and so give zero for a subnormal.
// - fma rounds once, and is admitted only on classes that have it in hardware.
// - i32 arithmetic wraps. Index arithmetic does not overflow. Divisors are positive and dividends of index not negative;
//   i32 division is of scalars only. Shift amounts are in [0, 31], and of vectors a constant.
// - cmpf is ordered (oeq, olt, ole, ogt, oge), so that a NaN gives false, but for une, which is the negation of oeq.
// - min and max of floats are a compare and a select: `x > best ? x : best`. Those of integers are ops.
// - fptosi truncates; its operand is in the range of i32 (lowering clamps). sitofp rounds to nearest even.
// - sqrt and division are correctly rounded. roundeven, floor, ceil and trunc give whole numbers.
// - vector.reduction is a halving tree: while there is more than one lane, lane i becomes lane[i] + lane[i + n/2] for i <
//   n/2. maxnumf is the tree of `hi > lo ? hi : lo`, minnumf of `hi < lo ? hi : lo`, where lo is lane i and hi lane
//   i + n/2; maxsi and minsi are the integers' own. There is no accumulator operand.
// - vector.create_mask n sets lanes below n; n may be negative or above the lane count.
// - a masked-off lane of maskedload or gather takes the pass-through value, and one of maskedstore is not written, not
//   even with its old value. The doors may read up to 64 bytes past a masked-off address and, for a gather, element
//   [0] of its base: arenas are padded so (runtime/Abi.h).
// - memref.prefetch is a hint, `read, locality<2>, data`; its indices may lie outside of the memory.
// - heddle.part is the address of an element: what it gives is memory of its argument, as f32 or i32, and elements that lie
//   in both are the same. Indices into it may leave its shape's first dim, but not the argument's memory.
// - loads and stores need the element's alignment only. Buffers of one kernel may overlap only where an element is read
//   before it is written by the same lane of the same op sequence (elementwise in place).
// - memory is what the arguments point at: no allocation, no globals, no calls but those to functions of lanes.
// - scf.for has a positive step; scf.if may have results.
#pragma once
#include "ir/kernel/TargetInfo.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace heddle {

/// How tightly the C++ that an op prints as binds; the emitter adds parentheses where an operand binds less.
enum class Binding { Select, Or, And, Equal, Order, Sum, Product, Unary, Primary };

/// One admitted op. `types` lists its forms, separated by blanks: a letter each for the first operand (or, without
/// operands, the result), and `>` and a letter for the result where it differs. Letters: f i b x for scalars f32, i32,
/// i1, index; F I B X for vectors <[4]xT> of them; G J for <[8]xf32>, <[8]xi32>.
/// `scalar` and `vector` are the C++ that the forms with small and with capital operands print as, {0}, {1}, ... being
/// the operands and {#1} an operand that is a constant; empty: the emitter has a function for the op.
struct AdmittedOp {
  llvm::StringLiteral name;
  llvm::StringLiteral types;
  llvm::StringLiteral scalar;
  llvm::StringLiteral vector;
  Binding binding;  // of an operator; a call is Primary
};

/// The table, in the order of its groups.
llvm::ArrayRef<AdmittedOp> admittedOps();
/// The row of an op, or null.
const AdmittedOp *findAdmittedOp(llvm::StringRef name);

/// Is a function called by kernels (private), rather than a kernel?
bool isLaneFunction(mlir::func::FuncOp function);

/// Checks that `module` is in kernel form for `target`. A violation is a bug of the compiler: it is reported at the op as
/// an error that starts with "kernel form:".
llvm::LogicalResult verifyKernelForm(mlir::ModuleOp module, const TargetInfo &target);

}  // namespace heddle
