// Turns every op that is computed element by element into part of a `heddle.fused`: FusionGroups decides which ops
// stand together, this file moves them. Afterwards a block holds contract, scatter_add, repeat, rename, read, write and
// fused: each but the views is one kernel.
//
// Before grouping, values that any nest can compute for itself are brought to where they are used: into the bodies of
// `repeat` and through renames, which then stay views of stored tensors.
#include "passes/OptionalRewrite.h"
#include "passes/Passes.h"
#include "passes/graph/FormNests.h"
#include "passes/graph/FusionGroups.h"
#include "passes/graph/Renames.h"
#include "mlir/IR/IRMapping.h"

namespace heddle {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

//===------------------------------------------------------------------------------------------------- before grouping
// The renames of operands go to `work`.
static void moveRename(RenameOp rename, Operation *def, SmallVectorImpl<RenameOp> &work) {
  OpBuilder builder(rename);
  Operation *clone = pushRename(builder, rename);
  for (Value operand : clone->getOperands())
    if (auto inner = operand.getDefiningOp<RenameOp>()) work.push_back(inner);
  rename.getResult().replaceAllUsesWith(clone->getResult(0));
  rename.erase();
  if (def->use_empty()) def->erase();
}

// Renames go through what is freely recomputed.
static void pushRenames(Block &block) {
  SmallVector<RenameOp> work(block.getOps<RenameOp>());
  while (!work.empty()) {
    RenameOp rename = work.pop_back_val();
    Operation *def = rename.getX().getDefiningOp();
    if (def && isFreelyRecomputed(def))
      runOptional(rename, "fuse-elementwise: push a rename to operands",
                  [&] { return moveRename(rename, def, work), true; });
  }
}

// A free value from outside of a repeat's body is computed in it, before the op `front`.
static Value bringInto(Operation *front, Value value, IRMapping &mapping) {
  if (mapping.contains(value)) return mapping.lookup(value);
  Operation *def = value.getDefiningOp();
  if (!def || !isFreelyRecomputed(def) || front->getBlock()->findAncestorOpInBlock(*def)) return value;
  for (Value operand : def->getOperands()) mapping.map(operand, bringInto(front, operand, mapping));
  mapping.map(value, OpBuilder(front).clone(*def, mapping)->getResult(0));
  return mapping.lookup(value);
}

static bool bringFreeValuesInto(Block &body) {
  IRMapping mapping;
  Operation *front = &body.front();
  bool changed = false;
  body.walk([&](Operation *op) {
    for (OpOperand &operand : op->getOpOperands()) {
      Value value = bringInto(front, operand.get(), mapping);
      changed |= value != operand.get();
      operand.set(value);
    }
  });
  return changed;
}

//===------------------------------------------------------------------------------------------------- after grouping
static void writeFused(ArrayRef<Operation *> group, OpBuilder &builder, IRMapping &stored) {
  SmallVector<Operation *> ops = freeOperandsOf(group);
  llvm::append_range(ops, group);
  llvm::SmallDenseSet<Operation *> inside(ops.begin(), ops.end());
  SmallVector<Value> results = FusionGroups::resultsOf(group);
  if (results.empty()) return;  // nothing needs it

  SmallVector<Value> inputs;
  for (Operation *op : ops)
    for (Value operand : op->getOperands())
      if (Operation *def = operand.getDefiningOp(); !def || !inside.contains(def))
        if (!llvm::is_contained(inputs, operand)) inputs.push_back(operand);

  SmallVector<Value> operands = llvm::map_to_vector(inputs, [&](Value input) { return stored.lookupOrDefault(input); });
  FusedOp fused = makeFused(builder, results.back().getLoc(), ops, inputs, operands, results);
  for (auto [result, value] : llvm::zip(results, fused.getResults())) stored.map(result, value);
}

static void fuseBlock(Block &block, bool join) {
  pushRenames(block);
  for (auto repeat : block.getOps<RepeatOp>())
    runOptional(repeat, "fuse-elementwise: bring free values into a repeat",
                [&] { return bringFreeValuesInto(repeat.getBody().front()); });
  std::vector<FusionGroups::Node> schedule = FusionGroups(block, join).schedule();

  // New ops and those that stay go to the end of the block, in their order; what then remains in front is in a nest now.
  Operation *terminator = block.getTerminator();
  IRMapping stored;
  SmallVector<Operation *> kept;
  for (const FusionGroups::Node &node : schedule) {
    OpBuilder builder(terminator);
    if (node.fused) {
      Operation *before = terminator->getPrevNode();
      writeFused(node.ops, builder, stored);
      if (Operation *made = terminator->getPrevNode(); made != before) kept.push_back(made);
      continue;
    }
    node.ops[0]->moveBefore(terminator);
    kept.push_back(node.ops[0]);
  }
  kept.push_back(terminator);
  for (Operation *op : kept)
    op->walk([&](Operation *inner) {
      if (isa<FusedOp>(inner->getParentOp())) return;
      for (OpOperand &operand : inner->getOpOperands()) operand.set(stored.lookupOrDefault(operand.get()));
    });
  llvm::SmallDenseSet<Operation *> keep(kept.begin(), kept.end());
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (!keep.contains(&op)) op.dropAllUses(), op.erase();
  for (auto repeat : block.getOps<RepeatOp>()) fuseBlock(repeat.getBody().front(), join);
}

void heddle::fuseElementwise(func::FuncOp function, bool join) { fuseBlock(function.getBody().front(), join); }

namespace {
struct FuseElementwise : heddle::impl::FuseElementwiseBase<FuseElementwise> {
  using FuseElementwiseBase::FuseElementwiseBase;
  void runOnOperation() override {
    for (func::FuncOp entry : getOperation().getOps<func::FuncOp>())
      if (!entry.isDeclaration()) fuseElementwise(entry, join);
  }
};
}  // namespace
