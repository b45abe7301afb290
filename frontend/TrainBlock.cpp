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

std::map<std::string, int64_t> readSizes(const ModuleTable &table, const Train *block, Diagnostics &diagnostics,
                                         const BuildSettings &settings) {
  std::map<std::string, int64_t> sizes;
  std::map<std::string, const DimDecl *> decls;
  std::vector<std::string> dims;
  for (const FileDim &dim : table.dims().all())
    decls[dim.decl->name.name] = dim.decl, dims.push_back(dim.decl->name.name);
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
        for (const ExprPtr &size : entry.sizes) {
          auto *literal = size->as<IntLiteral>();
          if (literal && literal->value >= 1)
            sizes[entry.dim.name] = literal->value;
          else
            diagnostics.error(Code::H0401, size->span, "a size is a whole number from 1");
        }
      }
    }
  for (auto &[name, text] : settings.set) {
    auto value = wholeNumber(text);
    auto it = decls.find(name);
    std::string problem;
    if (name == "steps")
      problem = value && *value >= 1 ? "" : fmt::format("--set {}={}: the number of steps is a whole number from 1", name, text);
    else if (name == "seed")
      problem = value && *value >= 0 ? "" : fmt::format("--set {}={}: a seed is a whole number from 0 to 2^63 - 1", name, text);
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
  const Expr *optim = nullptr;
  std::vector<const GroupStmt *> groups;

  std::optional<int64_t> whole(const Expr &e, const char *what, int64_t least) {
    return readWhole(e, el, frame, what, least);
  }

  void setting(const std::string &name, Span span, const Expr &e) {
    if (name == "data")
      readData(e, el, frame, out.data);
    else if (name == "optim")
      optim = &e; // read last: a schedule depends on the number of steps
    else if (name == "steps")
      out.steps = whole(e, "`steps`", 1).value_or(0);
    else if (name == "seed")
      out.seed = static_cast<uint64_t>(whole(e, "`seed`", 0).value_or(0));
    else if (name == "accumulate")
      out.accumulate = readWhole(e, el, frame, "`accumulate`", 1, 65535).value_or(1), out.accumulateSpan = span;
    else if (name == "from") {
      if (auto *string = e.as<StringLiteral>())
        out.from = string->value;
      else
        el.error(Code::H0410, e.span, "`from` must be the path of a checkpoint").help("write `from = \"out/bert\"`");
    } else if (name == "batch") {
      if (auto *word = e.as<Name>(); word && word->name == "all")
        out.data.all = e.span;
      else
        el.error(Code::H0410, e.span, "`batch` must be `all`").help("a batch of another size is one of `size B = 8`");
    }
  }

  static constexpr const char *actions =
      "there are `eval(lm, batches = 20)`, `save` and `sample(prompt = \"Once\", tokens = 300, temperature = 1, top_k = 40, seed = 7)`";

  void every(const EveryStmt &stmt) {
    int64_t n = whole(*stmt.period, "the period of `every`", 1).value_or(0);
    for (auto &action : stmt.actions) {
      PeriodicAction result;
      result.n = n, result.what = action->callee.name, result.span = action->callee.span;
      const std::string &what = result.what;
      if (what != "eval" && what != "save" && what != "sample") {
        Diagnostic &d = el.error(Code::H0404, result.span, fmt::format("there is no action `{}`", what));
        if (!suggest(d, result.span, what, {"eval", "save", "sample"}))
          d.help(actions);
        continue;
      }
      for (const Argument &arg : action->args)
        if (what == "save" || !(what == "eval" ? evalArgument(arg, result) : sampleArgument(arg, result))) {
          Diagnostic &d = el.error(Code::H0404, arg.span, fmt::format("`{}` takes no such argument", what));
          std::vector<std::string> names;
          if (what == "eval")
            names = {"batches"};
          else if (what == "sample")
            names = {"prompt", "tokens", "temperature", "top_k", "seed"};
          if (arg.kind != Argument::Kind::Named || !suggest(d, arg.name.span, arg.name.name, names))
            d.help(actions);
        }
      out.every.push_back(result);
    }
  }

  // False for an argument that there is not.
  bool evalArgument(const Argument &arg, PeriodicAction &result) {
    auto *name = arg.value ? arg.value->as<Name>() : nullptr;
    if (arg.kind == Argument::Kind::Named && arg.name.name == "batches") {
      result.batches = whole(*arg.value, "`batches`", 1).value_or(1);
      return true;
    }
    if (arg.kind != Argument::Kind::Positional || !name)
      return false;
    result.loss = name->name;
    std::vector<std::string> losses;
    for (const LossStmt *loss : out.losses)
      losses.push_back(loss->name.name);
    for (const MetricStmt *metric : out.metrics)
      losses.push_back(metric->name.name);
    if (!losses.empty() && !llvm::is_contained(losses, name->name)) {
      Diagnostic &d = el.error(Code::H0404, arg.span, fmt::format("there is no loss or metric `{}`", name->name));
      if (!suggest(d, arg.span, name->name, losses))
        d.help(fmt::format("eval names a loss or metric of the block: `eval({}, batches = 20)`", losses[0]));
    }
    return true;
  }
  bool sampleArgument(const Argument &arg, PeriodicAction &result) {
    if (arg.kind != Argument::Kind::Named)
      return false;
    const std::string &name = arg.name.name;
    if (name == "prompt") {
      auto *string = arg.value->as<StringLiteral>();
      if (!string || string->value.empty())
        el.error(Code::H0410, arg.value->span, "`prompt` must be a string that is not empty").help("write `prompt = \"Once\"`");
      result.sample[name] = string ? string->value : "";
    } else if (name == "tokens" || name == "top_k") {
      result.sample[name] = readWhole(*arg.value, el, frame, name == "tokens" ? "`tokens`" : "`top_k`", 1, INT32_MAX).value_or(1);
    } else if (name == "seed") {
      result.sample[name] = whole(*arg.value, "`seed`", 0).value_or(0);
    } else if (name == "temperature") {
      auto number = readNumber(*arg.value, el, frame, "`temperature`");
      if (number && !(number->real() >= 0 && std::isfinite(number->real())))
        el.error(Code::H0410, arg.value->span, "`temperature` must be a finite number from 0").help("0 takes the likeliest token");
      result.sample[name] = number ? number->real() : 1;
    } else {
      return false;
    }
    return true;
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
  const std::string &name = let.targets[0].name;
  if (let.targets.size() > 1 || name == "_")
    return "";
  if (name == "loss" && noLoss)
    return "loss lm";
  auto *call = let.value->as<Call>();
  if (call && !el.modules().find(&el.modules().file(), call->callee.name)) {
    std::string meant = el.modules().findOptimizer(call->callee.name)        ? "optim"
                        : llvm::is_contained(dataSources(), call->callee.name) ? "data"
                                                                              : "";
    if (!meant.empty() && !given.count(meant))
      return meant;
  }
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
  Reader reader{el, settings, out, {}, nullptr, {}};
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
  for (const StmtPtr &stmt : block.body)
    if (auto *metric = stmt->as<MetricStmt>())
      if (once("loss " + metric->name.name, metric->name.span, fmt::format("the loss or metric `{}`", metric->name.name)))
        out.metrics.push_back(metric);
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
    } else if (auto *group = stmt->as<GroupStmt>()) {
      reader.groups.push_back(group);
    }
  }
  out.buckets = readBuckets(block, out.data, el, settings);
  out.data.buckets = static_cast<int64_t>(out.buckets.size());
  auto missing = [&](const char *what, const char *help) {
    el.error(Code::H0406, block.name.span, fmt::format("the train block `{}` has no {}", block.name.name, what)).help(help);
  };
  if (out.data.all && !out.data.kind.empty() && !out.data.records)
    el.error(Code::H0410, *out.data.all, fmt::format("`batch = all` wants records, which `{}` has not", out.data.kind))
        .help("give the batch a size: `size B = 8`");
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
  if (reader.optim)
    out.optimizer = readOptimizer(*reader.optim, reader.groups, out.steps, el, reader.frame);
  return out;
}

std::string configJson(const TrainBlock &block, const std::string &minimise, const std::map<std::string, int64_t> &ranges,
                       const std::vector<OptimizerGroup> &groups, const BuildSettings &settings) {
  using nlohmann::json;
  json every = json::array();
  for (const PeriodicAction &action : block.every) {
    json one = {{"n", action.n}, {"do", action.what}};
    if (action.what == "eval") {
      if (action.batches)
        one["batches"] = action.batches;
      if (!action.loss.empty())
        one["loss"] = action.loss;
    }
    for (auto &[name, setting] : action.sample)
      std::visit([&, &name = name](const auto &value) { one[name] = value; }, setting);
    every.push_back(one);
  }
  json batch = json::object();
  for (auto &[name, size] : block.sizes)
    batch[name] = size;
  json root = {{"program", block.ast->name.name}, {"base", settings.base}, {"data", json::parse(dataJson(block.data))}, {"batch", batch},
               {"steps", block.steps}, {"seed", block.seed}, {"minimise", minimise}, {"every", every}};
  root["ranges"] = json(ranges);
  for (const OptimizerGroup &group : groups)
    root["groups"].push_back({{"settings", group.settings}, {"parameters", group.parameters}});
  if (block.accumulate > 1)
    root["accumulate"] = block.accumulate;
  if (!block.from.empty())
    root["from"] = block.from;
  for (const BoundDim &bind : block.binds)
    root["binds"].push_back({{"dim", bind.dim}, {"of", bind.fact}, {"size", bind.size}});
  return root.dump();
}

} // namespace heddle
