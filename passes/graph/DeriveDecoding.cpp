// DeriveDecoding: @sample computes the logits of all positions. Where a position depends on earlier ones only through what
// can be kept, keys and values above all, it becomes the first run over a prompt, and @decode computes one position more.
//
// The ids that are generated are those of the argument whose row the logits are: data.ids, or data.tgt of an encoder and
// decoder. What keeps a program from it is said in a remark; its generation computes all positions for every token.
#include "passes/graph/DecodingForms.h"
#include "passes/graph/GraphBuilder.h"
#include "mlir/Pass/Pass.h"

namespace heddle {
#define GEN_PASS_DEF_DERIVEDECODING
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

// Repeats give what is kept of their iterations, stacked, to the top of the entry.
static Value collectOut(Value value, MutableArrayRef<KeptValue> others) {
  auto repeat = dyn_cast<RepeatOp>(value.getParentBlock()->getParentOp());
  if (!repeat) return value;
  OpBuilder builder(repeat);
  repeat.getYield()->insertOperands(repeat.getYield()->getNumOperands(), value);
  SmallVector<Type> types(repeat.getResultTypes());
  types.push_back(tensorOf(value).withLeading(repeat.getAxisAttr(), repeat.getCount()));
  auto wider = RepeatOp::create(builder, repeat.getLoc(), types, repeat.getNameAttr(), repeat.getAxisAttr(),
                                repeat.getCountAttr(), repeat.getReverseAttr(), repeat.getCarried(), repeat.getStacked());
  wider.getBody().takeBody(repeat.getBody());
  auto results = wider.getResults().drop_back();
  for (KeptValue &other : others)
    if (other.value.getDefiningOp() == repeat)
      other.value = wider.getResult(cast<OpResult>(other.value).getResultNumber());
  repeat.replaceAllUsesWith(results);
  repeat.erase();
  return collectOut(wider.getResults().back(), others);
}

static void derive(func::FuncOp sample) {
  BlockArgument ids;
  for (BlockArgument argument : sample.getArguments())
    if (auto name = sample.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr))
      if (name == "data.ids" || name == "data.tgt") ids = argument;
  Operation *end = sample.getBody().front().getTerminator();
  if (!ids || end->getNumOperands() != 1 || tensorOf(ids).getRank() == 0) return;
  StringAttr time = tensorOf(ids).getNames().back();
  if (!tensorOf(end->getOperand(0)).has(time)) return;

  DecodingForms forms(sample, ids, time);
  if (!forms.derive()) {
    auto remark = sample.emitRemark() << "each token of a sample computes all positions: " << forms.reason;
    if (forms.at != sample) remark.attachNote(forms.at->getLoc()) << "here";
    return;
  }
  int64_t bytes = 0;
  size_t caches = 0;
  for (size_t i = 0; i < forms.kept.size(); ++i) {
    Value all = collectOut(forms.kept[i].value, MutableArrayRef(forms.kept).drop_front(i));
    OpBuilder builder(end);
    WriteOp::create(builder, all.getLoc(), all, forms.kept[i].variable.getSymName());
    bytes += tensorOf(all).getNumElements() * 4;
    caches += forms.kept[i].cache;
  }
  sample.emitRemark() << "each token of a sample computes one position: " << caches << " tensors of the others are kept, and "
                      << forms.kept.size() - caches << " that no token changes, " << bytes << " bytes";
}

namespace {
struct DeriveDecoding : heddle::impl::DeriveDecodingBase<DeriveDecoding> {
  void runOnOperation() override {
    if (getOperation().lookupSymbol("decode")) return;
    if (auto sample = getOperation().lookupSymbol<func::FuncOp>("sample")) derive(sample);
  }
};
}  // namespace
