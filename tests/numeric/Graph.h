// Graphs for tests: written as text, parsed, verified, run.
#pragma once
#include "ir/graph/interpreter/Interpreter.h"
#include "mlir/IR/OwningOpRef.h"
#include <map>
#include <string>

namespace heddle {

/// The tests' one context, with the graph dialect loaded.
mlir::MLIRContext &testContext();

/// The module of a text; a test failure, and null, if it does not parse or verify. `!f[A=2]`, `!i[A=2]` and `!b[A=2]`
/// stand for tensors of f32, i32 and i1.
mlir::OwningOpRef<mlir::ModuleOp> parseGraph(llvm::StringRef text);

/// `text` with every $KEY replaced; no key begins with another one.
std::string with(std::string text, const std::map<std::string, std::string> &values);

/// The type of a short form: "f[A=2, B=3]".
Tensor tensorType(llvm::StringRef text);
Array array(llvm::StringRef type, std::vector<double> elements);

/// The sole function of a module.
mlir::func::FuncOp entryOf(mlir::ModuleOp module);

}  // namespace heddle
