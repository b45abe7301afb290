// See Blocks.h. Vectors run along the block's last dim: contiguous in scratch, anything in memory.
#include "passes/lower/Blocks.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace heddle;

struct BlockCopy::Walk {
  enum Kind { load, store, add, clear } kind;
  Value memory, block;  // of one dim
  SmallVector<StringAttr> names;
  SmallVector<int64_t> sizes, strides, inner;  // of the block; in the tensor; in the block
  SmallVector<Value> valid;                    // or null
  double rest = 0;
  bool keepsBehind = false;                    // load: what is behind the block may be in use
};

// The dims to walk; of outer axes a block has one element.
static void describe(BlockCopy::Walk &walk, Tensor whole, Tensor block, BlockCopy::Valid exists) {
  int64_t step = block.getNumElements();
  for (auto [name, size] : llvm::zip(block.getNames(), block.getSizes())) {
    step /= size;
    if (size == 1) continue;
    walk.names.push_back(name), walk.sizes.push_back(size), walk.inner.push_back(step);
    walk.strides.push_back(strideOf(whole, name));
    auto count = llvm::find_if(exists, [&](auto &dim) { return dim.first == name; });
    walk.valid.push_back(count == exists.end() ? Value() : count->second);
  }
}

Value BlockCopy::splat(Type element, double number) {
  Attribute value = element.isF32() ? Attribute(builder.getF32FloatAttr(number))
                                    : Attribute(builder.getI32IntegerAttr(static_cast<int32_t>(number)));
  return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(vectorOf(element), value));
}

void BlockCopy::fill(Value memory, Value at, int64_t count, double number) {
  Type element = cast<MemRefType>(memory.getType()).getElementType();
  Value vector = splat(element, number);
  int64_t whole = count / lanes * lanes;
  if (whole)
    loop("i", constant(0), constant(whole), lanes,
         [&](Value i) { vector::StoreOp::create(builder, loc, vector, memory, add(at, i)); });
  if (whole == count) return;
  Value mask = vector::CreateMaskOp::create(builder, loc, vectorOf(builder.getI1Type()), constant(count - whole));
  vector::MaskedStoreOp::create(builder, loc, memory, add(at, whole), mask, vector);
}

// A vector of a row that is loaded, from element `i` on. What is behind the row is overwritten by the next row; behind the last
// one, other blocks may lie.
void BlockCopy::storeRow(const Walk &w, Value vector, Value in, Value i) {
  int64_t size = w.sizes.back();
  if (!w.keepsBehind || size % lanes == 0) return void(vector::StoreOp::create(builder, loc, vector, w.block, in));
  Value left = builder.createOrFold<arith::SubIOp>(loc, constant(size), i);
  Value mask = vector::CreateMaskOp::create(builder, loc, vectorOf(builder.getI1Type()), left);
  vector::MaskedStoreOp::create(builder, loc, w.block, in, mask, vector);
}

// One row of the block along its last dim.
void BlockCopy::lastDim(const Walk &w, Value outside, Value inside) {
  Type element = cast<MemRefType>(w.memory.getType()).getElementType();
  if (w.sizes.empty() || (w.strides.back() != 1 && w.kind != Walk::load)) {
    // Element by element.
    int64_t stride = w.strides.empty() ? 0 : w.strides.back();
    Value count = w.sizes.empty() ? constant(1) : w.valid.back() ? w.valid.back() : constant(w.sizes.back());
    loop("i", constant(0), count, 1, [&](Value i) {
      Value out = add(outside, mul(i, stride)), in = add(inside, i);
      if (w.kind == Walk::load) {
        memref::StoreOp::create(builder, loc, memref::LoadOp::create(builder, loc, w.memory, out), w.block, in);
        return;
      }
      Value number;
      if (w.kind == Walk::clear) number = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element));
      else number = memref::LoadOp::create(builder, loc, w.block, in);
      if (w.kind == Walk::add)
        number = arith::AddFOp::create(builder, loc, memref::LoadOp::create(builder, loc, w.memory, out), number);
      memref::StoreOp::create(builder, loc, number, w.memory, out);
    });
    return;
  }
  int64_t size = w.sizes.back(), whole = size / lanes * lanes, stride = w.strides.back();
  Value rest = splat(element, w.rest), valid = w.valid.back();
  auto part = [&](Value i, Value left) {
    VectorType type = vectorOf(element);
    Value out = add(outside, mul(i, stride)), in = add(inside, i), mask;
    if (left) mask = vector::CreateMaskOp::create(builder, loc, vectorOf(builder.getI1Type()), left);
    if (w.kind == Walk::load) {
      Value loaded;
      if (stride != 1) {
        auto index = VectorType::get({4}, builder.getI32Type(), {true});
        Value step = vector::StepOp::create(builder, loc, VectorType::get({4}, builder.getIndexType(), {true}));
        Value by = arith::ConstantOp::create(
            builder, loc, DenseElementsAttr::get(index, builder.getI32IntegerAttr(static_cast<int32_t>(stride))));
        Value at = arith::MulIOp::create(builder, loc, arith::IndexCastOp::create(builder, loc, index, step), by);
        if (!mask)
          mask = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(vectorOf(builder.getI1Type()), true));
        loaded = vector::GatherOp::create(builder, loc, type, w.memory, ValueRange{out}, at, mask, rest);
      } else if (mask) {
        loaded = vector::MaskedLoadOp::create(builder, loc, type, w.memory, out, mask, rest);
      } else {
        loaded = vector::LoadOp::create(builder, loc, type, w.memory, out);
      }
      return storeRow(w, loaded, in, i);
    }
    Value number = rest;
    if (w.kind != Walk::clear) number = vector::LoadOp::create(builder, loc, type, w.block, in);
    if (w.kind == Walk::add) {
      Value old = mask ? vector::MaskedLoadOp::create(builder, loc, type, w.memory, out, mask, rest).getResult()
                       : vector::LoadOp::create(builder, loc, type, w.memory, out).getResult();
      number = arith::AddFOp::create(builder, loc, old, number);
    }
    if (mask) vector::MaskedStoreOp::create(builder, loc, w.memory, out, mask, number);
    else vector::StoreOp::create(builder, loc, number, w.memory, out);
  };
  auto left = [&](Value i) {
    return builder.createOrFold<arith::SubIOp>(loc, valid ? valid : constant(size), i);
  };
  if (!valid) {
    if (whole) loop("i", constant(0), constant(whole), lanes, [&](Value i) { part(i, {}); });
    if (whole < size) part(constant(whole), left(constant(whole)));
    return;
  }
  // A vector of which nothing exists may lie outside of all memory.
  loop("i", constant(0), valid, lanes, [&](Value i) { part(i, left(i)); });
  if (w.kind != Walk::load) return;
  Value end = mul(builder.createOrFold<arith::DivUIOp>(loc, add(valid, lanes - 1), constant(lanes)), lanes);
  loop("i", end, constant(size), lanes, [&](Value i) { storeRow(w, rest, add(inside, i), i); });
}

// The last two dims of the block, where the one before the last is contiguous in memory: squares are transposed in
// registers.
bool BlockCopy::lastTwoDims(const Walk &w, size_t dim, Value outside, Value inside) {
  if (w.kind != Walk::load || dim + 2 != w.sizes.size() || w.strides[dim] != 1 || w.valid[dim] || w.valid[dim + 1]) return false;
  if (w.sizes[dim] % lanes || w.sizes[dim + 1] % lanes || !cast<MemRefType>(w.memory.getType()).getElementType().isF32()) return false;
  VectorType type = vectorOf(builder.getF32Type());
  loop("i", constant(0), constant(w.sizes[dim]), lanes, [&](Value i) {
    loop("j", constant(0), constant(w.sizes[dim + 1]), lanes, [&](Value j) {
      SmallVector<Value> rows;
      for (int64_t r = 0; r < lanes; ++r)
        rows.push_back(vector::LoadOp::create(builder, loc, type, w.memory,
                                              add(add(outside, i), mul(add(j, r), w.strides[dim + 1]))));
      rows = transposed(rows);
      for (int64_t r = 0; r < lanes; ++r)
        vector::StoreOp::create(builder, loc, rows[r], w.block, add(add(inside, mul(add(i, r), w.inner[dim])), j));
    });
  });
  return true;
}

void BlockCopy::walk(const Walk &w, size_t dim, Value outside, Value inside) {
  if (lastTwoDims(w, dim, outside, inside)) return;
  if (dim + 1 >= w.sizes.size()) return lastDim(w, outside, inside);
  Value size = constant(w.sizes[dim]), valid = w.valid[dim] ? w.valid[dim] : size;
  loop(w.names[dim].getValue(), constant(0), valid, 1, [&](Value i) {
    walk(w, dim + 1, add(outside, mul(i, w.strides[dim])), add(inside, mul(i, w.inner[dim])));
  });
  if (w.kind == Walk::load && w.valid[dim])
    loop(w.names[dim].getValue(), valid, size, 1,
         [&](Value i) { fill(w.block, add(inside, mul(i, w.inner[dim])), w.inner[dim], w.rest); });
}

void BlockCopy::load(const BlockPlace &from, Value block, Tensor type, Valid valid, double rest, bool keepsBehind) {
  Walk w{Walk::load, from.memory, block, {}, {}, {}, {}, {}, rest, keepsBehind};
  describe(w, from.type, type, valid);
  walk(w, 0, from.first, constant(0));
}
void BlockCopy::store(Value block, Tensor type, const BlockPlace &to, Valid valid, bool add) {
  Walk w{add ? Walk::add : Walk::store, to.memory, block, {}, {}, {}, {}, {}, 0};
  describe(w, to.type, type, valid);
  walk(w, 0, to.first, constant(0));
}
void BlockCopy::clear(const BlockPlace &to, Tensor type, Valid valid) {
  Walk w{Walk::clear, to.memory, {}, {}, {}, {}, {}, {}, 0};
  describe(w, to.type, type, valid);
  walk(w, 0, to.first, constant(0));
}
