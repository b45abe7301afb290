// See FusedProduct.h.
#include "passes/lower/FusedProduct.h"
#include "passes/lower/ContractShape.h"

using namespace mlir;
using namespace heddle;

static Tensor tensorOf(Value value) { return cast<Tensor>(value.getType()); }

SmallVector<StringAttr> heddle::columnsOf(ContractOp op) {
  Tensor x = tensorOf(op.getX()), y = tensorOf(op.getY());
  SmallVector<StringAttr> columns;
  for (StringAttr name : llvm::reverse(tensorOf(op.getResult()).getNames())) {
    bool ofX = x.has(name) && !y.has(name), ofLast = columns.empty() || x.has(columns.front()) == ofX;
    if (x.has(name) == y.has(name) || !ofLast) break;
    columns.insert(columns.begin(), name);
  }
  return columns;
}

bool heddle::fitsProduct(Tensor type, ContractOp op) {
  Tensor result = tensorOf(op.getResult());
  SmallVector<StringAttr> columns = columnsOf(op);
  ArrayRef<StringAttr> names = type.getNames(), all = result.getNames();
  bool known = names.empty() || names == all || names == ArrayRef<StringAttr>(columns) || names == all.drop_back(columns.size());
  return known && llvm::all_of(names, [&](StringAttr name) { return type.sizeOf(name) == result.sizeOf(name); });
}

bool heddle::isColumnSum(ReduceOp op, ContractOp product) {
  SmallVector<StringAttr> columns = columnsOf(product);
  if (op.getKind() != "sum" || columns.empty()) return false;
  Value packed = tensorOf(product.getX()).has(columns.front()) ? product.getX() : product.getY();
  auto sameDims = [](ArrayAttr left, ArrayAttr right) {
    return llvm::SmallDenseSet<Attribute>(left.begin(), left.end()) == llvm::SmallDenseSet<Attribute>(right.begin(), right.end());
  };
  return op.getX() == packed && sameDims(op.getOver(), product.getOver()) &&
         tensorOf(op.getResult()).getNames() == ArrayRef<StringAttr>(columns) && !isStreamed(contractShape(product));
}

Value heddle::addedInPlace(Operation *op) {
  auto fused = dyn_cast<FusedOp>(op);
  auto contract = dyn_cast<ContractOp>(op);
  if (fused) {
    FusedProduct product = productOf(fused);
    contract = product.contract;
    // The column sum could lie there as well, if it were of that type.
    if (!product || !contract || (product.columnSum && product.columnSum.getType() == contract.getType())) return {};
    if (!llvm::all_of(fused.getBody().front().without_terminator(), llvm::IsaPred<ContractOp, ReduceOp>)) return {};
  }
  if (!contract || contract.getOnto().size() != 1) return {};
  Value onto = contract.getOnto()[0];
  // What is multiplied has the summed dims, and so is never what is added.
  if (onto.getType() != contract.getType() || isStreamed(contractShape(contract))) return {};
  return fused ? fused.getInputs()[cast<BlockArgument>(onto).getArgNumber()] : onto;
}

FusedProduct heddle::productOf(FusedOp op) {
  FusedProduct product;
  Block &body = op.getBody().front();
  for (auto contract : body.getOps<ContractOp>()) {
    // product_c1
    if (product.contract) return product.refusal = "there are two products in it", product;
    product.contract = contract;
  }
  if (!product.contract) return product;
  auto refuse = [&](const Twine &why) {
    product.refusal = why.str();
    return product;
  };
  ContractOp contract = product.contract;
  // product_c2
  for (Value operand : contract.getOperands())
    if (!isa<BlockArgument>(operand)) return refuse("an operand of its product is computed in it");
  auto isSum = [&](Value value) { return tensorOf(value).getNames() == tensorOf(contract.getResult()).getNames(); };
  for (Operation &inner : body.without_terminator()) {
    if (&inner == contract || isa<ConstantOp>(inner)) continue;
    // product_c1
    if (auto sum = dyn_cast<ReduceOp>(inner); sum && !product.columnSum && isColumnSum(sum, contract)) {
      product.columnSum = sum;
      continue;
    }
    if (!inner.hasTrait<IsElementwise>())
      return refuse("'" + inner.getName().getStringRef().str() + "' is not done with single sums of a product");
    // product_c3
    Value result = inner.getResult(0);
    if (!isSum(result) && tensorOf(result).getRank() != 0) return refuse("an op in it has other dims than its product");
    for (Value operand : inner.getOperands())
      if (isa<BlockArgument>(operand) && !fitsProduct(tensorOf(operand), contract))
        return refuse("an operand lies otherwise than the result of its product");
  }
  // product_c4
  OperandRange yielded = op.getYield()->getOperands();
  if (ReduceOp sum = product.columnSum; sum && !(sum->hasOneUse() && yielded.size() > 1 && yielded.back() == sum.getResult()))
    return refuse("its column sum is not its last result alone");
  for (Value value : yielded.drop_back(product.columnSum ? 1 : 0)) {
    if (value.getType() != contract.getType()) return refuse("a result has another type than its product");
    if (isa<BlockArgument>(value)) return refuse("a result of it is an operand");
  }
  return product;
}
