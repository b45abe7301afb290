// See BuildInference.h. Either entry is built of the statements that its result needs; a block of which it cannot be made
// has none.
#include "frontend/BuildInference.h"
#include "frontend/AstWalk.h"
#include "frontend/Prediction.h"

namespace heddle {
using namespace ast;

// Sequences that are generated side by side: one text; of pairs as many as a search for the best target wants.
static constexpr int64_t kSampledTexts = 1, kSampledTargets = 8;

void buildSample(const ModuleTable &table, Diagnostics &diagnostics, mlir::ModuleOp graph, const TrainBlock &block,
                 Sizes sizes) {
  std::optional<FieldLoss> loss; // what makes a block a token model
  for (const FieldLoss &other : fieldLosses(*block.ast))
    if (other.field == "next" && !loss)
      loss = other;
  const DataField *ids = nullptr;
  for (const DataField &field : block.data.fields)
    if (field.sampling == WhenSampling::Generated)
      ids = &field;
  if (!loss || !ids)
    return;
  Diagnostics silent; // what cannot sample simply has no @sample
  sizes[ids->dims[0].name] = block.data.kind == "pairs" ? kSampledTargets : kSampledTexts;
  GraphEntry entry(table, silent, graph, sizes);
  Elaborator &el = entry.el;
  el.keepsState = false; // another batch: a window of tokens stands alone
  Span span = block.ast->name.span;
  entry.open("sample", span);
  Elaborator::Frame frame = trainFrame(table);
  el.current = &frame;
  frame.names["data"] = dataValue(entry.sampledFields(block, frame), true);
  // Only the statements that the logits need: another may use data that sampling has not.
  std::set<std::string> needed;
  AstVisitor visitor;
  visitor.name = [&](const Name &name) { needed.insert(name.name); };
  const Expr &output = *loss->call->args[0].value;
  walk(output, visitor);
  std::vector<const LetStmt *> lets;
  for (size_t i = block.ast->body.size(); i-- > 0;)
    if (auto *let = block.ast->body[i]->as<LetStmt>())
      for (const Ident &target : let->targets)
        if (needed.count(target.name)) {
          lets.push_back(let);
          walk(*let->value, visitor);
          break;
        }
  for (size_t i = lets.size(); i-- > 0 && !el.failed();)
    el.let(*lets[i], frame);
  Value logits = el.failed() ? Value() : el.expr(output, frame);
  Axis *axis = loss->classes ? el.findDim(loss->classes->name, frame) : nullptr;
  Axis *batch = el.findDim(ids->dims[0].name, frame), *time = el.findDim(ids->dims[1].name, frame);
  for (const Diagnostic *problem : silent.shown())
    if (problem->code == Code::H0308)
      diagnostics.add(*problem);
  if (el.failed() || !logits.isF32() || !axis || logits.dims.size() != 3 || !logits.has(batch) || !logits.has(time) ||
      !logits.has(axis)) {
    entry.func.erase();
    return;
  }
  logits.dims = {batch, time, axis};
  entry.close({{"logits", logits}}, span);
}

void buildPredict(const ModuleTable &table, mlir::ModuleOp graph, const TrainBlock &block, Sizes sizes) {
  std::vector<std::string> labels;
  for (const DataField &field : block.data.fields)
    if (field.element == Element::I32 && field.dims.size() == 1 && block.data.records)
      labels.push_back("data." + field.name);
  if (labels.empty())
    return;
  constexpr int64_t mostRows = 64; // of `batch = all`: enough for every thread and lane, and a single record costs little
  int64_t &rows = sizes[block.data.fields[0].dims[0].name];
  if (block.data.all)
    rows = std::min(rows, mostRows);
  Diagnostics silent; // what holds for @eval, but perhaps not for fewer rows
  GraphEntry entry(table, silent, graph, sizes);
  Elaborator &el = entry.el;
  el.keepsState = false; // as in an evaluation, nothing has gone before
  Span span = block.ast->name.span;
  entry.open("predict", span);
  Elaborator::Frame frame = trainFrame(table);
  el.current = &frame;
  frame.names["data"] = dataValue(entry.fields(block, frame, "data."), true);
  el.batch = batchAxis(el, block, frame);
  if (!el.failed())
    el.batchRows = entry.argument("$rows", Value::tensor(Element::Bool, {el.batch}), span, false);
  std::string minimise;
  auto losses = walkBlock(el, block, frame, true, minimise);
  if (el.failed())
    return entry.func.erase();
  entry.close(losses, span);
  if (!makePrediction(entry.func, labels, el.id(el.batch)))
    entry.func.erase();
}

} // namespace heddle
