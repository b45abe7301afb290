// See GraphEntry.h.
#include "frontend/GraphEntry.h"

namespace heddle {
using namespace ast;

Value dataValue(const std::vector<Value> &fields, bool known) {
  Value data;
  data.kind = Value::Kind::Data;
  data.parts = fields;
  data.text = known ? "" : "unknown";
  return data;
}

Elaborator::Frame trainFrame(const ModuleTable &table) {
  Elaborator::Frame frame;
  frame.file = &table.file();
  return frame;
}

// The value of a loss or metric, one float; unknown after an error.
static Value scalar(Elaborator &el, const Ident &name, const Expr &e, const char *what, Elaborator::Frame &frame) {
  frame.subject = name.name;
  Value v = el.expr(e, frame);
  frame.subject.clear();
  if (v.isNumber() || (v.isI32() && v.dims.empty()))
    v = el.toFloat(e.span, v);
  if (!v.isUnknown() && (!v.isF32() || !v.dims.empty())) {
    el.error(Code::H0407, e.span, fmt::format("the {} `{}` is {}, not one number", what, name.name, typeText(v)))
        .help("take the mean: `mean(x)`");
    v = Value();
  }
  return v;
}

std::vector<std::pair<std::string, Value>> walkBlock(Elaborator &el, const TrainBlock &block, Elaborator::Frame &frame,
                                                     bool metrics, std::string &minimise) {
  std::vector<std::pair<std::string, Value>> losses, measured;
  for (const StmtPtr &stmt : block.ast->body) {
    if (el.building() && el.failed())
      return {};
    if (auto *let = stmt->as<LetStmt>()) {
      if (!block.misnamed.count(let))
        el.let(*let, frame);
    } else if (auto *loss = stmt->as<LossStmt>()) {
      Value v = scalar(el, loss->name, *loss->value, "loss", frame);
      v.name = loss->name.name;
      v.made = loss->name.span;
      frame.names[loss->name.name] = v;
      losses.push_back({"loss." + loss->name.name, v});
    } else if (auto *metric = stmt->as<MetricStmt>()) {
      Value v = scalar(el, metric->name, *metric->value, "metric", frame);
      frame.names[metric->name.name] = v;
      if (metrics)
        measured.push_back({"metric." + metric->name.name, v});
    }
  }
  auto all = [&] {
    losses.insert(losses.end(), measured.begin(), measured.end());
    return losses;
  };
  if (!block.minimise || (losses.empty() && !el.building())) { // that there is no loss has been reported
    minimise = losses.empty() ? "" : losses[0].first;
    return all();
  }
  const Expr &e = *block.minimise->value;
  if (auto *name = e.as<Name>())
    for (auto &[loss, value] : losses)
      if (loss == "loss." + name->name) {
        minimise = loss;
        return all();
      }
  frame.subject = "minimise";
  Value v = el.expr(e, frame);
  if (!v.isUnknown() && (!v.isF32() || !v.dims.empty())) {
    el.error(Code::H0407, e.span, fmt::format("what is minimised is {}, not one number", typeText(v)))
        .help("name a loss, `minimise lm`, or a sum of losses, `minimise lm + 0.5 * nsp`");
    v = Value();
  }
  minimise = "minimise";
  losses.push_back({"minimise", v});
  return all();
}

std::vector<Value> checkFields(Elaborator &el, const TrainBlock &block, Elaborator::Frame &frame) {
  std::vector<Value> fields;
  for (const DataField &field : block.data.fields) {
    Value v = Value::tensor(field.element, {});
    for (const Ident &dim : field.dims)
      if (Axis *axis = el.findDim(dim.name, frame))
        v.dims.push_back(axis);
    v.index = field.element != Element::F32;
    if (v.dims.size() < field.dims.size() || field.element == Element::BF16)
      v = Value(); // reported where the field is declared
    v.name = "data." + field.name;
    v.made = block.data.span;
    fields.push_back(v);
  }
  return fields;
}

Axis *batchAxis(Elaborator &el, const TrainBlock &block, const Elaborator::Frame &frame) {
  const std::vector<DataField> &fields = block.data.fields;
  return fields.empty() || fields[0].dims.empty() ? nullptr : el.findDim(fields[0].dims[0].name, frame);
}

GraphEntry::GraphEntry(const ModuleTable &table, Diagnostics &diagnostics, mlir::ModuleOp graph, const Sizes &sizes)
    : el(table, diagnostics, Elaborator::Mode::Build, sizes), builder(graph.getContext()), graph(graph) {
  el.builder = &builder;
  el.graph = graph;
  el.declareFileDims();
}

void GraphEntry::open(const std::string &name, Span span) {
  mlir::Location at = place(span);
  builder.setInsertionPointToEnd(graph.getBody());
  func = mlir::func::FuncOp::create(builder, at, name, builder.getFunctionType({}, {}));
  el.entry = func.addEntryBlock();
  builder.setInsertionPointToEnd(el.entry);
}

Value GraphEntry::argument(const std::string &name, Value value, Span span, bool checked) {
  heddle::Tensor type = el.irType(span, value);
  if (!type)
    return {};
  value.ir = el.entry->addArgument(type, mlir::NameLoc::get(builder.getStringAttr(name), place(span)));
  value.index = !value.isF32();
  value.name = name;
  value.made = span;
  if (checked) {
    value.input = static_cast<int>(el.inputs.size());
    el.inputs.push_back({name, span, std::nullopt});
  }
  names.push_back(name);
  return value;
}

void GraphEntry::counters(Span span, bool micro) {
  auto i32 = builder.getI32Type();
  mlir::Location at = place(span);
  el.seed = el.entry->addArgument(heddle::Tensor::get({builder.getStringAttr("word")}, {2}, i32), at);
  el.step = el.entry->addArgument(heddle::Tensor::get({}, {}, i32), at);
  names.push_back("$seed");
  names.push_back("$step");
  if (!micro)
    return;
  el.micro = el.entry->addArgument(heddle::Tensor::get({}, {}, i32), at);
  names.push_back("$micro");
}

void GraphEntry::close(const std::vector<std::pair<std::string, Value>> &results, Span span) {
  llvm::SmallVector<mlir::Value> values;
  for (auto &[name, value] : results)
    values.push_back(el.ordered(span, value));
  for (auto &[variable, value] : el.writes)
    WriteOp::create(builder, value.getLoc(), value, mlir::FlatSymbolRefAttr::get(builder.getContext(), variable));
  mlir::func::ReturnOp::create(builder, place(span), values);
  llvm::SmallVector<mlir::Type> types;
  for (mlir::Value v : values)
    types.push_back(v.getType());
  func.setFunctionType(builder.getFunctionType(el.entry->getArgumentTypes(), types));
  for (auto [i, name] : llvm::enumerate(names))
    func.setArgAttr(i, kNameAttr, builder.getStringAttr(name));
  for (size_t i = 0; i < results.size(); ++i)
    func.setResultAttr(i, kNameAttr, builder.getStringAttr(results[i].first));
}

void GraphEntry::ranges(std::map<std::string, int64_t> &all) const {
  for (const Elaborator::Input &input : el.inputs)
    if (input.below) {
      auto [it, fresh] = all.emplace(input.name, *input.below);
      it->second = std::min(it->second, *input.below);
    }
}

std::vector<Value> GraphEntry::fields(const TrainBlock &block, Elaborator::Frame &frame, const std::string &prefix) {
  std::vector<Value> result;
  for (const Value &v : checkFields(el, block, frame)) {
    result.push_back(argument(prefix + v.name.substr(5), v, block.data.span));
    result.back().name = v.name;
  }
  return result;
}

std::vector<Value> GraphEntry::sampledFields(const TrainBlock &block, Elaborator::Frame &frame) {
  std::vector<Value> result;
  for (auto [field, v] : llvm::zip(block.data.fields, checkFields(el, block, frame))) {
    if (field.sampling == WhenSampling::True) {
      if (heddle::Tensor type = el.irType(block.data.span, v))
        v.ir = ConstantOp::create(builder, place(block.data.span), type, 1.0);
      result.push_back(v);
    } else if (field.sampling != WhenSampling::Absent) {
      result.push_back(argument(v.name, v, block.data.span));
    }
  }
  return result;
}

mlir::Location GraphEntry::place(Span span) {
  LineColumn at = span.start();
  return mlir::FileLineColLoc::get(builder.getContext(), span.source->name(), at.line, at.column);
}

} // namespace heddle
