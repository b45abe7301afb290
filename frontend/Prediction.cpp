// See Prediction.h. The cross entropy is sought in the graph, not in the text, so that it is found wherever it stands: in a
// module of the file, behind a name, or in a metric.
#include "frontend/Prediction.h"
#include "frontend/BatchSums.h"

using namespace mlir;

namespace heddle {
namespace {

StringRef nameOf(func::FuncOp entry, BlockArgument argument) {
  auto name = entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr);
  return name ? name.getValue() : StringRef();
}

CrossEntropyOp findLoss(func::FuncOp entry, ArrayRef<std::string> labels) {
  for (auto op : entry.getBody().front().getOps<CrossEntropyOp>()) {
    auto target = dyn_cast<BlockArgument>(op.getTarget());
    if (target && llvm::is_contained(labels, nameOf(entry, target).str()))
      return op;
  }
  return {};
}

} // namespace

bool makePrediction(func::FuncOp entry, ArrayRef<std::string> labels, StringAttr batch) {
  CrossEntropyOp loss = findLoss(entry, labels);
  if (!loss)
    return false;
  Tensor type = loss.getLogits().getType();
  StringAttr classes = loss.getOverAttr();
  if (type.getRank() != 2 || !type.has(batch))
    return false;
  Operation *end = entry.getBody().front().getTerminator();
  OpBuilder builder(end);
  Value result = SoftmaxOp::create(builder, loss.getLoc(), type, loss.getLogits(), classes);
  bool inOrder = type.getNames()[0] == batch;
  if (!inOrder) {
    type = Tensor::get({type.getNames()[1], type.getNames()[0]}, {type.getSizes()[1], type.getSizes()[0]}, type.getElementType());
    result = BroadcastOp::create(builder, loss.getLoc(), type, result);
  }
  end->setOperands(result);
  entry.setFunctionType(builder.getFunctionType(entry.getBody().getArgumentTypes(), TypeRange{type}));
  entry.setAllResultAttrs(SmallVector<DictionaryAttr>{builder.getDictionaryAttr({})});
  entry.setResultAttr(0, kNameAttr, builder.getStringAttr("probabilities"));
  dropUnused(entry);
  for (unsigned i = entry.getNumArguments(); i-- > 0;) {
    BlockArgument argument = entry.getArgument(i);
    StringRef name = nameOf(entry, argument);
    if (!argument.use_empty() && llvm::is_contained(labels, name.str()))
      return false;
    if (argument.use_empty() && name != "$rows" && failed(entry.eraseArgument(i)))
      return false;
  }
  return true;
}

} // namespace heddle
