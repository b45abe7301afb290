// The emitting half of LowerAttention.h, and the two kinds of kernel.
#include "passes/lower/LowerAttention.h"
#include "passes/graph/AttentionParts.h"
#include "passes/graph/GraphBuilder.h"
#include "passes/lower/BlockMask.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace heddle;

//===------------------------------------------------------------------------------------------------- loops
class BlockedKernel::Emitter : IndexEmitter {
public:
  Emitter(BlockedKernel &kernel, OpBuilder &builder, KernelFrame &frame)
      : IndexEmitter(builder, kernel.op->getLoc()), kernel(kernel), axes(kernel.axes), frame(frame),
        copy(builder, loc, kernel.target) {}

  void emitTiles() {
    for (size_t i = 0; i < axes.outer.size(); ++i) place.dims[axes.outer[i]] = {constant(0), axes.outerSizes[i]};
    loop("tile", frame.begin, frame.end, 1, [&](Value tile) {
      Value rest = tile;
      auto split = [&](int64_t size, bool last) -> Value {
        if (size == 1) return constant(0);
        if (last) return rest;
        Value part = arith::RemUIOp::create(builder, loc, rest, constant(size));
        rest = arith::DivUIOp::create(builder, loc, rest, constant(size));
        return part;
      };
      Value rows = split(kernel.rowTiles, kernel.parallel.empty());
      for (size_t i = kernel.parallel.size(); i-- > 0;)
        place.dims[axes.outer[kernel.parallel[i]]].from = split(axes.outerSizes[kernel.parallel[i]], i == 0);
      place.dims[axes.rows] = {constant(0), axes.rowSize};
      place.dims[axes.keys] = {constant(0), axes.keySize};
      for (auto *results : {&kernel.rowResults, &kernel.keyResults, &kernel.otherResults, &kernel.pairResults})
        for (const Result &result : *results)
          if (result.add || results == &kernel.pairResults) clearResult(result);
      emitOuter(0, rows);
    });
  }

private:
  // Axes that some result lacks.
  void emitOuter(size_t i, Value rows) {
    if (i == axes.outer.size()) return emitHead(rows);
    if (axes.outerSizes[i] == 1 || llvm::is_contained(kernel.parallel, static_cast<int64_t>(i))) return emitOuter(i + 1, rows);
    loop(axes.outer[i].getValue(), constant(0), constant(axes.outerSizes[i]), 1, [&](Value index) {
      place.dims[axes.outer[i]].from = index;
      emitOuter(i + 1, rows);
    });
  }

  void emitHead(Value rowTile) {
    for (const Load &load : kernel.loads)
      if (!axes.hasRows(argument(load))) loadBlock(load);
    for (const Result &result : kernel.keyResults) zero(result.buffer, axes.keyBlocks());
    for (const Result &result : kernel.otherResults) zero(result.buffer, 1);
    int64_t blocks = axes.rowBlocks(), perTile = (blocks + kernel.rowTiles - 1) / kernel.rowTiles;
    Value first = mul(rowTile, perTile);
    Value last = kernel.rowTiles == 1 ? constant(blocks) : least(add(first, perTile), constant(blocks));
    loop(axes.rows.getValue(), mul(first, axes.rowBlock), mul(last, axes.rowBlock), axes.rowBlock, [&](Value row) {
      place.dims[axes.rows].from = row;
      emitRows();
    });
    place.dims[axes.rows].from = constant(0);
    for (const Result &result : kernel.keyResults) storeResult(result);
    for (const Result &result : kernel.otherResults) storeResult(result);
  }

  void emitRows() {
    for (const Load &load : kernel.loads)
      if (axes.hasRows(argument(load)) && !axes.hasKeys(argument(load))) loadBlock(load);
    kernel.before.emit(builder, frame, place, constant(0), kernel.target);
    for (const Start &start : kernel.rowStarts)
      copy.fill(part(start.buffer), constant(0), kernel.scratch[start.buffer].type.getNumElements(), start.number);
    noteRowBounds();
    loop(axes.keys.getValue(), constant(0), constant(axes.keySize), axes.keyBlock, [&](Value key) {
      place.dims[axes.keys].from = key;
      Value distance = builder.createOrFold<arith::SubIOp>(loc, place.dims[axes.rows].from, key);
      place.dims[kernel.diagonal.axis] = {add(distance, 1 - axes.keyBlock), kernel.diagonal.size};
      BlockMask mask(builder, loc, axes, place, [&](BlockArgument argument) { return lookUp(argument); });
      Value open = mask.mayBeOpen(kernel.score);
      if (!open) return emitBlock(key);
      auto branch = scf::IfOp::create(builder, loc, open);
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(branch.thenBlock());
      emitBlock(key);
    });
    place.dims[axes.keys].from = constant(0);
    kernel.after.emit(builder, frame, place, constant(0), kernel.target);
    for (const Result &result : kernel.rowResults) storeResult(result);
  }

  void emitBlock(Value key) {
    for (const Load &load : kernel.loads)
      if (axes.hasRows(argument(load)) && axes.hasKeys(argument(load))) loadBlock(load);
    kernel.body.emit(builder, frame, place, key, kernel.target, [&](int buffer) -> Value {
      auto flags = finite.find(buffer);
      if (flags == finite.end()) return {};
      Value block = builder.createOrFold<arith::DivUIOp>(loc, key, constant(axes.keyBlock));
      Value flag = memref::LoadOp::create(builder, loc, part(flags->second), block);
      Value zero = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
      return arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNE, flag, zero);
    });
    for (const Result &result : kernel.pairResults) storeResult(result);
    for (auto [from, to] : kernel.moves) {
      Tensor type = kernel.scratch[from].type;
      copy.load({part(from), type, constant(0)}, part(to), type, {});
    }
  }

  // What masks compare, in the block of rows or for the head: looked up before the loop over keys.
  void noteRowBounds() {
    rowBounds.clear();
    llvm::DenseSet<Value> seen;
    SmallVector<Value> work{kernel.score};
    while (!work.empty()) {
      Value value = work.pop_back_val();
      if (!seen.insert(value).second) continue;
      if (Operation *def = value.getDefiningOp()) llvm::append_range(work, def->getOperands());
      else if (!axes.hasKeys(value)) lookUp(cast<BlockArgument>(value));
    }
  }
  BlockMask::Bounds lookUp(BlockArgument input) {
    if (auto known = rowBounds.find(input); known != rowBounds.end()) return known->second;
    Tensor type = tensorOf(input);
    if (type.isFloat() || (axes.hasKeys(input) && axes.hasRows(input))) return {};
    auto load = llvm::find_if(kernel.loads, [&](const Load &load) { return load.input == input.getArgNumber(); });
    if (load == kernel.loads.end() || type.getNumElements() > (1 << 20)) return {};
    BlockMask::Bounds found;
    const BlockBuffer &buffer = kernel.scratch[load->buffer];
    if (buffer.index) {
      found = {buffer.index, buffer.index};
    } else {
      // What is behind an axis' end is 0, and no mask compares it: it may only make a block seem open.
      Value memory = kernel.scratch.part(builder, loc, frame, load->buffer, place.dims[axes.keys].from);
      Value top = arith::ConstantIntOp::create(builder, loc, INT32_MAX, 32), bottom = arith::ConstantIntOp::create(builder, loc, INT32_MIN, 32);
      auto scan = scf::ForOp::create(builder, loc, constant(0), constant(buffer.type.getNumElements()), constant(1),
                                     ValueRange{top, bottom});
      {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToStart(scan.getBody());
        Value x = memref::LoadOp::create(builder, loc, memory, scan.getInductionVar());
        Value least = arith::MinSIOp::create(builder, loc, scan.getRegionIterArg(0), x);
        Value largest = arith::MaxSIOp::create(builder, loc, scan.getRegionIterArg(1), x);
        scf::YieldOp::create(builder, loc, ValueRange{least, largest});
      }
      auto index = [&](Value value) { return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), value); };
      found = {index(scan.getResult(0)), index(scan.getResult(1))};
    }
    if (type.isBool()) found.lowest = 0, found.highest = 1;
    if (!axes.hasKeys(input)) rowBounds[input] = found;
    return found;
  }

  BlockArgument argument(const Load &load) { return kernel.region.getArgument(load.input); }
  // The part of a buffer at the block of keys where the loops are.
  Value part(int buffer) {
    return kernel.scratch.part(builder, loc, frame, buffer, constant(0));
  }

  BlockPlace placeOf(Value memory, Tensor type) {
    Value at = constant(0);
    int64_t stride = type.getNumElements();
    for (auto [name, size] : llvm::zip(type.getNames(), type.getSizes())) {
      stride /= size;
      if (auto dim = place.dims.find(name); dim != place.dims.end()) at = add(at, mul(dim->second.from, stride));
    }
    return {memory, type, at};
  }
  // How much of the blocked dims exists, where the last block is not whole. Keys of all blocks at once: `allKeys`.
  SmallVector<std::pair<StringAttr, Value>> valid(Tensor type, bool allKeys) {
    SmallVector<std::pair<StringAttr, Value>> dims;
    auto note = [&](StringAttr axis, int64_t size, int64_t block, bool all) {
      if (!type.has(axis) || size % block == 0) return;
      if (all) return void(dims.push_back({axis, constant(size)}));
      Value left = builder.createOrFold<arith::SubIOp>(loc, constant(size), place.dims[axis].from);
      dims.push_back({axis, least(left, constant(block))});
    };
    note(axes.rows, axes.rowSize, axes.rowBlock, false);
    note(axes.keys, axes.keySize, axes.keyBlock, allKeys);
    return dims;
  }
  // A buffer's type with all keys, where it holds them.
  Tensor wholeType(const BlockBuffer &buffer) {
    if (!buffer.allKeys) return buffer.type;
    SmallVector<int64_t> sizes(buffer.type.getSizes());
    sizes[buffer.type.indexOf(axes.keys)] *= axes.keyBlocks();
    return Tensor::get(buffer.type.getNames(), sizes, buffer.type.getElementType());
  }
  Value wholePart(int number) {
    Value memory = part(number);
    memory.setType(MemRefType::get({wholeType(kernel.scratch[number]).getNumElements()},
                                   cast<MemRefType>(memory.getType()).getElementType()));
    return memory;
  }

  void loadBlock(const Load &load) {
    BlockBuffer &buffer = kernel.scratch[load.buffer];
    Value memory = frame.operands[load.input];
    if (isa<IndexType>(memory.getType())) return void(buffer.index = memory);
    Tensor type = tensorOf(argument(load));
    Value block = wholePart(load.buffer);
    block.setLoc(argument(load).getLoc());
    copy.load(placeOf(memory, type), block, wholeType(buffer), valid(type, buffer.allKeys));
    if (buffer.allKeys && type.isFloat()) noteFinite(load.buffer, block);
  }
  // For each block of keys the sum of 0 * x, which is 0 if all numbers are finite, and NaN if not.
  void noteFinite(int buffer, Value memory) {
    int64_t size = kernel.scratch[buffer].type.getNumElements(), lanes = kernel.target.lanes();
    // One by one where a block is no whole number of vectors.
    bool vectors = size % lanes == 0;
    auto [entry, fresh] = finite.try_emplace(buffer, -1);
    if (fresh) entry->second = flagsFor();
    Value flags = part(finite.lookup(buffer));
    Type f32 = builder.getF32Type(), type = vectors ? Type(VectorType::get({4}, f32, {true})) : f32;
    Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
    loop("block", constant(0), constant(axes.keyBlocks()), 1, [&](Value block) {
      auto sum = scf::ForOp::create(builder, loc, constant(0), constant(size), constant(vectors ? lanes : 1), ValueRange{zero});
      {
        OpBuilder::InsertionGuard back(builder);
        builder.setInsertionPointToStart(sum.getBody());
        Value at = add(mul(block, size), sum.getInductionVar());
        Value x = vectors ? vector::LoadOp::create(builder, loc, cast<VectorType>(type), memory, at).getResult()
                          : memref::LoadOp::create(builder, loc, memory, at).getResult();
        Value term = arith::MulFOp::create(builder, loc, x, zero);
        scf::YieldOp::create(builder, loc, arith::AddFOp::create(builder, loc, sum.getRegionIterArg(0), term).getResult());
      }
      Value all = sum.getResult(0);
      if (vectors) all = vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD, all);
      memref::StoreOp::create(builder, loc, all, flags, block);
    });
  }
  int flagsFor() {
    return kernel.scratch.add(Tensor::get({axes.keys}, {axes.keyBlocks()}, builder.getF32Type()));
  }
  void storeResult(const Result &result) {
    Tensor type = tensorOf(kernel.op->getResult(result.number));
    const BlockBuffer &buffer = kernel.scratch[result.buffer];
    copy.store(wholePart(result.buffer), wholeType(buffer), placeOf(frame.results[result.number], type),
               valid(type, buffer.allKeys), result.add);
  }
  // All of a result that the tile writes.
  void clearResult(const Result &result) {
    Tensor type = tensorOf(kernel.op->getResult(result.number));
    SmallVector<int64_t> sizes;
    for (auto [name, size] : llvm::zip(type.getNames(), type.getSizes())) {
      auto outer = llvm::find(axes.outer, name);
      bool one = outer != axes.outer.end() && llvm::is_contained(kernel.parallel, outer - axes.outer.begin());
      sizes.push_back(one ? 1 : size);
    }
    copy.clear(placeOf(frame.results[result.number], type), Tensor::get(type.getNames(), sizes, type.getElementType()), {});
  }
  void zero(int buffer, int64_t copies) {
    copy.fill(wholePart(buffer), constant(0), kernel.scratch[buffer].type.getNumElements() * copies, 0);
  }

  BlockedKernel &kernel;
  const BlockAxes &axes;
  KernelFrame &frame;
  BlockCopy copy;
  NestBlock place;
  llvm::DenseMap<Value, BlockMask::Bounds> rowBounds;
  llvm::DenseMap<int, int> finite;  // of a buffer of all keys: the buffer of its flags
};

LoweredKernel BlockedKernel::emit(StringRef name, ModuleOp module) {
  OpBuilder builder(op->getContext());
  KernelFrame frame = openKernel(builder, module, name, op, 0, /*flat=*/true);
  for (const Load &load : loads)
    if (isa<IndexType>(frame.operands[load.input].getType())) scratch[load.buffer].index = frame.operands[load.input];
  Emitter(*this, builder, frame).emitTiles();
  int64_t bytes = scratch.bytes(), tiles = rowTiles;
  frame.scratch.setType(MemRefType::get({bytes / 4}, builder.getF32Type()));
  frame.function.setType(builder.getFunctionType(frame.function.getBody().getArgumentTypes(), {}));
  for (int64_t i : parallel) tiles *= axes.outerSizes[i];
  return {frame.function, tiles, bytes};
}

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

//===------------------------------------------------------------------------------------------------- backward
class BackwardKernel : public BlockedKernel {
public:
  BackwardKernel(AttentionBackwardOp op, const TargetInfo &target) : BlockedKernel(op, target), backward(op) {}

private:
  void build() override {
    // Not the score itself: its own gradient may read it (that of a division does).
    score = scoreOf(backward), ended = shiftedOf(backward);
    maskRows = true;
    for (auto [i, name] : llvm::enumerate(axes.outer))
      if (llvm::all_of(backward.getResultTypes(), [&](Type type) { return cast<Tensor>(type).has(name); })) parallel.push_back(i);
    for (DivOp div : region.getOps<DivOp>())
      if (auto exp = div.getX().getDefiningOp<ExpOp>(); exp && exp.getX() == ended && !axes.hasKeys(div.getY())) defineProbability(div);
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
    // Unless each row or key has sums of its own.
    bool isPlane = tensorOf(updates).getNumElements() == axes.keyBlock * axes.rowBlock;
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
