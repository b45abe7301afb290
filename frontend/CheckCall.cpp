// Calls of modules: binding arguments to a signature, and in Build the module's body in the call's place.
//
// Which axis a dim of the signature is: a name that the file declares is that axis; a name that the call gives
// (`O = F`) is the axis given; the others are the module's own and match what is left from the right, arguments in the
// order of the text, floats before bools and ints (which may lack dims). `..` takes the remains of the first argument
// that has it, and the same in every other.
//
// In Build an own dim simply becomes the caller's axis, as long as no two dims of the module meet in one axis; where
// they would (two dims bound to one axis, or an axis that the module also mentions itself), the later one stays an
// axis of its own, and arguments and results are renamed at the border.
#include "frontend/AstWalk.h"
#include "frontend/DidYouMean.h"
#include "frontend/Elaborator.h"

namespace heddle {
using namespace ast;

namespace {

struct Binder {
  Elaborator &el;
  const Call &call;
  const Module &module;
  Elaborator::Frame &frame;        // the caller's
  const File *calleeFile;
  std::map<const Parameter *, Elaborator::Operand> given;
  std::map<std::string, Axis *> own; // dims of the signature that are the module's own -> the caller's axis
  std::set<std::string> ownNames;
  std::set<std::string> explicitly;
  std::vector<Axis *> rest;
  bool hasRest = false;
  std::map<std::string, Value> constants;
  std::map<const Parameter *, Value> tensors; // dims in the order of the signature

  bool isOwn(const std::string &name) const { return ownNames.count(name) > 0; }
  Axis *fileAxis(const std::string &name) const {
    return el.modules().dims().sees(calleeFile, name) ? el.fileDim(name) : nullptr;
  }

  void findOwnNames() {
    for (const Parameter &p : module.params) {
      if (p.kind == Parameter::Kind::Dim)
        ownNames.insert(p.name.name);
      if (p.kind == Parameter::Kind::Tensor)
        for (const Ident &name : p.type.dims)
          if (!fileAxis(name.name))
            ownNames.insert(name.name);
    }
  }

  const Parameter *formal(const std::string &name) const {
    for (const Parameter &p : module.params)
      if (p.name.name == name)
        return &p;
    return nullptr;
  }

  std::string usage() const {
    std::string text;
    for (const Parameter &p : module.params)
      text += (text.empty() ? "" : ", ") + std::string(p.span.text());
    return fmt::format("{}({})", module.name.name, text);
  }

  // Sorts the call's arguments to the formal ones. False after an error.
  bool sort() {
    bool good = true;
    auto next = module.params.begin();
    for (const Argument &arg : call.args) {
      if (arg.kind == Argument::Kind::Over || arg.kind == Argument::Kind::Field) {
        el.error(Code::H0320, arg.span, fmt::format("module `{}` takes no such argument", module.name.name));
        good = false;
        continue;
      }
      const Parameter *p = nullptr;
      if (arg.kind == Argument::Kind::Positional) {
        while (next != module.params.end() && next->kind != Parameter::Kind::Tensor)
          ++next;
        if (next == module.params.end()) {
          Diagnostic &d = el.error(Code::H0320, arg.span, fmt::format("too many arguments for module `{}`", module.name.name));
          d.label(module.name.span, "declared here");
          // `Linear(x, F)` for `Linear(x, O = F)`
          auto *word = arg.value->as<Name>();
          const Parameter *dim = nullptr;
          for (const Parameter &q : module.params)
            if (q.kind == Parameter::Kind::Dim && !dim && !given.count(&q) && !own.count(q.name.name))
              dim = &q;
          if (word && dim && el.findDim(word->name, frame))
            d.help(fmt::format("a dim is given by its name: `{} = {}`", dim->name.name, word->name))
                .replace(arg.span, fmt::format("{} = {}", dim->name.name, word->name));
          else
            d.help(fmt::format("its arguments are {}; dims and constants are given by name", usage()));
          el.expr(*arg.value, frame);
          good = false;
          continue;
        }
        p = &*next++;
      } else {
        p = formal(arg.name.name);
        if (!p && isOwn(arg.name.name)) {
          good &= bindDim(arg.name.name, arg);
          continue;
        }
      }
      if (!p || given.count(p)) {
        std::vector<std::string> names;
        for (const Parameter &q : module.params)
          names.push_back(q.name.name);
        names.insert(names.end(), ownNames.begin(), ownNames.end());
        Diagnostic &d = el.error(Code::H0320, arg.name.span.valid() ? arg.name.span : arg.span,
                                 p ? fmt::format("the argument `{}` is given twice", p->name.name)
                                   : fmt::format("module `{}` has no argument `{}`", module.name.name, arg.name.name));
        d.label(module.name.span, "declared here");
        if (p || !suggest(d, arg.name.span, arg.name.name, names))
          d.help("its arguments are " + usage());
        good = false;
        continue;
      }
      if (p->kind == Parameter::Kind::Dim) {
        good &= bindDim(p->name.name, arg);
        given[p] = {};
        continue;
      }
      given[p] = {el.expr(*arg.value, frame), arg.value->span};
      good &= !given[p].value.isUnknown();
    }
    if (!good)
      return false;
    for (const Parameter &p : module.params)
      if (!given.count(&p) && !p.defaultValue) {
        el.error(Code::H0321, call.parens, fmt::format("the call of `{}` does not give `{}`", module.name.name, p.name.name))
            .label(p.span, "declared here")
            .help(p.kind == Parameter::Kind::Dim ? fmt::format("write `{}(..., {} = D)`", module.name.name, p.name.name)
                                                 : "its arguments are " + usage());
        good = false;
      }
    return good;
  }

  bool bindDim(const std::string &name, const Argument &arg) {
    auto *word = arg.value->as<Name>();
    if (!word) {
      el.error(Code::H0322, arg.value->span, fmt::format("`{}` of {} must be a dim", name, module.name.name))
          .help(fmt::format("declare one: `dim {} = {}`", name, std::string(arg.value->span.text())));
      return false;
    }
    Axis *axis = el.dim({word->name, word->span}, frame);
    if (!axis)
      return false;
    own[name] = axis;
    explicitly.insert(name);
    return true;
  }

  bool constant(const Parameter &p, Elaborator::Frame &callee) {
    Value v;
    Span span;
    if (given.count(&p)) {
      v = given[&p].value;
      span = given[&p].span;
    } else {
      const Elaborator::Frame *outer = el.current;
      v = el.expr(*p.defaultValue, callee);
      el.current = outer;
      span = p.defaultValue->span;
    }
    if (v.isUnknown())
      return false;
    using C = Parameter::ConstType;
    bool isNumber = v.isNumber();
    bool fits = isNumber && (p.constType == C::Unstated ? true
                             : p.constType == C::Bool   ? v.number.isBool()
                             : p.constType == C::Int    ? v.number.isInt()
                                                        : !v.number.isBool());
    if (!fits) {
      Diagnostic &d = el.error(Code::H0323, span, fmt::format("the constant `{}` of {} cannot be this", p.name.name, module.name.name));
      d.here(isNumber ? "another type of number" : fmt::format("this is {}", typeText(v)));
      d.label(p.span, "declared here");
      if (!isNumber)
        d.help("a constant is known when the file is compiled: a number, or an expression of dims");
      return false;
    }
    if (p.constType == C::Float && v.number.isInt())
      v.number = Number::ofFloat(v.number.real(), v.number.known);
    v.name = p.name.name;
    v.made = p.span;
    constants[p.name.name] = v;
    return true;
  }

  std::string signature(const Parameter &p) const {
    return fmt::format("`{}` of {} is {}", p.name.name, module.name.name, ast::toString(p.type));
  }

  // Matches one tensor argument with its type. False after an error.
  bool match(const Parameter &p) {
    Elaborator::Operand &arg = given[&p];
    Value v = arg.value;
    if (v.isNumber())
      v = el.toTensor(arg.span, v, p.type.element);
    else if (v.isI32() && p.type.element == Element::F32 && v.index)
      v = el.toFloat(arg.span, v);
    if (v.isUnknown())
      return false;
    if (!v.isTensor() || v.element != p.type.element) {
      el.error(Code::H0324, arg.span, fmt::format("{} needs {}, this is {}", module.name.name, spelling(p.type.element),
                                                  typeText(v)))
          .label(p.span, signature(p));
      return false;
    }
    bool mayLack = p.type.element != Element::F32;
    std::vector<Axis *> left = v.dims;                      // of the argument, not matched yet
    std::vector<Axis *> order(p.type.dims.size(), nullptr); // by formal dim
    auto takeAxis = [&](size_t i, Axis *axis) {
      order[i] = axis;
      left.erase(std::find(left.begin(), left.end(), axis));
    };
    std::vector<size_t> open;
    for (size_t i = 0; i < p.type.dims.size(); ++i) {
      const std::string &name = p.type.dims[i].name;
      Axis *axis = isOwn(name) ? (own.count(name) ? own[name] : nullptr) : fileAxis(name);
      if (!axis) {
        open.push_back(i);
        continue;
      }
      if (llvm::is_contained(left, axis)) {
        takeAxis(i, axis);
        continue;
      }
      if (mayLack)
        continue;
      bool own = isOwn(name);
      Diagnostic &d = el.error(Code::H0324, arg.span,
                               own ? fmt::format("this has no dim `{}`, which `{}` of {} is here", axis->name, name, module.name.name)
                                   : fmt::format("{} needs the dim `{}`", module.name.name, name));
      d.here(fmt::format("this is {}", typeText(v)));
      d.label(p.span, signature(p));
      el.labelMade(d, v, arg.span);
      el.noteSameSize(d, axis, v);
      Axis *twin = nullptr;
      for (Axis *other : left)
        if (other->formula == axis->formula && other != axis)
          twin = other;
      if (twin)
        d.help(fmt::format("rename it: `{}[{} -> {}]`", std::string(arg.span.text()), twin->name, axis->name));
      return false;
    }
    if (mayLack && open.size() > left.size()) {
      el.error(Code::H0325, arg.span, fmt::format("{} could mean several axes by this", module.name.name))
          .here(fmt::format("this is {}", typeText(v)))
          .label(p.span, signature(p))
          .note("a bool or i32 argument may lack dims, so their places do not tell which these are")
          .help(fmt::format("say it: `{}(..., {} = {})`", module.name.name, p.type.dims[open.back()].name,
                            left.empty() ? "T" : left.back()->name));
      return false;
    }
    if (open.size() > left.size()) {
      Diagnostic &d = el.error(Code::H0324, arg.span, fmt::format("this has too few dims for {}", module.name.name));
      d.here(fmt::format("this is {}", typeText(v))).label(p.span, signature(p));
      el.labelMade(d, v, arg.span);
      return false;
    }
    for (size_t k = open.size(); k-- > 0;) {
      Axis *axis = left.back();
      own[p.type.dims[open[k]].name] = axis;
      takeAxis(open[k], axis);
    }
    std::vector<Axis *> dims;
    if (p.type.rest) {
      if (!hasRest) {
        rest = left;
        hasRest = true;
      }
      for (Axis *axis : rest)
        if (llvm::is_contained(left, axis))
          left.erase(std::find(left.begin(), left.end(), axis)), dims.push_back(axis);
        else if (!mayLack) {
          el.error(Code::H0324, arg.span, fmt::format("this has no dim `{}`, which `..` of {} is here", axis->name, module.name.name))
              .here(fmt::format("this is {}", typeText(v)));
          return false;
        }
    }
    if (!left.empty()) {
      Diagnostic &d = el.error(Code::H0324, arg.span,
                               left[0]->rest ? fmt::format("{} has no place for the axes of `..`", module.name.name)
                                             : fmt::format("{} has no place for the dim `{}`", module.name.name, left[0]->name));
      d.here(fmt::format("this is {}", typeText(v))).label(p.span, signature(p));
      el.labelMade(d, v, arg.span);
      if (open.size() > 0 || !p.type.rest)
        d.help("`..` in the module's signature takes any further dims: `x: f32[.., D]`");
      return false;
    }
    for (Axis *axis : order)
      if (axis)
        dims.push_back(axis);
    v.dims = dims;
    tensors[&p] = v;
    return true;
  }

  // The axes of a result as the caller sees them. False after an error.
  bool resultDims(const TensorType &type, std::vector<Axis *> &dims) {
    if (type.rest)
      dims = rest;
    for (const Ident &name : type.dims) {
      Axis *axis = isOwn(name.name) ? (own.count(name.name) ? own[name.name] : nullptr) : fileAxis(name.name);
      if (!axis)
        return false; // reported where the module is checked
      if (llvm::is_contained(dims, axis)) {
        Diagnostic &d = el.error(Code::H0326, call.span, fmt::format("the result of {} would have the axis `{}` twice",
                                                                     module.name.name, axis->name));
        d.label(type.span, fmt::format("`{}` is {} here", name.name, axis->name));
        d.help(fmt::format("rename the axis of an argument before the call: `x[{} -> ...]`", axis->name));
        return false;
      }
      dims.push_back(axis);
    }
    return true;
  }
};

} // namespace

void Elaborator::unknownCallee(const Call &call, Frame &frame) {
  const std::string &name = call.callee.name;
  if (!diagnostics.firstTime("callee " + name))
    return;
  std::vector<std::string> names;
  if (!diagnostics.full())
    names = table.moduleNames(frame.file);
  for (const std::string &function : builtinNames())
    names.push_back(function);
  Diagnostic &d = error(Code::H0208, call.callee.span, fmt::format("there is no module or function `{}`", name));
  // What is known under another name, or said without a function.
  static const std::map<std::string, std::string> habits = {
      {"masked_fill", "a choice between values is `where(condition, a, b)`: `where(pos(S) <= pos(T), s, -inf)`"},
      {"matmul", "a product is `a @[K] b`: it sums over the axis that it names"},
      {"bmm", "a product is `a @[K] b`: it sums over the axis that it names, and the shared ones are batches"},
      {"einsum", "a product is `a @[K] b`: it sums over the axis that it names"},
      {"transpose", "axes have names: nothing is transposed before `@`, and `x[T -> S]` renames an axis"},
      {"permute", "axes have names, and their order means nothing to `@`"},
      {"reshape", "axes have names: declare the axes that are meant and use them from the start"},
      {"view", "axes have names: declare the axes that are meant and use them from the start"},
      {"unsqueeze", "an axis is added in the open: `x[+S]`"},
      {"cat", "it is `concat(a, b, over M + N -> J)`"},
      {"arange", "the positions along an axis are `pos(T)`"},
      {"Embedding", "a table is a parameter, and a look-up an index: `param table: f32[V,D] ~ normal(0.02)`, `table[V = ids]`"},
      {"ReLU", "it is a function: `relu(x)`"},
      {"GELU", "it is a function: `gelu(x)`"},
      {"mse_loss", "it is a function: `mse(x, y)`"},
      {"MSELoss", "it is a function: `mse(x, y)`"},
      {"CrossEntropyLoss", "it is a function: `cross_entropy(logits, target, over V)`"}};
  if (auto habit = habits.find(name); habit != habits.end())
    d.help(habit->second);
  else if (std::string library = table.unusedLibrary(frame.file, name); !library.empty())
    d.help(fmt::format("it is in the library: write `use {}` at the top of the file", library));
  else
    suggest(d, call.callee.span, name, names);
}

// Does the module sum over all dims of something, whichever these are? Then an argument must have all that it is said to
// have: a sum over an axis that is not there would be one of its elements. Other reductions do not tell the difference.
static bool sumsOverAll(const Module &module) {
  bool found = false;
  AstVisitor visitor;
  visitor.call = [&](const Call &call) {
    found |= call.callee.name == "sum" && llvm::none_of(call.args, [](const Argument &arg) { return arg.kind == Argument::Kind::Over; });
  };
  walk(module, visitor);
  return found;
}

Value Elaborator::call(const Call &call, Frame &frame) {
  const Module *module = table.find(frame.file, call.callee.name);
  if (!module) {
    if (isBuiltin(call.callee.name))
      return builtin(call, frame);
    unknownCallee(call, frame);
    return {};
  }
  if (unsound.count(module)) { // its own error is reported; what it would return is not known
    for (const Argument &arg : call.args)
      if (arg.value && arg.kind == Argument::Kind::Positional)
        expr(*arg.value, frame);
    return {};
  }
  const ModuleTable::ModuleInfo &info = table.info(module);
  Binder bind{*this, call, *module, frame, info.file, {}, {}, {}, {}, {}, false, {}, {}};
  bind.findOwnNames();
  if (!bind.sort())
    return {};
  Frame callee;
  callee.module = module;
  callee.file = info.file;
  for (bool floats : {true, false})
    for (const Parameter &p : module->params)
      if (p.kind == Parameter::Kind::Tensor && (p.type.element == Element::F32) == floats && !bind.match(p))
        return {};
  // Dims and constants that the call leaves to their defaults.
  callee.dims = bind.own;
  for (const Parameter &p : module->params) {
    if (p.kind == Parameter::Kind::Const) {
      if (!bind.constant(p, callee))
        return {};
      callee.names[p.name.name] = bind.constants[p.name.name];
    } else if (p.kind == Parameter::Kind::Dim && !bind.own.count(p.name.name)) {
      auto s = size(*p.defaultValue, callee);
      if (!s)
        return {};
      Axis *axis = freshAxis(p.name.name, s->value, s->formula, p.name.span);
      axis->owner = module;
      bind.own[p.name.name] = callee.dims[p.name.name] = axis;
    }
  }
  for (Axis *axis : bind.rest)
    for (auto &[name, bound] : bind.own)
      if (axis == bound && bind.explicitly.count(name)) {
        Span place = call.span;
        error(Code::H0326, place, fmt::format("`..` of {} would hold the axis `{}`, which `{}` is here", module->name.name,
                                              axis->name, name))
            .help("a dim that the call names is never part of `..`; rename the axis of the argument before the call");
        return {};
      }
  std::vector<std::vector<Axis *>> results;
  for (const TensorType &type : module->results)
    if (!bind.resultDims(type, results.emplace_back()))
      return {};

  const std::string *level = table.level(&call);
  std::string path = frame.path + (level && !level->empty() ? *level + "." : "");
  if (info.holdsParameters && level) {
    std::string identity = module->name.name;
    for (auto &[name, axis] : bind.own)
      identity += fmt::format("|{}={}", name, axis->id);
    for (auto &[name, value] : bind.constants)
      identity += fmt::format("|{}={}", name, value.number.real());
    auto [it, fresh] = ties.emplace(fmt::format("{}/{}", static_cast<const void *>(frame.module), path), std::pair(identity, call.span));
    if (!fresh && it->second.first != identity) {
      error(Code::H0307, call.as ? call.as->span : call.callee.span,
            fmt::format("two calls `as {}` share their parameters, but differ", *level))
          .label(it->second.second, "the other call")
          .help("tied calls agree in module, dims and constants; give one of them another name");
      return {};
    }
  }
  auto pack = [&](std::vector<Value> values) {
    if (values.size() == 1)
      return values[0];
    Value tuple;
    tuple.kind = Value::Kind::Tuple;
    tuple.parts = std::move(values);
    return tuple;
  };
  if (!building()) {
    std::vector<Value> values;
    for (size_t i = 0; i < results.size(); ++i) {
      if (module->results[i].element == Element::BF16)
        return {};
      Value v = Value::tensor(module->results[i].element, results[i]);
      v.index = !v.isF32();
      for (auto &[p, argument] : bind.tensors)
        v.index &= argument.index;
      values.push_back(v);
    }
    return pack(values);
  }

  if (!countOp(call.span))
    return {};
  size_t liveBefore = idLog.size();
  // Own dims become the caller's axes unless two would meet.
  std::map<Axis *, Axis *> inner; // axis outside -> axis inside, where they differ
  std::map<std::string, Axis *> insideOf;
  std::set<Axis *> used(bind.rest.begin(), bind.rest.end());
  for (auto &[name, axis] : bind.own) {
    bool mentioned = axis->ofFile && fileDim(axis->name) == axis && table.mentions(module, axis->name) &&
                     !bind.isOwn(axis->name);
    if (used.insert(axis).second && !mentioned) {
      insideOf[name] = axis;
      continue;
    }
    Axis *fresh = freshAxis(name, axis->size, axis->formula, axis->declared);
    fresh->owner = module;
    insideOf[name] = fresh;
  }
  callee.dims = insideOf;
  callee.rest = bind.rest;
  callee.path = path;
  callee.subject = level && !level->empty() ? *level : snakeCase(module->name.name);
  callee.caller = current;
  callee.site = call.callee.span;
  for (const Parameter &p : module->params) {
    if (p.kind != Parameter::Kind::Tensor)
      continue;
    Value v = bind.tensors[&p];
    for (const Ident &name : p.type.dims) {
      if (!bind.isOwn(name.name) || insideOf[name.name] == bind.own[name.name] || !v.has(bind.own[name.name]))
        continue;
      Axis *from = bind.own[name.name], *to = insideOf[name.name];
      std::replace(v.dims.begin(), v.dims.end(), from, to);
      v = emit<RenameOp>(call.callee.span, v, v.ir, id(from), id(to));
    }
    if (p.type.element != Element::F32 && v.dims.size() < p.type.dims.size() + bind.rest.size() && sumsOverAll(*module)) {
      for (const Ident &name : p.type.dims)
        if (Axis *axis = bind.isOwn(name.name) ? insideOf[name.name] : bind.fileAxis(name.name))
          v = spread(call.callee.span, v, axis);
      for (Axis *axis : bind.rest)
        v = p.type.rest ? spread(call.callee.span, v, axis) : v;
    }
    v.name = p.name.name;
    v.made = p.span;
    callee.names[p.name.name] = v;
  }
  Value result = inlineModule(*module, std::move(callee));
  std::vector<Value> values = result.kind == Value::Kind::Tuple ? result.parts : std::vector<Value>{result};
  for (size_t i = 0; i < values.size() && !result.isUnknown(); ++i)
    for (const Ident &name : module->results[i].dims) {
      if (!bind.isOwn(name.name) || insideOf[name.name] == bind.own[name.name])
        continue;
      Axis *from = insideOf[name.name], *to = bind.own[name.name];
      std::replace(values[i].dims.begin(), values[i].dims.end(), from, to);
      values[i] = emit<RenameOp>(call.callee.span, values[i], values[i].ir, id(from), id(to));
    }
  for (; idLog.size() > liveBefore; idLog.pop_back())
    liveIds.erase(idLog.back());
  return result.isUnknown() ? Value() : pack(values);
}

Value Elaborator::inlineModule(const Module &module, Frame callee) {
  const Frame *outer = current;
  current = &callee;
  std::vector<Value> results;
  statements(module.body, callee, &results);
  current = outer;
  if (results.empty() || results.size() != module.results.size())
    return {};
  if (results.size() == 1)
    return results[0];
  Value tuple;
  tuple.kind = Value::Kind::Tuple;
  tuple.parts = std::move(results);
  return tuple;
}

} // namespace heddle
