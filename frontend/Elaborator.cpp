// What every form shares: locations, types of the graph, making ops, and the pieces of messages. See Elaborator.h.
#include "frontend/Elaborator.h"

namespace heddle {
using namespace ast;

std::string typeText(Element element, const std::vector<Axis *> &dims) {
  std::string text = spelling(element);
  if (dims.empty())
    return text;
  for (size_t i = 0; i < dims.size(); ++i)
    text += (i ? ", " : "[") + (dims[i]->rest ? std::string("..") : dims[i]->name);
  return text + "]";
}
std::string typeText(const Value &value) {
  switch (value.kind) {
  case Value::Kind::Number:
    return "a number";
  case Value::Kind::Tensor:
    return typeText(value.element, value.dims);
  case Value::Kind::Tuple:
    return fmt::format("{} values", value.parts.size());
  case Value::Kind::String:
    return "a string";
  default:
    return "a value";
  }
}
std::string dimLike(const Axis *axis) { return fmt::format("`dim {} ~ {}`", axis->name == "N" ? "M" : "N", axis->name); }
std::string asPattern(std::string name) {
  for (size_t at; (at = name.find("{}")) != std::string::npos;)
    name.replace(at, 2, "*");
  return name;
}

uint64_t fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (unsigned char c : text)
    hash = (hash ^ c) * 0x100000001b3u;
  return hash;
}

Elaborator::Elaborator(const ModuleTable &table, Diagnostics &diagnostics, Mode mode,
                       std::map<std::string, int64_t> sizes)
    : table(table), diagnostics(diagnostics), mode(mode), given(std::move(sizes)) {}

mlir::Location Elaborator::location(Span span) const {
  LineColumn at = span.start();
  auto place = mlir::FileLineColLoc::get(builder->getContext(), span.source->name(), at.line, at.column);
  if (!current || current->subject.empty())
    return place;
  return mlir::NameLoc::get(builder->getStringAttr(current->subject), place);
}

mlir::Type Elaborator::element(Element element) const {
  switch (element) {
  case Element::I32:
    return builder->getI32Type();
  case Element::Bool:
    return builder->getI1Type();
  default:
    return builder->getF32Type();
  }
}

mlir::ArrayAttr Elaborator::ids(const std::vector<Axis *> &axes) const {
  llvm::SmallVector<mlir::Attribute> names;
  for (const Axis *axis : axes)
    names.push_back(id(axis));
  return builder->getArrayAttr(names);
}

heddle::Tensor Elaborator::irType(Span span, const Value &value) {
  llvm::SmallVector<mlir::StringAttr> names;
  llvm::SmallVector<int64_t> sizes;
  int64_t product = 1;
  for (const Axis *axis : value.dims) {
    if (!axis->size) {
      error(Code::H0217, axis->declared.valid() ? axis->declared : span, fmt::format("the size of `{}` is not known", axis->name))
          .label(span, "needed here")
          .help(fmt::format("give it in the train block, `size {} = 8`, or on the command line, `--set {}=8`",
                            axis->name, axis->name));
      return {};
    }
    if (__builtin_mul_overflow(product, *axis->size, &product) || product > (int64_t(1) << 62)) {
      error(Code::H0214, span, fmt::format("{} has more than 2^62 elements", typeText(value)))
          .help("make one of its dims smaller");
      return {};
    }
    names.push_back(id(axis));
    sizes.push_back(*axis->size);
  }
  return heddle::Tensor::get(names, sizes, element(value.element));
}

// Entries share the variables of the graph: the first look-up reads those that earlier entries made.
VariableOp Elaborator::variable(const std::string &name) {
  if (variables.empty())
    for (auto op : graph.getBody()->getOps<VariableOp>())
      variables[op.getSymName().str()] = op;
  auto it = variables.find(name);
  return it == variables.end() ? VariableOp() : it->second;
}

mlir::Value Elaborator::ordered(Span span, const Value &value) {
  heddle::Tensor type = irType(span, value);
  if (!type || !value.ir || value.ir.getType() == type)
    return value.ir;
  return BroadcastOp::create(*builder, location(span), type, value.ir);
}

bool Elaborator::countOp(Span span) {
  if (++ops <= maxOps)
    return true;
  if (!diagnostics.firstTime("too many operations")) // what is still open on the way out is not told again
    return false;
  error(Code::H0603, span, fmt::format("the model has more than {} operations", maxOps))
      .note("modules are expanded where they are called")
      .help("layers of one kind are a loop: `repeat L as h { x = Block(x) }`");
  return false;
}

bool Elaborator::refuseElement(Element element, Span span) {
  if (element != Element::BF16)
    return false;
  error(Code::H0501, span, "`bf16` is not supported yet").help("use f32");
  return true;
}

std::string Elaborator::called(const Value &value) const {
  return value.name.empty() ? "this value" : fmt::format("`{}`", value.name);
}

Diagnostic &Elaborator::error(Code code, Span span, std::string message) {
  Diagnostic &d = diagnostics.error(code, span, std::move(message));
  constexpr int mostCalls = 8; // of a long row of calls, those next to the error
  int calls = 0;
  if (building())
    for (const Frame *frame = current; frame && frame->caller && calls < mostCalls; frame = frame->caller)
      if (frame->site.valid() && frame->module && ++calls)
        d.label(frame->site, fmt::format("in this call of {}", frame->module->name.name));
  return d;
}

Span Elaborator::inMainFile(Span span) const {
  for (const Frame *frame = current; frame && span.source != table.file().source && frame->site.valid(); frame = frame->caller)
    span = frame->site;
  return span;
}

void Elaborator::labelMade(Diagnostic &d, const Value &value, Span besides) {
  if (!value.made.valid() || value.made == besides)
    return;
  d.label(value.made, fmt::format("{} is {}", called(value), typeText(value)));
}

std::string Elaborator::describe(const Axis *axis) const {
  return axis->owner ? fmt::format("`{}` of {}", axis->name, axis->owner->name.name) : fmt::format("`{}`", axis->name);
}

void Elaborator::noteSameSize(Diagnostic &d, const Axis *wanted, const Value &value) {
  for (const Axis *axis : value.dims)
    if (axis != wanted && !axis->rest && axis->formula == wanted->formula) {
      d.note(fmt::format("{} and {} have the same size but are different axes", axis->name, wanted->name));
      return;
    }
}

} // namespace heddle
