// Kernels in LLVM's terms. Memrefs are static and row-major, so an access is base + constant strides: going through
// upstream's memref descriptors would build and take apart a struct for each, which costs compile time and says less.
#include "codegen/llvm/ExpandKernels.h"
#include "ir/graph/Heddle.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace heddle;

static constexpr unsigned kElementBytes = 4;  // the alignment of every access: no memref promises more

namespace {
class Expansion {
 public:
  Expansion(Operation *op, const TargetInfo &target) : target(target), op(op), loc(op->getLoc()), b(op) {}

  void run() {
    if (auto load = dyn_cast<memref::LoadOp>(op)) return loadAs(load.getMemRef(), load.getIndices());
    if (auto load = dyn_cast<vector::LoadOp>(op)) return loadAs(load.getBase(), load.getIndices());
    if (auto store = dyn_cast<memref::StoreOp>(op)) return store_(store.getValue(), store.getMemRef(), store.getIndices());
    if (auto store = dyn_cast<vector::StoreOp>(op))
      return store_(store.getValueToStore(), store.getBase(), store.getIndices());
    if (auto load = dyn_cast<vector::MaskedLoadOp>(op)) return maskedLoad(load);
    if (auto store = dyn_cast<vector::MaskedStoreOp>(op)) {
      LLVM::MaskedStoreOp::create(b, loc, store.getValueToStore(), address(store.getBase(), store.getIndices()),
                                  store.getMask(), b.getI32IntegerAttr(kElementBytes));
      return op->erase();
    }
    if (auto prefetch = dyn_cast<memref::PrefetchOp>(op)) {
      LLVM::Prefetch::create(b, loc, address(prefetch.getMemref(), prefetch.getIndices()), /*rw=*/0, /*hint=*/2, /*cache=*/1);
      return op->erase();
    }
    if (auto gather_ = dyn_cast<vector::GatherOp>(op)) return gather(gather_);
    if (auto step = dyn_cast<vector::StepOp>(op)) return lanes(step);
    if (auto mask = dyn_cast<vector::CreateMaskOp>(op)) return createMask(mask);
    if (auto reduction = dyn_cast<vector::ReductionOp>(op)) return reduce(reduction);
    if (auto fma = dyn_cast<vector::FMAOp>(op))
      return replace(math::FmaOp::create(b, loc, fma.getLhs(), fma.getRhs(), fma.getAcc()));
    if (auto weave = dyn_cast<vector::InterleaveOp>(op)) {
      int64_t n = width(weave.getLhs());
      SmallVector<int64_t> order;
      for (int64_t i = 0; i < n; ++i) order.append({i, n + i});
      return replace(vector::ShuffleOp::create(b, loc, weave.getLhs(), weave.getRhs(), order));
    }
    if (auto part = dyn_cast<vector::DeinterleaveOp>(op)) {
      Value even = slice(part.getSource(), 0, 2, width(part.getSource()) / 2);
      Value odd = slice(part.getSource(), 1, 2, width(part.getSource()) / 2);
      op->replaceAllUsesWith(ValueRange{even, odd});
      return op->erase();
    }
    if (auto part = dyn_cast<vector::ScalableExtractOp>(op))
      return replace(slice(part.getSource(), part.getPos() * target.vscale, 1, width(part.getResult())).getDefiningOp());
    if (auto part = dyn_cast<vector::ScalableInsertOp>(op)) return insert(part);
  }

  // Its uses are casts to pointers by now.
  void expand(PartOp part) {
    Value offset = arith::IndexCastOp::create(b, loc, b.getI64Type(), part.getFrom());
    Value at = gep(LLVM::LLVMPointerType::get(b.getContext()), part.getMemory(), offset);
    for (Operation *cast : llvm::make_early_inc_range(part->getUsers())) {
      cast->getResult(0).replaceAllUsesWith(at);
      cast->erase();
    }
    part.erase();
  }

 private:
  static int64_t width(Value vector) { return cast<VectorType>(vector.getType()).getDimSize(0); }

  void replace(Operation *by) {
    op->replaceAllUsesWith(by);
    op->erase();
  }

  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

  /// Base plus the row-major linear index.
  Value address(Value base, ValueRange indices) {
    auto shape = cast<MemRefType>(base.getType()).getShape();
    Value linear;
    for (auto [i, at] : llvm::enumerate(indices))
      linear = linear ? b.createOrFold<arith::AddIOp>(loc, b.createOrFold<arith::MulIOp>(loc, linear, index(shape[i])), at)
                      : Value(at);
    if (!linear) return pointer(base);
    Value offset = arith::IndexCastOp::create(b, loc, b.getI64Type(), linear);
    return gep(pointer(base).getType(), base, offset);
  }
  // The base stays a memref until every access is rewritten; a cast stands for the pointer that it will be.
  Value pointer(Value base) {
    return UnrealizedConversionCastOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()), base).getResult(0);
  }
  Value gep(Type type, Value base, Value offset) {
    Type element = cast<MemRefType>(base.getType()).getElementType();
    return LLVM::GEPOp::create(b, loc, type, element, pointer(base), ValueRange{offset});
  }

  void loadAs(Value base, ValueRange indices) {
    replace(LLVM::LoadOp::create(b, loc, op->getResult(0).getType(), address(base, indices), kElementBytes));
  }
  void store_(Value value, Value base, ValueRange indices) {
    LLVM::StoreOp::create(b, loc, value, address(base, indices), kElementBytes);
    op->erase();
  }

  // Without masked loads in hardware LLVM would branch around each lane; arenas may be read past their end.
  void maskedLoad(vector::MaskedLoadOp load) {
    Value at = address(load.getBase(), load.getIndices());
    if (target.vscale > 1)
      return replace(LLVM::MaskedLoadOp::create(b, loc, op->getResult(0).getType(), at, load.getMask(),
                                                load.getPassThru(), b.getI32IntegerAttr(kElementBytes), UnitAttr()));
    Value all = LLVM::LoadOp::create(b, loc, op->getResult(0).getType(), at, kElementBytes);
    replace(arith::SelectOp::create(b, loc, load.getMask(), all, load.getPassThru()));
  }

  // Masked-off lanes read element 0 of the base, so that no lane needs a branch.
  void gather(vector::GatherOp op) {
    Value base = op.getBase();
    auto type = cast<VectorType>(op.getType());
    auto none = arith::ConstantOp::create(b, loc, b.getZeroAttr(op.getIndices().getType()));
    Value at = arith::SelectOp::create(b, loc, op.getMask(), op.getIndices(), none);
    auto pointers = VectorType::get(type.getShape(), LLVM::LLVMPointerType::get(b.getContext()));
    Value lanes = LLVM::GEPOp::create(b, loc, pointers, type.getElementType(), address(base, op.getOffsets()),
                                      ValueRange{at});
    auto everyLane = DenseElementsAttr::get(cast<ShapedType>(op.getMask().getType()), true);
    Value all = arith::ConstantOp::create(b, loc, everyLane);
    Value loaded = LLVM::masked_gather::create(b, loc, type, lanes, all, ValueRange{op.getPassThru()},
                                               b.getI32IntegerAttr(kElementBytes));
    replace(arith::SelectOp::create(b, loc, op.getMask(), loaded, op.getPassThru()));
  }

  Value iota(int64_t n) {
    auto range = llvm::seq<int32_t>(0, n);
    SmallVector<int32_t> numbers(range.begin(), range.end());
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(VectorType::get({n}, b.getI32Type()), ArrayRef<int32_t>(numbers)));
  }
  void lanes(vector::StepOp step) {
    for (Operation *user : llvm::make_early_inc_range(step->getUsers())) {
      user->getResult(0).replaceAllUsesWith(iota(width(step)));
      user->erase();
    }
    step.erase();
  }
  void createMask(vector::CreateMaskOp mask) {
    int64_t n = width(mask);
    Value count = arith::IndexCastOp::create(b, loc, b.getI32Type(), mask.getOperand(0));
    Value counts = vector::BroadcastOp::create(b, loc, VectorType::get({n}, b.getI32Type()), count);
    replace(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, iota(n), counts));
  }

  Value slice(Value vector, int64_t from, int64_t step, int64_t n) {
    SmallVector<int64_t> order;
    for (int64_t i = 0; i < n; ++i) order.push_back(from + i * step);
    return vector::ShuffleOp::create(b, loc, vector, vector, order);
  }
  void insert(vector::ScalableInsertOp part) {
    int64_t from = part.getPos() * target.vscale, n = width(part.getValueToStore()), whole = width(part.getDest());
    SmallVector<int64_t> widen, order;
    for (int64_t i = 0; i < whole; ++i) {
      widen.push_back(i < n ? i : 0);
      order.push_back(i >= from && i < from + n ? whole + i - from : i);
    }
    Value wide = vector::ShuffleOp::create(b, loc, part.getValueToStore(), part.getValueToStore(), widen);
    replace(vector::ShuffleOp::create(b, loc, part.getDest(), wide, order));
  }

  void reduce(vector::ReductionOp reduction) {
    Value lanes = reduction.getVector();
    for (int64_t n = width(lanes) / 2; n >= 1; n /= 2)
      lanes = combine(reduction.getKind(), slice(lanes, 0, 1, n), slice(lanes, n, 1, n));
    replace(vector::ExtractOp::create(b, loc, lanes, 0));
  }
  Value combine(vector::CombiningKind kind, Value lo, Value hi) {
    using K = vector::CombiningKind;
    auto pick = [&](arith::CmpFPredicate predicate) -> Value {
      Value better = arith::CmpFOp::create(b, loc, predicate, hi, lo);
      return arith::SelectOp::create(b, loc, better, hi, lo);
    };
    switch (kind) {
      case K::MAXNUMF: return pick(arith::CmpFPredicate::OGT);
      case K::MINNUMF: return pick(arith::CmpFPredicate::OLT);
      case K::MAXSI: return arith::MaxSIOp::create(b, loc, lo, hi);
      case K::MINSI: return arith::MinSIOp::create(b, loc, lo, hi);
      default:
        if (isa<FloatType>(getElementTypeOrSelf(lo.getType()))) return arith::AddFOp::create(b, loc, lo, hi);
        return arith::AddIOp::create(b, loc, lo, hi);
    }
  }

  const TargetInfo &target;
  Operation *op;
  Location loc;
  OpBuilder b;
};
}  // namespace

/// Makes the memref arguments of a kernel, whose only uses are casts to pointers by now, the pointers themselves.
static void passPointers(func::FuncOp function) {
  auto pointer = LLVM::LLVMPointerType::get(function.getContext());
  for (BlockArgument arg : function.getArguments()) {
    if (!isa<MemRefType>(arg.getType())) continue;
    for (Operation *cast : llvm::make_early_inc_range(arg.getUsers())) {
      cast->getResult(0).replaceAllUsesWith(arg);
      cast->erase();
    }
    arg.setType(pointer);
  }
  function.setType(FunctionType::get(function.getContext(), function.getBody().getArgumentTypes(),
                                     function.getResultTypes()));
}

void heddle::expandKernels(ModuleOp module, const TargetInfo &target) {
  SmallVector<Operation *> ops;
  module.walk([&](Operation *op) {
    if (isa<memref::MemRefDialect, vector::VectorDialect>(op->getDialect())) ops.push_back(op);
  });
  for (Operation *op : ops) Expansion(op, target).run();
  SmallVector<PartOp> parts;
  module.walk([&](PartOp part) { parts.push_back(part); });
  for (PartOp part : llvm::reverse(parts)) Expansion(part, target).expand(part);  // a part may have parts
  for (auto function : module.getOps<func::FuncOp>()) passPointers(function);
}
