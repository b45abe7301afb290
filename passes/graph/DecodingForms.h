// The program that computes one position of a sequence more, derived from the one that computes all.
//
// Every value of @sample can have two forms in @decode. Its *row* along an axis of positions is the slice at the position
// that is computed now; an op that takes positions one by one makes the row of its result from rows of its operands. Its
// *whole* has all positions: what depends on the generated ids is then a cache, a variable in which the row replaces the
// element at the position; what does not is computed again if that is cheap, else kept from the first run. Forms are made
// where they are asked for, from the logits down. So keys and values are cached just where an op first needs all positions:
// behind their projections.
//
// That a row of a cache, once written, never changes needs that no position depends on later ones (Causality.h).
#pragma once
#include "passes/graph/Causality.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallPtrSet.h"

#include <memory>
#include <string>
#include <vector>

namespace heddle {

/// A value of @sample that @decode wants as it was: the variable that keeps it, with a leading dim for each `repeat` around.
struct KeptValue {
  mlir::Value value;
  VariableOp variable;
  bool cache = false;  // @decode writes it, too
};

class DecodingForms {
public:
  /// `ids` is the argument of `sample` that is generated, with the axis `time` of positions.
  DecodingForms(mlir::func::FuncOp sample, mlir::BlockArgument ids, mlir::StringAttr time);

  /// Makes the entry @decode behind `sample`: arguments `ids`, without `time`, and $position i32; result the row of what
  /// `sample` returns. False, and nothing is left, if there is none: `reason` and `at` tell why.
  bool derive();

  std::string reason;
  mlir::Operation *at = nullptr;
  std::vector<KeptValue> kept;

private:
  // A block of @sample and the one of @decode that is made of it.
  struct Level {
    mlir::Block *old = nullptr, *fresh = nullptr;
    Level *parent = nullptr;
    RepeatOp repeat;                            // of @sample; null for the entry
    llvm::SmallVector<mlir::Value> stacked;     // further stacked operands of the new repeat, values of the parent
    llvm::SmallVector<std::pair<mlir::Value, VariableOp>> written;  // further collected values
  };

  void findGenerated();
  bool markGenerated(mlir::Block &block);
  mlir::StringAttr onlyTimeAxis(mlir::Value value);

  mlir::Value row(mlir::Value value, mlir::StringAttr axis);
  mlir::Value makeRow(mlir::Value value, mlir::StringAttr axis);
  mlir::Value rowOfWhole(mlir::Value value, mlir::StringAttr axis);
  mlir::Value rowOfConcat(ConcatOp concat, mlir::StringAttr axis);
  mlir::Value cloneRow(mlir::Operation *op, mlir::StringAttr axis);
  bool mayReduce(mlir::Operation *op, mlir::StringAttr axis);

  mlir::Value whole(mlir::Value value);
  mlir::Value makeWhole(mlir::Value value);
  mlir::Value cached(mlir::Value value);
  mlir::Value keep(mlir::Value value, bool cache);
  bool isCheap(mlir::Value value);

  bool takeApart(RepeatOp repeat);
  void abandon();
  mlir::Value read(VariableOp variable);
  mlir::Value slice(Level &level, mlir::Value top);
  VariableOp newVariable(mlir::Value value);
  mlir::Value fail(mlir::Operation *op, const llvm::Twine &why);

  Level &levelOf(mlir::Value value) { return *levels.lookup(value.getParentBlock()); }
  mlir::OpBuilder &in(Level &level);
  mlir::Value index(mlir::StringAttr axis, Level &level);

  mlir::func::FuncOp sample, decode;
  mlir::BlockArgument ids;
  mlir::StringAttr time;
  mlir::OpBuilder builder;
  mlir::Value position;  // of @decode, within the axis
  TimeAxes axes;
  llvm::DenseSet<mlir::Value> generated;
  llvm::DenseMap<std::pair<mlir::Value, mlir::StringAttr>, mlir::Value> rows;
  llvm::DenseMap<mlir::Value, mlir::Value> wholes;
  llvm::DenseMap<mlir::Value, bool> cheap;
  llvm::DenseMap<mlir::Block *, Level *> levels;
  std::vector<std::unique_ptr<Level>> owned;
  std::vector<mlir::Block *> detached;  // bodies of repeats that are not made yet
  llvm::SmallPtrSet<mlir::Operation *, 4> apart;
};

}  // namespace heddle
