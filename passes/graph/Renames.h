// Renames of computed values as renames of what they are computed from.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

/// rename(f(x)) as f(rename(x)): f once more, in front of the rename, which stays. Null where f is no op of dims by
/// name, or one of its operands has a dim of the new name, which could not be told apart then.
mlir::Operation *pushRename(mlir::OpBuilder &builder, RenameOp rename);

}  // namespace heddle
