// Entries of the graph. Those of a train block that its training needs, and @run; the others are built by BuildInference.
#include "frontend/BuildGraph.h"
#include "frontend/BatchSums.h"
#include "frontend/BuildInference.h"
#include "frontend/DidYouMean.h"
#include "frontend/Reachable.h"
#include "mlir/IR/Verifier.h"

#include <nlohmann/json.hpp>

namespace heddle {
using namespace ast;

namespace {

/// Checks one train block in Check mode, the modules with it.
TrainBlock checkTrain(Elaborator &el, const ModuleTable &table, const Train &train, const BuildSettings &settings) {
  TrainBlock block = readTrainBlock(train, el, settings);
  Elaborator::Frame frame = trainFrame(table);
  const Elaborator::Frame *outer = el.current;
  el.current = &frame;
  frame.names["data"] = dataValue(checkFields(el, block, frame), !block.data.kind.empty());
  std::string minimise;
  walkBlock(el, block, frame, true, minimise);
  el.current = outer;
  return block;
}

/// Where the text says what the result `name` of a train block is: at its loss, or at what is minimised.
Span minimisedSpan(const TrainBlock &block, const std::string &name) {
  for (const LossStmt *loss : block.losses)
    if ("loss." + loss->name.name == name)
      return loss->value->span;
  return block.minimise ? block.minimise->value->span : block.ast->name.span;
}

/// Makes the results of @train those of one micro-batch. False after an error.
bool accumulate(GraphEntry &entry, const TrainBlock &block, const std::vector<std::pair<std::string, Value>> &losses,
                Diagnostics &diagnostics) {
  Elaborator &el = entry.el;
  if (!el.batch) {
    diagnostics.error(Code::H0410, block.accumulateSpan, "`accumulate` needs data with a batch");
    return false;
  }
  if (auto found = splitTraining(entry.func, el.id(el.batch), block.accumulate)) {
    const std::string &name = losses[found->result].first;
    Span span = minimisedSpan(block, name);
    Diagnostic &d = diagnostics.error(Code::H0414, span, "this is no sum over the batch, so micro-batches cannot add up to it");
    if (auto place = found->op ? found->op->getLoc()->findInstanceOf<mlir::FileLineColLoc>() : mlir::FileLineColLoc())
      d.note(fmt::format("the first operation in the way is `{}` of line {}",
                         std::string(found->op->getName().stripDialect()), place.getLine()));
    d.label(block.accumulateSpan, "accumulated here").help("make what is not minimised a `metric`, or leave `accumulate` out");
    return false;
  }
  entry.func->setAttr("heddle.accumulate", entry.builder.getI64IntegerAttr(block.accumulate));
  return true;
}

/// @train, one of its length buckets, @eval or @run of a train block. False after an error.
bool buildLosses(const ModuleTable &table, Diagnostics &diagnostics, mlir::ModuleOp graph, const TrainBlock &block,
                 const Sizes &sizes, const std::string &name, std::map<std::string, int64_t> &ranges, std::string &minimise) {
  GraphEntry entry(table, diagnostics, graph, sizes);
  Elaborator &el = entry.el;
  bool run = name == "run", training = !run && name != "eval", accumulates = training && block.accumulate > 1;
  el.isBucket = training && name != "train";
  Span span = block.ast->name.span;
  entry.open(name, span);
  Elaborator::Frame frame = trainFrame(table);
  el.current = &frame;
  frame.names["data"] = dataValue(entry.fields(block, frame, run ? "" : "data."), true);
  if (training)
    entry.counters(span, accumulates);
  if (el.failed())
    return false;
  if (name == "eval" || accumulates)
    el.batch = batchAxis(el, block, frame);
  if (name == "eval" && el.batch && block.data.partial)
    el.batchRows = entry.argument("$rows", Value::tensor(Element::Bool, {el.batch}), span, false);
  auto losses = walkBlock(el, block, frame, name == "eval", minimise);
  if (el.failed())
    return false;
  if (run) {
    if (minimise.rfind("loss.", 0) == 0)
      minimise = minimise.substr(5);
    for (auto &[loss, value] : losses)
      if (loss.rfind("loss.", 0) == 0)
        loss = loss.substr(5);
  }
  if (training)
    for (auto &[loss, value] : losses)
      if (loss == minimise)
        checkReachable(el, value.ir, minimisedSpan(block, minimise));
  if (el.failed())
    return false;
  entry.close(losses, span);
  if (!block.metrics.empty())
    dropUnused(entry.func);
  if (accumulates && !accumulate(entry, block, losses, diagnostics))
    return false;
  if (name == "eval" && el.batch)
    splitEvaluation(entry.func, el.id(el.batch));
  if (name != "eval")
    entry.func->setAttr("heddle.minimise", entry.builder.getStringAttr(minimise));
  entry.ranges(ranges);
  return true;
}

const Train *findTrain(const ModuleTable &table, const std::string &name, Diagnostics &diagnostics) {
  const File &file = table.file();
  std::vector<std::string> names;
  for (const Train &train : file.trains) {
    if (train.name.name == name)
      return &train;
    names.push_back(train.name.name);
  }
  if (name.empty() && file.trains.size() == 1)
    return &file.trains[0];
  std::string list;
  for (const std::string &n : names)
    list += (list.empty() ? "" : ", ") + n;
  Span end{file.source, file.source->size(), file.source->size()};
  if (names.empty()) {
    Diagnostic &d = diagnostics.error(Code::H0408, end, "the file has no train block");
    for (const File *other : table.files())
      for (const Train &train : other->trains)
        d.label(train.name.span, "of an imported file: no part of this program");
    d.help("write `train NAME { ... }`");
  } else if (name.empty())
    diagnostics.error(Code::H0408, file.trains[1].name.span, "the file has several train blocks").help("say which with --train: " + list);
  else
    diagnostics.error(Code::H0408, end, fmt::format("there is no train block `{}`", name))
        .help(nearest(name, names).empty() ? "there are: " + list : didYouMean(name, names));
  return nullptr;
}

mlir::OwningOpRef<mlir::ModuleOp> newGraph(const File &file, mlir::MLIRContext &context) {
  context.loadDialect<HeddleDialect, mlir::func::FuncDialect>();
  return mlir::ModuleOp::create(mlir::FileLineColLoc::get(&context, file.source->name(), 1, 1));
}

} // namespace

// Builds a block whose sizes are all known, to find what only sizes can tell (rests, ranges, overflow). Sizes from data
// that are not at hand are such that most divisions accept them.
static void checkSizes(const ModuleTable &table, const Train &train, Diagnostics &diagnostics, const BuildSettings &settings) {
  Diagnostics silent;
  Sizes sizes = readSizes(table, &train, silent, settings);
  BuildSettings guess = settings;
  guess.guessedSize = 5040;
  Elaborator el(table, silent, Elaborator::Mode::Check, sizes);
  el.declareFileDims();
  TrainBlock block = checkTrain(el, table, train, settings);
  bindData(table, block, sizes, silent, guess);
  Elaborator bound(table, silent, Elaborator::Mode::Check, sizes);
  bound.declareFileDims();
  for (auto &[name, axis] : bound.fileDims())
    if (!axis->size)
      return;
  if (silent.hasErrors())
    return;
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  buildTrain(table.file(), train.name.name, diagnostics, context, guess);
}

void checkFile(const File &file, Diagnostics &diagnostics, const BuildSettings &settings) {
  ModuleTable table(file, diagnostics);
  if (diagnostics.hasErrors())
    return;
  Sizes none;
  bool first = true;
  for (size_t i = 0; i < std::max<size_t>(1, file.trains.size()); ++i) {
    const Train *train = i < file.trains.size() ? &file.trains[i] : nullptr;
    Elaborator el(table, diagnostics, Elaborator::Mode::Check, readSizes(table, train, diagnostics, settings));
    el.declareFileDims();
    if (first)
      el.checkModules();
    first = false;
    if (train)
      checkTrain(el, table, *train, settings);
  }
  for (const Train &train : file.trains)
    if (!diagnostics.hasErrors())
      checkSizes(table, train, diagnostics, settings);
}

mlir::OwningOpRef<mlir::ModuleOp> buildTrain(const File &file, const std::string &name, Diagnostics &diagnostics,
                                             mlir::MLIRContext &context, const BuildSettings &settings) {
  ModuleTable table(file, diagnostics);
  if (diagnostics.hasErrors())
    return {};
  const Train *train = findTrain(table, name, diagnostics);
  if (!train)
    return {};
  Sizes sizes = readSizes(table, train, diagnostics, settings);
  TrainBlock block;
  {
    Elaborator el(table, diagnostics, Elaborator::Mode::Check, sizes);
    el.declareFileDims();
    el.checkModules();
    block = checkTrain(el, table, *train, settings);
  }
  if (diagnostics.hasErrors())
    return {};
  bindData(table, block, sizes, diagnostics, settings);
  if (diagnostics.hasErrors())
    return {};
  block.sizes = sizes;
  auto graph = newGraph(file, context);
  std::map<std::string, int64_t> ranges;
  std::string minimise;
  Sizes evalSizes = sizes; // with `batch = all`, evaluation has a batch of its own: all that is held out
  if (block.heldOut.value_or(0) > 0)
    evalSizes[block.data.fields[0].dims[0].name] = *block.heldOut;
  std::vector<std::pair<std::string, Sizes>> entries = {{"train", sizes}, {"eval", evalSizes}};
  for (size_t i = 0; i + 1 < block.buckets.size(); ++i) { // the last is @train
    Sizes own = sizes;
    for (auto &[dim, size] : block.buckets[i].sizes)
      own[dim] = size;
    entries.push_back({"train" + block.buckets[i].name, own});
  }
  for (auto &[entry, own] : entries)
    if (!buildLosses(table, diagnostics, *graph, block, own, entry, ranges, minimise))
      return {};
  buildSample(table, diagnostics, *graph, block, sizes);
  for (const PeriodicAction &action : block.every)
    if (action.what == "sample" && !graph->lookupSymbol("sample"))
      diagnostics.error(Code::H0404, action.span, fmt::format("`{}` cannot sample", block.ast->name.name))
          .help("a block samples that has a loss `cross_entropy(y, data.next, over V)`, with logits y of the axes B, T and V that "
                "need nothing but data.ids");
  buildPredict(table, *graph, block, evalSizes);
  if (diagnostics.hasErrors())
    return {};
  auto groups = buildOptimizer(table, diagnostics, *graph, *block.optimizer, block.steps, sizes);
  if (!groups)
    return {};
  mlir::Builder builder(&context);
  graph->getOperation()->setAttr("heddle.program", builder.getStringAttr(block.ast->name.name));
  std::string shown = minimise.rfind("loss.", 0) == 0 ? minimise.substr(5) : minimise;
  graph->getOperation()->setAttr("heddle.config", builder.getStringAttr(configJson(block, shown, ranges, *groups, settings)));
  return graph;
}

// What `--set` may give a dim or a constant of a module, as a message says it.
static const char *wanted(const Parameter &p) {
  using C = Parameter::ConstType;
  return p.kind == Parameter::Kind::Dim ? "a whole number from 1"
         : p.constType == C::Bool       ? "true or false"
         : p.constType == C::Int        ? "a whole number"
                                        : "a finite number";
}

// The number that `--set` gives a dim or a constant of a module; nothing if the text is not what is wanted.
static std::optional<Number> given(const Parameter &p, const std::string &text) {
  using C = Parameter::ConstType;
  if (p.constType == C::Bool)
    return text == "true" || text == "false" ? std::optional(Number::ofBool(text == "true")) : std::nullopt;
  auto whole = wholeNumber(text);
  if (p.kind == Parameter::Kind::Dim && whole && *whole < 1)
    return std::nullopt;
  if (whole && p.constType != C::Float)
    return Number::ofInt(*whole);
  char *stop = nullptr;
  double value = std::strtod(text.c_str(), &stop);
  bool allowed = p.kind != Parameter::Kind::Dim && p.constType != C::Int;
  return allowed && !text.empty() && !*stop && std::isfinite(value) ? std::optional(Number::ofFloat(value)) : std::nullopt;
}

mlir::OwningOpRef<mlir::ModuleOp> buildRun(const File &file, const std::string &name, const InputShapes &shapes,
                                           Diagnostics &diagnostics, mlir::MLIRContext &context,
                                           const BuildSettings &settings) {
  ModuleTable table(file, diagnostics);
  if (diagnostics.hasErrors())
    return {};
  const Module *module = table.find(&file, name);
  const Train *train = nullptr;
  for (const Train &t : file.trains)
    if (t.name.name == name)
      train = &t;
  Span end{file.source, file.source->size(), file.source->size()};
  if (!module && !train) {
    std::vector<std::string> names = table.moduleNames(&file);
    for (const Train &t : file.trains)
      names.push_back(t.name.name);
    Diagnostic &d = diagnostics.error(Code::H0408, end, fmt::format("there is no module or train block `{}`", name));
    std::string hint = didYouMean(name, names), list;
    for (const std::string &n : names)
      list += (list.empty() ? "" : ", ") + n;
    d.help(hint.empty() ? "there are: " + list : hint);
    return {};
  }
  if (module) {
    train = nullptr;
    if (table.reportClash(&file, {name, end}, diagnostics))
      return {};
  }
  // Sizes of open dims come from the shapes of the inputs.
  BuildSettings fileSettings = settings;
  std::map<std::string, int64_t> ownSizes;
  std::map<std::string, Number> constants;
  if (module)
    for (const Parameter &p : module->params)
      if (auto it = fileSettings.set.find(p.name.name); it != fileSettings.set.end() && p.kind != Parameter::Kind::Tensor) {
        auto number = given(p, it->second);
        if (!number)
          diagnostics.error(Code::H0402, p.span, fmt::format("--set {}={}: not {}", p.name.name, it->second, wanted(p)));
        else if (p.kind == Parameter::Kind::Dim)
          ownSizes[p.name.name] = number->i;
        else
          constants[p.name.name] = *number;
        fileSettings.set.erase(it);
      }
  Sizes sizes = readSizes(table, train, diagnostics, fileSettings);
  TrainBlock block;
  std::map<std::string, const DimDecl *> decls;
  for (const FileDim &dim : table.dims().all()) // that the module or the block sees
    if (table.dims().sees(module ? table.info(module).file : &file, dim.decl->name.name))
      decls[dim.decl->name.name] = dim.decl;
  Sizes bound = sizes; // what the shapes say, dims of the file and of the module
  std::map<std::string, std::string> boundBy;
  auto bind = [&](const std::string &input, const std::vector<Ident> &dims, bool rest, Span span) {
    auto it = shapes.find(input);
    if (it == shapes.end())
      return;
    const std::vector<int64_t> &shape = it->second;
    if (shape.size() < dims.size() || (!rest && shape.size() > dims.size())) {
      diagnostics.error(Code::H0413, span, fmt::format("the input `{}` has {} dims, not {}", input, shape.size(), dims.size()));
      return;
    }
    if (llvm::is_contained(shape, 0)) {
      diagnostics.error(Code::H0413, span, fmt::format("the input `{}` has a dim of size 0", input));
      return;
    }
    for (size_t i = 0; i < dims.size(); ++i) {
      int64_t size = shape[shape.size() - dims.size() + i];
      const std::string &dim = dims[i].name;
      auto decl = decls.find(dim);
      bool own = module && (decl == decls.end() || ownSizes.count(dim));
      bool closed = !own && decl != decls.end() && (decl->second->size || decl->second->like);
      if (closed)
        continue; // compared below, when the dims are declared
      auto [at, fresh] = (own ? ownSizes : bound).emplace(dim, size);
      if (!fresh && at->second != size && (own || !train || boundBy.count(dim)))
        diagnostics.error(Code::H0413, dims[i].span, fmt::format("the input `{}` has {} = {}, but {} is {}", input, dim, size, dim, at->second));
      else if (!fresh && train)
        at->second = size;
      boundBy[dim] = input;
    }
  };
  {
    Elaborator el(table, diagnostics, Elaborator::Mode::Check, sizes);
    el.declareFileDims();
    el.checkModules();
    if (train)
      block = checkTrain(el, table, *train, fileSettings);
  }
  if (diagnostics.hasErrors())
    return {};
  if (train)
    for (const DataField &field : block.data.fields)
      bind(field.name, field.dims, false, block.data.span);
  else
    for (const Parameter &p : module->params)
      if (p.kind == Parameter::Kind::Tensor)
        bind(p.name.name, p.type.dims, p.type.rest.has_value(), p.span);
  if (diagnostics.hasErrors())
    return {};
  block.data.all.reset(); // the batch is that of the inputs
  if (train)
    bindData(table, block, bound, diagnostics, settings);
  if (diagnostics.hasErrors())
    return {};
  auto graph = newGraph(file, context);
  std::map<std::string, int64_t> ranges;
  std::string minimise;
  mlir::Builder builder(&context);
  if (train) {
    if (!buildLosses(table, diagnostics, *graph, block, bound, "run", ranges, minimise))
      return {};
  } else {
    GraphEntry entry(table, diagnostics, *graph, bound);
    Elaborator &el = entry.el;
    entry.open("run", module->name.span);
    Elaborator::Frame frame;
    frame.module = module;
    frame.file = table.info(module).file;
    frame.subject = snakeCase(module->name.name);
    el.current = &frame;
    auto own = [&](const Ident &dim) -> Axis * {
      auto it = ownSizes.find(dim.name);
      Axis *axis = el.freshAxis(dim.name, it == ownSizes.end() ? std::nullopt : std::optional(it->second),
                                Formula::symbol(dim.name + "@run"), dim.span);
      axis->owner = module;
      return frame.dims[dim.name] = axis;
    };
    for (const Parameter &p : module->params)
      if (p.kind == Parameter::Kind::Dim) {
        if (p.defaultValue && !ownSizes.count(p.name.name)) {
          if (auto size = el.size(*p.defaultValue, frame); size && size->value)
            ownSizes[p.name.name] = *size->value;
        }
        own(p.name);
      }
    for (const Parameter &p : module->params) {
      if (p.kind == Parameter::Kind::Tensor) {
        for (const Ident &dim : p.type.dims)
          if (!el.findDim(dim.name, frame))
            own(dim);
        auto shape = shapes.find(p.name.name);
        if (p.type.rest && frame.rest.empty() && shape != shapes.end())
          for (size_t i = 0; i + p.type.dims.size() < shape->second.size(); ++i)
            frame.rest.push_back(el.freshAxis(fmt::format("dim{}", i), shape->second[i], Formula::symbol(fmt::format("rest{}", i)), p.span));
      } else if (p.kind == Parameter::Kind::Const) {
        Value v;
        if (auto it = constants.find(p.name.name); it != constants.end()) {
          v = Value::of(it->second);
        } else if (p.defaultValue) {
          v = el.expr(*p.defaultValue, frame);
        } else {
          el.error(Code::H0321, p.span, fmt::format("the constant `{}` has no value", p.name.name))
              .help(fmt::format("give it: `--set {}=1`", p.name.name));
        }
        v.name = p.name.name;
        frame.names[p.name.name] = v;
      }
    }
    for (const Parameter &p : module->params) {
      if (p.kind != Parameter::Kind::Tensor)
        continue;
      std::vector<Axis *> dims;
      if (!el.resolve(p.type, frame, dims))
        return {};
      if (auto it = shapes.find(p.name.name); it != shapes.end())
        for (size_t i = 0; i < dims.size() && it->second.size() == dims.size(); ++i)
          if (dims[i]->size && *dims[i]->size != it->second[i])
            el.error(Code::H0413, p.span, fmt::format("the input `{}` has {} = {}, but {} is {}", p.name.name, dims[i]->name,
                                                      it->second[i], dims[i]->name, *dims[i]->size));
      Value v = Value::tensor(p.type.element, dims);
      frame.names[p.name.name] = entry.argument(p.name.name, v, p.name.span);
    }
    if (el.failed())
      return {};
    Span span = module->name.span;
    Value result = el.inlineModule(*module, frame);
    if (el.failed())
      return {};
    std::vector<std::pair<std::string, Value>> results;
    if (result.kind == Value::Kind::Tuple)
      for (size_t i = 0; i < result.parts.size(); ++i)
        results.push_back({fmt::format("out.{}", i), result.parts[i]});
    else
      results.push_back({"out", result});
    entry.close(results, span);
    if (results.size() == 1 && result.isF32() && result.dims.empty())
      entry.func->setAttr("heddle.minimise", builder.getStringAttr("out"));
    entry.ranges(ranges);
  }
  graph->getOperation()->setAttr("heddle.program", builder.getStringAttr(name));
  nlohmann::json config = {{"program", name}, {"ranges", ranges}, {"seed", block.seed}};
  if (auto it = settings.set.find("seed"); it != settings.set.end())
    config["seed"] = std::strtoull(it->second.c_str(), nullptr, 10);
  graph->getOperation()->setAttr("heddle.config", builder.getStringAttr(config.dump()));
  return graph;
}

} // namespace heddle
