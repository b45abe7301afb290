// The gradient of an attention is computed by tiles that share nothing: a sequence and head. Where there are few of them,
// threads would idle; then keys are divided too. Each part has its own sums of what is not of keys, and those are added up
// in order, so that results have the same bits for any number of threads. The number of parts depends on shapes alone.
#include "passes/OptionalRewrite.h"
#include "passes/Passes.h"
#include "passes/graph/GraphBuilder.h"
#include "passes/lower/Lowering.h"
#include "llvm/ADT/StringSet.h"

namespace heddle {
#define GEN_PASS_DEF_SPLITATTENTION
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

static constexpr int64_t kTiles = 4;   // enough for the threads of a small machine; sums of parts take memory
static constexpr int64_t kKeys = 256;  // of a part, at least: each loads all rows again

static StringAttr unusedName(AttentionBackwardOp op) {
  llvm::StringSet<> used;
  auto note = [&](Type type) {
    for (StringAttr name : cast<Tensor>(type).getNames()) used.insert(name.getValue());
  };
  for (Type type : op->getOperandTypes()) note(type);
  for (Operation &inner : op.getBody().front().without_terminator())
    for (Type type : inner.getResultTypes()) note(type);
  std::string name = op.getOver().str() + "_part";
  while (used.contains(name)) name += "_";
  return StringAttr::get(op.getContext(), name);
}

static void split(AttentionBackwardOp op, int64_t parts) {
  StringAttr name = unusedName(op);
  OpBuilder builder(op);
  builder.setInsertionPointAfter(op);
  GraphBuilder b(builder, op.getLoc());
  for (Value result : op.getResults()) {
    Tensor type = tensorOf(result);
    if (type.has(op.getOverAttr())) continue;
    result.setType(type.withLeading(name, parts));
    Value sum = b.reduce("sum", result, {name});
    result.replaceAllUsesExcept(sum, sum.getDefiningOp());
  }
}

namespace {
struct SplitAttention : heddle::impl::SplitAttentionBase<SplitAttention> {
  void runOnOperation() override {
    getOperation().walk([](AttentionBackwardOp op) {
      if (op.getParts()) return;
      BackwardTiles tiles = backwardTiles(op);
      int64_t most = std::min((kTiles + tiles.count - 1) / tiles.count, tiles.keyBlocks * tiles.keys / kKeys);
      if (most < 2) return;
      int64_t each = (tiles.keyBlocks + most - 1) / most;  // blocks of a part
      int64_t parts = (tiles.keyBlocks + each - 1) / each;
      runOptional(op, "split-attention: divide the keys of a gradient", [&] { return split(op, parts), true; });
    });
  }
};
}  // namespace
