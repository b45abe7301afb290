// Which ops of a block become one loop nest. FuseElementwise writes the groups down as `heddle.fused`.
//
// Groups grow along the program: an op joins the groups of its operands where one nest can compute both
// (passes/lower/NestShape.h), no other op would have to run in between, and nothing is computed more often than
// before. Then groups that read the same large tensor, or are small and of one shape, join. Cheap values with no large input (positions, constants,
// masks made of them, random masks) are in no group: each group computes those that it uses.
#pragma once
#include "passes/lower/NestShape.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include <vector>

namespace heddle {

/// A value that every user may compute for itself: a constant, position or random mask, or a few cheap functions of such
/// values and scalar arguments.
bool isFreelyRecomputed(mlir::Operation *op);

/// The free ops that `ops` need, in an order in which they can run.
llvm::SmallVector<mlir::Operation *> freeOperandsOf(llvm::ArrayRef<mlir::Operation *> ops);

/// A fused op of `ops`, in their order, at the builder's point, which stays behind it. `inputs` are the values from outside by
/// the names that the ops use, `operands` those that hold them now; `results` are values of the ops.
FusedOp makeFused(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::Operation *> ops,
                  llvm::ArrayRef<mlir::Value> inputs, llvm::ArrayRef<mlir::Value> operands,
                  llvm::ArrayRef<mlir::Value> results);

class FusionGroups {
 public:
  /// Groups the ops of one block; ops in nested regions are left alone. Without `join`, every op is a group of its own.
  explicit FusionGroups(mlir::Block &block, bool join = true);

  struct Node {
    llvm::SmallVector<mlir::Operation *> ops;  // in the order of the block
    bool fused;                                // else a single op that is no part of a nest
  };
  /// Every op but the terminator and free ops without a use of their own, in an order in which nodes can run.
  std::vector<Node> schedule() const;
  /// The values of a group that something outside of it uses.
  static llvm::SmallVector<mlir::Value> resultsOf(llvm::ArrayRef<mlir::Operation *> ops);

 private:
  void joinProducers(mlir::Operation *op);
  void takeProducer(mlir::Operation *producer, mlir::Operation *reduction);
  void joinSiblings();
  bool tryJoin(int left, int right);
  bool mayJoin(llvm::ArrayRef<mlir::Operation *> left, llvm::ArrayRef<mlir::Operation *> right) const;
  /// Whether something that depends on `from` and is in neither of the two is needed by `to`.
  bool pathBetween(int from, int to) const;
  llvm::SmallVector<int> usersOf(int node) const;
  void noteReach(const Node &node);

  mlir::Block &block;
  std::vector<Node> nodes;
  llvm::DenseMap<mlir::Operation *, int> nodeOf;
  llvm::DenseMap<mlir::Operation *, int> place;  // in the block
  std::vector<int> reach;  // by place: where the last op stands of those nodes that begin there or before, at most
};

}  // namespace heddle
