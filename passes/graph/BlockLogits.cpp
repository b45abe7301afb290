// Logits that are too large to hold are computed, used and dropped a block of rows at a time. So is any product of which others
// see only what is made of whole rows, as the feed-forward part of a transformer is where nothing is saved for backward.
//
// A loss over a vocabulary makes of every row (a token) one logit for each word, softmax them, and takes the gradient of
// that back into the row and into the weights. All of it goes row by row, so a `repeat` over blocks of rows computes the
// product, what follows from it element by element or along a row, and the products that use that up. What is of rows is
// collected, sums over rows are carried. Of the logits of all rows only those of a block exist.
//
// Each block reads the weights again, twice, and adds onto their gradient: 16 bytes a weight, for 6 FLOPs a weight and row.
// With 512 rows that is about 3 % of the products' time on a machine that does 5 FLOPs in the time of a byte. Blocks depend
// on shapes alone, and so do the bits of the sums.
#include "passes/OptionalRewrite.h"
#include "passes/Passes.h"
#include "passes/graph/GraphBuilder.h"
#include "passes/lower/Lowering.h"
#include "runtime/Abi.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

namespace heddle {
#define GEN_PASS_DEF_BLOCKLOGITS
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

namespace {
struct BlockSizes {
  int64_t rows, elements;  // of a block's logits, at least
};

/// A product and what follows from it row by row.
class Logits {
public:
  Logits(ContractOp product, BlockSizes least);
  /// Makes the repeat; false where that is not possible or not worth while.
  bool run();
  ArrayRef<Operation *> moved() const { return order; }  // which it erases

private:
  bool isWide(Value value) const { return tensorOf(value).has(axis) && tensorOf(value).getNumElements() >= elements; }
  bool readsWide(Operation *op) const {
    return llvm::any_of(op->getOperands(), [&](Value value) { return isWide(value); });
  }
  bool isInFront(StringAttr name) const { return llvm::is_contained(front, name); }
  bool isInside(Operation *op) const { return inside.contains(op); }
  bool isStacked(Value value) const { return tensorOf(value).has(axis); }
  bool liesByRows(Value value) const;
  bool goesByRows(Operation *op) const;
  void findDependents();
  bool findOps();
  bool pullIn();
  bool inputsFit();
  bool resultsFit();
  bool namesAreFree() const;
  SmallVector<StringAttr> frontOf(Tensor type) const;
  Value stack(GraphBuilder &b, Value value);
  Value unstack(GraphBuilder &b, Value value, Tensor type);
  Value renameFront(GraphBuilder &b, Value value, Tensor type, bool toBlock);
  Tensor blockType(Tensor type) const;
  void move();

  ContractOp product;
  Block *block;
  StringAttr axis;              // the dim of rows that is divided, of `size`
  SmallVector<StringAttr> front;  // it, and dims of size 1 before it
  int64_t size = 1, blocks = 1, elements;
  llvm::DenseSet<Operation *> dependents;  // ops of the block that need the product
  llvm::DenseSet<Operation *> inside;      // what moves into the repeat
  SmallVector<Operation *> order;          // the same, as in the block
  llvm::SetVector<Value> inputs;           // what these need from before
};
}  // namespace

Logits::Logits(ContractOp product, BlockSizes least) : product(product), block(product->getBlock()) {
  Tensor type = tensorOf(product);
  elements = type.getNumElements();
  for (auto [name, extent] : llvm::zip(type.getNames(), type.getSizes())) {
    front.push_back(name);
    if (extent == 1) continue;
    axis = name, size = extent;
    break;
  }
  if (!axis || isStacked(product.getX()) == isStacked(product.getY())) return;
  Tensor ofRows = tensorOf(isStacked(product.getX()) ? product.getX() : product.getY());
  int64_t rows = 1;
  for (auto [name, extent] : llvm::zip(type.getNames(), type.getSizes()))
    if (ofRows.has(name)) rows *= extent;
  for (int64_t n = std::min({size, rows / least.rows, elements / least.elements}); n > 1 && blocks == 1; --n)
    if (size % n == 0) blocks = n;
}

// A block of its rows is a piece of its memory.
bool Logits::liesByRows(Value value) const {
  for (StringAttr name : tensorOf(value).getNames()) {
    if (name == axis) return true;
    if (!isInFront(name)) return false;
  }
  return false;
}

// A block of rows gives that of the result, or its part of a sum over all rows.
bool Logits::goesByRows(Operation *op) const {
  auto along = [&](auto op) { return !isInFront(op.getOverAttr()); };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<SoftmaxOp, LogSoftmaxOp, LayerNormOp, RmsNormOp, CrossEntropyOp, ArgmaxOp>(along)
      .Case([&](ReduceOp op) { return op.getKind() == "sum" || isStacked(op.getResult()); })
      .Case<GatherOp, ScatterAddOp>([&](auto op) { return !isInFront(op.getAxisAttr()); })
      .Case([&](RenameOp op) { return !isInFront(op.getFromAttr()) && !isInFront(op.getToAttr()); })
      .Case([&](ContractOp) { return true; })
      .Default([](Operation *op) { return op->hasTrait<IsElementwise>(); });
}

void Logits::findDependents() {
  SmallVector<Operation *> work{product};
  while (!work.empty())
    for (Operation *user : work.pop_back_val()->getUsers())
      if (Operation *here = block->findAncestorOpInBlock(*user); here && dependents.insert(here).second) work.push_back(here);
}

// From the product to whatever uses logits, or something of their size, up; and what lies between. Products and sums over
// rows end it. False where logits are used in another way; what loops take from above, resultsFit meets.
bool Logits::findOps() {
  findDependents();
  llvm::DenseSet<Value> reached{product.getResult()};
  SmallVector<Operation *> candidates{product};
  for (Operation *op = product->getNextNode(); op; op = op->getNextNode()) {
    if (!dependents.contains(op)) continue;
    bool wide = readsWide(op);
    bool fits = goesByRows(op) && llvm::any_of(op->getOperands(), [&](Value value) { return reached.contains(value); });
    if (wide && !fits) return false;
    if (!fits) continue;
    candidates.push_back(op);
    if (isStacked(op->getResult(0)) && !isa<ContractOp>(op)) reached.insert(op->getResult(0));
  }
  for (Operation *op : llvm::reverse(candidates)) {
    bool wide = isWide(op->getResult(0)) || readsWide(op);
    bool needed = reached.contains(op->getResult(0)) && llvm::any_of(op->getUsers(), [&](Operation *user) { return isInside(user); });
    if (wide || needed) inside.insert(op);
  }
  return pullIn() && inputsFit() && resultsFit();
}

// What is as wide as the logits and needed by these ops alone is computed by blocks as well.
bool Logits::pullIn() {
  for (Operation &op : llvm::reverse(*block)) {
    bool joins = op.hasTrait<IsElementwise>() && isWide(op.getResult(0)) && !dependents.contains(&op) && !op.use_empty() &&
                 llvm::all_of(op.getUsers(), [&](Operation *user) { return isInside(user); });
    if (joins) inside.insert(&op);
    if (isInside(&op)) order.push_back(&op);
  }
  std::reverse(order.begin(), order.end());
  return llvm::none_of(order, [&](Operation *op) {
    return llvm::any_of(op->getOperands(), [&](Value operand) {
      Operation *def = operand.getDefiningOp();
      return isWide(operand) && def && !isInside(def);
    });
  });
}

bool Logits::inputsFit() {
  for (Operation *op : order)
    for (Value operand : op->getOperands()) {
      Operation *def = operand.getDefiningOp();
      if (def && (isInside(def) ? !isStacked(operand) : dependents.contains(def))) return false;
      if (def && isInside(def)) continue;
      if (isStacked(operand) && !liesByRows(operand)) return false;
      inputs.insert(operand);
    }
  return true;
}

static bool isUsedOutside(Operation *op, const llvm::DenseSet<Operation *> &inside) {
  return llvm::any_of(op->getUsers(), [&](Operation *user) { return !inside.contains(user); });
}

bool Logits::resultsFit() {
  return llvm::all_of(order, [&](Operation *op) {
    Value result = op->getResult(0);
    return !isUsedOutside(op, inside) || !isStacked(result) || (liesByRows(result) && !isWide(result));
  });
}

// The dims up to `axis`.
SmallVector<StringAttr> Logits::frontOf(Tensor type) const {
  ArrayRef<StringAttr> names = type.getNames();
  return SmallVector<StringAttr>(names.begin(), llvm::find(names, axis) + 1);
}

Tensor Logits::blockType(Tensor type) const {
  SmallVector<int64_t> sizes(type.getSizes());
  for (auto [name, extent] : llvm::zip(type.getNames(), sizes))
    if (name == axis) extent = size / blocks;
  return Tensor::get(type.getNames(), sizes, type.getElementType());
}

// No names that a program can write.
static StringAttr blockAxis(MLIRContext *context) { return StringAttr::get(context, "$block"); }
static StringAttr inBlock(StringAttr name) { return StringAttr::get(name.getContext(), name.getValue() + "$"); }

// [B, T, D] -> [$block, B$, T, D]
Value Logits::stack(GraphBuilder &b, Value value) {
  Tensor type = tensorOf(value), inner = blockType(type);
  SmallVector<Attribute> from, to{blockAxis(type.getContext())};
  SmallVector<StringAttr> names{blockAxis(type.getContext())};
  SmallVector<int64_t> sizes{blocks};
  for (StringAttr name : frontOf(type)) from.push_back(name), to.push_back(inBlock(name));
  for (auto [name, extent] : llvm::zip(type.getNames(), inner.getSizes()))
    names.push_back(llvm::is_contained(from, name) ? inBlock(name) : name), sizes.push_back(extent);
  return RegroupOp::create(b.builder, b.loc, Tensor::get(names, sizes, type.getElementType()), value,
                           b.builder.getArrayAttr(from), b.builder.getArrayAttr(to));
}

// [$block, B$, T, D] -> [B, T, D]
Value Logits::unstack(GraphBuilder &b, Value value, Tensor type) {
  SmallVector<Attribute> from{blockAxis(type.getContext())}, to;
  for (StringAttr name : frontOf(type)) from.push_back(inBlock(name)), to.push_back(name);
  return RegroupOp::create(b.builder, b.loc, type, value, b.builder.getArrayAttr(from), b.builder.getArrayAttr(to));
}

// [B$, T, D] -> [B, T, D], or back; `type` is that of all rows.
Value Logits::renameFront(GraphBuilder &b, Value value, Tensor type, bool toBlock) {
  for (StringAttr name : frontOf(type)) {
    StringAttr from = toBlock ? name : inBlock(name), to = toBlock ? inBlock(name) : name;
    Tensor before = tensorOf(value);
    SmallVector<StringAttr> names(before.getNames());
    *llvm::find(names, from) = to;
    value = RenameOp::create(b.builder, b.loc, Tensor::get(names, before.getSizes(), before.getElementType()), value, from, to);
  }
  return value;
}

void Logits::move() {
  Location loc = product.getLoc();
  OpBuilder builder(product);
  GraphBuilder b(builder, loc);
  SmallVector<Operation *> sums, collected;
  for (Operation *op : order)
    if (isUsedOutside(op, inside)) (isStacked(op->getResult(0)) ? collected : sums).push_back(op);
  SmallVector<Value> carried, stacked, rows;
  for (Operation *op : sums) carried.push_back(b.fill(tensorOf(op->getResult(0)), 0));
  for (Value value : inputs)
    if (isStacked(value)) rows.push_back(value), stacked.push_back(stack(b, value));

  auto body = std::make_unique<Block>();
  body->addArgument(Tensor::get({}, {}, builder.getI32Type()), loc);
  for (Value value : carried) body->addArgument(value.getType(), loc);
  for (Value value : stacked) body->addArgument(tensorOf(value).without({blockAxis(builder.getContext())}), loc);
  builder.setInsertionPointToEnd(body.get());
  IRMapping ofBlock;
  for (auto [value, arg] : llvm::zip(rows, body->getArguments().drop_front(1 + carried.size())))
    ofBlock.map(value, renameFront(b, arg, tensorOf(value), false));
  for (Value value : inputs)  // rather than stored
    if (Operation *def = value.getDefiningOp(); !isStacked(value) && isa_and_nonnull<ConstantOp, PositionOp>(def))
      ofBlock.map(value, builder.clone(*def)->getResult(0));
  for (Operation *op : order) {
    Value part = builder.clone(*op, ofBlock)->getResult(0);
    part.setType(blockType(tensorOf(part)));
  }
  SmallVector<Value> yielded;
  SmallVector<Type> types;
  for (auto [i, op] : llvm::enumerate(sums)) {
    yielded.push_back(b.add(body->getArgument(1 + i), ofBlock.lookup(op->getResult(0))));
    types.push_back(op->getResult(0).getType());
  }
  for (Operation *op : collected) {
    Value result = op->getResult(0);
    yielded.push_back(renameFront(b, ofBlock.lookup(result), tensorOf(result), true));
    types.push_back(tensorOf(yielded.back()).withLeading(blockAxis(builder.getContext()), blocks));
  }
  YieldOp::create(builder, loc, yielded);

  builder.setInsertionPoint(product);
  auto repeat = RepeatOp::create(builder, loc, types, builder.getStringAttr("block"), blockAxis(builder.getContext()),
                                 builder.getI64IntegerAttr(blocks), UnitAttr(), carried, stacked);
  repeat.getBody().push_back(body.release());
  for (auto [op, sum] : llvm::zip(sums, repeat.getResults())) op->getResult(0).replaceAllUsesWith(sum);
  for (auto [op, stack] : llvm::zip(collected, repeat.getResults().drop_front(sums.size())))
    op->getResult(0).replaceAllUsesWith(unstack(b, stack, tensorOf(op->getResult(0))));
  for (Operation *op : llvm::reverse(order)) op->erase();
}

// A text may have these names.
bool Logits::namesAreFree() const {
  return llvm::none_of(order, [&](Operation *op) {
    return llvm::any_of(llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes()), [](Type type) {
      return llvm::any_of(cast<Tensor>(type).getNames(), [](StringAttr name) { return name.getValue().contains('$'); });
    });
  });
}

bool Logits::run() {
  if (blocks == 1 || repeatDepth(product) >= HEDDLE_MAX_LOOPS || !findOps() || !namesAreFree()) return false;
  SmallVector<Value> here;
  for (Value value : inputs)
    if (value.getParentBlock() == block) here.push_back(value);
  IRRewriter rewriter(product);
  if (failed(moveValueDefinitions(rewriter, here, product))) return false;
  move();
  return true;
}

namespace {
struct BlockLogits : heddle::impl::BlockLogitsBase<BlockLogits> {
  using BlockLogitsBase::BlockLogitsBase;
  void runOnOperation() override {
    SmallVector<ContractOp> products;
    getOperation().walk([&](ContractOp op) {
      if (!isa<AttentionOp, AttentionBackwardOp>(op->getParentOp())) products.push_back(op);
    });
    llvm::DenseSet<Operation *> gone;
    for (ContractOp product : products) {
      if (gone.contains(product)) continue;
      runOptional(product, "block-logits: compute logits and what uses them by blocks of rows", [&] {
        Logits logits(product, {rows, elements});
        if (!logits.run()) return false;
        gone.insert(logits.moved().begin(), logits.moved().end());
        return true;
      });
    }
  }
};
}  // namespace
