// The graph dialect's C++ face: types, ops, traits. The ops are described in HeddleOps.td.
#pragma once
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace heddle {

/// elementwise_c1: one result; every dim of an operand is a dim of the result, with the same size.
llvm::LogicalResult verifyElementwise(mlir::Operation *op);
/// same_element_c1: operands and result have one element type.
llvm::LogicalResult verifySameElement(mlir::Operation *op);

template <typename Op>
struct IsElementwise : mlir::OpTrait::TraitBase<Op, IsElementwise> {
  static llvm::LogicalResult verifyTrait(mlir::Operation *op) { return verifyElementwise(op); }
};
template <typename Op>
struct SameElement : mlir::OpTrait::TraitBase<Op, SameElement> {
  static llvm::LogicalResult verifyTrait(mlir::Operation *op) { return verifySameElement(op); }
};

/// Attribute of an entry's argument or result: the name under which the runtime and the user know it.
inline constexpr llvm::StringLiteral kNameAttr = "heddle.name";
/// Attribute of a result that is the gradient of a stacked variable: how many leading dims are layer axes.
inline constexpr llvm::StringLiteral kRepeatsAttr = "heddle.repeats";

}  // namespace heddle

#include "ir/graph/HeddleDialect.h.inc"
#define GET_TYPEDEF_CLASSES
#include "ir/graph/HeddleTypes.h.inc"
#define GET_ATTRDEF_CLASSES
#include "ir/graph/HeddleAttrs.h.inc"
#define GET_OP_CLASSES
#include "ir/graph/HeddleOps.h.inc"
