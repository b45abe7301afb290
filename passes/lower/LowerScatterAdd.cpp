// Sums of rows by index, the gradient of an embedding: result = 0, then result[index] += update, one update after the other
// in the order of the index. What the updates are added onto lies where the result does, and nothing is 0 then. Threads share
// the columns (the last dim), never the updates, so the order of every sum is that of the text whatever their number.
#include "passes/lower/IndexEmitter.h"
#include "passes/lower/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace heddle;

namespace {

class ScatterEmitter : IndexEmitter {
public:
  ScatterEmitter(OpBuilder &builder, ScatterAddOp op, int64_t chunk, bool vectors, const TargetInfo &target)
      : IndexEmitter(builder, op.getLoc()), op(op), chunk(chunk), vectors(vectors), lanes(target.lanes()),
        vector(VectorType::get({4}, builder.getF32Type(), {true})) {}

  void emit(const KernelFrame &frame) {
    updates = frame.operands[0], index = frame.operands[1], result = frame.results[0];
    loop("tile", frame.begin, frame.end, 1, [&](Value tile) {
      if (vectors) {
        first = mul(tile, chunk);
        Value end = arith::AddIOp::create(builder, loc, first, constant(chunk));
        last = least(end, constant(columns()));
      }
      if (!op.getOnto()) overDims(type(op.getResult()), [&](const llvm::StringMap<Value> &at) {
        Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element()));
        store(zero, result, indices(type(op.getResult()), at), at);
      });
      // Over the updates in the order of the index, then the columns.
      overDims(type(op.getIndex()), [&](const llvm::StringMap<Value> &outer) {
        Value row = index;  // the index of an enclosing repeat is no buffer
        if (!isa<IndexType>(row.getType())) {
          Value id = memref::LoadOp::create(builder, loc, index, indices(type(op.getIndex()), outer));
          row = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), id);
        }
        Tensor free = type(op.getResult()).without(llvm::to_vector(type(op.getIndex()).getNames())).without({op.getAxisAttr()});
        overDims(free, [&](const llvm::StringMap<Value> &inner) {
          llvm::StringMap<Value> at = outer;
          for (auto &entry : inner) at[entry.getKey()] = entry.getValue();
          at[op.getAxis()] = row;
          Value update = load(updates, indices(type(op.getUpdates()), at), at);
          SmallVector<Value> to = indices(type(op.getResult()), at);
          Value sum = arith::AddFOp::create(builder, loc, load(result, to, at), update);
          store(sum, result, to, at);
        });
      });
    });
  }

private:
  Tensor type(Value value) { return cast<Tensor>(value.getType()); }
  StringAttr lastDim() { return type(op.getResult()).getNames().back(); }
  int64_t columns() { return type(op.getResult()).getSizes().back(); }
  Type element() { return vectors ? Type(vector) : builder.getF32Type(); }
  // A loop for every dim of `dims`, in its order; the last dim of the result by vectors of this tile's columns.
  void overDims(Tensor dims, function_ref<void(const llvm::StringMap<Value> &)> body) {
    llvm::StringMap<Value> at;
    std::function<void(int64_t)> next = [&](int64_t i) {
      if (i == dims.getRank()) return body(at);
      StringAttr name = dims.getNames()[i];
      bool byVectors = vectors && name == lastDim();
      loop(name, byVectors ? first : constant(0), byVectors ? last : constant(dims.getSizes()[i]),
           byVectors ? lanes : 1, [&](Value position) {
             at[name] = position;
             next(i + 1);
           });
    };
    next(0);
  }
  SmallVector<Value> indices(Tensor dims, const llvm::StringMap<Value> &at) {
    SmallVector<Value> values;
    for (StringAttr name : dims.getNames()) values.push_back(at.lookup(name));
    return values;
  }
  // Null where a vector is always full.
  Value mask(const llvm::StringMap<Value> &at) {
    if (columns() % lanes == 0) return {};
    Value left = arith::SubIOp::create(builder, loc, constant(columns()), at.lookup(lastDim()));
    return vector::CreateMaskOp::create(builder, loc, VectorType::get({4}, builder.getI1Type(), {true}), left);
  }
  Value load(Value memory, ValueRange where, const llvm::StringMap<Value> &at) {
    if (!vectors) return memref::LoadOp::create(builder, loc, memory, where);
    Value some = mask(at);
    if (!some) return vector::LoadOp::create(builder, loc, vector, memory, where);
    Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vector));
    return vector::MaskedLoadOp::create(builder, loc, vector, memory, where, some, zero);
  }
  void store(Value value, Value memory, ValueRange where, const llvm::StringMap<Value> &at) {
    Value some = vectors ? mask(at) : Value();
    if (!vectors) memref::StoreOp::create(builder, loc, value, memory, where);
    else if (!some) vector::StoreOp::create(builder, loc, value, memory, where);
    else vector::MaskedStoreOp::create(builder, loc, memory, where, some, value);
  }

  ScatterAddOp op;
  int64_t chunk;
  bool vectors;
  int64_t lanes;
  VectorType vector;
  Value updates, index, result, first, last;
};

}  // namespace

LoweredKernel heddle::lowerScatterAdd(ScatterAddOp op, StringRef name, const TargetInfo &target, ModuleOp module) {
  auto result = cast<Tensor>(op.getResult().getType()), updates = cast<Tensor>(op.getUpdates().getType());
  auto index = cast<Tensor>(op.getIndex().getType());
  // By vectors where the columns of result and updates lie side by side in memory; else one element at a time.
  StringAttr lastDim = result.getNames().back();
  bool vectors = lastDim != op.getAxisAttr() && !index.has(lastDim) && updates.getNames().back() == lastDim;
  int64_t columns = result.getSizes().back();
  // Some tiles to share, each of two cache lines of columns at least, which keep its writes apart from its neighbours'.
  constexpr int64_t kTiles = 8, kNarrowest = 32;
  int64_t chunk = llvm::alignTo(llvm::divideCeil(columns, kTiles), kNarrowest);
  int64_t tiles = vectors ? llvm::divideCeil(columns, chunk) : 1;
  OpBuilder builder(op.getContext());
  KernelFrame frame = openKernel(builder, module, name, op, 0);
  ScatterEmitter(builder, op, chunk, vectors, target).emit(frame);
  return {frame.function, tiles, 0};
}
