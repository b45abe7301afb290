// Reads the data source of a train block by one table: fields, settings, errors and what the runtime is told come from
// it. A new source is a row here and one in runtime/DataSource.cpp.
#include "frontend/TrainData.h"
#include "frontend/DidYouMean.h"
#include "frontend/TrainBlock.h"

#include <nlohmann/json.hpp>

namespace heddle {
using namespace ast;

namespace {

struct FieldRow {
  const char *name;
  Element element;
  const char *axes;           // positions in the source's axes, a digit each
  const char *values = "";    // the fact with the number of values
  const char *needs = "";     // the setting without which there is no such field
  WhenSampling sampling = WhenSampling::Absent;
};

enum class Setting { Number, Positive, Share, Flag, Text, Character, Tokenizer, Column, Dim };

struct SettingRow {
  const char *name;
  Setting kind;
};

struct SourceRow {
  const char *kind;
  const char *example;             // without the name
  std::vector<const char *> axes;  // as they are called without `over`; none: the program declares the fields
  std::vector<FieldRow> fields;
  std::vector<SettingRow> settings;
  bool records = false;            // of which the batch may be all
  bool rows = false;               // records that depend on the sizes of the program: their last batch may be partial, but there is no all
  bool secondPath = false;         // "labels"
  const char *sizesOf = "";        // the field whose dims besides the batch the data tell
  const char *lengths = "";        // the axes along which each record has a length of its own, a digit each
};

constexpr WhenSampling Generated = WhenSampling::Generated, Given = WhenSampling::Given, True = WhenSampling::True;
constexpr Element F32 = Element::F32, I32 = Element::I32, Bool = Element::Bool;

const std::vector<SourceRow> &sources() {
  static const std::vector<SourceRow> rows = {
      {"text", "(\"corpus.txt\", tokenizer = \"char\", split = 0.9)", {"B", "T"},
       {{"ids", I32, "01", "vocabulary", "", Generated}, {"next", I32, "01", "vocabulary"}},
       {{"tokenizer", Setting::Tokenizer}, {"split", Setting::Share}, {"vocabulary", Setting::Dim}}},
      {"tensors", "(\"batches.safetensors\", ids: i32[B,T], next: i32[B,T])", {}, {}, {}},
      {"csv", "(\"points.csv\", x: f32[N,I], label: i32[N])", {}, {},
       {{"split", Setting::Share}, {"separator", Setting::Character}}, true},
      {"labelled", "(\"reviews.tsv\", tokenizer = \"char\", text = 1, label = 2)", {"B", "T"},
       {{"ids", I32, "01", "vocabulary"}, {"valid", Bool, "01"}, {"label", I32, "0", "classes"}},
       {{"tokenizer", Setting::Tokenizer}, {"split", Setting::Share}, {"separator", Setting::Character},
        {"header", Setting::Flag}, {"text", Setting::Column}, {"label", Setting::Column}, {"vocabulary", Setting::Dim},
        {"classes", Setting::Dim}}, true, false, false, "", "1"},
      {"pairs", "(\"pairs.tsv\", tokenizer = \"char\", source = 1, target = 2)", {"B", "N", "T"},
       {{"src", I32, "01", "vocabulary", "", Given}, {"src_valid", Bool, "01", "", "", Given},
        {"tgt", I32, "02", "vocabulary", "", Generated}, {"next", I32, "02", "vocabulary"}, {"tgt_valid", Bool, "02", "", "", True}},
       {{"tokenizer", Setting::Tokenizer}, {"split", Setting::Share}, {"separator", Setting::Character},
        {"header", Setting::Flag}, {"source", Setting::Column}, {"target", Setting::Column}, {"vocabulary", Setting::Dim}},
       true, false, false, "", "12"},
      {"mlm", "(\"corpus.txt\", tokenizer = \"char\", document = \"\\n\\n\", mask = 0.15)", {"B", "T"},
       {{"ids", I32, "01", "vocabulary"}, {"target", I32, "01", "vocabulary"}, {"chosen", Bool, "01"},
        {"valid", Bool, "01"}, {"segs", I32, "01"}, {"follows", I32, "0", "follows", "next_sentence"}},
       {{"tokenizer", Setting::Tokenizer}, {"split", Setting::Share}, {"document", Setting::Text},
        {"next_sentence", Setting::Flag}, {"mask", Setting::Share}, {"vocabulary", Setting::Dim}}, false, true},
      {"segments", "(\"corpus.txt\", tokenizer = \"char\", split = 0.9)", {"B", "T"},
       {{"ids", I32, "01", "vocabulary", "", Generated}, {"next", I32, "01", "vocabulary"}, {"first", Bool, "0", "", "", True}},
       {{"tokenizer", Setting::Tokenizer}, {"split", Setting::Share}, {"vocabulary", Setting::Dim}}},
      {"images", "(\"images.idx\", \"labels.idx\", mean = 0.1307, std = 0.3081)", {"B", "CH", "Y", "X"},
       {{"img", F32, "0123"}, {"label", I32, "0", "classes"}},
       {{"split", Setting::Share}, {"mean", Setting::Number}, {"std", Setting::Positive}, {"classes", Setting::Dim}}, true,
       false, true, "img"},
  };
  return rows;
}

struct Reader {
  Elaborator &el;
  Elaborator::Frame &frame;
  const SourceRow &source;
  const Call &call;
  DataDeclaration &out;

  std::string example() const { return fmt::format("write `{}{}`", source.kind, source.example); }

  Diagnostic &wrong(Span span, const std::string &message) { return el.error(Code::H0403, span, message); }

  std::vector<std::string> settingNames() const {
    std::vector<std::string> names;
    for (const SettingRow &row : source.settings)
      names.push_back(row.name);
    return names;
  }

  void tokenizer(const Expr &e, const std::string &name) {
    out.settings["tokenizer"] = name;
    if (name == "char" || name == "byte" || name.ends_with(".json"))
      return;
    std::string meant = nearest(name, {"char", "byte"});
    if (meant.empty())
      el.error(Code::H0510, e.span, fmt::format("the tokenizer \"{}\" is not supported yet", name))
          .help("there are \"char\", \"byte\" and files: \"tokenizer.json\"");
    else
      wrong(e.span, fmt::format("there is no tokenizer \"{}\"", name))
          .help(fmt::format("did you mean \"{}\"?", meant))
          .replace(e.span, fmt::format("\"{}\"", meant));
  }

  // A number, or one for each channel.
  void numbers(const char *name, const Expr &e, bool positive) {
    std::vector<double> values;
    auto add = [&](const Expr &one) {
      auto n = readNumber(one, el, frame, fmt::format("`{}`", name).c_str());
      if (n && positive && n->real() <= 0)
        el.error(Code::H0410, one.span, fmt::format("`{}` must be above 0", name));
      values.push_back(n ? n->real() : 1);
    };
    if (auto *tuple = e.as<Tuple>())
      for (const ExprPtr &one : tuple->elements)
        add(*one);
    else
      add(e);
    out.settings[name] = values;
  }

  void setting(const SettingRow &row, const Expr &e) {
    auto *string = e.as<StringLiteral>();
    auto needs = [&](const char *what) {
      el.error(Code::H0410, e.span, fmt::format("`{}` must be {}", row.name, what)).help(example());
    };
    switch (row.kind) {
    case Setting::Tokenizer:
      return string ? tokenizer(e, string->value) : needs("a string");
    case Setting::Text:
      if (!string || string->value.empty())
        return needs("a string that is not empty");
      out.settings[row.name] = string->value;
      return;
    case Setting::Character:
      if (!string || string->value.size() != 1 || string->value == "\"" || string->value == "\n")
        return needs("a string of one character, no quote and no line break");
      out.settings[row.name] = string->value;
      return;
    case Setting::Number:
    case Setting::Positive:
      return numbers(row.name, e, row.kind == Setting::Positive);
    case Setting::Share: {
      auto n = readNumber(e, el, frame, fmt::format("`{}`", row.name).c_str());
      bool split = std::string_view(row.name) == "split";
      if (n && !(n->real() > 0 && (split ? n->real() <= 1 : n->real() < 1)))
        el.error(Code::H0410, e.span, split ? "`split` is the part to train on: above 0, at most 1"
                                            : fmt::format("`{}` must lie between 0 and 1", row.name));
      else if (n)
        out.settings[row.name] = n->real();
      return;
    }
    case Setting::Flag:
      if (auto *flag = e.as<BoolLiteral>())
        out.settings[row.name] = flag->value;
      else
        needs("true or false");
      return;
    case Setting::Column:
      if (string && !string->value.empty())
        out.settings[row.name] = string->value;
      else if (string)
        needs("the name of a column, or its number");
      else if (auto n = readWhole(e, el, frame, fmt::format("`{}`, a column,", row.name).c_str(), 1))
        out.settings[row.name] = *n;
      return;
    case Setting::Dim:
      if (auto *name = e.as<Name>(); name && el.dim({name->name, name->span}, frame))
        (std::string_view(row.name) == "classes" ? out.classes : out.vocabulary) = Ident{name->name, name->span};
      else if (!name)
        needs("the name of a dim");
      return;
    }
  }

  void argument(const Argument &arg, std::vector<Ident> &over) {
    auto *string = arg.value ? arg.value->as<StringLiteral>() : nullptr;
    using Kind = Argument::Kind;
    if (arg.kind == Kind::Positional && string && out.path.empty()) {
      out.path = string->value;
      out.pathSpan = arg.span;
      return;
    }
    if (arg.kind == Kind::Positional && string && source.secondPath && !out.settings.count("labels")) {
      out.settings["labels"] = string->value;
      return;
    }
    if (arg.kind == Kind::Over && !source.axes.empty() && !arg.over.into && arg.over.axes.size() == source.axes.size() &&
        llvm::all_of(arg.over.axes, [](const Over::Axis &axis) { return !axis.size; })) {
      for (const Over::Axis &axis : arg.over.axes)
        over.push_back(axis.dim);
      return;
    }
    if (arg.kind == Kind::Field && source.axes.empty())
      return field(arg);
    if (arg.kind == Kind::Named)
      for (const SettingRow &row : source.settings)
        if (arg.name.name == row.name)
          return setting(row, *arg.value);
    Diagnostic &d = wrong(arg.span, fmt::format("the data source `{}` takes no such argument", source.kind));
    if (arg.kind == Kind::Named && suggest(d, arg.name.span, arg.name.name, settingNames()))
      return;
    if (arg.kind == Kind::Over && !source.axes.empty())
      d.note(fmt::format("it has the axes {}, in this order", fmt::join(source.axes, ", ")));
    d.help(example());
  }

  void field(const Argument &arg) {
    if (arg.type.rest)
      wrong(*arg.type.rest, "a field says all of its dims");
    std::vector<Axis *> dims;
    el.refuseElement(arg.type.element, arg.type.elementSpan);
    el.resolve(arg.type, frame, dims);
    DataField field{arg.name.name, arg.type.element, arg.type.dims, "", {}};
    if (field.name == "ids" && field.element == Element::I32 && field.dims.size() == 2)
      field.sampling = Generated;
    if (out.records) {
      if (field.dims.empty())
        wrong(arg.type.span, fmt::format("the field `{}` has no batch", field.name)).help(example());
      else if (!out.fields.empty() && !out.fields[0].dims.empty() && field.dims[0].name != out.fields[0].dims[0].name)
        wrong(field.dims[0].span, fmt::format("the batch of `{}` is `{}`, but that of `{}` is `{}`", field.name,
                                              field.dims[0].name, out.fields[0].name, out.fields[0].dims[0].name))
            .help("the first dim of every field is the batch");
      if (field.element == Element::I32)
        field.values = "values." + field.name;
      for (size_t i = 0; i < field.dims.size(); ++i)
        field.sizes.push_back(i ? field.name + "." + field.dims[i].name : "");
    }
    out.fields.push_back(field);
  }

  void fixedFields(std::vector<Ident> over) {
    if (over.empty())
      for (const char *axis : source.axes)
        over.push_back({axis, call.span});
    std::string missing, list;
    Span span;
    for (const Ident &dim : over) {
      list += (list.empty() ? "" : ", ") + dim.name;
      if (!el.findDim(dim.name, frame) && el.diags().firstTime("dim " + dim.name))
        missing += (missing.empty() ? "" : ", ") + dim.name, span = dim.span;
    }
    if (!missing.empty()) {
      std::string all = fmt::format("{}", fmt::join(source.axes, ", "));
      el.error(Code::H0201, span, fmt::format("`{}` has the axes {}, but there is no dim {}", source.kind, list, missing))
          .help(fmt::format("declare `dim {}`, or name others: `over {}`", missing, all));
    }
    for (char digit : std::string_view(source.lengths))
      out.lengths.push_back(over[size_t(digit - '0')]);
    for (const FieldRow &row : source.fields) {
      std::string_view needs = row.needs;
      if (!needs.empty()) {
        auto setting = out.settings.find(row.needs);
        if (setting == out.settings.end() || setting->second != DataSetting(true))
          continue;
      }
      DataField field{row.name, row.element, {}, row.values, {}, row.sampling};
      for (char digit : std::string_view(row.axes)) {
        size_t axis = size_t(digit - '0');
        field.dims.push_back(over[axis]);
        bool told = axis && std::string_view(source.sizesOf) == row.name;
        field.sizes.push_back(told ? fmt::format("{}.{}", row.name, source.axes[axis]) : "");
      }
      out.fields.push_back(field);
    }
  }

  void read() {
    out.kind = source.kind;
    out.records = source.records;
    out.partial = source.records || source.rows;
    out.ownFields = source.axes.empty();
    std::vector<Ident> over;
    for (const Argument &arg : call.args)
      argument(arg, over);
    if (out.path.empty())
      wrong(call.parens, fmt::format("the data source `{}` names no file", source.kind)).help(example());
    if (!out.ownFields)
      fixedFields(over);
    else if (out.fields.empty())
      wrong(call.parens, fmt::format("`{}` names no field", source.kind)).help(example());
  }
};

} // namespace

std::vector<std::string> dataSources() {
  std::vector<std::string> names;
  for (const SourceRow &row : sources())
    names.push_back(row.kind);
  return names;
}

void readData(const Expr &expr, Elaborator &el, Elaborator::Frame &frame, DataDeclaration &out) {
  auto *call = expr.as<Call>();
  out.span = call ? call->callee.span : expr.span;
  std::string kind = call ? call->callee.name : "", list;
  for (const SourceRow &row : sources()) {
    if (kind == row.kind)
      return Reader{el, frame, row, *call, out}.read();
    list += fmt::format("{}`{}`", list.empty() ? "" : ", ", row.kind);
  }
  Diagnostic &d = el.error(Code::H0403, out.span, call ? fmt::format("there is no data source `{}`", kind)
                                                       : "this is not a data source");
  if (!call || !suggest(d, out.span, kind, dataSources()))
    d.help(fmt::format("there are {}; as in `{}{}`", list, sources()[0].kind, sources()[0].example));
}

std::string dataJson(const DataDeclaration &data) {
  using nlohmann::json;
  json root = {{"kind", data.kind}, {"path", data.path}};
  for (auto &[name, setting] : data.settings)
    std::visit([&, &name = name](const auto &value) { root[name] = value; }, setting);
  if (data.buckets)
    root["buckets"] = data.buckets;
  if (data.ownFields && data.records) {
    root["fields"] = json::array();
    for (const DataField &field : data.fields) {
      json one = {{"name", field.name}, {"type", spelling(field.element)}, {"dims", json::array()}, {"sizes", json::array()}};
      for (const Ident &dim : field.dims) {
        auto size = data.sizes.find(dim.name);
        one["dims"].push_back(dim.name);
        one["sizes"].push_back(size == data.sizes.end() ? 0 : size->second);
      }
      root["fields"].push_back(one);
    }
  }
  return root.dump();
}

} // namespace heddle
