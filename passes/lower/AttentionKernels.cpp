// The two kinds of kernel of LowerAttention.h.
#include "passes/graph/AttentionParts.h"
#include "passes/graph/GraphBuilder.h"
#include "passes/lower/LowerAttention.h"

using namespace mlir;
using namespace heddle;

//===------------------------------------------------------------------------------------------------- forward
namespace {
// Softmax block by block (Milakov and Gimelshein 2018): the largest score so far, and sums that are scaled down whenever
// it grows. Weights are linear in the probability, so the division by the sum comes last.
class ForwardKernel : public BlockedKernel {
public:
  ForwardKernel(AttentionOp op, const TargetInfo &target) : BlockedKernel(op, target), attention(op), parts(op) {}

private:
  void build() override {
    Tensor row = axes.blockOf(tensorOf(attention.getResult(1)), BlockOrder::rowsLast);
    Tensor out = axes.blockOf(tensorOf(attention.getResult(0)), BlockOrder::rowsFirst);
    int max = scratch.add(row), sum = scratch.add(row), newMax = scratch.add(row), newSum = scratch.add(row);
    int held = scratch.add(out);
    rowStarts = {{max, -INFINITY}, {sum, 0}, {held, 0}};
    moves = {{newMax, max}, {newSum, sum}};
    score = ended = parts.score, probability = parts.probability;

    Value scores = use(parts.score, BlockOrder::rowsLast, body);
    GraphBuilder b(body.builder, parts.exp.getLoc());
    auto finite = [](GraphBuilder &b, Value x) { return b.select(b.compare("eq", x, b.number(-INFINITY)), b.number(0), x); };
    Value most = b.max(body.argument(max), b.as(b.reduce("max", scores, {axes.keys}), row));
    Value shift = finite(b, most);
    Value exp = b.as(b.exp(b.sub(scores, shift)), tensorOf(scores));
    Value scale = b.exp(b.sub(body.argument(max), shift));
    body.result(most, newMax);
    body.result(b.add(b.mul(body.argument(sum), scale), b.as(b.sum(exp, {axes.keys}), row)), newSum);
    body.result(b.as(b.mul(body.argument(held), scale), out), held);
    define(parts.probability, exp);
    body.result(product(parts.product, body), held, true);

    GraphBuilder a(after.builder, parts.product.getLoc());
    Value total = after.argument(sum);
    Value divisor = a.select(a.compare("eq", total, a.number(0)), a.number(1), total);
    auto give = [&](unsigned number, Value value) {
      int buffer = scratch.add(tensorOf(value));
      after.result(value, buffer);
      rowResults.push_back({number, buffer, false});
    };
    give(0, a.as(a.div(after.argument(held), divisor), out));
    give(1, finite(a, after.argument(max)));
    give(2, total);

    int64_t heads = 1;
    for (size_t i = 0; i < axes.outer.size(); ++i) parallel.push_back(i), heads *= axes.outerSizes[i];
    rowTiles = std::clamp<int64_t>((16 + heads - 1) / heads, 1, axes.rowBlocks());
  }

  AttentionOp attention;
  AttentionParts parts;
};

}  // namespace

//===------------------------------------------------------------------------------------------------- backward
// Outer axes that every result has.
static SmallVector<int64_t> sharedOuter(AttentionBackwardOp op, const BlockAxes &axes) {
  SmallVector<int64_t> shared;
  for (auto [i, name] : llvm::enumerate(axes.outer))
    if (llvm::all_of(op.getResultTypes(), [&](Type type) { return cast<Tensor>(type).has(name); })) shared.push_back(i);
  return shared;
}

BackwardTiles heddle::backwardTiles(AttentionBackwardOp op) {
  BlockAxes axes = blockAxes(op, targetClasses().front());
  BackwardTiles tiles{1, axes.keyBlocks(), axes.keyBlock};
  for (int64_t i : sharedOuter(op, axes)) tiles.count *= axes.outerSizes[i];
  return tiles;
}

namespace {
class BackwardKernel : public BlockedKernel {
public:
  BackwardKernel(AttentionBackwardOp op, const TargetInfo &target) : BlockedKernel(op, target), backward(op) {}

private:
  void build() override {
    // Not the score itself: its own gradient may read it (that of a division does).
    score = scoreOf(backward), ended = shiftedOf(backward);
    maskRows = true;
    parallel = sharedOuter(backward, axes);
    if (auto parts = backward.getParts()) std::tie(partAxis, keyTiles) = *parts;
    for (DivOp div : region.getOps<DivOp>())
      if (auto exp = div.getX().getDefiningOp<ExpOp>(); exp && exp.getX() == ended && !axes.hasKeys(div.getY()))
        defineProbability(div);
    for (auto [i, value] : llvm::enumerate(backward.getYield()->getOperands())) addResult(i, value);
  }

  // exp / sum as exp * (1 / sum): one division for a row.
  void defineProbability(DivOp div) {
    Value sum = use(div.getY(), BlockOrder::rowsLast, before);
    GraphBuilder early(before.builder, div.getLoc());
    Value inverse = early.as(early.div(early.number(1), sum), tensorOf(sum));
    int held = scratch.add(tensorOf(sum));
    before.result(inverse, held);
    GraphBuilder b(body.builder, div.getLoc());
    Value exp = use(div.getX(), BlockOrder::rowsLast, body);
    define(div.getResult(), b.as(b.mul(exp, body.argument(held)), tensorOf(exp)));
  }

  void addResult(unsigned number, Value value) {
    Tensor type = tensorOf(value);
    bool add = false;
    for (auto [i, name] : llvm::enumerate(axes.outer))
      add |= axes.outerSizes[i] > 1 && !type.has(name) && !llvm::is_contained(parallel, static_cast<int64_t>(i));
    if (isPair(value)) {
      Value block = use(value, BlockOrder::rowsLast, body);
      int buffer = scratch.add(tensorOf(block));
      body.result(block, buffer);
      pairResults.push_back({number, buffer, add});
      return;
    }
    bool keys = type.has(axes.keys), rows = type.has(axes.rows);
    Tensor held = axes.blockOf(type, rows ? BlockOrder::rowsFirst : BlockOrder::rowsLast);
    int buffer = scratch.add(held, keys ? axes.keyBlocks() : 0);
    (keys ? keyResults : rows ? rowResults : otherResults).push_back({number, buffer, add});
    if (rows) rowStarts.push_back({buffer, 0});
    Operation *def = value.getDefiningOp();
    bool late = false;  // of what is scattered by rows, over all keys
    if (auto contract = dyn_cast_or_null<ContractOp>(def))
      for (Value operand : contract->getOperands())
        if (operand.getDefiningOp<ScatterAddOp>() && axes.hasRows(operand))
          defineAfter(operand, after.argument(scattered(operand))), late = true;
    if (!late && (!def || llvm::none_of(def->getOperands(), [&](Value operand) { return isPair(operand); })))
      return void(refusal = "a result is no sum of what has rows and keys");
    if (auto contract = dyn_cast_or_null<ContractOp>(def)) {
      BlockStage &stage = late ? after : body;
      Value sum = product(contract, stage);
      if (isa<ContractOp>(sum.getDefiningOp())) return stage.result(sum, buffer, true);
      GraphBuilder b(stage.builder, value.getLoc());
      return stage.result(b.as(b.add(stage.argument(buffer), sum), held), buffer);
    }
    if (auto scatter = dyn_cast_or_null<ScatterAddOp>(def)) return scatterInto(scatter, buffer);
    auto reduce = dyn_cast_or_null<ReduceOp>(def);
    if (!reduce || reduce.getKind() != "sum") return void(refusal = "a result is no sum of what has rows and keys");
    GraphBuilder b(body.builder, value.getLoc());
    Value x = useInSum(reduce.getX(), reduce.getOver(), false, BlockOrder::rowsLast, body);
    SmallVector<StringAttr> over(reduce.getOver().getAsRange<StringAttr>());
    Value sum = b.reduce(reduce.getKind(), x, over);
    body.result(b.as(b.add(b.as(sum, held), body.argument(buffer)), held), buffer);
  }

  void scatterInto(ScatterAddOp op, int buffer) {
    auto all = body.builder.getArrayAttr({axes.rows, axes.keys});
    Value updates = useInSum(op.getUpdates(), all, false, BlockOrder::rowsLast, body), index;
    if (axes.isDivided(op.getAxisAttr())) refusal = "a gradient is scattered along `" + op.getAxis().str() + "`";
    // Unless each row or key has sums of its own.
    bool isPlane = llvm::all_of(tensorOf(op.getUpdates()).getNames(), [&](StringAttr name) {
      return name == axes.keys || name == axes.rows || axes.isOuter(name);
    });
    bool isOfDistances = isPlane && !axes.hasRows(op.getResult()) && !axes.hasKeys(op.getResult());
    if (isOfDistances && isPair(op.getIndex()) && diagonal.isOfDistance(op.getIndex())) {
      updates = body.sumOfDiagonals(updates, diagonal.typeAlong(tensorOf(op.getUpdates())));
      index = diagonal.indexAlong(op.getIndex(), body.builder, uniformIn(body));
    } else {
      index = useIndex(op.getIndex(), body);
    }
    Value sums = ScatterAddOp::create(body.builder, op.getLoc(), scratch[buffer].type, updates, index, op.getAxis());
    body.result(sums, buffer, true);
  }
  // The sums of what is scattered by rows, over all keys.
  int scattered(Value value) {
    auto [entry, fresh] = rowSums.try_emplace(value, -1);
    if (fresh) {
      entry->second = scratch.add(axes.blockOf(tensorOf(value), BlockOrder::rowsFirst));
      rowStarts.push_back({entry->second, 0});
      scatterInto(value.getDefiningOp<ScatterAddOp>(), entry->second);
    }
    return rowSums.lookup(value);
  }

  AttentionBackwardOp backward;
  llvm::DenseMap<Value, int> rowSums;
};
}  // namespace

static std::unique_ptr<BlockedKernel> kernelOf(Operation *op, const TargetInfo &target) {
  if (auto attention = dyn_cast<AttentionOp>(op)) return std::make_unique<ForwardKernel>(attention, target);
  return std::make_unique<BackwardKernel>(cast<AttentionBackwardOp>(op), target);
}

std::string heddle::whyNotBlocked(Operation *op) { return kernelOf(op, targetClasses().front())->plan(); }

LoweredKernel heddle::lowerAttention(Operation *op, StringRef name, const TargetInfo &target, ModuleOp module) {
  auto kernel = kernelOf(op, target);
  kernel->plan();
  return kernel->emit(name, module);
}
