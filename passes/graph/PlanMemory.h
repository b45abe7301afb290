// Gives every value of every entry its place, at compile time.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

/// Attribute of an op that becomes a kernel: an ArrayAttr of #heddle.arg, for each operand that lies in memory, then
/// for each result.
inline constexpr llvm::StringLiteral kArgsAttr = "heddle.args";
/// Attributes of an entry: workspace bytes; of its arguments and results: their offset in the workspace.
inline constexpr llvm::StringLiteral kWorkspaceAttr = "heddle.workspace";
inline constexpr llvm::StringLiteral kOffsetAttr = "heddle.offset";
/// Attribute of the module: bytes of the variables' arena.
inline constexpr llvm::StringLiteral kVariablesAttr = "heddle.variables_bytes";

/// Inserts copies where they are needed (PlaceCopies), gives variables their offsets and every value of every entry
/// its place, and writes both down as the attributes above.
void planMemory(mlir::ModuleOp module);

/// The bytes of a tensor in memory (4 an element).
int64_t bytesOf(mlir::Type type);

}  // namespace heddle
