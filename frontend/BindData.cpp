// Open dims that get their size from the data. What a program wants to know is collected first, so that data are read
// only where something is open, and once.
#include "frontend/AstWalk.h"
#include "frontend/TrainBlock.h"

#include <nlohmann/json.hpp>

namespace heddle {
using namespace ast;

namespace {

struct Wanted {
  const DimDecl *dim;
  std::string fact, meaning; // "vocabulary", "the size of the tokenizer's vocabulary"
};

std::string meaningOf(const std::string &fact) {
  if (fact == "vocabulary")
    return "the size of the tokenizer's vocabulary";
  if (fact == "classes")
    return "the number of classes";
  if (fact == "records")
    return "the number of records to train on";
  if (fact.rfind("values.", 0) == 0)
    return fmt::format("the number of values of `{}`", fact.substr(7));
  return fmt::format("the size that the data have for `{}`", fact.substr(0, fact.find('.')));
}

std::vector<Wanted> wanted(const FileDims &dims, const TrainBlock &block, const std::map<std::string, int64_t> &sizes) {
  std::vector<Wanted> all;
  auto want = [&](const std::string &dim, const std::string &fact) {
    if (fact.empty() || sizes.count(dim) || llvm::any_of(all, [&](const Wanted &w) { return w.dim->name.name == dim; }))
      return;
    if (const DimDecl *decl = dims.find(dim); decl && !decl->size && !decl->like)
      all.push_back({decl, fact, meaningOf(fact)});
  };
  const DataDeclaration &data = block.data;
  for (const FieldLoss &loss : fieldLosses(*block.ast))
    for (const DataField &field : data.fields)
      if (field.name == loss.field && loss.classes)
        want(loss.classes->name, field.values);
  if (data.all && !data.fields.empty() && !data.fields[0].dims.empty())
    want(data.fields[0].dims[0].name, "records");
  for (const DataField &field : data.fields) {
    for (size_t i = 0; i < field.sizes.size(); ++i)
      want(field.dims[i].name, field.sizes[i]);
    if (field.values == "vocabulary")
      want(data.vocabulary ? data.vocabulary->name : "V", "vocabulary");
    if (field.values == "classes")
      want(data.classes ? data.classes->name : "C", "classes");
  }
  return all;
}

} // namespace

std::vector<FieldLoss> fieldLosses(const Train &block) {
  std::vector<FieldLoss> found;
  AstVisitor visitor;
  visitor.call = [&](const Call &call) {
    if (call.callee.name != "cross_entropy" || call.args.size() < 2 || !call.args[0].value || !call.args[1].value)
      return;
    auto *target = call.args[1].value->as<Attribute>();
    auto *base = target ? target->base->as<Name>() : nullptr;
    if (!base || base->name != "data")
      return;
    const Ident *classes = nullptr;
    for (const Argument &arg : call.args)
      if (arg.kind == Argument::Kind::Over && !arg.over.axes.empty() && !classes)
        classes = &arg.over.axes[0].dim;
    found.push_back({&call, target->attribute.name, classes});
  };
  walk(block.body, visitor);
  return found;
}

void bindData(const ModuleTable &table, TrainBlock &block, std::map<std::string, int64_t> &sizes,
              Diagnostics &diagnostics, const BuildSettings &settings) {
  // Sizes of declared dims, computed ones too, tell how many columns the fields of a table take.
  Diagnostics silent;
  Elaborator el(table, silent, Elaborator::Mode::Check, sizes);
  el.declareFileDims();
  for (auto &[name, axis] : el.fileDims())
    if (axis->size)
      block.data.sizes[name] = *axis->size;
  std::vector<Wanted> open = wanted(table.dims(), block, sizes);
  if (block.data.all && llvm::none_of(open, [](const Wanted &w) { return w.fact == "records"; })) {
    const Ident &batch = block.data.fields[0].dims[0];
    diagnostics.error(Code::H0401, *block.data.all, fmt::format("`{}` has a size already", batch.name))
        .label(batch.span, "the batch")
        .help("leave out one of the two: `batch = all`, or the size");
  }
  if (open.empty())
    return;
  std::string error = "no data are at hand";
  std::optional<std::map<std::string, int64_t>> facts;
  if (settings.describeData) {
    nlohmann::json config = {{"base", settings.base}, {"data", nlohmann::json::parse(dataJson(block.data))}};
    facts = settings.describeData(config.dump(), error);
  }
  for (const Wanted &w : open) {
    const std::string &dim = w.dim->name.name;
    if (settings.guessedSize && !(facts && facts->count(w.fact) && facts->at(w.fact) > 0)) {
      sizes[dim] = *settings.guessedSize;
      continue;
    }
    if (facts && facts->count(w.fact) && facts->at(w.fact) > 0) {
      sizes[dim] = facts->at(w.fact);
      block.binds.push_back({dim, w.fact, sizes[dim]});
      continue;
    }
    diagnostics.error(Code::H0409, block.data.pathSpan,
                      fmt::format("the size of `{}` cannot be told: {}", dim, !facts                  ? error
                                  : facts->count(w.fact) ? "it would be 0"
                                                         : "the data do not tell it"))
        .label(w.dim->span, "open: it has " + w.meaning)
        .help(fmt::format("make the file available, or give the size: `dim {} = 97`", dim));
    if (!facts)
      return;
  }
  if (block.data.all && facts && facts->count("held_out"))
    block.heldOut = facts->at("held_out");
}

} // namespace heddle
