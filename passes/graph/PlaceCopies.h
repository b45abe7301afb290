// Makes every value that must lie at a given place the result of an op that can write there.
//
// A plan gives some values their place: an entry's results, the new value of a variable, what a `repeat` carries or
// collects. An op can write there directly unless it would overwrite what is still read, or the value is only another
// name of something that lies elsewhere. Then a copy (a `fused` with one broadcast) is put in.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

/// Inserts the copies that PlanMemory needs. Requires the fused stage (only fused, contract, scatter_add, repeat,
/// rename, regroup, read, write in entries); `write`s are moved to the end of the entry.
void placeCopies(mlir::func::FuncOp entry);

/// Whether `op` may write a result over `operand`, element by element: it reads the operand at the element that it writes
/// only, and for nothing that is known no sooner than a reduction.
bool canWriteOver(mlir::Operation *op, mlir::Value operand);

}  // namespace heddle
