// A matrix product as one kernel: for each tile, panels of B are packed into scratch one after the other, and each
// meets all rows of the tile's block of A in a register tile.
//
//   for tile (product, block of n, block of m):
//     for block of k:
//       pack A[block of m, k] -> scratch            where that pays
//       for panel of the block of n:                vectors * lanes columns
//         pack B[k, panel] -> scratch[k][columns]   where its rows are long
//         for rows of the block of m, `rows` at a time:
//           prefetch the part of C that is loaded or stored next
//           accumulators[rows][vectors] += A[row, k] * scratch[k][vector]      over all k, in order
//           prefetch a part of what is packed next
//
// A register tile reads B by vectors and again for every row, so B is packed, but where its rows are short and whole panels. An
// element of A is one broadcast load wherever it lies; what packing it saves is cache lines of which a row tile uses a part, and
// sets of the cache that strides of powers of two share (BLIS packs both, Van Zee and van de Geijn 2015). The blocks lie in the
// scratch of a thread, so that threads share no buffer. Sums run over k in order, whatever the tiling: with several blocks of
// k, accumulators start from C, in the first from zero. What is added to a product comes last: sums that began with it would
// round at its magnitude in each step. If it lies where the result does, each block's sum is added to it. What else is done with
// a sum (FusedProduct.h) follows, tile by tile.
//
// Products of few rows take another form: StreamContract.cpp.
#include "passes/lower/ContractEmitter.h"
#include "passes/lower/FusedProduct.h"
#include "passes/Work.h"
#include "passes/lower/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/ErrorHandling.h"

using namespace mlir;
using namespace heddle;

static constexpr int64_t kCacheLine = 16;        // floats
static constexpr int64_t kStaysNear = 1 << 16;  // floats of B or C that lie in the second-level cache anyway

Value ContractEmitter::mask(int64_t size, Value first) {
  return firstLanes(arith::SubIOp::create(builder, loc, constant(size), first));
}
Value ContractEmitter::firstLanes(Value count) {
  // create_mask takes a count below 0 as 0.
  return vector::CreateMaskOp::create(builder, loc, VectorType::get({4}, builder.getI1Type(), {true}), count);
}

// tile = (product, block of m, block of n), n fastest: a thread has rows, as it has in the nests that follow. Joined tiles meet the
// same panels, which are packed once for all of them that a thread takes.
void ContractEmitter::emitTiles(Value begin, Value end) {
  const bool joins = tiling.joins;
  auto blocks = [&](Value tiles, int64_t more) -> Value {
    return arith::DivUIOp::create(builder, loc, add(tiles, more), constant(tiling.blocksM));
  };
  Value first = joins ? blocks(begin, 0) : begin, last = joins ? blocks(end, tiling.blocksM - 1) : end;
  loop(joins ? "tiles" : "tile", first, last, 1, [&](Value tile) {
    auto split = [&](Value &index, int64_t size) -> Value {
      if (size == 1) return constant(0);
      Value part = arith::RemUIOp::create(builder, loc, index, constant(size));
      index = arith::DivUIOp::create(builder, loc, index, constant(size));
      return part;
    };
    Value rest = tile, blockN = constant(0), blockM, behind;  // blocks of m from ... up to
    if (joins) {
      Value from = mul(tile, tiling.blocksM), upTo = least(add(from, tiling.blocksM), end);
      blockM = arith::SubIOp::create(builder, loc, arith::MaxUIOp::create(builder, loc, from, begin), from);
      behind = arith::SubIOp::create(builder, loc, upTo, from);
    } else {
      blockN = split(rest, tiling.blocksN), blockM = split(rest, tiling.blocksM), behind = add(blockM, 1);
    }
    Value aBase = constant(0), bBase = constant(0), cBase = constant(0), rowsBefore = blockM;
    besideBase.assign(shape.m.beside.size(), aBase);
    for (size_t i = shape.batches.size(); i-- > 0;) {
      const ContractAxis &axis = shape.batches[i];
      Value index = i == 0 ? rest : split(rest, axis.size);
      aBase = add(aBase, mul(index, axis.a));
      bBase = add(bBase, mul(index, axis.b));
      cBase = add(cBase, mul(index, axis.c));
      if (axis.b == 0) rowsBefore = add(rowsBefore, index);
      for (auto [base, stride] : llvm::zip(besideBase, axis.beside)) base = add(base, mul(index, stride));
    }
    rows.begin = mul(blockM, tiling.blockM);
    rows.end = tiling.blocksM == 1 ? constant(shape.m.size) : least(mul(behind, tiling.blockM), constant(shape.m.size));
    panels.begin = mul(blockN, tiling.blockPanels);
    panels.end = tiling.blocksN == 1 ? constant(tiling.panels)
                                     : least(add(panels.begin, tiling.blockPanels), constant(tiling.panels));
    if (columnSums) isFirstRows = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, rowsBefore, constant(0));
    emitTile(aBase, bBase, cBase);
  });
}

void ContractEmitter::emitBlock(bool accumulate) {
  accumulates = accumulate;
  emitTiles(constant(0), constant(shape.products()));
}

void ContractEmitter::emitTile(Value aBase, Value bBase, Value cBase) {
  if (tiling.streams) return streamTile(aBase, bBase, cBase);
  if (shape.k.size <= tiling.blockK && shape.outerK.empty())
    return emitBlockK(aBase, bBase, cBase, constant(shape.k.size), accumulates, /*whole=*/true);
  std::function<void(size_t, Value, Value, Value)> outer = [&](size_t depth, Value aAt, Value bAt, Value before) {
    if (depth < shape.outerK.size()) {
      const ContractAxis &axis = shape.outerK[depth];
      loop("outer_k", constant(0), constant(axis.size), 1, [&](Value index) {
        outer(depth + 1, add(aAt, mul(index, axis.a)), add(bAt, mul(index, axis.b)), add(before, index));
      });
      return;
    }
    loop("block_k", constant(0), constant(shape.k.size), tiling.blockK, [&](Value kBegin) {
      Value left = arith::SubIOp::create(builder, loc, constant(shape.k.size), kBegin);
      Value count = shape.k.size % tiling.blockK ? least(left, constant(tiling.blockK)) : constant(tiling.blockK);
      if (!accumulates)
        isFirst = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, add(before, kBegin), constant(0));
      emitBlockK(add(aAt, mul(kBegin, shape.k.a)), add(bAt, mul(kBegin, shape.k.b)), cBase, count, true, false);
    });
  };
  outer(0, aBase, bBase, constant(0));
  finishTile(cBase);
}

// Each vector of the tile's part of C.
void ContractEmitter::overVectors(Value cBase, function_ref<void(Value m, Value n, int64_t v, Value at)> body) {
  loop("m", rows.begin, rows.end, 1, [&](Value m) {
    loop("panel", panels.begin, panels.end, 1, [&](Value panel) {
      Value n = mul(panel, width), from = add(add(cBase, mul(m, shape.m.c)), n);
      for (int64_t v = 0; v < tiling.vectors; ++v) body(m, n, v, add(from, v * lanes));
    });
  });
}

// C holds whole sums of the tile.
void ContractEmitter::finishTile(Value cBase) {
  if (onto == 0 && !epilogue) return;
  overVectors(cBase, [&](Value m, Value n, int64_t v, Value at) {
    storeSum(addOnto(loadAlongN(c, at, n, v), m, n, v), m, n, v, at);
  });
}
// C holds whole sums of some rows of a panel, with what is added to them.
void ContractEmitter::finishRows(Value cBase, Value from, Value to, Value n) {
  loop("row", from, to, 1, [&](Value m) {
    for (int64_t v = 0; v < tiling.vectors; ++v) {
      Value at = add(add(add(cBase, mul(m, shape.m.c)), n), v * lanes);
      storeSum(loadAlongN(c, at, n, v), m, n, v, at, /*stored=*/true);
    }
  });
}

// A vector of a tensor that is read beside C; of rows and of numbers all lanes are equal.
Value ContractEmitter::loadBeside(size_t i, Type element, Value m, Value n, int64_t v) {
  Value memory = beside[i];
  auto type = VectorType::get({4}, element, {true});
  if (isa<IndexType>(memory.getType())) {
    Value number = arith::IndexCastOp::create(builder, loc, element, memory);
    return vector::BroadcastOp::create(builder, loc, type, number);
  }
  Value at = add(besideBase[i], mul(m, shape.m.beside[i]));
  if (shape.n.beside[i] != 1)
    return vector::BroadcastOp::create(builder, loc, type, memref::LoadOp::create(builder, loc, memory, at).getResult());
  at = add(add(at, n), v * lanes);
  if (!masked) return vector::LoadOp::create(builder, loc, type, memory, at);
  Value none = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  return vector::MaskedLoadOp::create(builder, loc, type, memory, at, mask(n, v), none);
}

// A whole sum of C with what is added to it.
Value ContractEmitter::addOnto(Value sum, Value m, Value n, int64_t v) {
  for (size_t i = 0; i < onto; ++i)
    sum = arith::AddFOp::create(builder, loc, sum, loadBeside(i, builder.getF32Type(), m, n, v));
  return sum;
}

// A whole sum, or what the epilogue makes of it, goes to memory. `stored`: C holds the sum already.
void ContractEmitter::storeSum(Value sum, Value m, Value n, int64_t v, Value at, bool stored) {
  if (!epilogue) return store(sum, c, at, n, v);
  llvm::DenseMap<Value, Value> values{{epilogue->sum, sum}};
  auto valueOf = [&](Value value) {
    Value &known = values[value];
    if (known) return known;
    Type element = cast<Tensor>(value.getType()).getElementType();
    bool truth = element.isInteger(1);
    known = loadBeside(epilogue->beside.lookup(value), truth ? Type(builder.getI32Type()) : element, m, n, v);
    if (truth) {
      Value none = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(known.getType()));
      known = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, known, none);
    }
    return known;
  };
  for (Operation &inner : epilogue->body->without_terminator()) {
    if (isa<ContractOp, ReduceOp>(inner)) continue;
    SmallVector<Value> operands;
    for (Value operand : inner.getOperands()) operands.push_back(valueOf(operand));
    values[inner.getResult(0)] = epilogue->elements->compute(&inner, operands);
  }
  for (auto [yielded, memory] : llvm::zip(epilogue->body->getTerminator()->getOperands(), epilogue->results))
    if (!stored || memory != c || yielded != epilogue->sum) store(values.lookup(yielded), memory, at, n, v);
}

Value ContractEmitter::zero() { return arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vector)); }

// Of columns n + v * lanes ...; those that do not exist are 0.
Value ContractEmitter::loadAlongN(Value memory, Value at, Value n, int64_t v) {
  if (!masked) return vector::LoadOp::create(builder, loc, vector, memory, at);
  return vector::MaskedLoadOp::create(builder, loc, vector, memory, at, mask(n, v), zero());
}
// What a sum starts from: what memory holds, in the first of several blocks of k zero.
Value ContractEmitter::loadStart(Value memory, Value at, Value n, int64_t v) {
  if (!isFirst) return loadAlongN(memory, at, n, v);
  Value columns = masked ? arith::SubIOp::create(builder, loc, constant(shape.n.size), lane(n, v)) : constant(lanes);
  Value held = arith::SelectOp::create(builder, loc, isFirst, constant(0), columns);
  return vector::MaskedLoadOp::create(builder, loc, vector, memory, at, firstLanes(held), zero());
}
void ContractEmitter::store(Value value, Value memory, Value at, Value n, int64_t v) {
  if (masked) vector::MaskedStoreOp::create(builder, loc, memory, at, mask(n, v), value);
  else vector::StoreOp::create(builder, loc, value, memory, at);
}

// The bases stand at the block's first k. `whole`: it is the only one, and its sums are those of C.
void ContractEmitter::emitBlockK(Value aBase, Value bBase, Value cBase, Value kCount, bool accumulate, bool whole) {
  if (tiling.packsA) {
    packA(aBase, kCount);
    // With one block of k, the next block of n has the same rows.
    bool several = shape.k.size > tiling.blockK;
    if (several || tiling.blocksN == 1) nextA = add(add(aBase, rows.begin), several ? tiling.blockK * shape.k.a : tiling.blockM);
  }
  loop("panel", panels.begin, panels.end, 1, [&](Value panel) {
    Value n = mul(panel, width);
    if (direct) panelAt = add(bBase, n);
    else pack(bBase, n, kCount);
    if (columnSums) sumColumns(n, kCount, whole);
    emitPanel(bBase, aBase, cBase, n, kCount, accumulate, whole);
  });
}

void ContractEmitter::fetch(Value memory, Value at) {
  memref::PrefetchOp::create(builder, loc, memory, ValueRange{at}, /*isWrite=*/false, /*localityHint=*/2, /*isDataCache=*/true);
}

// Each of so many register tiles has the caches fetch its share of `rows` pieces of `length` floats, `stride` apart.
void ContractEmitter::prefetch(Value memory, Value from, int64_t rows, int64_t stride, int64_t length, Value tile,
                               int64_t tiles) {
  int64_t share = llvm::divideCeil(rows, tiles);
  Value first = mul(tile, share);
  loop("row", first, add(first, share), 1, [&](Value row) {
    loop("line", constant(0), constant(length), kCacheLine, [&](Value line) {
      Value at = add(from, add(mul(row, stride), line));
      fetch(memory, at);
    });
  });
}

// Meanwhile comes what will be packed next: the panel behind this one, or the first one of the next block of k, and a part of
// the block of A behind this one. Whatever lies behind the end of a tensor is fetched in vain.
void ContractEmitter::prefetchNext(Value bBase, Value n, Value m) {
  auto count = [&](Value from, Value to, int64_t by) -> Value {
    return arith::DivUIOp::create(builder, loc, builder.createOrFold<arith::SubIOp>(loc, to, from), constant(by));
  };
  int64_t tiles = std::max<int64_t>(1, tiling.blockM / tiling.rows);
  Value tile = count(rows.begin, m, tiling.rows), following = add(n, width);
  Value isLast = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, following, mul(panels.end, width));
  Value behind = add(mul(mul(panels.begin, width), shape.n.b), tiling.blockK * shape.k.b);
  Value next = add(bBase, arith::SelectOp::create(builder, loc, isLast, behind, mul(following, shape.n.b)));
  if (shape.n.b == 1) prefetch(b, next, tiling.blockK, shape.k.b, width, tile, tiles);
  else if (shape.k.b == 1) prefetch(b, next, width, shape.n.b, tiling.blockK, tile, tiles);
  if (!nextA) return;
  Value panel = count(panels.begin, count(constant(0), n, width), 1);
  prefetch(a, nextA, tiling.blockK, shape.k.a, tiling.blockM, add(mul(panel, tiles), tile), tiles * tiling.blockPanels);
}

void ContractEmitter::emitPanel(Value bBase, Value aBase, Value cBase, Value n, Value kCount, bool accumulate,
                                bool whole) {
  int64_t tail = shape.m.size % tiling.rows;
  // Only the last block can hold the rows that do not fill a register tile.
  Value mFull = tail ? least(rows.end, constant(shape.m.size - tail)) : rows.end;
  if (shape.m.size >= tiling.rows)
    loop("m", rows.begin, mFull, tiling.rows, [&](Value m) {
      registerTile(aBase, cBase, m, tiling.rows, n, kCount, accumulate, whole);
      if (!direct && shape.k.size * shape.n.size > kStaysNear) prefetchNext(bBase, n, m);
    });
  if (!tail) return;
  Value m = constant(shape.m.size - tail);
  if (tiling.blocksM == 1) {
    registerTile(aBase, cBase, m, tail, n, kCount, accumulate, whole);
    return;
  }
  Value isLast = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, rows.end, constant(shape.m.size));
  auto branch = scf::IfOp::create(builder, loc, isLast);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  registerTile(aBase, cBase, m, tail, n, kCount, accumulate, whole);
}

// scratch[k][column] = B[k, n + column], for a panel's columns. Columns that do not exist get anything: the
// sums that they would enter are not stored.
void ContractEmitter::pack(Value base, Value n, Value kCount) {
  if (shape.n.b == 1) return packRows(add(base, n), n, kCount);
  if (shape.k.b != 1) return packGathered(base, n, constant(0), kCount);
  // B lies along k: blocks of lanes x lanes are transposed in registers, what is left of k is gathered.
  Value blocks = arith::DivUIOp::create(builder, loc, kCount, constant(lanes));
  Value full = mul(blocks, lanes);
  packTransposed(base, n, full);
  if (shape.k.size % lanes) packGathered(base, n, full, kCount);
}

// B lies along n.
void ContractEmitter::packRows(Value base, Value n, Value kCount) {
  SmallVector<Value> masks(tiling.vectors);
  if (masked)
    for (int64_t v = 0; v < tiling.vectors; ++v) masks[v] = mask(n, v);
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vector));
  loop("k", constant(0), kCount, 1, [&](Value k) {
    Value source = add(base, mul(k, shape.k.b)), target = mul(k, width);
    for (int64_t v = 0; v < tiling.vectors; ++v) {
      Value at = add(source, v * lanes), row;
      if (masked) row = vector::MaskedLoadOp::create(builder, loc, vector, b, at, masks[v], zero);
      else row = vector::LoadOp::create(builder, loc, vector, b, at);
      vector::StoreOp::create(builder, loc, row, scratch, add(target, v * lanes));
    }
  });
}

// B lies in any way.
void ContractEmitter::packGathered(Value base, Value n, Value from, Value to) {
  auto index = VectorType::get({4}, builder.getI32Type(), {true});
  Value step = vector::StepOp::create(builder, loc, VectorType::get({4}, builder.getIndexType(), {true}));
  Value stride = arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(index, builder.getI32IntegerAttr(static_cast<int32_t>(shape.n.b))));
  Value columns = arith::MulIOp::create(builder, loc, arith::IndexCastOp::create(builder, loc, index, step), stride);
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vector));
  SmallVector<Value> masks, first;
  for (int64_t v = 0; v < tiling.vectors; ++v) {
    masks.push_back(mask(n, v));
    // Masked-off lanes read the first, which has to be in memory even where a whole vector is masked off.
    first.push_back(mul(masked ? least(lane(n, v), constant(shape.n.size - 1)) : lane(n, v), shape.n.b));
  }
  loop("k", from, to, 1, [&](Value k) {
    Value source = add(base, mul(k, shape.k.b)), target = mul(k, width);
    for (int64_t v = 0; v < tiling.vectors; ++v) {
      Value at = add(source, first[v]);
      Value row = vector::GatherOp::create(builder, loc, vector, b, ValueRange{at}, columns, masks[v], zero);
      vector::StoreOp::create(builder, loc, row, scratch, add(target, v * lanes));
    }
  });
}

void ContractEmitter::packTransposed(Value base, Value n, Value to) {
  loop("k", constant(0), to, lanes, [&](Value k) {
    loop("v", constant(0), constant(width), lanes, [&](Value v) {
      SmallVector<Value> rows;
      for (int64_t j = 0; j < lanes; ++j) {
        Value column = add(add(n, v), j);
        if (masked) column = least(column, constant(shape.n.size - 1));
        rows.push_back(vector::LoadOp::create(builder, loc, vector, b, add(add(base, k), mul(column, shape.n.b))));
      }
      rows = transposed(rows);
      for (int64_t j = 0; j < lanes; ++j)
        vector::StoreOp::create(builder, loc, rows[j], scratch, add(mul(add(k, j), width), v));
    });
  });
}

// The rows of A, all for one k and then for the next, as they lie; they are packed in strips of a vector's rows.
void ContractEmitter::packA(Value base, Value kCount) {
  bool whole = shape.m.size % tiling.blockM == 0;
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vector));
  SmallVector<Value> masks, first;
  for (int64_t row = 0; row < tiling.blockM; row += lanes) {
    first.push_back(add(rows.begin, row));
    if (whole) continue;
    masks.push_back(mask(shape.m.size, first.back()));
    // A masked load may read all of its lanes: not far beyond the end.
    first.back() = least(first.back(), constant(shape.m.size - 1));
  }
  loop("k", constant(0), kCount, 1, [&](Value k) {
    Value from = add(base, mul(k, shape.k.a)), to = add(mul(k, lanes), tiling.packedB(lanes));
    for (int64_t row = 0; row < tiling.blockM; row += lanes) {
      Value at = add(from, first[row / lanes]), strip;
      if (whole) strip = vector::LoadOp::create(builder, loc, vector, a, at);
      else strip = vector::MaskedLoadOp::create(builder, loc, vector, a, at, masks[row / lanes], zero);
      vector::StoreOp::create(builder, loc, strip, scratch, add(to, row / lanes * tiling.stripStride(lanes)));
    }
  });
}

// Where the packed A of a row begins: strips as wide as a vector lie one behind the other, behind the panel of B.
Value ContractEmitter::packedRow(Value m) {
  Value row = builder.createOrFold<arith::SubIOp>(loc, m, rows.begin);
  Value strip = arith::DivUIOp::create(builder, loc, row, constant(lanes));
  Value within = arith::RemUIOp::create(builder, loc, row, constant(lanes));
  return add(add(mul(strip, tiling.stripStride(lanes)), within), tiling.packedB(lanes));
}

// Of what has been packed. A block of k is summed from zero, as errors then grow with its length.
void ContractEmitter::sumColumns(Value n, Value kCount, bool whole) {
  auto branch = scf::IfOp::create(builder, loc, isFirstRows);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  auto sums = scf::ForOp::create(builder, loc, constant(0), kCount, constant(1), SmallVector<Value>(tiling.vectors, zero()));
  {
    OpBuilder::InsertionGuard inLoop(builder);
    builder.setInsertionPointToStart(sums.getBody());
    Value k = sums.getInductionVar();
    k.setLoc(NameLoc::get(builder.getStringAttr("k"), loc));
    Value from = direct ? add(panelAt, mul(k, shape.k.b)) : mul(k, width);
    SmallVector<Value> next;
    for (auto [v, sum] : llvm::enumerate(sums.getRegionIterArgs())) {
      Value row = vector::LoadOp::create(builder, loc, vector, direct ? b : scratch, add(from, int64_t(v) * lanes));
      next.push_back(arith::AddFOp::create(builder, loc, sum, row));
    }
    scf::YieldOp::create(builder, loc, next);
  }
  for (auto [v, sum] : llvm::enumerate(sums.getResults())) {
    Value at = add(add(besideBase.back(), n), int64_t(v) * lanes), value = sum;
    if (!whole) value = arith::AddFOp::create(builder, loc, loadStart(columnSums, at, n, int64_t(v)), value);
    store(value, columnSums, at, n, int64_t(v));
  }
}

void ContractEmitter::registerTile(Value aBase, Value cBase, Value m, int64_t rows, Value n, Value kCount,
                                   bool accumulate, bool whole) {
  SmallVector<Value> aRow(rows), cRow(rows);
  for (int64_t r = 0; r < rows; ++r) {
    Value row = add(m, r);
    aRow[r] = tiling.packsA ? add(packedRow(m), r) : add(aBase, mul(row, shape.m.a));
    cRow[r] = add(add(cBase, mul(row, shape.m.c)), n);
  }
  SmallVector<Value> starts;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < tiling.vectors; ++v)
      starts.push_back(accumulate && !addsInPlace ? loadStart(c, add(cRow[r], v * lanes), n, v) : zero());
  // What this tile stores, or with several blocks of k the next one loads: waits for it take up to a tenth of the time.
  if (!direct && rows == tiling.rows && shape.products() * shape.m.size * shape.n.size > kStaysNear) {
    Value first = whole || addsInPlace ? cRow[0] : add(cRow[0], rows * shape.m.c);
    prefetch(c, first, rows, shape.m.c, width, constant(0), 1);
  }
  auto sum = scf::ForOp::create(builder, loc, constant(0), kCount, constant(1), starts);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(sum.getBody());
    Value k = sum.getInductionVar();
    k.setLoc(NameLoc::get(builder.getStringAttr("k"), loc));
    Value from = direct ? add(panelAt, mul(k, shape.k.b)) : mul(k, width);
    SmallVector<Value> columns, next;
    for (int64_t v = 0; v < tiling.vectors; ++v)
      columns.push_back(vector::LoadOp::create(builder, loc, vector, direct ? b : scratch, add(from, v * lanes)));
    for (int64_t r = 0; r < rows; ++r) {
      Value at = add(aRow[r], mul(k, tiling.packsA ? lanes : shape.k.a));
      Value element = memref::LoadOp::create(builder, loc, tiling.packsA ? scratch : a, at);
      Value wide = vector::BroadcastOp::create(builder, loc, vector, element);
      for (int64_t v = 0; v < tiling.vectors; ++v) {
        BlockArgument accumulator = sum.getRegionIterArg(r * tiling.vectors + v);
        std::string name = ("acc" + Twine(r) + "_" + Twine(v)).str();
        accumulator.setLoc(NameLoc::get(builder.getStringAttr(name), loc));
        next.push_back(vector::FMAOp::create(builder, loc, wide, columns[v], accumulator));
      }
    }
    scf::YieldOp::create(builder, loc, next);
  }
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < tiling.vectors; ++v) {
      Value value = sum.getResult(r * tiling.vectors + v), at = add(cRow[r], v * lanes);
      if (addsInPlace) value = arith::AddFOp::create(builder, loc, value, loadAlongN(c, at, n, v));
      store(whole ? addOnto(value, add(m, r), n, v) : value, c, at, n, v);
    }
  // In a loop of its own, over what lies in the first cache: unrolled with the sums it would be long, and want their registers.
  if (whole && epilogue) finishRows(cBase, m, add(m, rows), n);
}

// Whether what is added to the product lies where its result does, as the plan says.
static bool isPlannedInPlace(Operation *op) {
  Value onto = addedInPlace(op);
  SmallVector<Attribute> places = placesOf(op);
  if (!onto || places.empty()) return false;
  return places[llvm::find(op->getOperands(), onto) - op->operand_begin()] == places[op->getNumOperands()];
}

LoweredKernel heddle::lowerContract(Operation *op, StringRef name, const TargetInfo &target, ModuleOp module) {
  auto fused = dyn_cast<FusedOp>(op);
  FusedProduct product = fused ? productOf(fused) : FusedProduct{cast<ContractOp>(op), {}, {}};
  if (!product) llvm::reportFatalInternalError("a pass made a region that is no product: " + Twine(product.refusal));
  ContractOp contract = product.contract;
  // What is added first, then what the epilogue reads.
  bool inPlace = isPlannedInPlace(op);
  SmallVector<Value> besides;
  if (!inPlace) besides.append(contract.getOnto().begin(), contract.getOnto().end());
  ContractEmitter::Epilogue epilogue;
  if (fused) {
    epilogue.body = &fused.getBody().front();
    epilogue.sum = contract.getResult();
    for (BlockArgument argument : epilogue.body->getArguments())
      if (llvm::any_of(argument.getUsers(), [&](Operation *user) { return !isa<ContractOp, ReduceOp>(user); })) {
        epilogue.beside[argument] = besides.size();
        besides.push_back(argument);
      }
  }
  SmallVector<Tensor> types = llvm::map_to_vector(besides, [](Value value) { return cast<Tensor>(value.getType()); });
  if (product.columnSum) types.push_back(cast<Tensor>(product.columnSum.getType()));
  ContractShape shape = contractShape(contract, types);
  ContractTiling tiling = contractTiling(shape, target);
  int64_t scratchBytes = tiling.scratchElements(target.lanes()) * 4;
  OpBuilder builder(op->getContext());
  KernelFrame frame = openKernel(builder, module, name, op, scratchBytes, /*flat=*/true);
  auto memoryOf = [&](Value value) {
    if (fused) return frame.operands[cast<BlockArgument>(value).getArgNumber()];
    return frame.operands[llvm::find(op->getOperands(), value) - op->operand_begin()];
  };
  ContractEmitter emitter(builder, contract.getLoc(), shape, tiling, target);
  emitter.a = memoryOf(shape.swapped ? contract.getY() : contract.getX());
  emitter.b = memoryOf(shape.swapped ? contract.getX() : contract.getY());
  for (Value value : besides) emitter.beside.push_back(memoryOf(value));
  emitter.onto = inPlace ? 0 : contract.getOnto().size();
  emitter.addsInPlace = inPlace;
  emitter.c = frame.results[0];
  emitter.scratch = frame.scratch;
  ElementEmitter elements(builder, frame.function, op->getLoc());
  epilogue.elements = &elements;
  epilogue.results = frame.results;
  if (product.columnSum) emitter.columnSums = epilogue.results.pop_back_val();
  bool computes = fused && llvm::any_of(epilogue.body->without_terminator(), [](Operation &inner) { return !isa<ContractOp, ReduceOp>(inner); });
  if (computes) emitter.epilogue = &epilogue;
  emitter.emitTiles(frame.begin, frame.end);
  return {frame.function, shape.products() * tiling.blocksM * tiling.blocksN, scratchBytes, flopsOf(contract)};
}
