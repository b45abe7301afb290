// Reads the settings of a train block. What the language has and the runtime has not yet is refused by name.
#include "frontend/TrainBlock.h"
#include "frontend/AstWalk.h"
#include "frontend/DidYouMean.h"
#include "frontend/UnknownDim.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace heddle {
using namespace ast;

std::optional<int64_t> wholeNumber(const std::string &text) {
  int64_t value = 0;
  auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  return bad == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::map<std::string, int64_t> readSizes(const File &file, const Train *block, Diagnostics &diagnostics,
                                         const BuildSettings &settings) {
  std::map<std::string, int64_t> sizes;
  std::map<std::string, const DimDecl *> decls;
  std::vector<std::string> dims;
  for (const DimDecl &decl : file.dims)
    decls[decl.name.name] = &decl, dims.push_back(decl.name.name);
  std::vector<std::string> names{"steps", "seed"};
  names.insert(names.end(), dims.begin(), dims.end());
  std::map<std::string, Span> seen;
  if (block)
    for (const StmtPtr &stmt : block->body) {
      auto *size = stmt->as<SizeStmt>();
      if (!size)
        continue;
      Diagnostic *twice = nullptr; // one error for a statement that stands twice
      for (const SizeStmt::Entry &entry : size->entries) {
        auto it = decls.find(entry.dim.name);
        if (it == decls.end()) {
          reportUnknownDim(diagnostics, entry.dim, [&] { return dims; });
          continue;
        }
        if (it->second->size || it->second->like) {
          diagnostics.error(Code::H0401, entry.dim.span, fmt::format("`{}` has a size already", entry.dim.name))
              .label(it->second->span, "declared with it here")
              .help(it->second->like ? fmt::format("give `{}` its size", it->second->like->name)
                                     : fmt::format("declare it open: `dim {}`", entry.dim.name));
          continue;
        }
        if (auto [at, fresh] = seen.emplace(entry.dim.name, entry.span); !fresh) {
          if (twice)
            twice->label(entry.dim.span, fmt::format("so is `{}`", entry.dim.name));
          else
            twice = &diagnostics.error(Code::H0401, entry.dim.span, fmt::format("`{}` is given twice", entry.dim.name));
          twice->label(at->second, "here first");
          continue;
        }
        if (entry.sizes.size() > 1) {
          diagnostics.error(Code::H0509, entry.span, "length buckets, `T = 64 | 128`, are not supported yet")
              .help("give one size");
          continue;
        }
        auto *literal = entry.sizes[0]->as<IntLiteral>();
        if (!literal || literal->value < 1) {
          diagnostics.error(Code::H0401, entry.sizes[0]->span, "a size is a whole number from 1");
          continue;
        }
        sizes[entry.dim.name] = literal->value;
      }
    }
  for (auto &[name, text] : settings.set) {
    auto value = wholeNumber(text);
    auto it = decls.find(name);
    std::string problem;
    if (name == "steps" || name == "seed")
      problem = value && *value >= 0 ? "" : fmt::format("--set {}={}: not a whole number", name, text);
    else if (it == decls.end())
      problem = fmt::format("--set {}={}: there is no dim `{}`", name, text, name);
    else if (!value || *value < 1)
      problem = fmt::format("--set {}={}: a size is a whole number from 1", name, text);
    else if (it->second->like)
      problem = fmt::format("--set {}={}: {} has the size of {}", name, text, name, it->second->like->name);
    else if (it->second->size && !it->second->size->is<IntLiteral>())
      problem = fmt::format("--set {}={}: {} is computed from other dims", name, text, name);
    else
      sizes[name] = *value;
    if (!problem.empty()) {
      Diagnostic &d = diagnostics.error(Code::H0402, it == decls.end() ? Span() : it->second->span, problem);
      if (it == decls.end() && name != "steps" && name != "seed") {
        std::string hint = didYouMean(name, names), list = "steps, seed";
        for (const std::string &dim : dims)
          if (!decls[dim]->like && (!decls[dim]->size || decls[dim]->size->is<IntLiteral>()))
            list += ", " + dim;
        d.help(hint.empty() ? "--set gives these a value: " + list : hint);
      }
    }
  }
  return sizes;
}

namespace {

struct Reader {
  Elaborator &el;
  const BuildSettings &settings;
  TrainBlock &out;
  Elaborator::Frame frame;

  std::optional<int64_t> whole(const Expr &e, const char *what, int64_t least) {
    return readWhole(e, el, frame, what, least);
  }

  void data(const Expr &e) {
    auto *call = e.as<Call>();
    std::string kind = call ? call->callee.name : "";
    out.data.span = call ? call->callee.span : e.span;
    if (kind != "text" && kind != "tensors") {
      bool later = kind == "csv" || kind == "pairs";
      Diagnostic &d = el.error(later ? Code::H0510 : Code::H0403, out.data.span,
               later ? fmt::format("the data source `{}` is not supported yet", kind)
                     : call ? fmt::format("there is no data source `{}`", kind) : "this is not a data source");
      if (!later && call && suggest(d, out.data.span, kind, {"text", "tensors"}))
        return;
      d.help("there are `text(\"corpus.txt\", tokenizer = \"char\")` and "
                "`tensors(\"batches.safetensors\", ids: i32[B,T], next: i32[B,T])`");
      return;
    }
    out.data.kind = kind;
    std::vector<Ident> over;
    for (const Argument &arg : call->args) {
      auto *string = arg.value ? arg.value->as<StringLiteral>() : nullptr;
      if (arg.kind == Argument::Kind::Positional && string && out.data.path.empty()) {
        out.data.path = string->value;
        out.data.pathSpan = arg.span;
      } else if (arg.kind == Argument::Kind::Named && kind == "text" && arg.name.name == "tokenizer" && string) {
        out.data.tokenizer = string->value;
        if (string->value != "char" && string->value != "byte" && !string->value.ends_with(".json")) {
          std::string meant = nearest(string->value, {"char", "byte"});
          Diagnostic &d = el.error(meant.empty() ? Code::H0510 : Code::H0403, arg.value->span,
                                   meant.empty() ? fmt::format("the tokenizer \"{}\" is not supported yet", string->value)
                                                 : fmt::format("there is no tokenizer \"{}\"", string->value));
          if (meant.empty())
            d.help("there are \"char\", \"byte\" and files: \"tokenizer.json\"");
          else
            d.help(fmt::format("did you mean \"{}\"?", meant)).replace(arg.value->span, fmt::format("\"{}\"", meant));
        }
      } else if (arg.kind == Argument::Kind::Named && kind == "text" && arg.name.name == "split") {
        auto n = readNumber(*arg.value, el, frame, "`split`");
        if (n && !(n->real() > 0 && n->real() <= 1))
          el.error(Code::H0410, arg.value->span, "`split` is the part to train on: above 0, at most 1");
        out.data.split = n ? n->real() : 0.9;
      } else if (arg.kind == Argument::Kind::Over && kind == "text" && !arg.over.into && arg.over.axes.size() == 2) {
        for (const Over::Axis &axis : arg.over.axes)
          over.push_back(axis.dim);
      } else if (arg.kind == Argument::Kind::Field && kind == "tensors") {
        field(arg);
      } else {
        Diagnostic &d = el.error(Code::H0403, arg.span, fmt::format("the data source `{}` takes no such argument", kind));
        if (arg.kind == Argument::Kind::Named && kind == "text" &&
            suggest(d, arg.name.span, arg.name.name, {"tokenizer", "split"}))
          continue;
        d.help(kind == "text" ? "write `text(\"corpus.txt\", tokenizer = \"char\", split = 0.9)`"
                                 : "write `tensors(\"batches.safetensors\", ids: i32[B,T], next: i32[B,T])`");
      }
    }
    if (out.data.path.empty())
      el.error(Code::H0403, call->parens, fmt::format("the data source `{}` names no file", kind))
          .help(fmt::format("write `{}(\"corpus.txt\")`", kind));
    if (kind == "text") {
      if (over.empty())
        over = {{"B", call->span}, {"T", call->span}};
      for (const Ident &dim : over)
        if (!el.findDim(dim.name, frame) && el.diags().firstTime("dim " + dim.name))
          el.error(Code::H0201, dim.span, fmt::format("a text has the axes {} and {}, but there is no dim `{}`", over[0].name, over[1].name, dim.name))
              .help("declare `dim B, T`, or name others: `text(\"corpus.txt\", over N, T)`");
      for (const char *name : {"ids", "next"})
        out.data.fields.push_back({name, Element::I32, over});
    } else if (out.data.fields.empty()) {
      el.error(Code::H0403, call->parens, "`tensors` names no field").help("write `tensors(\"batches.safetensors\", ids: i32[B,T])`");
    }
  }

  void field(const Argument &arg) {
    for (const DataField &other : out.data.fields)
      if (other.name == arg.name.name)
        el.error(Code::H0403, arg.name.span, fmt::format("the field `{}` stands twice", arg.name.name));
    if (arg.type.rest)
      el.error(Code::H0403, *arg.type.rest, "a field says all of its dims");
    std::vector<Axis *> dims;
    el.refuseElement(arg.type.element, arg.type.elementSpan);
    el.resolve(arg.type, frame, dims);
    out.data.fields.push_back({arg.name.name, arg.type.element, arg.type.dims});
  }

  void setting(const std::string &name, Span span, const Expr &e) {
    if (name == "data")
      data(e);
    else if (name == "optim")
      out.optimizer = readOptimizer(e, el, frame);
    else if (name == "steps")
      out.steps = whole(e, "`steps`", 1).value_or(0);
    else if (name == "seed")
      out.seed = static_cast<uint64_t>(whole(e, "`seed`", 0).value_or(0));
    else if (name == "from") {
      if (auto *string = e.as<StringLiteral>())
        out.from = string->value;
      else
        el.error(Code::H0410, e.span, "`from` must be the path of a checkpoint").help("write `from = \"out/bert\"`");
    } else
      el.error(Code::H0511, span, fmt::format("`{}` is not supported yet", name))
          .help(name == "batch" ? "give the batch a size: `size B = 8`" : "leave it out");
  }

  void every(const EveryStmt &stmt) {
    int64_t n = whole(*stmt.period, "the period of `every`", 1).value_or(0);
    for (auto &action : stmt.actions) {
      PeriodicAction result{n, action->callee.name, "", 20};
      if (result.what != "eval" && result.what != "save") {
        bool later = result.what == "sample";
        Diagnostic &d = el.error(later ? Code::H0511 : Code::H0404, action->callee.span,
                 later ? "`sample` while training is not supported yet" : fmt::format("there is no action `{}`", result.what));
        if (later || !suggest(d, action->callee.span, result.what, {"eval", "save"}))
          d.help("there are `eval(lm, batches = 20)` and `save`");
        continue;
      }
      for (const Argument &arg : action->args) {
        auto *name = arg.value ? arg.value->as<Name>() : nullptr;
        bool eval = result.what == "eval";
        if (eval && arg.kind == Argument::Kind::Positional && name) {
          result.loss = name->name;
          std::vector<std::string> losses;
          for (const LossStmt *loss : out.losses)
            losses.push_back(loss->name.name);
          if (!losses.empty() && !llvm::is_contained(losses, name->name)) {
            Diagnostic &d = el.error(Code::H0404, arg.span, fmt::format("there is no loss `{}`", name->name));
            if (!suggest(d, arg.span, name->name, losses))
              d.help(fmt::format("eval names a loss of the block: `eval({}, batches = 20)`", losses[0]));
          }
        } else if (eval && arg.kind == Argument::Kind::Named && arg.name.name == "batches") {
          result.batches = whole(*arg.value, "`batches`", 1).value_or(20);
        } else {
          Diagnostic &d = el.error(Code::H0404, arg.span, fmt::format("`{}` takes no such argument", result.what));
          if (!eval || arg.kind != Argument::Kind::Named || !suggest(d, arg.name.span, arg.name.name, {"batches"}))
            d.help("write `eval(lm, batches = 20)` and `save`");
        }
      }
      out.every.push_back(result);
    }
  }
};

} // namespace

/// The setting that a value of a train block was meant to be, "" if it is a value: it has the setting's kind of value,
/// or nearly its name, and nothing uses it.
static std::string meantSetting(const LetStmt &let, Elaborator &el, const std::set<std::string> &given,
                                const std::set<std::string> &used, bool noLoss) {
  static const std::map<std::string, std::string> habits = {
      {"optimizer", "optim"}, {"optimiser", "optim"}, {"dataset", "data"},    {"epochs", "steps"},
      {"iterations", "steps"}, {"num_steps", "steps"}, {"max_steps", "steps"}, {"manual_seed", "seed"}};
  static const std::map<std::string, std::string> kinds = {
      {"text", "data"}, {"tensors", "data"}, {"csv", "data"},   {"pairs", "data"},
      {"sgd", "optim"}, {"momentum", "optim"}, {"adam", "optim"}, {"adamw", "optim"}};
  const std::string &name = let.targets[0].name;
  if (let.targets.size() > 1 || name == "_")
    return "";
  if (name == "loss" && noLoss)
    return "loss lm";
  auto *call = let.value->as<Call>();
  auto kind = call && !el.modules().find(&el.modules().file(), call->callee.name) ? kinds.find(call->callee.name) : kinds.end();
  if (kind != kinds.end() && !given.count(kind->second))
    return kind->second;
  if (used.count(name))
    return "";
  std::vector<std::string> open;
  for (const char *setting : {"data", "optim", "steps", "seed"})
    if (!given.count(setting))
      open.push_back(setting);
  auto habit = habits.find(name);
  std::string meant = habit == habits.end() ? nearest(name, open) : habit->second;
  return given.count(meant) ? "" : meant;
}

TrainBlock readTrainBlock(const Train &block, Elaborator &el, const BuildSettings &settings) {
  TrainBlock out;
  out.ast = &block;
  Reader reader{el, settings, out, {}};
  reader.frame.file = &el.modules().file();
  std::map<std::string, Span> seen;
  auto once = [&](const std::string &key, Span span, const std::string &what) {
    auto [it, fresh] = seen.emplace(key, span);
    if (!fresh)
      el.error(Code::H0405, span, fmt::format("{} stands twice", what)).label(it->second, "here first");
    return fresh;
  };
  for (const StmtPtr &stmt : block.body)
    if (auto *loss = stmt->as<LossStmt>())
      if (once("loss " + loss->name.name, loss->name.span, fmt::format("the loss `{}`", loss->name.name)))
        out.losses.push_back(loss);
  std::set<std::string> given, used;
  AstVisitor visitor;
  visitor.name = [&](const Name &name) { used.insert(name.name); };
  walk(block.body, visitor);
  for (const StmtPtr &stmt : block.body)
    if (auto *setting = stmt->as<SettingStmt>())
      given.insert(setting->name.name);
  for (const StmtPtr &stmt : block.body) {
    if (auto *let = stmt->as<LetStmt>()) {
      std::string meant = meantSetting(*let, el, given, used, out.losses.empty());
      if (meant.empty())
        continue;
      const Ident &target = let->targets[0];
      el.error(Code::H0120, target.span, fmt::format("`{}` is no setting of a train block, and no value that it uses", target.name))
          .help(meant == "loss lm" ? "a loss has a name: `loss lm = ...`" : fmt::format("did you mean `{}`?", meant))
          .replace(target.span, meant);
      out.misnamed.insert(let);
      seen.emplace(meant, target.span);
      if (meant != "loss lm")
        reader.setting(meant, target.span, *let->value);
    } else if (auto *setting = stmt->as<SettingStmt>()) {
      if (once(setting->name.name, setting->name.span, fmt::format("`{}`", setting->name.name)))
        reader.setting(setting->name.name, setting->name.span, *setting->value);
    } else if (auto *minimise = stmt->as<MinimiseStmt>()) {
      if (once("minimise", stmt->span, "`minimise`"))
        out.minimise = minimise;
    } else if (auto *precision = stmt->as<PrecisionStmt>()) {
      if (precision->element.name == "bf16")
        el.error(Code::H0501, stmt->span, "`precision bf16` is not supported yet").help("leave it out: f32 is used");
      else if (precision->element.name != "f32")
        suggest(el.error(Code::H0410, precision->element.span, fmt::format("there is no precision `{}`", precision->element.name)),
                precision->element.span, precision->element.name, {"f32", "bf16"});
    } else if (auto *every = stmt->as<EveryStmt>()) {
      reader.every(*every);
    } else if (stmt->is<MetricStmt>()) {
      el.error(Code::H0511, stmt->span, "`metric` is not supported yet").help("a `loss` that is not minimised has its own curve too");
    }
  }
  auto missing = [&](const char *what, const char *help) {
    el.error(Code::H0406, block.name.span, fmt::format("the train block `{}` has no {}", block.name.name, what)).help(help);
  };
  if (out.losses.empty() && !seen.count("loss lm"))
    missing("loss", "write `loss lm = cross_entropy(y, data.next, over V)`");
  if (!out.minimise && out.losses.size() > 1)
    missing("`minimise`", "say what is minimised: `minimise lm`");
  if (!seen.count("optim"))
    missing("optimizer", "write `optim = adamw(lr = 3e-4)`");
  if (!seen.count("steps"))
    missing("number of steps", "write `steps = 2000`");
  if (!seen.count("data"))
    missing("data", "write `data = text(\"corpus.txt\", tokenizer = \"char\")`");
  auto override = [&](const char *name) {
    auto it = settings.set.find(name);
    return it == settings.set.end() ? std::nullopt : wholeNumber(it->second);
  };
  if (auto steps = override("steps"))
    out.steps = *steps;
  if (auto seed = override("seed"))
    out.seed = static_cast<uint64_t>(*seed);
  return out;
}

std::string configJson(const TrainBlock &block, const std::string &minimise, const std::map<std::string, int64_t> &ranges,
                       const BuildSettings &settings) {
  using nlohmann::json;
  json data = {{"kind", block.data.kind}, {"path", block.data.path}};
  if (block.data.kind == "text")
    data["tokenizer"] = block.data.tokenizer, data["split"] = block.data.split;
  json every = json::array();
  for (const PeriodicAction &action : block.every) {
    json one = {{"n", action.n}, {"do", action.what}};
    if (action.what == "eval") {
      one["batches"] = action.batches;
      if (!action.loss.empty())
        one["loss"] = action.loss;
    }
    every.push_back(one);
  }
  json batch = json::object();
  for (auto &[name, size] : block.sizes)
    batch[name] = size;
  json root = {{"program", block.ast->name.name}, {"base", settings.base}, {"data", data}, {"batch", batch},
               {"steps", block.steps}, {"seed", block.seed}, {"minimise", minimise}, {"every", every}};
  root["ranges"] = json(ranges);
  if (!block.from.empty())
    root["from"] = block.from;
  if (block.vocabularySize)
    root["vocab"] = {{"dim", block.vocabularyDim}, {"size", *block.vocabularySize}};
  return root.dump();
}

} // namespace heddle
