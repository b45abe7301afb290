// What values of a region are behind the end of rows or keys, where a block has elements that do not exist: tensors are
// loaded as 0 there and probabilities are 0, but what is computed from them may be anything (0 / 0 is NaN). Sums over an
// axis need terms that are 0 there.
#pragma once
#include "ir/graph/Heddle.h"
#include "llvm/ADT/DenseMap.h"

namespace heddle {

class BeyondEnd {
public:
  /// `probability`, or else exp of `ended`, is 0 behind the end of `rows` and `keys`.
  BeyondEnd(mlir::Value probability, mlir::Value ended, mlir::StringAttr rows, mlir::StringAttr keys)
      : probability(probability), ended(ended), rows(rows), keys(keys) {}
  /// Certainly 0 behind the end of the axis, and no NaN. Numbers that exist are taken to be finite.
  bool isZero(mlir::Value value, mlir::StringAttr axis);
  /// Certainly no infinity and no NaN there.
  bool isFinite(mlir::Value value, mlir::StringAttr axis);

private:
  bool decideZero(mlir::Value value, mlir::StringAttr axis);
  bool decideFinite(mlir::Value value, mlir::StringAttr axis);
  bool isProbability(mlir::Value value) const;
  mlir::Value probability, ended;
  mlir::StringAttr rows, keys;
  llvm::DenseMap<std::pair<mlir::Value, mlir::Attribute>, bool> zero, finite;
};

}  // namespace heddle
