// Whether two values are the same expression: the frontend writes twice what a program says twice, and values become one
// only in Simplify, after backward is derived.
#pragma once
#include "ir/graph/Heddle.h"
#include "llvm/ADT/DenseSet.h"

namespace heddle {

class SameValue {
public:
  bool operator()(mlir::Value a, mlir::Value b) { return same(a, b, 64); }

private:
  bool same(mlir::Value a, mlir::Value b, int depth);
  llvm::DenseSet<std::pair<mlir::Value, mlir::Value>> known;  // pairs found the same: a sum of sums is walked once
};

}  // namespace heddle
