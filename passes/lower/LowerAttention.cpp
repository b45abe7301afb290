// The emitting half of LowerAttention.h.
#include "passes/lower/LowerAttention.h"
#include "passes/Work.h"
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
      Value part = split(kernel.keyTiles, kernel.parallel.empty() && kernel.rowTiles == 1);
      // The last rows first: under a causal mask they meet most keys, and threads end together when small tiles come last.
      Value rows = split(kernel.rowTiles, kernel.parallel.empty());
      if (kernel.rowTiles > 1) rows = arith::SubIOp::create(builder, loc, constant(kernel.rowTiles - 1), rows);
      keysFrom = least(mul(part, keysOfTile()), constant(axes.keySize));
      if (kernel.partAxis) place.dims[kernel.partAxis] = {part, kernel.keyTiles};
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
      if (!axes.hasRows(argument(load)) && !isLoadedByBlocks(load)) loadBlock(load);
    noteKeyBounds();
    if (llvm::any_of(kernel.loads, [&](const Load &load) { return isLoadedByBlocks(load); })) {
      if (loaded < 0) loaded = flagsFor();
      copy.fill(part(loaded), constant(0), axes.keyBlocks(), 0);
    }
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
    Value keysTo = least(add(keysFrom, keysOfTile()), constant(axes.keySize));
    loop(axes.keys.getValue(), keysFrom, keysTo, axes.keyBlock, [&](Value key) {
      place.dims[axes.keys].from = key;
      Value distance = builder.createOrFold<arith::SubIOp>(loc, place.dims[axes.rows].from, key);
      place.dims[kernel.diagonal.axis] = {add(distance, 1 - axes.keyBlock), kernel.diagonal.size};
      BlockMask mask(builder, loc, axes, place, [&](BlockArgument argument) { return lookUp(argument); });
      Value open = mask.mayBeOpen(kernel.score);
      if (!open) return emitBlock(key);
      kernel.openBlocks = countTrue(open, {place.dims[axes.rows].from, axes.rowBlock, axes.rowSize},
                                    {key, axes.keyBlock, axes.keySize});
      auto branch = scf::IfOp::create(builder, loc, open);
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(branch.thenBlock());
      emitBlock(key);
    });
    place.dims[axes.keys].from = constant(0);
    kernel.after.emit(builder, frame, place, constant(0), kernel.target);
    for (const Result &result : kernel.rowResults) storeResult(result);
  }

  // Numbers of keys come to scratch a block at a time, when the first rows meet it: masks may leave most of them out.
  bool isLoadedByBlocks(const Load &load) { return kernel.scratch[load.buffer].allKeys && tensorOf(argument(load)).isFloat(); }
  void loadKeys(Value key) {
    if (loaded < 0) return;
    Value block = builder.createOrFold<arith::DivUIOp>(loc, key, constant(axes.keyBlock));
    Value flag = memref::LoadOp::create(builder, loc, part(loaded), block);
    Value zero = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
    Value isNew = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, flag, zero);
    auto branch = scf::IfOp::create(builder, loc, isNew);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    for (const Load &load : kernel.loads) {
      if (!isLoadedByBlocks(load)) continue;
      Tensor type = tensorOf(argument(load));
      Value memory = kernel.scratch.part(builder, argument(load).getLoc(), frame, load.buffer, key);
      copy.load(placeOf(frame.operands[load.input], type), memory, kernel.scratch[load.buffer].type, valid(type, false),
                0, /*keepsBehind=*/true);  // blocks come in any order
      noteFinite(load.buffer, block);
    }
    memref::StoreOp::create(builder, loc, arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(1)), part(loaded), block);
  }

  void emitBlock(Value key) {
    loadKeys(key);
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

  // What masks compare: of keys, in each of their blocks, noted once for the head; of rows, looked up before the loop over
  // keys. So a pair of blocks that is skipped costs a few comparisons.
  SmallVector<BlockArgument> compared() {
    SmallVector<BlockArgument> inputs;
    llvm::DenseSet<Value> seen;
    SmallVector<Value> work{kernel.score};
    while (!work.empty()) {
      Value value = work.pop_back_val();
      if (!seen.insert(value).second) continue;
      if (Operation *def = value.getDefiningOp()) llvm::append_range(work, def->getOperands());
      else inputs.push_back(cast<BlockArgument>(value));
    }
    return inputs;
  }
  void noteRowBounds() {
    rowBounds.clear();
    for (BlockArgument input : compared())
      if (!axes.hasKeys(input)) lookUp(input);
  }
  void noteKeyBounds() {
    for (BlockArgument input : compared()) {
      const Load *load = axes.hasKeys(input) && !axes.hasRows(input) ? loadOf(input) : nullptr;
      if (!load) continue;
      auto [entry, fresh] = keyBounds.try_emplace(input, -1);
      if (fresh) entry->second = kernel.scratch.add(Tensor::get({axes.keys}, {2 * axes.keyBlocks()}, builder.getI32Type()));
      Value bounds = part(entry->second), memory = wholePart(load->buffer);
      int64_t size = kernel.scratch[load->buffer].type.getNumElements();
      loop("block", constant(0), constant(axes.keyBlocks()), 1, [&](Value block) {
        auto [least, largest] = scan(memory, mul(block, size), size);
        memref::StoreOp::create(builder, loc, least, bounds, mul(block, 2));
        memref::StoreOp::create(builder, loc, largest, bounds, add(mul(block, 2), 1));
      });
    }
  }
  // The load of an input that may be compared; null if it is none, or too large to look through.
  const Load *loadOf(BlockArgument input) {
    Tensor type = tensorOf(input);
    if (type.isFloat() || (axes.hasKeys(input) && axes.hasRows(input)) ) return nullptr;
    auto load = llvm::find_if(kernel.loads, [&](const Load &load) { return load.input == input.getArgNumber(); });
    return load == kernel.loads.end() ? nullptr : &*load;
  }
  // The least and largest of so many i32 (bools are 0 or 1). What is behind an axis' end is 0, and no mask compares it: it
  // may only make a block seem open.
  std::pair<Value, Value> scan(Value memory, Value from, int64_t size) {
    Value top = arith::ConstantIntOp::create(builder, loc, INT32_MAX, 32), bottom = arith::ConstantIntOp::create(builder, loc, INT32_MIN, 32);
    auto scan = scf::ForOp::create(builder, loc, constant(0), constant(size), constant(1), ValueRange{top, bottom});
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(scan.getBody());
    Value x = memref::LoadOp::create(builder, loc, memory, add(from, scan.getInductionVar()));
    Value least = arith::MinSIOp::create(builder, loc, scan.getRegionIterArg(0), x);
    Value largest = arith::MaxSIOp::create(builder, loc, scan.getRegionIterArg(1), x);
    scf::YieldOp::create(builder, loc, ValueRange{least, largest});
    return {scan.getResult(0), scan.getResult(1)};
  }
  BlockMask::Bounds lookUp(BlockArgument input) {
    if (auto known = rowBounds.find(input); known != rowBounds.end()) return known->second;
    const Load *load = loadOf(input);
    if (!load) return {};
    const BlockBuffer &buffer = kernel.scratch[load->buffer];
    auto index = [&](Value value) { return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), value); };
    BlockMask::Bounds found;
    if (buffer.index) {
      found = {buffer.index, buffer.index};
    } else if (axes.hasKeys(input)) {
      Value bounds = part(keyBounds.lookup(input));
      Value at = mul(builder.createOrFold<arith::DivUIOp>(loc, place.dims[axes.keys].from, constant(axes.keyBlock)), 2);
      Value least = memref::LoadOp::create(builder, loc, bounds, at);
      found = {index(least), index(memref::LoadOp::create(builder, loc, bounds, add(at, 1)))};
    } else {
      auto [least, largest] = scan(part(load->buffer), constant(0), buffer.type.getNumElements());
      found = {index(least), index(largest)};
    }
    if (tensorOf(input).isBool()) found.lowest = 0, found.highest = 1;
    if (!axes.hasKeys(input)) rowBounds[input] = found;
    return found;
  }

  BlockArgument argument(const Load &load) { return kernel.region.getArgument(load.input); }
  // The part of a buffer at the block of keys where the loops are.
  Value part(int buffer) {
    return kernel.scratch.part(builder, loc, frame, buffer, constant(0));
  }

  BlockPlace placeOf(Value memory, Tensor type) {
    auto from = [&](StringAttr name) { return place.dims.lookup(name).from; };
    return {memory, type, offsetOf(type, from)};
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
    return buffer.allKeys ? withKeys(buffer.type, axes.keyBlocks() * axes.keyBlock) : buffer.type;
  }
  Tensor withKeys(Tensor type, int64_t count) {
    SmallVector<int64_t> sizes(type.getSizes());
    sizes[type.indexOf(axes.keys)] = count;
    return Tensor::get(type.getNames(), sizes, type.getElementType());
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
  }
  // The sum of 0 * x over a block of keys, which is 0 if all numbers are finite, and NaN if not.
  void noteFinite(int buffer, Value block) {
    int64_t size = kernel.scratch[buffer].type.getNumElements(), lanes = kernel.target.lanes();
    // One by one where a block is no whole number of vectors.
    bool vectors = size % lanes == 0;
    auto [entry, fresh] = finite.try_emplace(buffer, -1);
    if (fresh) entry->second = flagsFor();
    Value memory = kernel.scratch.part(builder, loc, frame, buffer, place.dims[axes.keys].from);
    Type f32 = builder.getF32Type(), type = vectors ? Type(VectorType::get({4}, f32, {true})) : f32;
    Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
    auto sum = scf::ForOp::create(builder, loc, constant(0), constant(size), constant(vectors ? lanes : 1), ValueRange{zero});
    {
      OpBuilder::InsertionGuard back(builder);
      builder.setInsertionPointToStart(sum.getBody());
      Value at = sum.getInductionVar();
      Value x = vectors ? vector::LoadOp::create(builder, loc, cast<VectorType>(type), memory, at).getResult()
                        : memref::LoadOp::create(builder, loc, memory, at).getResult();
      Value term = arith::MulFOp::create(builder, loc, x, zero);
      scf::YieldOp::create(builder, loc, arith::AddFOp::create(builder, loc, sum.getRegionIterArg(0), term).getResult());
    }
    Value all = sum.getResult(0);
    if (vectors) all = vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD, all);
    memref::StoreOp::create(builder, loc, all, part(finite.lookup(buffer)), block);
  }
  int flagsFor() {
    return kernel.scratch.add(Tensor::get({axes.keys}, {axes.keyBlocks()}, builder.getF32Type()));
  }
  void storeResult(const Result &result) {
    Tensor type = tensorOf(kernel.op->getResult(result.number));
    const BlockBuffer &buffer = kernel.scratch[result.buffer];
    if (!buffer.allKeys)
      return copy.store(part(result.buffer), buffer.type, placeOf(frame.results[result.number], type), valid(type, false),
                        result.add);
    Tensor held = withKeys(buffer.type, keysOfTile());
    Value memory = kernel.scratch.part(builder, loc, frame, result.buffer, keysFrom);
    memory.setType(MemRefType::get({held.getNumElements()}, cast<MemRefType>(memory.getType()).getElementType()));
    atKeysOfTile([&] {
      copy.store(memory, held, placeOf(frame.results[result.number], type), validOfTile(type), result.add);
    });
  }
  // All of a result that the tile writes.
  void clearResult(const Result &result) {
    Tensor type = tensorOf(kernel.op->getResult(result.number));
    SmallVector<int64_t> sizes;
    for (auto [name, size] : llvm::zip(type.getNames(), type.getSizes())) {
      auto outer = llvm::find(axes.outer, name);
      bool one = outer != axes.outer.end() && llvm::is_contained(kernel.parallel, outer - axes.outer.begin());
      sizes.push_back(one || name == kernel.partAxis ? 1 : name == axes.keys ? keysOfTile() : size);
    }
    auto written = Tensor::get(type.getNames(), sizes, type.getElementType());
    atKeysOfTile([&] { copy.clear(placeOf(frame.results[result.number], type), written, validOfTile(type)); });
  }
  // The keys of a tile; the last tile may have fewer.
  int64_t keysOfTile() const { return kernel.keyTiles == 1 ? axes.keySize : kernel.blocksOfPart() * axes.keyBlock; }
  void atKeysOfTile(function_ref<void()> body) {
    Value before = place.dims[axes.keys].from;
    place.dims[axes.keys].from = keysFrom;
    body();
    place.dims[axes.keys].from = before;
  }
  SmallVector<std::pair<StringAttr, Value>> validOfTile(Tensor type) {
    if (!type.has(axes.keys) || axes.keySize == kernel.keyTiles * keysOfTile()) return {};
    Value left = builder.createOrFold<arith::SubIOp>(loc, constant(axes.keySize), keysFrom);
    return {{axes.keys, least(left, constant(keysOfTile()))}};
  }
  void zero(int buffer, int64_t copies) {
    copy.fill(wholePart(buffer), constant(0), kernel.scratch[buffer].type.getNumElements() * copies, 0);
  }

  BlockedKernel &kernel;
  const BlockAxes &axes;
  KernelFrame &frame;
  BlockCopy copy;
  NestBlock place;
  Value keysFrom;  // of the tile
  llvm::DenseMap<Value, BlockMask::Bounds> rowBounds;
  llvm::DenseMap<Value, int> keyBounds;  // buffers: the least and the largest of each block of keys
  int loaded = -1;                       // buffer: which blocks of keys are in scratch
  llvm::DenseMap<int, int> finite;  // of a buffer of all keys: the buffer of its flags
};

LoweredKernel BlockedKernel::emit(StringRef name, ModuleOp module) {
  OpBuilder builder(op->getContext());
  KernelFrame frame = openKernel(builder, module, name, op, 0, /*flat=*/true);
  for (const Load &load : loads)
    if (isa<IndexType>(frame.operands[load.input].getType())) scratch[load.buffer].index = frame.operands[load.input];
  Emitter(*this, builder, frame).emitTiles();
  int64_t bytes = scratch.bytes(), tiles = rowTiles * keyTiles;
  frame.scratch.setType(MemRefType::get({bytes / 4}, builder.getF32Type()));
  frame.function.setType(builder.getFunctionType(frame.function.getBody().getArgumentTypes(), {}));
  for (int64_t i : parallel) tiles *= axes.outerSizes[i];
  int64_t flops = flopsOfProducts(op);
  if (openBlocks) flops = int64_t(__int128(flops) * *openBlocks / (axes.rowBlocks() * axes.keyBlocks()));
  return {frame.function, tiles, bytes, flops};
}
