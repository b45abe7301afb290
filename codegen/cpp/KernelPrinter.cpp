// Prints one function, statement by statement. A value that is used once, by the next statement that matters, becomes
// part of its expression; what the user named, what is used more often and what would make a line long becomes a variable. Loops
// stay loops, and a value that a loop carries is a variable that the loop assigns.
//
// The printer decides on form only. An expression may move down past other statements as long as it reads no memory that
// they write: expressions that hold a load are made variables before any store, loop or branch.
#include "codegen/cpp/KernelPrinter.h"
#include "codegen/SourcePlace.h"
#include "codegen/cpp/Identifiers.h"
#include "codegen/cpp/Literals.h"
#include "ir/graph/Heddle.h"
#include "ir/kernel/KernelForm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace heddle;

static constexpr size_t kLineWidth = 110;
static constexpr size_t kFoldWidth = 80;  // of an expression that is folded into another

static std::string typeName(Type type) {
  if (type.isF32()) return "float";
  if (type.isInteger(32)) return "int32_t";
  if (type.isInteger(1)) return "bool";
  if (type.isIndex()) return "int64_t";
  auto vector = cast<VectorType>(type);
  std::string lanes = vector.getElementType().isF32() ? "Floats" : vector.getElementType().isInteger(1) ? "Mask" : "Ints";
  return vector.getDimSize(0) == 8 ? "Pair<" + lanes + ">" : lanes;
}

/// f32[B=12, T=64, D=128]
static std::string shapeText(Type type) {
  auto tensor = dyn_cast<Tensor>(type);
  if (!tensor) return "";
  std::string text = tensor.isFloat() ? "f32" : tensor.isInt() ? "i32" : "bool";
  for (auto [i, name] : llvm::enumerate(tensor.getNames()))
    text += (i ? ", " : "[") + name.str() + "=" + std::to_string(tensor.getSizes()[i]);
  return cppComment(tensor.getRank() ? text + "]" : text);
}

namespace {
class KernelPrinter {
 public:
  KernelPrinter(func::FuncOp function, const TargetInfo &target, const llvm::StringMap<std::string> &names,
                const SourceLine &sourceLine)
      : function(function), target(target), symbols(names), sourceLine(sourceLine) {}

  PrintedFunction print() {
    printComment();
    std::string comment = std::exchange(out, "");
    isLaneFunction(function) ? openLaneFunction() : openKernel();
    depth = 1;
    printBlock(function.getBody().front());
    out += "}\n";
    return {comment, std::move(out)};
  }

 private:
  struct Expression {
    std::string text;
    Binding binding = Binding::Primary;
    bool reads = false;  // of memory
    int leaves = 1;
  };

  // ---- text
  void line(const Twine &text) { out += (Twine(std::string(2 * depth, ' ')) + text + "\n").str(); }
  /// A statement, broken after a comma or before an operator where it is longer than the line.
  void statement(const Twine &text) {
    std::string rest = std::string(2 * depth, ' ') + text.str();
    std::string indent(2 * depth + 4, ' ');
    while (rest.size() > kLineWidth) {
      size_t comma = rest.rfind(", ", kLineWidth - 2), sum = rest.rfind(" + ", kLineWidth - 1);
      size_t at = comma == std::string::npos ? sum : comma + 1;
      if (at == std::string::npos || at <= indent.size() + 20) break;
      out += rest.substr(0, at) + "\n";
      rest = indent + rest.substr(at + 1);
    }
    out += rest + "\n";
  }
  /// `head` and pieces, separated by ", ", broken at the line's width.
  void wrapped(const std::string &head, ArrayRef<std::string> pieces, StringRef tail) {
    std::string text = head;
    for (auto [i, piece] : llvm::enumerate(pieces)) {
      std::string next = piece + (i + 1 < pieces.size() ? "," : tail.str());
      if (i && 2 * depth + text.size() + 1 + next.size() > kLineWidth) {
        line(text);
        text = "    " + next;
      } else {
        text += (i ? " " : "") + next;
      }
    }
    line(text);
  }

  void printComment() {
    SmallVector<SourcePlace> places = sourcePlaces(function.getLoc());
    function.walk([&](Operation *op) {
      for (const SourcePlace &place : sourcePlaces(op->getLoc()))
        if (!llvm::is_contained(places, place)) places.push_back(place);
    });
    llvm::stable_sort(places, [](auto &a, auto &b) { return std::tie(a.file, a.line, a.path) < std::tie(b.file, b.line, b.path); });
    for (const SourcePlace &place : places) {
      std::string source = sourceLine ? StringRef(sourceLine(place.path, place.line)).trim().str() : "";
      out += cppComment(("// " + place.text() + (source.empty() ? "" : "  " + source)).substr(0, kLineWidth)) + "\n";
    }
  }

  // ---- signatures
  void openLaneFunction() {
    SmallVector<std::string> params;
    for (BlockArgument arg : function.getArguments()) {
      std::string name = scope.fresh(userName(arg.getLoc()).empty() ? "x" : userName(arg.getLoc()));
      params.push_back(typeName(arg.getType()) + " " + name);
      values[arg] = {name};
    }
    out += "HWY_INLINE " + typeName(function.getResultTypes()[0]) + " " + symbols.lookup(function.getName()) + "(" +
           llvm::join(params, ", ") + ") {\n";
  }

  void openKernel() {
    auto arguments = function.getArguments();
    size_t buffers = llvm::count_if(arguments, [](auto arg) { return isa<MemRefType>(arg.getType()); }) - 1;
    size_t loops = arguments.size() - buffers - 3;
    auto argNames = function->getAttrOfType<ArrayAttr>("heddle.arg_names");
    auto argTypes = function->getAttrOfType<ArrayAttr>("heddle.arg_types");
    auto used = [&](size_t i) { return !arguments[i].use_empty(); };
    bool anyLoop = llvm::any_of(llvm::seq(buffers, buffers + loops), used);

    out += "static void " + symbols.lookup(function.getName()) + "(void* const* args, const int64_t*" +
           (anyLoop ? " loops" : "") + ", int64_t begin, int64_t end, void*" + (used(arguments.size() - 1) ? " memory" : "") +
           ") {\n";
    depth = 1;
    SmallVector<std::pair<std::string, std::string>> declarations;  // and their comments
    for (size_t i = 0; i < buffers; ++i) {
      StringRef wanted = argNames ? cast<StringAttr>(argNames[i]).getValue() : userName(arguments[i].getLoc());
      std::string name = scope.fresh(wanted.empty() ? "x" : wanted);
      values[arguments[i]] = {name};
      std::string type = elementName(arguments[i]);
      std::string pointer = (isWritten(arguments[i]) ? "" : "const ") + type + "*";
      std::string comment = argTypes ? shapeText(cast<TypeAttr>(argTypes[i]).getValue()) : "";
      if (!used(i)) continue;
      declarations.push_back({pointer + " " + name + " = static_cast<" + pointer + ">(args[" + std::to_string(i) + "]);",
                              comment});
    }
    for (size_t i = buffers; i < buffers + loops; ++i) {
      std::string name = scope.fresh("layer");
      values[arguments[i]] = {name};
      if (used(i))
        declarations.push_back({"const int64_t " + name + " = loops[" + std::to_string(i - buffers) + "];", ""});
    }
    values[arguments[arguments.size() - 3]] = {"begin"};
    values[arguments[arguments.size() - 2]] = {"end"};
    if (BlockArgument memory = arguments.back(); !memory.use_empty()) {
      values[memory] = {"scratch"};
      declarations.push_back({"float* scratch = static_cast<float*>(memory);",
                              "this thread's, " + std::to_string(cast<MemRefType>(memory.getType()).getNumElements()) + " floats"});
    }
    size_t width = 0;
    for (auto &[text, comment] : declarations) width = std::max(width, text.size());
    for (auto &[text, comment] : declarations)
      line(comment.empty() ? text : text + std::string(width - text.size() + 2, ' ') + "// " + comment);
  }
  static std::string elementName(Value memref) { return typeName(cast<MemRefType>(memref.getType()).getElementType()); }
  static bool isWritten(Value memref) {
    return llvm::any_of(memref.getUsers(), [&](Operation *user) {
      if (auto store = dyn_cast<memref::StoreOp>(user)) return store.getMemRef() == memref;
      if (auto store = dyn_cast<vector::StoreOp>(user)) return store.getBase() == memref;
      if (auto part = dyn_cast<PartOp>(user)) return isWritten(part);
      return isa<vector::MaskedStoreOp>(user);
    });
  }

  // ---- expressions
  const Expression &at(Value value) { return values[value]; }
  /// The text of an operand that must bind at least as tightly as `least`.
  std::string tight(Value value, Binding least) {
    const Expression &e = at(value);
    return e.binding < least ? "(" + e.text + ")" : e.text;
  }
  std::string text(Value value) { return at(value).text; }

  static Binding above(Binding binding) { return static_cast<Binding>(static_cast<int>(binding) + 1); }
  /// Fills a template of the table of admitted ops.
  Expression fill(StringRef form, Binding binding, Operation *op) {
    bool call = form.contains('(');
    std::string result;
    while (!form.empty()) {
      auto [before, rest] = form.split('{');
      result += before;
      if (rest.data() == nullptr || rest.empty()) break;
      auto [hole, after] = rest.split('}');
      form = after;
      if (hole == "T") {
        result += typeName(op->getResult(0).getType());
      } else if (hole.consume_front("#")) {
        APInt number;
        matchPattern(op->getOperand(hole[0] - '0'), m_ConstantInt(&number));
        result += std::to_string(number.getSExtValue());
      } else {
        unsigned i = hole[0] - '0';
        // Sums and products group from the left; everything else states its grouping.
        bool left = i == 0 && (binding == Binding::Sum || binding == Binding::Product);
        left |= isa<arith::AddIOp>(op) && op->getResult(0).getType().isIndex();  // which does not overflow
        std::string operand = tight(op->getOperand(i), call ? Binding::Select : left ? binding : above(binding));
        if (binding == Binding::Unary && operand[0] == '-') operand = "(" + operand + ")";
        result += operand;
      }
    }
    return {result, binding};
  }
  static Expression call(const Twine &name, ArrayRef<std::string> args) {
    return {(name + "(" + llvm::join(args, ", ") + ")").str(), Binding::Primary};
  }

  /// base[linear index], or with `address` the pointer to it.
  std::string element(Value base, ValueRange indices, bool address) {
    auto shape = cast<MemRefType>(base.getType()).getShape();
    Expression index{"0"};
    for (auto [i, value] : llvm::enumerate(indices)) {
      if (i == 0 || index.text == "0") {
        index = at(value);
        continue;
      }
      std::string scaled = (index.binding < Binding::Product ? "(" + index.text + ")" : index.text) + " * " +
                           std::to_string(shape[i]);
      index = text(value) == "0" ? Expression{scaled, Binding::Product}
                                 : Expression{scaled + " + " + tight(value, Binding::Product), Binding::Sum};
    }
    if (address && index.text == "0") return text(base);
    return (address ? "&" : "") + text(base) + "[" + index.text + "]";
  }

  static StringRef floatOperator(arith::CmpFPredicate predicate) {
    using P = arith::CmpFPredicate;
    switch (predicate) {
      case P::OEQ: return "==";
      case P::OLT: return "<";
      case P::OLE: return "<=";
      case P::OGT: return ">";
      case P::OGE: return ">=";
      default: return "!=";
    }
  }
  Expression compare(arith::CmpFOp op) {
    bool vector = isa<VectorType>(op.getLhs().getType());
    StringRef sign = floatOperator(op.getPredicate());
    if (vector && sign == "!=") return call("NotEqual", {text(op.getLhs()), text(op.getRhs())});
    return infix(op.getLhs(), sign, op.getRhs(), sign.ends_with("=") && sign.size() == 2 && sign[0] != '<' && sign[0] != '>'
                                                     ? Binding::Equal
                                                     : Binding::Order);
  }
  Expression infix(Value a, StringRef sign, Value b, Binding binding) {
    return {tight(a, above(binding)) + " " + sign.str() + " " + tight(b, above(binding)), binding};
  }
  Expression compare(arith::CmpIOp op) {
    struct Row {
      const char *sign, *lanes;
      bool isUnsigned;
    };
    // in the order of arith::CmpIPredicate: eq ne slt sle sgt sge ult ule ugt uge
    static constexpr Row rows[] = {{"==", "Equal", false},          {"!=", "NotEqual", false},
                                   {"<", "Less", false},            {"<=", "LessEqual", false},
                                   {">", "Greater", false},         {">=", "GreaterEqual", false},
                                   {"<", "LessUnsigned", true},     {"<=", "LessEqualUnsigned", true},
                                   {">", "GreaterUnsigned", true},  {">=", "GreaterEqualUnsigned", true}};
    const Row &row = rows[static_cast<size_t>(op.getPredicate())];
    Value a = op.getLhs(), b = op.getRhs();
    if (isa<VectorType>(a.getType())) return call(row.lanes, {text(a), text(b)});
    Binding binding = row.sign[0] == '=' || row.sign[0] == '!' ? Binding::Equal : Binding::Order;
    if (!row.isUnsigned) return infix(a, row.sign, b, binding);
    std::string word = a.getType().isIndex() ? "static_cast<uint64_t>(" : "static_cast<uint32_t>(";
    return {word + text(a) + ") " + row.sign + " " + word + text(b) + ")", binding};
  }

  Expression special(Operation *op) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      std::string literal = literalText(constant.getValue());
      return {literal, literal[0] == '-' ? Binding::Unary : Binding::Primary};
    }
    if (isa<vector::VectorScaleOp>(op)) return {"kLanes / 4", Binding::Product};
    if (auto compare_ = dyn_cast<arith::CmpFOp>(op)) return compare(compare_);
    if (auto compare_ = dyn_cast<arith::CmpIOp>(op)) return compare(compare_);
    if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op)) {
      Value from = op->getOperand(0);
      if (isa<VectorType>(from.getType())) return {"LaneIndex()"};
      if (!from.getType().isIndex() && isa<arith::IndexCastUIOp>(op))
        return call("static_cast<int64_t>", {"static_cast<uint32_t>(" + text(from) + ")"});
      return call("static_cast<" + typeName(op->getResult(0).getType()) + ">", {text(from)});
    }
    if (isa<vector::StepOp>(op)) return {"LaneIndex()"};
    if (auto reduction = dyn_cast<vector::ReductionOp>(op)) {
      using K = vector::CombiningKind;
      K kind = reduction.getKind();
      bool max = kind == K::MAXNUMF || kind == K::MAXSI;
      return call(kind == K::ADD ? "ReduceAdd" : max ? "ReduceMax" : "ReduceMin", {text(reduction.getVector())});
    }
    if (auto part = dyn_cast<vector::ScalableExtractOp>(op))
      return {tight(part.getSource(), Binding::Primary) + (part.getPos() ? ".high" : ".low")};
    if (auto part = dyn_cast<vector::ScalableInsertOp>(op)) {
      std::string into = tight(part.getDest(), Binding::Primary), value = text(part.getValueToStore());
      std::string pair = part.getPos() ? into + ".low, " + value : value + ", " + into + ".high";
      return {typeName(op->getResult(0).getType()) + "{" + pair + "}"};
    }
    if (auto load = dyn_cast<memref::LoadOp>(op)) return {element(load.getMemRef(), load.getIndices(), false)};
    if (auto load = dyn_cast<vector::LoadOp>(op)) return call("Load", {element(load.getBase(), load.getIndices(), true)});
    if (auto load = dyn_cast<vector::MaskedLoadOp>(op)) {
      SmallVector<std::string> args{text(load.getMask()), element(load.getBase(), load.getIndices(), true)};
      if (!isPositiveZero(load.getPassThru())) args.push_back(text(load.getPassThru()));
      return call("MaskedLoad", args);
    }
    if (auto gather = dyn_cast<vector::GatherOp>(op)) {
      SmallVector<std::string> args{element(gather.getBase(), gather.getOffsets(), true), text(gather.getIndices())};
      if (!matchPattern(gather.getMask(), m_One())) llvm::append_values(args, text(gather.getMask()), text(gather.getPassThru()));
      return call("Gather", args);
    }
    auto callee = cast<func::CallOp>(op);
    SmallVector<std::string> args;
    for (Value operand : callee.getOperands()) args.push_back(text(operand));
    return call(symbols.lookup(callee.getCallee()), args);
  }
  static bool isPositiveZero(Value value) { return matchPattern(value, m_PosZeroFloat()) || matchPattern(value, m_Zero()); }

  Expression expressionOf(Operation *op) {
    if (isa<arith::MulIOp>(op) && op->getOperand(0).getDefiningOp<vector::VectorScaleOp>()) {
      APInt four;
      if (matchPattern(op->getOperand(1), m_ConstantInt(&four)) && four == 4) return {"kLanes"};
    }
    APInt number;
    if (isa<arith::AddIOp>(op) && lanewise.contains(op->getOperand(0)) &&
        matchPattern(op->getOperand(1), m_ConstantInt(&number)) && isLanes(number.getSExtValue()))
      return {text(op->getOperand(0)) + " + " + lanesText(number.getSExtValue()), Binding::Sum};
    if (isa<arith::AddIOp>(op) && !isa<VectorType>(op->getResult(0).getType()) &&
        matchPattern(op->getOperand(1), m_ConstantInt(&number)) && number.isNegative() && !number.isMinSignedValue())
      return {tight(op->getOperand(0), Binding::Sum) + " - " + std::to_string(-number.getSExtValue()), Binding::Sum};
    const AdmittedOp *row = findAdmittedOp(op->getName().getStringRef());
    bool vector = op->getNumOperands() && isa<VectorType>(op->getOperand(0).getType());
    StringRef form = vector ? row->vector : row->scalar;
    if (form.empty()) return special(op);
    return fill(form, form.contains('(') ? Binding::Primary : row->binding, op);
  }

  // ---- statements
  std::string nameOf(Value value, StringRef fallback) {
    StringRef name = value.getType().isIndex() ? StringRef() : userName(value.getLoc());
    return scope.fresh(name.empty() ? fallback : name);
  }
  /// Gives `value` a variable.
  void declare(Value value, const Expression &e, StringRef fallback = "v") {
    std::string name = nameOf(value, value.getType().isIndex() ? "at" : isa<VectorType>(value.getType()) ? fallback : "s");
    statement("const " + typeName(value.getType()) + " " + name + " = " + e.text + ";");
    values[value] = {name};
    pending.erase(value);
  }
  /// Loads that wait in expressions happen before what may write.
  void flushReads(Operation *except = nullptr) {
    SmallVector<Value> waiting;
    for (auto &[value, unused] : pending)
      if (!except || !llvm::is_contained(except->getOperands(), value)) waiting.push_back(value);
    for (Value value : waiting) declare(value, Expression(at(value)));
  }

  bool folds(Operation *op, const Expression &e) {
    if (isa<arith::ConstantOp, vector::VectorScaleOp, vector::StepOp>(op)) return true;
    Value value = op->getResult(0);
    if (e.text == "kLanes" || e.text == "LaneIndex()") return true;
    if (e.text.size() > kFoldWidth) return false;
    if (value.getType().isIndex() && !e.reads && e.leaves <= 3) return true;
    if (!value.hasOneUse()) return false;
    Operation *user = *value.getUsers().begin();
    if (user->getBlock() != op->getBlock()) return value.getType().isIndex() && !e.reads;
    if (isa<scf::ForOp, scf::IfOp, func::CallOp>(user)) return !e.reads || isa<func::CallOp>(user);
    if (isa<memref::StoreOp, vector::StoreOp, vector::MaskedStoreOp, func::ReturnOp, scf::YieldOp>(user)) return true;
    if (isa<vector::InterleaveOp>(user) || user->getNumResults() == 2) return true;
    StringRef mine = userName(op->getLoc()), next = userName(user->getLoc());
    return value.getType().isIndex() || mine.empty() || mine == next;
  }

  void printBlock(Block &block) {
    for (Operation &op : block) printOp(&op);
  }

  void printOp(Operation *op) {
    if (auto loop = dyn_cast<scf::ForOp>(op)) return printFor(loop);
    if (auto branch = dyn_cast<scf::IfOp>(op)) return printIf(branch);
    if (isa<scf::YieldOp>(op)) return;  // by its parent
    if (auto store = dyn_cast<memref::StoreOp>(op)) {
      flushReads(op);
      return consume(op, element(store.getMemRef(), store.getIndices(), false) + " = " + text(store.getValue()) + ";");
    }
    if (auto store = dyn_cast<vector::StoreOp>(op)) {
      flushReads(op);
      return consume(op, "Store(" + text(store.getValueToStore()) + ", " +
                             element(store.getBase(), store.getIndices(), true) + ");");
    }
    if (auto store = dyn_cast<vector::MaskedStoreOp>(op)) {
      flushReads(op);
      return consume(op, "MaskedStore(" + text(store.getValueToStore()) + ", " + text(store.getMask()) + ", " +
                             element(store.getBase(), store.getIndices(), true) + ");");
    }
    if (auto prefetch = dyn_cast<memref::PrefetchOp>(op))
      return consume(op, "Prefetch(" + element(prefetch.getMemref(), prefetch.getIndices(), true) + ");");
    if (auto part = dyn_cast<PartOp>(op)) return printPart(part);
    if (isa<func::ReturnOp>(op)) {
      if (op->getNumOperands()) line("return " + text(op->getOperand(0)) + ";");
      return;
    }
    if (op->getNumResults() == 2) return printTwoResults(op);

    if (op->use_empty()) return;
    Expression e = expressionOf(op);
    e.reads = isa<memref::LoadOp, vector::LoadOp, vector::MaskedLoadOp, vector::GatherOp>(op);
    e.leaves = 0;
    for (Value operand : op->getOperands()) {
      auto known = values.find(operand);
      if (known == values.end() || isa<MemRefType>(operand.getType())) continue;
      e.reads |= known->second.reads;
      e.leaves += known->second.leaves;
    }
    e.leaves = std::max(e.leaves, 1);
    for (Value operand : op->getOperands()) pending.erase(operand);
    if (Value old = updates(op)) {
      statement(carried[old] + " = " + e.text + ";");
      values[op->getResult(0)] = {carried[old]};
      return;
    }
    if (!folds(op, e)) return declare(op->getResult(0), e, isa<vector::CreateMaskOp>(op) ? "mask" : "v");
    bool reads = e.reads;
    values[op->getResult(0)] = std::move(e);
    if (reads) pending.insert({op->getResult(0), true});
  }
  /// What a loop carries, if the op gives its next value and nothing else reads the old one: the variable changes here, not
  /// at the end of the loop, where a compiler would have to keep all that led to it (register tiles spilled).
  static Value updates(Operation *op) {
    auto loop = dyn_cast<scf::ForOp>(op->getParentOp());
    Value next = op->getResult(0);
    if (!loop || !next.hasOneUse()) return {};
    OpOperand &use = *next.use_begin();
    if (use.getOwner() != loop.getBody()->getTerminator()) return {};
    Value old = loop.getRegionIterArg(use.getOperandNumber());
    return old.hasOneUse() && *old.user_begin() == op ? old : Value();
  }
  void consume(Operation *op, const std::string &text) {
    for (Value operand : op->getOperands()) pending.erase(operand);
    statement(text);
  }

  /// float* scores = scratch + 4096;
  void printPart(PartOp part) {
    if (part->use_empty()) return;
    std::string type = (isWritten(part) ? "" : "const ") + elementName(part) + "*";
    std::string address = element(part.getMemory(), part.getFrom(), true);
    if (elementName(part) != elementName(part.getMemory())) address = "reinterpret_cast<" + type + ">(" + address + ")";
    std::string name = nameOf(part, "block");
    pending.erase(part.getFrom());
    statement(type + " " + name + " = " + address + ";");
    values[part] = {name};
  }

  void printTwoResults(Operation *op) {
    std::string a = text(op->getOperand(0));
    bool product = isa<arith::MulUIExtendedOp>(op);
    std::string b = product ? text(op->getOperand(1)) : "";
    Expression first = product ? infix(op->getOperand(0), "*", op->getOperand(1), Binding::Product) : call("Even", {a});
    Expression second = product ? call("MulHigh", {a, b}) : call("Odd", {a});
    for (Value operand : op->getOperands()) pending.erase(operand);
    if (!op->getResult(0).use_empty()) declare(op->getResult(0), first);
    if (!op->getResult(1).use_empty()) declare(op->getResult(1), second);
  }

  // ---- lanes
  /// Loops over registers step by multiples of the lane count, which lowering knows as a number: kLanes says what it is,
  /// and lets the classes share the text.
  bool isLanes(int64_t number) const { return number > 0 && number % target.lanes() == 0; }
  std::string lanesText(int64_t number) const {
    int64_t registers = number / target.lanes();
    return registers == 1 ? "kLanes" : std::to_string(registers) + " * kLanes";
  }
  /// Is a counter, or it plus a constant, multiplied? Then it counts rows, not lanes.
  static bool isScaled(Value counter) {
    return llvm::any_of(counter.getUsers(), [&](Operation *user) {
      if (isa<arith::MulIOp>(user)) return true;
      return isa<arith::AddIOp>(user) && matchPattern(user->getOperand(1), m_Constant()) && isScaled(user->getResult(0));
    });
  }
  bool stepsByLanes(scf::ForOp loop) const {
    APInt step;
    if (!matchPattern(loop.getStep(), m_ConstantInt(&step)) || !isLanes(step.getSExtValue())) return false;
    if (isScaled(loop.getInductionVar())) return false;
    return llvm::any_of(loop.getBody()->getOperations(), [](Operation &op) {
      return isa<vector::LoadOp, vector::MaskedLoadOp, vector::StoreOp, vector::MaskedStoreOp>(op);
    });
  }

  // ---- loops and branches
  /// What the lowering called a variable of a loop; empty where it has only the loop's own place.
  static StringRef ownName(Value variable, scf::ForOp loop) {
    if (variable.getLoc() == loop.getLoc()) return "";
    auto name = dyn_cast<NameLoc>(variable.getLoc());
    return name ? name.getName().getValue() : "";
  }

  void printFor(scf::ForOp loop) {
    flushReads(loop);
    std::string type;
    SmallVector<std::string> declarations;
    auto flush = [&] {
      if (!declarations.empty()) wrapped(type + " ", declarations, ";");
      declarations.clear();
    };
    for (auto [arg, init] : llvm::zip(loop.getRegionIterArgs(), loop.getInits())) {
      if (typeName(arg.getType()) != type) flush();
      type = typeName(arg.getType());
      StringRef name = userName(loop.getLoc());
      StringRef given = ownName(arg, loop);
      std::string variable = scope.fresh(!given.empty() ? given : arg.getType().isIndex() ? "at" : name.empty() ? "acc" : name);
      declarations.push_back(variable + " = " + text(init));
      pending.erase(init);
      carried[arg] = variable;
      values[arg] = {variable};
    }
    flush();

    static constexpr const char *kNames[] = {"i", "j", "k", "l"};
    bool tiles = loop.getLowerBound() == function.getArguments()[function.getNumArguments() < 3 ? 0 : function.getNumArguments() - 3] &&
                 !isLaneFunction(function);
    StringRef given = ownName(loop.getInductionVar(), loop);
    std::string i = scope.fresh(tiles ? "tile" : !given.empty() ? given : loopDepth < 4 ? kNames[loopDepth] : "m");
    if (!tiles) ++loopDepth;
    std::string step = text(loop.getStep());
    if (APInt number; stepsByLanes(loop) && matchPattern(loop.getStep(), m_ConstantInt(&number))) {
      step = lanesText(number.getSExtValue());
      lanewise.insert(loop.getInductionVar());
    }
    line("for (int64_t " + i + " = " + text(loop.getLowerBound()) + "; " + i + " < " +
         tight(loop.getUpperBound(), Binding::Sum) + "; " + (step == "1" ? "++" + i : i + " += " + step) + ") {");
    values[loop.getInductionVar()] = {i};
    ++depth;
    printBlock(*loop.getBody());
    SmallVector<std::string> targets;
    for (Value arg : loop.getRegionIterArgs()) targets.push_back(carried[arg]);
    assign(loop.getBody()->getTerminator(), targets, loop.getRegionIterArgs());
    --depth;
    if (!tiles) --loopDepth;
    line("}");
    for (auto [result, target] : llvm::zip(loop.getResults(), targets)) values[result] = {target};
  }

  /// Does the expression of `value` mention `variable`?
  bool mentions(Value value, const std::string &variable) {
    StringRef text = at(value).text;
    auto isWord = [](char c) { return llvm::isAlnum(c) || c == '_'; };
    for (size_t from = text.find(variable); from != StringRef::npos; from = text.find(variable, from + 1)) {
      size_t to = from + variable.size();
      if ((from == 0 || !isWord(text[from - 1])) && (to == text.size() || !isWord(text[to]))) return true;
    }
    return false;
  }
  /// target[i] = yielded i, all at once: a value that another assignment would change is kept in a variable first.
  void assign(Operation *yield, ArrayRef<std::string> targets, ValueRange args) {
    SmallVector<std::string> sources(targets.size());
    for (auto [i, value] : llvm::enumerate(yield->getOperands())) {
      for (size_t earlier = 0; earlier < i && sources[i].empty(); ++earlier) {
        if (!args.empty() && yield->getOperand(earlier) == args[earlier]) continue;  // not assigned
        if (!mentions(value, targets[earlier])) continue;
        sources[i] = scope.fresh("next");
        line("const " + typeName(value.getType()) + " " + sources[i] + " = " + text(value) + ";");
      }
      if (sources[i].empty()) sources[i] = text(value);
    }
    for (auto [i, value] : llvm::enumerate(yield->getOperands())) {
      pending.erase(value);
      if (sources[i] != targets[i]) statement(targets[i] + " = " + sources[i] + ";");
    }
  }

  void printIf(scf::IfOp branch) {
    flushReads(branch);
    SmallVector<std::string> targets;
    for (Value result : branch.getResults()) {
      targets.push_back(nameOf(result, "v"));
      line(typeName(result.getType()) + " " + targets.back() + ";");
      values[result] = {targets.back()};
    }
    line("if (" + text(branch.getCondition()) + ") {");
    pending.erase(branch.getCondition());
    ++depth;
    printBlock(*branch.thenBlock());
    if (branch.getNumResults()) assign(branch.thenYield(), targets, {});
    --depth;
    if (branch.elseBlock() && (branch.getNumResults() || !branch.elseBlock()->without_terminator().empty())) {
      line("} else {");
      ++depth;
      printBlock(*branch.elseBlock());
      if (branch.getNumResults()) assign(branch.elseYield(), targets, {});
      --depth;
    }
    line("}");
  }

  func::FuncOp function;
  const TargetInfo &target;
  const llvm::StringMap<std::string> &symbols;
  const SourceLine &sourceLine;
  NameScope scope;
  llvm::DenseMap<Value, Expression> values;
  llvm::DenseMap<Value, std::string> carried;
  llvm::DenseSet<Value> lanewise;  // counters of loops over registers
  llvm::MapVector<Value, bool> pending;  // folded expressions that read memory
  std::string out;
  int depth = 0, loopDepth = 0;
};
}  // namespace

PrintedFunction heddle::printKernel(func::FuncOp function, const TargetInfo &target,
                                    const llvm::StringMap<std::string> &names, const SourceLine &sourceLine) {
  return KernelPrinter(function, target, names, sourceLine).print();
}
