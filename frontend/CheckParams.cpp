// Parameters: their names, initial values, ties, and how a value inside a `repeat` reaches its slice of the stack.
//
// A parameter is one heddle.variable; inside `repeat L as h` it has the axis L in front and `{}` in its name. Its
// random stream is the hash of that name, so that no other parameter changes its initial values.
#include "frontend/DidYouMean.h"
#include "frontend/Elaborator.h"

#include <cmath>

namespace heddle {
using namespace ast;

void Elaborator::param(const ParamStmt &stmt, Frame &frame) {
  std::vector<Axis *> dims;
  bool good = resolve(stmt.type, frame, dims);
  if (refuseElement(stmt.type.element, stmt.type.elementSpan))
    good = false;
  else if (stmt.type.element != Element::F32) {
    error(Code::H0305, stmt.type.elementSpan, "a parameter is f32").help("only floats can be trained");
    good = false;
  }
  if (stmt.type.rest && frame.rest.empty() && !building()) {
    error(Code::H0305, *stmt.type.rest, "`..` has no meaning in a parameter")
        .help("a parameter has named dims: only what flows through may have others");
    good = false;
  }
  auto init = good ? initialiser(stmt.init, dims, frame) : std::nullopt;
  Diagnostic *taken = nullptr; // one error for one statement
  for (const Ident &name : stmt.names) {
    Value value = Value::tensor(Element::F32, dims);
    value.name = name.name;
    value.made = name.span;
    auto earlier = frame.names.find(name.name);
    bool isValue = earlier != frame.names.end() && earlier->second.made.valid();
    Axis *axis = findDim(name.name, frame);
    bool clashes = !building() && (isValue || axis);
    if (clashes) {
      std::string what = fmt::format("`{}` {}", name.name, isValue ? "has a value already" : "is a dim");
      if (taken)
        taken->label(name.span, what);
      else
        taken = &error(Code::H0306, name.span, what).help("choose another name");
      taken->label(isValue ? earlier->second.made : axis->declared, isValue ? "made here" : "declared here");
    }
    if (!good || !init || clashes) {
      frame.names[name.name] = Value();
      continue;
    }
    if (building()) {
      std::string full = frame.path + name.name;
      Weight parameter{full, dims, name.span, stmt.type.span, inMainFile(name.span), "", stmt.frozen.has_value()};
      for (Loop &loop : loops)
        parameter.signature += loop.axis->id + "|";
      for (Axis *axis : dims)
        parameter.signature += fmt::format("{}={},", axis->name, axis->size.value_or(0));
      parameter.signature += fmt::format("{}({},{})", init->kind, init->a, init->b);
      auto [it, fresh] = parameters.emplace(full, parameter);
      if (!fresh && it->second.signature != parameter.signature) {
        Diagnostic &d = error(Code::H0307, name.span, fmt::format("two different parameters are called `{}`", full));
        d.label(it->second.span, "the other one");
        d.help("two calls with one `as` share their parameters, so module, dims and constants must agree; "
               "give one of them another name");
        frame.names[name.name] = Value();
        continue;
      }
      if (fresh) {
        if (!variable(full, value, name.span, "parameter", *init, parameter.frozen)) {
          frame.names[name.name] = Value();
          continue;
        }
      }
      value = read(full, value, name.span);
      value.name = name.name;
      value.made = name.span;
    }
    frame.names[name.name] = value;
  }
}

// Stands in front of the first entry, behind the other variables. The entries of a program share their variables.
bool Elaborator::variable(const std::string &full, const Value &value, Span span, const char *kind, const Init &init,
                          bool frozen) {
  Value whole = value;
  for (size_t i = loops.size(); i-- > 0;)
    whole.dims.insert(whole.dims.begin(), loops[i].axis);
  for (Loop &loop : loops)
    for (Axis *axis : value.dims)
      if (axis->id == loop.axis->id) {
        error(Code::H0506, span, fmt::format("a {} with the dim `{}` inside `repeat {}` is not supported yet", kind,
                                             axis->name, axis->name))
            .help(fmt::format("count the layers with a dim of their own: {}", dimLike(axis)));
        return false;
      }
  heddle::Tensor type = irType(span, whole);
  if (!type)
    return false;
  if (auto known = variable(full)) {
    bool same = known.getType() == type;
    if (isBucket && !(same && known.getA().convertToDouble() == init.a && known.getB().convertToDouble() == init.b)) {
      Diagnostic &d = error(Code::H0308, inMainFile(span), fmt::format("the {} `{}` has another {} in every length bucket", kind, full,
                                                                       same ? "initial value" : "size"));
      auto before = llvm::cast<heddle::Tensor>(known.getType());
      for (size_t i = 0; !same && i < whole.dims.size() && i < before.getSizes().size(); ++i)
        if (before.getSizes()[i] != type.getSizes()[i])
          d.note(fmt::format("`{}` is {} in one, {} in another", whole.dims[i]->name, type.getSizes()[i], before.getSizes()[i]));
      d.help(same ? "make it of dims that have one size"
                  : "give it a dim of one size, and take from it what a bucket needs: `dim P = 256`, `x + table[P = pos(T)]`");
      return false;
    }
    if (same)
      return true;
    error(Code::H0308, inMainFile(span), fmt::format("the {} `{}` depends on the size of the batch", kind, full))
        .help(fmt::format("a {} has sizes that are the same for training and sampling", kind));
    return false;
  }
  mlir::OpBuilder::InsertionGuard guard(*builder);
  builder->setInsertionPoint(entry->getParentOp());
  while (mlir::Operation *before = builder->getInsertionPoint()->getPrevNode()) {
    if (llvm::isa<VariableOp>(before))
      break;
    builder->setInsertionPoint(before);
  }
  variables[full] = VariableOp::create(*builder, location(span), full, type, kind, static_cast<uint64_t>(loops.size()),
                                       init.kind, llvm::APFloat(init.a), llvm::APFloat(init.b),
                                       static_cast<int64_t>(fnv1a(full)), frozen, nullptr);
  return true;
}

// The variable is read at the start of the entry; each enclosing loop hands its slice down.
Value Elaborator::read(const std::string &variable, Value value, Span span) {
  for (Loop &loop : loops)
    if (&loop == &loops.back())
      if (auto it = loop.slices.find(variable); it != loop.slices.end()) {
        value.ir = it->second;
        return value;
      }
  std::string subject = variable.substr(variable.rfind('.') + 1);
  auto place = mlir::NameLoc::get(builder->getStringAttr(subject),
                                  mlir::FileLineColLoc::get(builder->getContext(), span.source->name(),
                                                            span.start().line, span.start().column));
  mlir::Value &read = readValues[variable];
  if (!read) {
    mlir::OpBuilder::InsertionGuard guard(*builder);
    if (lastRead)
      builder->setInsertionPointAfter(lastRead);
    else
      builder->setInsertionPointToStart(entry);
    mlir::Type type = this->variable(variable).getType();
    read = ReadOp::create(*builder, place, type, mlir::FlatSymbolRefAttr::get(builder->getContext(), variable));
    lastRead = read.getDefiningOp();
  }
  mlir::Value whole = read;
  for (Loop &loop : loops) {
    mlir::Value &slice = loop.slices[variable];
    if (!slice) {
      loop.stacked.push_back(whole);
      auto type = llvm::cast<heddle::Tensor>(whole.getType()).without({id(loop.axis)});
      slice = loop.block->addArgument(type, place);
    }
    whole = slice;
  }
  value.ir = whole;
  return value;
}

std::optional<Elaborator::Init> Elaborator::initialiser(const Initialiser &init, const std::vector<Axis *> &dims,
                                                        Frame &frame) {
  std::vector<Number> numbers;
  std::vector<Axis *> over;
  bool good = true, hasOver = false;
  for (const Argument &arg : init.args) {
    if (arg.kind == Argument::Kind::Over && !arg.over.into) {
      hasOver = true;
      for (const Over::Axis &axis : arg.over.axes) {
        Axis *a = axis.size ? nullptr : dim(axis.dim, frame);
        if (a && !llvm::is_contained(dims, a)) {
          error(Code::H0309, axis.dim.span, fmt::format("the parameter has no dim `{}`", axis.dim.name));
          a = nullptr;
        }
        good &= a != nullptr;
        over.push_back(a);
      }
      continue;
    }
    if (arg.kind != Argument::Kind::Positional) {
      error(Code::H0309, arg.span, fmt::format("`{}` takes no such argument", init.name.name));
      return std::nullopt;
    }
    Value v = expr(*arg.value, frame);
    if (!v.isUnknown() && (!v.isNumber() || v.number.isBool())) {
      error(Code::H0309, arg.value->span, "an initial value is made of numbers")
          .here(fmt::format("this is {}", typeText(v)));
      good = false;
    }
    good &= !v.isUnknown();
    numbers.push_back(v.number);
  }
  if (!good)
    return std::nullopt;
  const std::string &name = init.name.name;
  auto takes = [&](size_t n, const char *usage) {
    if (numbers.size() == n && (!hasOver || name == "xavier"))
      return true;
    error(Code::H0309, init.span, fmt::format("`{}` takes {} number{}", name, n, n == 1 ? "" : "s"))
        .help(fmt::format("write `{}`", usage));
    return false;
  };
  for (const Number &n : numbers)
    if (n.known && !std::isfinite(n.real())) {
      error(Code::H0309, init.span, "an initial value must be finite");
      return std::nullopt;
    }
  if (name == "zeros" || name == "ones")
    return takes(0, name.c_str()) ? std::optional<Init>({"constant", name == "ones" ? 1.0 : 0.0, 0}) : std::nullopt;
  if (name == "constant")
    return takes(1, "constant(0.5)") ? std::optional<Init>({"constant", numbers[0].real(), 0}) : std::nullopt;
  if (name == "normal") {
    if (!takes(1, "normal(0.02)"))
      return std::nullopt;
    if (numbers[0].known && numbers[0].real() < 0) {
      error(Code::H0309, init.span, "a standard deviation is not negative");
      return std::nullopt;
    }
    return Init{"normal", 0, numbers[0].real()};
  }
  if (name == "uniform") {
    if (!takes(2, "uniform(-0.1, 0.1)"))
      return std::nullopt;
    if (numbers[0].known && numbers[1].known && numbers[0].real() > numbers[1].real()) {
      error(Code::H0309, init.span, "the lower bound lies above the upper one");
      return std::nullopt;
    }
    return Init{"uniform", numbers[0].real(), numbers[1].real()};
  }
  if (name == "xavier") {
    // Glorot and Bengio 2010: uniform in [-a, a), a = sqrt(6 / (fan-in + fan-out)). Fan-in is the product of the dims
    // said, fan-out that of the others; without `over`, a matrix has its first dim in and its last out.
    if (!takes(0, "xavier(over D)"))
      return std::nullopt;
    if (!hasOver && dims.size() > 2) {
      error(Code::H0309, init.span, "the fan-in of a parameter with more than two dims must be said")
          .help("write `xavier(over H, K)`");
      return std::nullopt;
    }
    double in = 1, out = 1;
    for (size_t i = 0; i < dims.size(); ++i) {
      bool isIn = hasOver ? llvm::is_contained(over, dims[i]) : i + 1 < dims.size();
      (isIn ? in : out) *= static_cast<double>(dims[i]->size.value_or(1));
    }
    double a = std::sqrt(6 / (in + out));
    return Init{"uniform", -a, a};
  }
  Diagnostic &d = error(Code::H0309, init.name.span, fmt::format("there is no initialiser `{}`", name));
  if (!suggest(d, init.name.span, name, {"zeros", "ones", "constant", "normal", "uniform", "xavier"}))
    d.help("they are zeros, ones, constant(a), normal(std), uniform(a, b), xavier(over D)");
  return std::nullopt;
}

} // namespace heddle
