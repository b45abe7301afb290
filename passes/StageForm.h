// The contract of each textual stage: which ops and attributes may stand in it, and which must. Every pass may rely on
// what its stage promises. The pipeline keeps the contract, tests check that it does, and text that somebody feeds back
// with --from is untrusted until it has passed here.
//
// All stages: a module with heddle.program, heddle.config (JSON for the runtime) and a public func.func or heddle.entry
// for each entry; every argument and result of an entry has a heddle.name, unlike the others; reads and writes of
// variables stand at the top of an entry; a tensor has at most 2^40 elements; `repeat`s nest four deep.
//
// | stage  | ops of an entry                                                | attributes |
// | graph  | those of the graph dialect but fused                           | heddle.optimizer; heddle.minimise of an entry |
// | grad   | the same, and attention, attention_backward                    | neither of the two |
// | fused  | fused, contract, scatter_add, repeat, rename, read, write      | none |
// | plan   | the same                                                       | heddle.args, heddle.workspace, offsets |
// | kernel | call, loop; kernels in kernel form (ir/kernel/KernelForm.h)    | heddle.target |
//
// Beyond that: up to plan, indices lie within their axis (IndexRange.h); in fused and plan, a fused op is one nest
// (passes/lower/NestShape.h), a contraction is as normalize-contracts leaves it, and the index of a `repeat` is read by
// fused ops and is the index of scatter_add; in plan and kernel every buffer lies within its arena (PlanForm.h). What the
// code of a kernel does with its buffers is not checked: text of stage kernel is code, and runs as such.
#pragma once
#include "passes/Pipeline.h"

namespace heddle {

/// Attribute of a module at any stage: what passes remarked, as lines. Texts of stages begin with them as comments.
inline constexpr llvm::StringLiteral kCommentsAttr = "heddle.comments";
/// What a comment must not hold: MLIR's lexer might end it there.
inline bool isControl(char c) { return static_cast<unsigned char>(c) < 32 || c == 127; }

/// Checks a module that MLIR has verified. Every violation is reported at its op, as an error that starts with the
/// stage's name.
llvm::LogicalResult verifyStage(mlir::ModuleOp module, Stage stage);

/// The stage whose marks a module bears: what somebody probably meant.
Stage likelyStage(mlir::ModuleOp module);

}  // namespace heddle
