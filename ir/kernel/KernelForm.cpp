// The table of admitted ops. KernelForm.h states their meaning, VerifyKernelForm.cpp checks modules against both.
#include "ir/kernel/KernelForm.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace heddle;

// clang-format off
static constexpr AdmittedOp kOps[] = {
    {"arith.constant", "f i b x F I B", "", "", Binding::Primary},
    // integers: i32 wraps, index does not overflow
    {"arith.addi", "i x I", "{0} + {1}", "{0} + {1}", Binding::Sum},
    {"arith.subi", "i x I", "{0} - {1}", "{0} - {1}", Binding::Sum},
    {"arith.muli", "i x I", "{0} * {1}", "{0} * {1}", Binding::Product},
    {"arith.divsi", "i x", "{0} / {1}", "", Binding::Product},
    {"arith.remsi", "i x", "{0} % {1}", "", Binding::Product},
    {"arith.divui", "x", "{0} / {1}", "", Binding::Product},
    {"arith.remui", "x", "{0} % {1}", "", Binding::Product},
    {"arith.minsi", "i x I", "Min({0}, {1})", "Min({0}, {1})", Binding::Primary},
    {"arith.maxsi", "i x I", "Max({0}, {1})", "Max({0}, {1})", Binding::Primary},
    {"arith.minui", "x", "Min({0}, {1})", "", Binding::Primary},
    {"arith.maxui", "x", "Max({0}, {1})", "", Binding::Primary},
    {"arith.mului_extended", "i I", "", "", Binding::Primary},  // low and high word of the unsigned product
    {"arith.andi", "i b I B", "{0} & {1}", "And({0}, {1})", Binding::And},
    {"arith.ori", "i b I B", "{0} | {1}", "Or({0}, {1})", Binding::Or},
    {"arith.xori", "i b I B", "{0} ^ {1}", "Xor({0}, {1})", Binding::Or},
    {"arith.shli", "i I", "ShiftLeft({0}, {1})", "ShiftLeft<{#1}>({0})", Binding::Primary},
    {"arith.shrsi", "i I", "ShiftRight({0}, {1})", "ShiftRight<{#1}>({0})", Binding::Primary},
    {"arith.shrui", "i I", "ShiftRightLogical({0}, {1})", "ShiftRightLogical<{#1}>({0})", Binding::Primary},
    // floats
    {"arith.addf", "f F", "{0} + {1}", "{0} + {1}", Binding::Sum},
    {"arith.subf", "f F", "{0} - {1}", "{0} - {1}", Binding::Sum},
    {"arith.mulf", "f F", "{0} * {1}", "{0} * {1}", Binding::Product},
    {"arith.divf", "f F", "{0} / {1}", "{0} / {1}", Binding::Product},
    {"arith.negf", "f F", "-{0}", "Neg({0})", Binding::Unary},
    {"math.fma", "f F", "MulAdd({0}, {1}, {2})", "MulAdd({0}, {1}, {2})", Binding::Primary},
    {"vector.fma", "F", "", "MulAdd({0}, {1}, {2})", Binding::Primary},
    {"math.sqrt", "f F", "Sqrt({0})", "Sqrt({0})", Binding::Primary},
    {"math.absf", "f F", "Abs({0})", "Abs({0})", Binding::Primary},
    {"math.copysign", "f F", "CopySign({0}, {1})", "CopySign({0}, {1})", Binding::Primary},
    {"math.floor", "f F", "Floor({0})", "Floor({0})", Binding::Primary},
    {"math.ceil", "f F", "Ceil({0})", "Ceil({0})", Binding::Primary},
    {"math.trunc", "f F", "Trunc({0})", "Trunc({0})", Binding::Primary},
    {"math.roundeven", "f F", "Round({0})", "Round({0})", Binding::Primary},
    // choices and casts
    {"arith.cmpf", "f>b F>B", "", "", Binding::Primary},
    {"arith.cmpi", "i>b x>b I>B", "", "", Binding::Primary},
    {"arith.select", "b>f b>i b>b b>x b>F b>I b>B B>F B>I", "{0} ? {1} : {2}", "Select({0}, {1}, {2})", Binding::Select},
    {"arith.extui", "b>i B>I", "ToInt({0})", "ToInt({0})", Binding::Primary},
    {"arith.sitofp", "i>f I>F", "ToFloat({0})", "ToFloat({0})", Binding::Primary},
    {"arith.fptosi", "f>i F>I", "ToInt({0})", "ToInt({0})", Binding::Primary},
    {"arith.bitcast", "f>i i>f F>I I>F", "BitCast({0})", "BitCast({0})", Binding::Primary},
    {"arith.index_cast", "i>x x>i X>I", "", "", Binding::Primary},
    {"arith.index_castui", "i>x x>i", "", "", Binding::Primary},
    // lanes
    {"vector.vscale", "x", "", "", Binding::Primary},
    {"vector.step", "X", "", "", Binding::Primary},
    {"vector.broadcast", "f>F i>I", "Splat({0})", "", Binding::Primary},
    {"vector.create_mask", "x>B", "FirstLanes({0})", "", Binding::Primary},
    {"vector.reduction", "F>f I>i", "", "", Binding::Primary},
    {"vector.interleave", "F>G I>J", "", "Interleave({0}, {1})", Binding::Primary},
    {"vector.deinterleave", "G>F J>I", "", "", Binding::Primary},
    {"vector.scalable.extract", "G>F J>I", "", "", Binding::Primary},
    {"vector.scalable.insert", "F>G I>J", "", "", Binding::Primary},
    // memory
    {"memref.load", "m>f n>i", "", "", Binding::Primary},
    {"memref.store", "f i", "", "", Binding::Primary},
    {"vector.load", "m>F n>I", "", "", Binding::Primary},
    {"vector.store", "F I", "", "", Binding::Primary},
    {"vector.maskedload", "m>F n>I", "", "", Binding::Primary},
    {"vector.maskedstore", "m n", "", "", Binding::Primary},
    {"vector.gather", "m>F n>I", "", "", Binding::Primary},
    {"memref.prefetch", "m n", "", "", Binding::Primary},
    {"heddle.part", "m n m>n", "", "", Binding::Primary},
    // structure
    {"scf.for", "*", "", "", Binding::Primary},
    {"scf.if", "*", "", "", Binding::Primary},
    {"scf.yield", "*", "", "", Binding::Primary},
    {"func.call", "*", "", "", Binding::Primary},
    {"func.return", "*", "", "", Binding::Primary},
};
// clang-format on

ArrayRef<AdmittedOp> heddle::admittedOps() { return kOps; }

const AdmittedOp *heddle::findAdmittedOp(StringRef name) {
  static const llvm::StringMap<const AdmittedOp *> index = [] {
    llvm::StringMap<const AdmittedOp *> map;
    for (const AdmittedOp &op : kOps) map[op.name] = &op;
    return map;
  }();
  return index.lookup(name);
}

bool heddle::isLaneFunction(func::FuncOp function) { return function.isPrivate(); }
