// Modules where they are defined, and their statements.
//
// Names follow the text: a `let` may assign a name anew, inside a `repeat` too. A name that existed before the loop
// and is assigned in it is carried from one iteration to the next, with one type; what is first assigned inside ends
// with the body.
#include "frontend/DidYouMean.h"
#include "frontend/Elaborator.h"

namespace heddle {
using namespace ast;

void Elaborator::checkModules() {
  std::vector<const Module *> modules;
  for (const File *file : table.files())
    for (const Module &module : file->modules)
      modules.push_back(&module);
  std::vector<Frame> frames(modules.size());
  for (size_t i = 0; i < modules.size(); ++i)
    checkSignature(*modules[i], frames[i]);
  for (Frame &frame : frames)
    checkBody(frame);
  checkOptimizers();
}

void Elaborator::checkSignature(const Module &module, Frame &frame) {
  size_t errorsBefore = diagnostics.errorCount();
  bool known = true; // all dims of the types; one that is not known may have been reported elsewhere
  frame.module = &module;
  frame.file = table.info(&module).file;
  // Its own dims: those that are formal, and every other name of a signature that the file does not declare.
  auto own = [&](const Ident &name) {
    Axis *axis = freshAxis(name.name, std::nullopt, Formula::symbol(fmt::format("{}@{}", name.name, axes.size())), name.span);
    axis->owner = &module;
    frame.dims[name.name] = axis;
  };
  std::map<std::string, Span> seen;
  for (const Parameter &param : module.params) {
    auto [it, fresh] = seen.emplace(param.name.name, param.name.span);
    if (!fresh)
      error(Code::H0301, param.name.span, fmt::format("the argument `{}` stands twice", param.name.name))
          .label(it->second, "here first");
    else if (param.kind == Parameter::Kind::Dim)
      own(param.name);
  }
  bool rest = false;
  for (const Parameter &param : module.params) {
    if (param.kind != Parameter::Kind::Tensor)
      continue;
    rest |= param.type.rest.has_value();
    for (const Ident &name : param.type.dims)
      if (!findDim(name.name, frame))
        own(name);
  }
  if (rest) {
    frame.rest = {freshAxis("..", std::nullopt, Formula::symbol(fmt::format("..@{}", axes.size())), {})};
    frame.rest[0]->rest = true;
  }
  for (const Parameter &param : module.params) {
    Value v;
    if (param.kind == Parameter::Kind::Tensor) {
      std::vector<Axis *> dims;
      known &= resolve(param.type, frame, dims);
      if (known && !refuseElement(param.type.element, param.type.elementSpan)) {
        v = Value::tensor(param.type.element, dims);
        v.index = param.type.element != Element::F32;
      }
    } else if (param.kind == Parameter::Kind::Const) {
      Number::Kind kind = param.constType == Parameter::ConstType::Bool  ? Number::Kind::Bool
                          : param.constType == Parameter::ConstType::Int ? Number::Kind::Int
                                                                         : Number::Kind::Float;
      if (param.defaultValue) {
        Value d = expr(*param.defaultValue, frame);
        if (d.isNumber() && param.constType == Parameter::ConstType::Unstated)
          kind = d.number.kind;
        else if (!d.isUnknown() && (!d.isNumber() || (d.number.kind != kind && !(kind == Number::Kind::Float && d.number.isInt()))))
          error(Code::H0310, param.defaultValue->span, fmt::format("the default of `{}` is not of its type", param.name.name));
      }
      v = Value::of({kind, false, 1, 1});
    } else {
      if (param.defaultValue)
        size(*param.defaultValue, frame);
      continue;
    }
    v.name = param.name.name;
    v.made = param.span;
    frame.names[param.name.name] = v;
  }
  for (const TensorType &result : module.results) {
    std::vector<Axis *> dims;
    if (result.rest && !rest)
      error(Code::H0311, *result.rest, "no argument of the module has a `..`, so the result cannot have one");
    for (const Ident &name : result.dims)
      if (!findDim(name.name, frame)) {
        if (diagnostics.firstTime("dim " + name.name)) {
          Diagnostic &d = error(Code::H0311, name.span, fmt::format("nothing binds the dim `{}` of the result", name.name));
          if (!suggest(d, name.span, name.name, dimNames(frame)))
            d.help(fmt::format("declare it in the file, or make it an argument: `module {}(..., dim {})`",
                               module.name.name, name.name));
        }
        own(name);
        known = false;
      }
    known &= resolve(result, frame, dims);
    refuseElement(result.element, result.elementSpan);
  }
  frame.broken = !known || diagnostics.errorCount() > errorsBefore;
  if (frame.broken)
    unsound.insert(&module);
}

void Elaborator::checkBody(Frame &frame) {
  const Frame *outer = current;
  current = &frame;
  std::vector<Value> results;
  statements(frame.module->body, frame, &results);
  endStates(frame);
  current = outer;
}

bool Elaborator::statements(const std::vector<StmtPtr> &body, Frame &frame, std::vector<Value> *results) {
  bool returnedOnce = false;
  // What follows a `return` is reported, and the `return` not looked at: it mostly needs what stands below it.
  for (size_t i = 0; results && i + 1 < body.size() && !frame.returns; ++i)
    if (body[i]->is<ReturnStmt>()) {
      error(Code::H0312, body[i + 1]->span, "nothing can follow `return`")
          .label(body[i]->span, "returned here")
          .help("move the `return` to the end of the module");
      frame.returns = true;
    }
  for (const StmtPtr &stmt : body) {
    if (building() && failed())
      return false;
    switch (stmt->kind) {
    case StmtKind::Dim:
      dims(*stmt->as<DimStmt>(), frame);
      break;
    case StmtKind::Param:
      param(*stmt->as<ParamStmt>(), frame);
      break;
    case StmtKind::State:
      state(*stmt->as<StateStmt>(), frame);
      break;
    case StmtKind::Next:
      next(*stmt->as<NextStmt>(), frame);
      break;
    case StmtKind::Collect:
      collect(*stmt->as<CollectStmt>(), frame);
      break;
    case StmtKind::Let:
      let(*stmt->as<LetStmt>(), frame);
      break;
    case StmtKind::Repeat:
      repeat(*stmt->as<RepeatStmt>(), frame);
      break;
    case StmtKind::Return:
      if (!results) {
        if (!frame.returns)
          error(Code::H0312, stmt->span, "`return` cannot stand inside `repeat`")
              .help("assign the value to a name and return it after the loop");
        frame.returns = true;
        break;
      }
      returnedOnce = true;
      if (frame.returns)
        break;
      if (auto values = returned(*stmt->as<ReturnStmt>(), frame))
        *results = *values;
      break;
    default:
      break; // statements of train blocks: the parser keeps them out of modules
    }
  }
  if (results && !returnedOnce && frame.module && !frame.returns)
    error(Code::H0312, frame.module->close, fmt::format("module `{}` does not return", frame.module->name.name))
        .help("end it with `return x`");
  return true;
}

// A dim without a size is an error, and an axis all the same, so that its uses are none.
void Elaborator::dims(const DimStmt &stmt, Frame &frame) {
  Diagnostic *open = nullptr;
  for (const DimDecl &decl : stmt.decls) {
    const std::string &name = decl.name.name;
    if (!building() && !decl.size && !decl.like) {
      if (open)
        open->label(decl.name.span, fmt::format("so does `{}`", name));
      else
        open = &error(Code::H0313, decl.name.span, fmt::format("the dim `{}` of a module needs a size", name))
                    .help(fmt::format("write `dim {0} = 8`, or let the caller give it: `module {1}(..., dim {0})`", name,
                                      frame.module->name.name));
    }
    declare(decl, frame, false);
  }
}

void Elaborator::let(const LetStmt &stmt, Frame &frame) {
  std::string before = frame.subject;
  frame.subject = stmt.targets[0].name == "_" ? before : stmt.targets[0].name;
  Value value = expr(*stmt.value, frame);
  frame.subject = before;
  std::vector<Value> parts;
  if (value.kind == Value::Kind::Tuple)
    parts = value.parts;
  else
    parts = {value};
  if (!value.isUnknown() && parts.size() != stmt.targets.size()) {
    error(Code::H0314, join(stmt.targets.front().span, stmt.targets.back().span),
          fmt::format("{} name{} for {} value{}", stmt.targets.size(), stmt.targets.size() == 1 ? "" : "s", parts.size(),
                      parts.size() == 1 ? "" : "s"))
        .label(stmt.value->span, fmt::format("this gives {}", parts.size()))
        .help("a name for each; `_` discards one");
    value = Value();
  }
  for (size_t i = 0; i < stmt.targets.size(); ++i) {
    const Ident &target = stmt.targets[i];
    Value v = value.isUnknown() ? Value() : parts[i];
    if (target.name == "_") {
      if (v.ir)
        discarded.push_back(v.ir);
      continue;
    }
    if (v.kind == Value::Kind::String) {
      error(Code::H0206, stmt.value->span, "a string is not a value of a model");
      v = Value();
    }
    if (Axis *axis = findDim(target.name, frame); axis && !building()) {
      error(Code::H0306, target.span, fmt::format("`{}` is a dim", target.name))
          .label(axis->declared, "declared here")
          .help("choose another name");
      v = Value();
    }
    v.name = target.name;
    v.made = target.span;
    v.source = stmt.targets.size() == 1 ? stmt.value->span : Span();
    frame.names[target.name] = v;
  }
}

// Names that a body assigns, nested loops included.
static void assigned(const std::vector<StmtPtr> &body, std::vector<const Ident *> &names) {
  for (const StmtPtr &stmt : body) {
    if (auto *let = stmt->as<LetStmt>())
      for (const Ident &target : let->targets)
        names.push_back(&target);
    if (auto *repeat = stmt->as<RepeatStmt>())
      assigned(repeat->body, names);
  }
}

// Every name that a body may give to a value or a dim: what a loop puts back when it ends.
static void touched(const std::vector<StmtPtr> &body, std::set<std::string> &names, std::set<std::string> &dims) {
  for (const StmtPtr &stmt : body) {
    if (auto *let = stmt->as<LetStmt>())
      for (const Ident &target : let->targets)
        names.insert(target.name);
    if (auto *param = stmt->as<ParamStmt>())
      for (const Ident &name : param->names)
        names.insert(name.name);
    if (auto *state = stmt->as<StateStmt>())
      names.insert(state->name.name);
    if (auto *collect = stmt->as<CollectStmt>())
      names.insert(collect->target.name);
    if (auto *dim = stmt->as<DimStmt>())
      for (const DimDecl &decl : dim->decls)
        dims.insert(decl.name.name);
    if (auto *repeat = stmt->as<RepeatStmt>()) {
      names.insert(repeat->index.name);
      touched(repeat->body, names, dims);
    }
  }
}

template <typename T> static std::map<std::string, T> subset(const std::map<std::string, T> &all, const std::set<std::string> &names) {
  std::map<std::string, T> some;
  for (const std::string &name : names)
    if (auto it = all.find(name); it != all.end())
      some.emplace(*it);
  return some;
}

// Gives `names` what they had, and takes away those that had nothing.
template <typename T>
static void putBack(std::map<std::string, T> &all, const std::set<std::string> &names, const std::map<std::string, T> &before) {
  for (const std::string &name : names) {
    auto it = before.find(name);
    if (it == before.end())
      all.erase(name);
    else
      all[name] = it->second;
  }
}

void Elaborator::repeat(const RepeatStmt &stmt, Frame &frame) {
  Axis *axis = dim(stmt.dim, frame);
  std::vector<const Ident *> targets;
  assigned(stmt.body, targets);
  std::vector<std::string> carried;
  std::set<std::string> seen;
  for (const Ident *target : targets)
    if (frame.names.count(target->name) && seen.insert(target->name).second)
      carried.push_back(target->name);
  std::set<std::string> names{stmt.index.name}, ownDims;
  touched(stmt.body, names, ownDims);
  loopNames += names.size() + ownDims.size();
  if (loopNames > maxLoopNames) {
    error(Code::H0603, stmt.header, "too many loops make too many names").help("make the body of the loop a module");
    return;
  }
  auto outside = subset(frame.names, names);
  auto dimsOutside = subset(frame.dims, ownDims);
  // What two loops over one dim stack, parameters or saved values, would have the dim twice.
  auto goesOverIt = [&](const Loop &outer) { return axis && outer.axis && outer.axis->id == axis->id; };
  auto outer = llvm::find_if(loops, goesOverIt);
  if (!axis || (building() && !axis->size) || outer != loops.end()) {
    if (outer != loops.end())
      error(Code::H0506, stmt.header,
            fmt::format("`repeat {}` inside `repeat {}` is not supported yet", axis->name, outer->axis->name))
          .help(fmt::format("count one of them with a dim of its own: {}", dimLike(axis)));
    else if (axis)
      irType(stmt.dim.span, Value::tensor(Element::F32, {axis})); // reports the missing size
    for (const Ident *target : targets)
      frame.names[target->name] = Value();
    return;
  }
  if (static_cast<int64_t>(loops.size()) >= maxLoops) {
    error(Code::H0604, stmt.header, fmt::format("`repeat` is nested more than {} levels deep", maxLoops));
    return;
  }
  if (!building() && frame.levels.count(stmt.index.name))
    error(Code::H0307, stmt.index.span, fmt::format("two loops of one body are called `{}`", stmt.index.name))
        .label(frame.levels[stmt.index.name], "the other one")
        .help("parameters take the loop's name, so it must be its own");
  frame.levels[stmt.index.name] = stmt.index.span;

  // Carried numbers become tensors: what is carried has one type.
  for (const std::string &name : carried) {
    Value &v = frame.names[name];
    if (v.isNumber())
      v = toTensor(stmt.header, v, v.number.element());
    v.range = {};
    v.input = -1;
    v.index &= !v.isF32();
  }
  Value index = Value::tensor(Element::I32, {});
  index.index = true;
  index.range = {0, axis->size.value_or(int64_t(INT32_MAX)) - 1};
  index.name = stmt.index.name;
  index.made = stmt.index.span;

  mlir::Region region;
  std::vector<mlir::Value> initial;
  std::optional<mlir::OpBuilder::InsertionGuard> guard;
  std::string path = frame.path;
  std::map<std::string, Value> entering = subset(frame.names, {carried.begin(), carried.end()});
  std::string subject = frame.subject;
  if (building()) {
    Loop loop;
    loop.axis = axis;
    loop.name = stmt.index.name;
    loop.block = new mlir::Block();
    region.push_back(loop.block);
    auto place = location(stmt.header);
    index.ir = loop.block->addArgument(irType(stmt.header, index), place);
    for (const std::string &name : carried) {
      Value &v = frame.names[name];
      mlir::Value whole = v.isTensor() ? ordered(stmt.header, v) : mlir::Value();
      if (!whole)
        continue;
      initial.push_back(whole);
      v.ir = loop.block->addArgument(whole.getType(), mlir::NameLoc::get(builder->getStringAttr(name), place));
    }
    loops.push_back(std::move(loop));
    guard.emplace(*builder);
    builder->setInsertionPointToEnd(loops.back().block);
  } else {
    loops.push_back({});
    loops.back().axis = axis;
  }
  frame.names[stmt.index.name] = index;
  frame.path += stmt.index.name + ".{}.";
  statements(stmt.body, frame, nullptr);
  frame.path = path;

  std::vector<mlir::Value> yields;
  for (const std::string &name : carried) {
    const Value &before = entering[name];
    Value after = frame.names[name];
    if (before.isUnknown() || after.isUnknown())
      continue;
    if (before.isF32() && (after.isNumber() || after.isI32()))
      after = toFloat(after.made, after);
    bool same = before.isTensor() && after.isTensor() && before.element == after.element &&
                before.dims.size() == after.dims.size() && llvm::all_of(before.dims, [&](Axis *a) { return after.has(a); });
    if (!same) {
      error(Code::H0315, after.made.valid() ? after.made : stmt.header,
            fmt::format("`{}` changes its type in the loop", name))
          .here(fmt::format("here it becomes {}", typeText(after)))
          .label(before.made, fmt::format("it enters as {}", typeText(before)))
          .note("a value that goes from one layer to the next has one type");
      frame.names[name] = Value();
      continue;
    }
    if (building()) {
      after.dims = before.dims;
      yields.push_back(ordered(stmt.header, after));
    }
  }
  Loop loop = std::move(loops.back());
  loops.pop_back();
  endStates(frame);
  if (building() && !failed()) {
    llvm::SmallVector<mlir::Type> types;
    for (mlir::Value v : initial)
      types.push_back(v.getType());
    auto stack = [&](mlir::Value inside) {
      yields.push_back(inside);
      types.push_back(llvm::cast<heddle::Tensor>(inside.getType()).withLeading(id(axis), *axis->size));
    };
    for (Collected &made : loop.collected)
      if (made.inside)
        stack(made.inside);
    for (auto &[variable, inside] : loop.writes)
      stack(inside);
    YieldOp::create(*builder, location(stmt.header), yields);
    guard.reset();
    frame.subject = stmt.index.name;
    bool clash = false;
    region.walk([&](mlir::Operation *op) {
      for (mlir::Type type : op->getResultTypes())
        clash |= llvm::cast<heddle::Tensor>(type).has(id(axis));
    });
    if (clash)
      error(Code::H0506, stmt.header, fmt::format("a tensor with the dim `{}` inside `repeat {}` is not supported yet",
                                                  axis->name, axis->name))
          .help(fmt::format("count the layers with a dim of their own: {}", dimLike(axis)));
    auto op = RepeatOp::create(*builder, location(stmt.header), types, builder->getStringAttr(loop.name), id(axis),
                               builder->getI64IntegerAttr(*axis->size), mlir::UnitAttr(), initial, loop.stacked);
    op.getBody().takeBody(region);
    frame.subject = subject;
    size_t k = 0;
    for (const std::string &name : carried)
      entering[name].ir = op.getResult(k++);
    for (Collected &made : loop.collected)
      if (made.inside)
        made.value.ir = op.getResult(k++);
    for (auto &[variable, inside] : loop.writes)
      (loops.empty() ? writes : loops.back().writes).push_back({variable, op.getResult(k++)});
  } else if (building()) {
    guard.reset();
  }
  // What the body made ends with it; what it carried goes on.
  std::map<std::string, Value> inside = subset(frame.names, {carried.begin(), carried.end()});
  putBack(frame.names, names, outside);
  putBack(frame.dims, ownDims, dimsOutside);
  for (const std::string &name : carried) {
    Value v = entering[name];
    if (inside[name].isUnknown())
      v = Value();
    v.made = inside[name].made.valid() ? inside[name].made : v.made;
    v.name = name;
    frame.names[name] = v;
  }
  for (Collected &made : loop.collected)
    frame.names[made.name.name] = made.value;
}

std::optional<std::vector<Value>> Elaborator::returned(const ReturnStmt &stmt, Frame &frame) {
  std::vector<Value> values;
  std::vector<const Expr *> exprs;
  for (const ExprPtr &e : stmt.values)
    exprs.push_back(e.get());
  if (exprs.size() == 1)
    if (auto *tuple = exprs[0]->as<Tuple>()) { // `return (a, b)`
      exprs.clear();
      for (const ExprPtr &e : tuple->elements)
        exprs.push_back(e.get());
    }
  for (const Expr *e : exprs)
    values.push_back(expr(*e, frame));
  if (values.size() == 1 && values[0].kind == Value::Kind::Tuple)
    values = values[0].parts;
  const std::vector<TensorType> &types = frame.module->results;
  if (frame.broken || llvm::any_of(values, [](const Value &v) { return v.isUnknown(); }))
    return std::nullopt;
  if (values.size() != types.size()) {
    error(Code::H0316, stmt.span, fmt::format("{} value{} returned, the module has {} result{}", values.size(),
                                              values.size() == 1 ? " is" : "s are", types.size(),
                                              types.size() == 1 ? "" : "s"))
        .label(frame.module->header, "declared here");
    unsound.insert(frame.module); // one mistake: which side is wrong, the callers need not tell again
    return std::nullopt;
  }
  for (size_t i = 0; i < types.size(); ++i) {
    Span span = i < exprs.size() ? exprs[i]->span : stmt.span;
    std::vector<Axis *> dims;
    if (!resolve(types[i], frame, dims) || types[i].element == Element::BF16)
      return std::nullopt;
    Value &v = values[i];
    if (v.isNumber())
      v = toTensor(span, v, types[i].element);
    else if (v.isI32() && v.index && types[i].element == Element::F32)
      v = toFloat(span, v);
    bool extra = llvm::any_of(v.dims, [&](Axis *a) { return !llvm::is_contained(dims, a); });
    bool missing = v.dims.size() < dims.size() && !v.index;
    if (!v.isTensor() || v.element != types[i].element || extra || missing) {
      Diagnostic &d = error(Code::H0316, span, fmt::format("the result is {}, the module promises {}", typeText(v),
                                                           ast::toString(types[i])));
      d.label(types[i].span, "promised here");
      labelMade(d, v, span);
      for (Axis *axis : dims)
        if (v.isTensor() && !v.has(axis))
          noteSameSize(d, axis, v);
      unsound.insert(frame.module);
      return std::nullopt;
    }
    if (v.dims.size() < dims.size())
      v = broadcast(span, v, dims);
    v.dims = dims;
  }
  return values;
}

} // namespace heddle
