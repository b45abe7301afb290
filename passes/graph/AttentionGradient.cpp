// The gradient of an attention: an attention_backward, whose region is derived from the forward's by the same table.
//
// With p = exp(score - max) / sum, o = sum over keys of w(p) * v and w linear in p, the softmax's own part of the
// gradient is p * (dp - sum over keys of p * dp), and that sum is the row's dot product of o and its gradient (Dao et
// al. 2022, "FlashAttention", appendix B.2): so a block of keys can be done without the others.
#include "passes/graph/AttentionParts.h"
#include "passes/graph/BackwardWalk.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace heddle;

LogicalResult BackwardWalk::visitAttention(AttentionOp forward) {
  Value g = gradientOf(forward.getResult(0));
  if (!g) return success();
  Location loc = gradientLoc(forward.getLoc());
  GraphBuilder outside(builder, loc);
  Tensor row = tensorOf(forward.getResult(1));
  Value dot = outside.as(outside.mul(g, forward.getResult(0)), row);
  SmallVector<Value> inputs(forward.getInputs());
  llvm::append_range(inputs, ValueRange{g, dot, forward.getResult(1), forward.getResult(2)});

  // The region starts with the forward's own ops; the row's numbers are arguments here.
  auto body = std::make_unique<Block>();
  for (Value input : inputs) body->addArgument(input.getType(), input.getLoc());
  auto arguments = body->getArguments().take_front(forward.getInputs().size());
  auto given = body->getArguments().drop_front(arguments.size());
  OpBuilder inner(forward.getContext());
  inner.setInsertionPointToEnd(body.get());
  AttentionParts parts(forward);
  IRMapping mapping;
  mapping.map(forward.getBody().getArguments(), arguments);
  SmallVector<Operation *> before, after;  // the probability
  bool passed = false;
  for (Operation &op : forward.getBody().front().without_terminator()) {
    passed |= op.getResult(0) == parts.probability;
    if (op.getResult(0) == parts.max || op.getResult(0) == parts.sum) {
      mapping.map(op.getResult(0), given[op.getResult(0) == parts.max ? 2 : 3]);
      continue;
    }
    Operation *clone = inner.clone(op, mapping);
    if (op.getResult(0) != parts.probability) (passed ? after : before).push_back(clone);
  }
  Operation *end = YieldOp::create(inner, loc, ValueRange{});
  SmallVector<Value> roots;
  for (auto [argument, input] : llvm::zip(arguments, forward.getInputs()))
    if (activity.contains(input)) roots.push_back(argument);
  Activity inside(*body, roots);
  inner.setInsertionPoint(end);

  BackwardWalk walk(inside, inner, detached);
  GraphBuilder b(inner, loc);
  Value probability = mapping.lookup(parts.probability), score = mapping.lookup(parts.score);
  walk.add(mapping.lookup(forward.getYield()->getOperand(0)), given[0]);
  if (failed(walk.run(after))) return failure();
  if (Value dp = walk.gradientOf(probability); dp && inside.contains(score)) {
    // Where the probability is 0, values that are not finite must not come through.
    Value product = b.mul(probability, b.sub(dp, given[1]));
    Value ds = b.select(b.compare("eq", probability, b.number(0)), b.number(0), product);
    walk.add(score, b.as(ds, tensorOf(score)));
    if (failed(walk.run(before))) return failure();
  }

  // The region yields sums of what is of rows and keys (or such a tensor itself); what is done with the sums is done
  // outside, where their size is known to be small.
  auto isPair = [&](Value value) {
    Tensor type = tensorOf(value);
    return type.has(forward.getOverAttr()) &&
           llvm::any_of(forward.getRows().getAsRange<StringAttr>(), [&](StringAttr name) { return type.has(name); });
  };
  // Of rows by an axis of their own (relative positions), and so as large as rows x keys: its products stay inside.
  auto isScattered = [&](Value value) {
    return value.getDefiningOp<ScatterAddOp>() &&
           llvm::any_of(forward.getRows().getAsRange<StringAttr>(), [&](StringAttr name) { return tensorOf(value).has(name); });
  };
  llvm::SetVector<Value> yielded;
  llvm::SetVector<Operation *> outer;  // in order
  std::function<void(Value)> split = [&](Value value) {
    Operation *op = value.getDefiningOp();
    bool isProduct = isa_and_nonnull<ContractOp>(op) && llvm::any_of(op->getOperands(), isScattered);
    if (isPair(value) || isProduct || (op && llvm::any_of(op->getOperands(), isPair))) return void(yielded.insert(value));
    if (!op) return;
    for (Value operand : op->getOperands()) split(operand);
    outer.insert(op);
  };
  SmallVector<std::pair<Value, Value>> wanted;  // an input and its gradient
  for (auto [argument, input] : llvm::zip(arguments, forward.getInputs()))
    if (Value gradient = walk.gradientOf(argument)) {
      Value exact = isPair(gradient) ? b.as(gradient, tensorOf(argument)) : gradient;
      split(exact);
      wanted.push_back({input, exact});
    }
  end->setOperands(yielded.getArrayRef());
  auto backward = AttentionBackwardOp::create(builder, loc, ValueRange(yielded.getArrayRef()).getTypes(), forward.getOverAttr(),
                                              forward.getRowsAttr(), inputs);
  IRMapping results;
  results.map(body->getArguments(), inputs);
  results.map(yielded.getArrayRef(), backward.getResults());
  for (Operation *op : outer) builder.clone(*op, results);
  for (auto [input, gradient] : wanted) add(input, outside.as(results.lookup(gradient), tensorOf(input)));
  // What now stands outside is of no use inside.
  SmallVector<Operation *> all;
  for (Operation &op : body->without_terminator()) all.push_back(&op);
  for (Operation *op : llvm::reverse(all))
    if (op->use_empty()) op->erase();
  backward.getBody().push_back(body.release());
  return success();
}
