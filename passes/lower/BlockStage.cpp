// See BlockStage.h.
#include "passes/lower/BlockStage.h"
#include "passes/graph/FormNests.h"
#include "passes/lower/BlockRandom.h"
#include "passes/lower/BlockScatter.h"
#include "passes/lower/ContractEmitter.h"
#include "passes/lower/NestEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace heddle;

//===------------------------------------------------------------------------------------------------- scratch
int64_t BlockScratch::take(int64_t count) {
  int64_t at = elements;
  // A product reads whole panels: what is behind a buffer's end has to be memory.
  elements = llvm::alignTo(elements + count + 6 * lanes, int64_t(16));
  return at;
}
int BlockScratch::add(Tensor type, int64_t keyBlocks) {
  buffers.push_back({type, take(type.getNumElements() * std::max<int64_t>(1, keyBlocks)), keyBlocks > 0, {}});
  return buffers.size() - 1;
}

static Type elementOf(Tensor type) {
  return type.isBool() ? IntegerType::get(type.getContext(), 32) : type.getElementType();
}

Value BlockScratch::part(OpBuilder &b, Location loc, KernelFrame &frame, int number, Value keyOffset) {
  const BlockBuffer &buffer = buffers[number];
  if (buffer.index) return buffer.index;
  Value at = arith::ConstantIndexOp::create(b, loc, nests + buffer.at);
  if (buffer.allKeys) {
    // Keys are the first dim longer than 1: a block of them is one piece.
    int64_t keys = 1;
    for (int64_t size : buffer.type.getSizes())
      if (keys == 1) keys = size;
    Value row = arith::ConstantIndexOp::create(b, loc, buffer.type.getNumElements() / keys);
    at = b.createOrFold<arith::AddIOp>(loc, at, b.createOrFold<arith::MulIOp>(loc, keyOffset, row));
  }
  auto type = MemRefType::get({buffer.type.getNumElements()}, elementOf(buffer.type));
  return PartOp::create(b, loc, type, frame.scratch, at);
}

//===------------------------------------------------------------------------------------------------- building
BlockStage::BlockStage(BlockScratch &scratch, MLIRContext *context, Location loc)
    : builder(context), scratch(scratch), module(ModuleOp::create(loc)) {
  builder.setInsertionPointToEnd(module->getBody());
  function = func::FuncOp::create(builder, loc, "stage", builder.getFunctionType({}, {}));
  builder.setInsertionPointToStart(function.addEntryBlock());
}

Value BlockStage::argument(int buffer) {
  Value &value = arguments[buffer];
  if (!value) {
    value = function.getBody().front().addArgument(scratch[buffer].type, function.getLoc());
    held[value] = buffer;
  }
  return value;
}

void BlockStage::result(Value value, int buffer, bool accumulate) {
  // A result is an op's, and of one buffer only.
  if (!accumulate && (!value.getDefiningOp() || llvm::is_contained(results, value)))
    value = BroadcastOp::create(builder, value.getLoc(), value.getType(), value);
  results.push_back(value);
  targets.push_back({buffer, accumulate});
}

bool BlockStage::isOfDiagonals(ScatterAddOp scatter) const {
  return isa<BlockArgument>(scatter.getIndex()) && !held.contains(scatter.getIndex());
}

Value BlockStage::sumOfDiagonals(Value x, Tensor type) {
  // The index of this scatter is row - key: it is an argument that no buffer holds, since its emission knows the values.
  auto plane = cast<Tensor>(x.getType());
  ArrayRef<StringAttr> names = plane.getNames().take_back(2);
  auto index = Tensor::get(names, plane.getSizes().take_back(2), builder.getI32Type());
  Value difference = function.getBody().front().addArgument(index, x.getLoc());
  return ScatterAddOp::create(builder, x.getLoc(), type, x, difference, type.getNames().back());
}

std::string BlockStage::form(const TargetInfo &target) {
  func::ReturnOp::create(builder, function.getLoc(), results);
  function.setType(builder.getFunctionType(function.getBody().getArgumentTypes(), ValueRange(results).getTypes()));
  normalizeContracts(function);
  fuseElementwise(function);
  Operation *end = function.getBody().front().getTerminator();
  results.assign(end->getOperands().begin(), end->getOperands().end());
  for (Operation &op : function.getBody().front().without_terminator()) {
    if (auto scatter = dyn_cast<ScatterAddOp>(op)) {
      bool added = llvm::any_of(llvm::zip(results, targets), [&](auto pair) {
        return std::get<0>(pair) == scatter.getResult() && std::get<1>(pair).accumulate;
      });
      if (added || isOfDiagonals(scatter)) continue;
    }
    if (!isa<FusedOp, ContractOp, RenameOp>(op)) return ("no block computes " + op.getName().getStringRef()).str();
    if (auto nest = dyn_cast<FusedOp>(op)) scratch.reserveForNest(planNest(nest, target, true).scratchElements);
  }
  return "";
}

//===------------------------------------------------------------------------------------------------- emission
namespace {
// c += a * b where the weight, a or b, is not 0. One by one: whoever comes here looks for where the numbers came from.
class GuardedProduct : IndexEmitter {
public:
  GuardedProduct(OpBuilder &b, Location loc) : IndexEmitter(b, loc) {}
  void emit(const ContractShape &shape, const ContractEmitter &at, bool weightsFirst) {
    loop("k", constant(0), constant(shape.k.size), 1, [&](Value k) {
      loop("m", constant(0), constant(shape.m.size), 1, [&](Value m) {
        loop("n", constant(0), constant(shape.n.size), 1, [&](Value n) {
          Value x = memref::LoadOp::create(builder, loc, at.a, add(mul(m, shape.m.a), mul(k, shape.k.a)));
          Value y = memref::LoadOp::create(builder, loc, at.b, add(mul(k, shape.k.b), mul(n, shape.n.b)));
          Value zero = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
          Value counts = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNE, weightsFirst ? x : y, zero);
          auto branch = scf::IfOp::create(builder, loc, counts);
          OpBuilder::InsertionGuard back(builder);
          builder.setInsertionPointToStart(branch.thenBlock());
          Value to = add(mul(m, shape.m.c), mul(n, shape.n.c));
          Value term = arith::MulFOp::create(builder, loc, x, y);
          Value sum = arith::AddFOp::create(builder, loc, memref::LoadOp::create(builder, loc, at.c, to), term);
          memref::StoreOp::create(builder, loc, sum, at.c, to);
        });
      });
    });
  }
};
}  // namespace

void BlockStage::emit(OpBuilder &b, KernelFrame &frame, const NestBlock &place, Value keyOffset, const TargetInfo &target,
                      function_ref<Value(int)> guard) {
  llvm::DenseMap<Value, Target> wanted;
  for (auto [value, where] : llvm::zip(results, targets)) wanted[value] = where;
  auto bufferOf = [&](Value value) {
    while (auto rename = value.getDefiningOp<RenameOp>()) value = rename.getX();
    auto [entry, fresh] = held.try_emplace(value, -1);
    if (fresh) {
      auto where = wanted.find(value);
      entry->second = where != wanted.end() ? where->second.buffer : scratch.add(cast<Tensor>(value.getType()));
    }
    return entry->second;
  };
  auto memory = [&](Value value) { return scratch.part(b, value.getLoc(), frame, bufferOf(value), keyOffset); };

  auto emitNest = [&](FusedOp nest) {
    if (BlockRandom random(b, nest, place, target); random) {
      SmallVector<Value> inputs;
      for (Value input : nest.getInputs()) inputs.push_back(memory(input));
      return random.emit(inputs, memory(nest.getResult(0)));
    }
    NestPlan plan = planNest(nest, target, true);
    KernelFrame inner;
    inner.function = frame.function;
    for (Value input : nest.getInputs()) inner.operands.push_back(memory(input));
    for (Value result : nest.getResults()) inner.results.push_back(memory(result));
    inner.loops = frame.loops;
    Location loc = nest.getLoc();
    inner.begin = arith::ConstantIndexOp::create(b, loc, 0);
    inner.end = arith::ConstantIndexOp::create(b, loc, plan.tiles);
    inner.scratch = frame.scratch;
    NestEmitter(nest, plan, b, inner, place).run();
  };
  auto emitProduct = [&](ContractOp product, bool accumulate) {
    ContractShape shape = contractShape(product);
    ContractTiling tiling = contractTiling(shape, target, true);
    ContractEmitter emitter(b, product.getLoc(), shape, tiling, target);
    emitter.a = memory(shape.swapped ? product.getY() : product.getX());
    emitter.b = memory(shape.swapped ? product.getX() : product.getY());
    emitter.c = memory(product.getResult());
    // Which operand is of keys alone, if the sum is over keys.
    Value ofKeys, isBad;
    for (auto [value, other] : {std::pair(product.getX(), product.getY()), std::pair(product.getY(), product.getX())})
      if (int buffer = bufferOf(value); accumulate && scratch[buffer].allKeys && !scratch[bufferOf(other)].allKeys)
        ofKeys = value, isBad = guard(buffer);
    if (!isBad || shape.products() != 1 || !shape.outerK.empty()) return emitter.emitBlock(accumulate);
    auto branch = scf::IfOp::create(b, product.getLoc(), isBad, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard back(b);
    b.setInsertionPointToStart(branch.thenBlock());
    bool weightsFirst = (ofKeys == product.getY()) != shape.swapped;
    GuardedProduct(b, product.getLoc()).emit(shape, emitter, weightsFirst);
    b.setInsertionPointToStart(branch.elseBlock());
    emitter.emitBlock(accumulate);
  };
  SmallVector<ContractOp> last;  // what is added to a buffer comes after all that prepares it
  for (Operation &op : function.getBody().front().without_terminator()) {
    if (auto nest = dyn_cast<FusedOp>(op)) emitNest(nest);
    if (auto scatter = dyn_cast<ScatterAddOp>(op)) {
      Value updates = memory(scatter.getUpdates()), sums = memory(scatter.getResult());
      if (isOfDiagonals(scatter)) {
        auto plane = cast<Tensor>(scatter.getUpdates().getType()).getSizes().take_back(2);
        DiagonalSums diagonals(b, scatter.getLoc(), plane[0], plane[1], target.lanes());
        if (sheared < 0) sheared = scratch.add(diagonals.sheared());
        diagonals.emit(updates, scratch.part(b, scatter.getLoc(), frame, sheared, {}), sums);
      } else {
        ScatterLoops(b, scatter, updates, memory(scatter.getIndex()), sums).emit();
      }
    }
    auto product = dyn_cast<ContractOp>(op);
    if (!product) continue;
    auto where = wanted.find(product.getResult());
    if (where != wanted.end() && where->second.accumulate) last.push_back(product);
    else emitProduct(product, false);
  }
  for (ContractOp product : last) emitProduct(product, true);
}
