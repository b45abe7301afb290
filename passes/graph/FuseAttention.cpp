// FuseAttention: what MatchAttention finds becomes a `heddle.attention`. Runs before backward is derived, so that the
// gradient is an attention_backward and no tensor of rows x keys is saved between the two.
#include "mlir/IR/IRMapping.h"
#include "passes/OptionalRewrite.h"
#include "passes/Passes.h"
#include "passes/graph/MatchAttention.h"
#include "passes/graph/Norms.h"

namespace heddle {
#define GEN_PASS_DEF_FUSEATTENTION
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

// What makes an input of rows x keys; null if there is none but parameters and inputs of the program. Heads may be rows too,
// so what has the longest axis of rows counts.
static Operation *storedRowsByKeys(const AttentionMatch &match) {
  SoftmaxOp softmax = match.softmax;
  StringAttr keys = softmax.getOverAttr();
  Tensor scores = tensorOf(softmax.getX());
  auto shorter = [&](StringAttr a, StringAttr b) { return scores.sizeOf(a) < scores.sizeOf(b); };
  StringAttr longest = *std::max_element(match.rows.begin(), match.rows.end(), shorter);
  for (Value input : match.inputs) {
    Tensor type = tensorOf(input);
    if (!type.has(keys) || !type.has(longest)) continue;
    Operation *op = input.getDefiningOp();
    while (isa_and_nonnull<RenameOp, RegroupOp>(op)) op = op->getOperand(0).getDefiningOp();
    if (op && !isa<ReadOp>(op)) return op;
  }
  return nullptr;
}

static void write(const AttentionMatch &match) {
  ContractOp product = match.product;
  SoftmaxOp softmax = match.softmax;
  StringAttr keys = softmax.getOverAttr();
  OpBuilder builder(product);
  Tensor row = tensorOf(softmax.getX()).without(keys);
  SmallVector<Value> inputs(match.inputs.begin(), match.inputs.end());
  SmallVector<Attribute> rows(match.rows.begin(), match.rows.end());
  auto attention = AttentionOp::create(builder, product.getLoc(), TypeRange{product.getType(), row, row}, keys,
                                       builder.getArrayAttr(rows), inputs);
  SmallVector<Location> locs;
  for (Value input : inputs) locs.push_back(input.getLoc());
  Block *body = builder.createBlock(&attention.getBody(), {}, ValueRange(inputs).getTypes(), locs);
  IRMapping mapping;
  mapping.map(inputs, body->getArguments());
  SoftmaxTerms terms;
  for (Operation *op : match.ops) {
    if (op != softmax) {
      builder.clone(*op, mapping);
      continue;
    }
    GraphBuilder b(builder, op->getLoc());
    terms = softmaxTerms(b, mapping.lookup(softmax.getX()), keys);
    mapping.map(softmax.getResult(), b.as(softmaxOf(b, terms), tensorOf(softmax.getResult())));
  }
  GraphBuilder b(builder, softmax.getLoc());
  YieldOp::create(builder, product.getLoc(), {mapping.lookup(product.getResult()), b.as(terms.max, row), b.as(terms.sum, row)});
  product.getResult().replaceAllUsesWith(attention.getResult(0));
  for (Operation *op : llvm::reverse(match.ops))
    if (op->use_empty()) op->erase();
}

namespace {
struct FuseAttention : heddle::impl::FuseAttentionBase<FuseAttention> {
  void runOnOperation() override {
    SmallVector<Operation *> softmaxes;
    getOperation().walk([&](Operation *op) {
      if (isa<SoftmaxOp, LogSoftmaxOp>(op)) softmaxes.push_back(op);
    });
    for (Operation *op : softmaxes) {
      if (auto softmax = dyn_cast<SoftmaxOp>(op)) visit(softmax);
      else visit(cast<LogSoftmaxOp>(op));
    }
  }

  void visit(SoftmaxOp softmax) {
    AttentionMatch match = matchAttention(softmax);
    if (match) {
      runOptional(softmax, "fuse-attention: keep rows x keys out of memory", [&] {
        auto remark = softmax.emitRemark() << "attention over `" << softmax.getOver() << "` is fused";
        if (Operation *stored = storedRowsByKeys(match))
          remark.attachNote(stored->getLoc()) << "but what is computed here has rows and keys, and is stored";
        write(match);
        return true;
      });
      return;
    }
    // @decode says again what @sample said, of one row: there is little to keep out of memory.
    if (softmax->getParentOfType<func::FuncOp>().getSymName() == "decode") return;
    // Probabilities that nothing but the caller uses are no weights of anything.
    if (llvm::all_of(softmax->getUsers(), [](Operation *user) { return isa<func::ReturnOp>(user); })) return;
    auto remark = softmax.emitRemark() << "softmax over `" << softmax.getOver() << "` is not fused attention: " << match.reason;
    if (match.at != softmax) remark.attachNote(match.at->getLoc()) << "here";
  }
  void visit(LogSoftmaxOp log) {
    for (Operation *user : log->getUsers())
      if (auto product = dyn_cast<ContractOp>(user); product && llvm::is_contained(product.getOver(), log.getOverAttr()))
        log.emitRemark() << "log_softmax over `" << log.getOver() << "` is not fused attention: its weights are logarithms";
  }
};
}  // namespace
