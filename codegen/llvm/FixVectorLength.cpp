// One sweep over types and splat constants: scalable vectors are a factor away from fixed ones, so no op changes.
#include "codegen/llvm/FixVectorLength.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;

void heddle::fixVectorLength(ModuleOp module, const TargetInfo &target) {
  int64_t vscale = target.vscale;
  auto fixed = [vscale](VectorType type) {
    return VectorType::get({type.getDimSize(0) * vscale}, type.getElementType());
  };
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](VectorType type) -> std::optional<Type> {
    if (!type.isScalable()) return std::nullopt;
    return fixed(type);
  });
  replacer.addReplacement([&](DenseElementsAttr value) -> std::optional<std::pair<Attribute, WalkResult>> {
    auto type = dyn_cast<VectorType>(value.getType());
    if (!type || !type.isScalable()) return std::nullopt;
    return std::pair<Attribute, WalkResult>(DenseElementsAttr::get(fixed(type), value.getSplatValue<Attribute>()),
                                            WalkResult::skip());
  });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true, /*replaceLocs=*/false, /*replaceTypes=*/true);
  module.walk([&](vector::VectorScaleOp op) {
    OpBuilder builder(op);
    op.replaceAllUsesWith(arith::ConstantIndexOp::create(builder, op.getLoc(), vscale).getResult());
    op.erase();
  });
}
