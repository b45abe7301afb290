// Checks a file and builds its graph in one walk over the syntax tree. Internal to the frontend; see BuildGraph.h.
//
// The walk has two modes. Check looks at every module once, where it is defined: its own dims are fresh axes without
// a size, calls are checked against signatures alone, no graph is made. So an error is reported once however often
// the module is called, and a module that nobody calls is checked too. Build comes after a Check without errors: all
// sizes are numbers, every call puts the module's body in place of the call, and each form makes its ops. What can
// only be known then (a division that leaves a rest, an index out of range, a size overflow) is reported by Build.
//
// One function per form of expression; a form that fails reports and returns an unknown value, which silences what
// depends on it.
#pragma once
#include "frontend/Diagnostics.h"
#include "frontend/ModuleTable.h"
#include "frontend/Value.h"
#include "ir/graph/Heddle.h"

#include <deque>
#include <fmt/format.h>
#include <functional>

namespace heddle {

/// `f32[B, T, D]`.
std::string typeText(ast::Element element, const std::vector<Axis *> &dims);
std::string typeText(const Value &value);
/// The declaration of another dim of the same size: `dim N ~ L`, quoted.
std::string dimLike(const Axis *axis);
/// The name of a parameter as a pattern would be written, `h.*.wq` of `h.{}.wq`.
std::string asPattern(std::string name);
/// FNV-1a, 64 bits: numbers the streams of random numbers by name.
uint64_t fnv1a(std::string_view text);

class Elaborator {
public:
  enum class Mode { Check, Build };

  /// What a call site keeps: `state mem`.
  struct State {
    Value value; // before the step; unknown after an error
    std::string full;
    Span span, next; // the statements; no span while there is no `next`
    size_t depth = 0; // of loops
  };
  /// A module's call (or a train block) while its body is walked.
  struct Frame {
    const ast::Module *module = nullptr; // null: a train block
    const ast::File *file = nullptr;
    std::map<std::string, Value> names;
    std::map<std::string, Axis *> dims;  // its own, over the file's
    std::vector<Axis *> rest;            // what `..` took
    std::string path;                    // "h.{}.attn.": the prefix of its parameters
    bool broken = false;                 // the signature has errors: results are not compared with it
    bool returns = false;                // a misplaced `return` was reported
    std::string subject;                 // what its results are called in the graph
    std::map<std::string, Span> levels;  // names of the loops in this body
    std::map<std::string, State> states; // of this body and the loops that are open
    const Frame *caller = nullptr;
    Span site;
  };
  /// `collect hs[L] = x`: the value after the loop, and what an iteration gives to it.
  struct Collected {
    ast::Ident name;
    Value value;
    mlir::Value inside;
  };
  /// A `repeat` whose body is being walked.
  struct Loop {
    mlir::Block *block = nullptr;
    Axis *axis = nullptr;
    std::string name;
    std::vector<mlir::Value> stacked;
    std::map<std::string, mlir::Value> slices; // by variable
    std::vector<Collected> collected;
    std::vector<std::pair<std::string, mlir::Value>> writes; // next values of states, by variable
  };
  struct Weight {
    std::string name;
    std::vector<Axis *> dims;
    Span span;
    Span type;
    Span use;              // the place in the user's file: the call, if a library declares it
    std::string signature; // dims, initialiser: what a tie must agree in
    bool frozen = false;
  };
  struct Input {
    std::string name; // "data.ids", or a module's argument
    Span span;
    std::optional<int64_t> below; // ids must be in [0, below): set when it is used as an index
  };

  Elaborator(const ModuleTable &table, Diagnostics &diagnostics, Mode mode, std::map<std::string, int64_t> sizes = {});

  // What an entry needs from the graph; set by BuildGraph before Build walks.
  mlir::OpBuilder *builder = nullptr;
  mlir::ModuleOp graph;
  mlir::Block *entry = nullptr; // reads of variables stand at its start
  mlir::Value seed, step;       // set in training: dropout acts
  mlir::Value micro;            // the number of the micro-batch, where a step has several
  std::vector<Input> inputs;
  std::vector<mlir::Value> discarded; // results that the train block assigned to `_`
  std::map<std::string, Weight> parameters;
  Axis *batch = nullptr;                    // what is summed over it is added up, over all batches or micro-batches
  Value batchRows;                          // bool[batch]: the rows that count, of a last batch that is not full; or unset
  bool isBucket = false;                    // of the lengths of one bucket: other sizes than @train has
  bool keepsState = true;                   // else a state has its initial value, and no next one
  std::vector<std::pair<std::string, mlir::Value>> writes; // next values of states, by variable
  std::map<std::string, unsigned> dropouts; // seen under each path: numbers their streams
  /// If set, called for every cross_entropy; a true answer stops the walk of its arguments.
  std::function<void(const ast::Call &, Frame &)> onCrossEntropy;

  bool building() const { return mode == Mode::Build; }
  bool failed() const { return diagnostics.hasErrors(); }
  const ModuleTable &modules() const { return table; }
  Diagnostics &diags() { return diagnostics; }

  // Dims: CheckDims.cpp
  /// Declares the dims of the main file and of those that it imports. `sizes` given to the constructor bind by name.
  void declareFileDims();
  Axis *declare(const ast::DimDecl &decl, Frame &frame, bool ofFile);
  Axis *freshAxis(std::string name, std::optional<int64_t> size, Formula formula, Span span);
  Axis *fileDim(const std::string &name) const;
  /// The axis that a name means; an error and null if none.
  Axis *dim(const ast::Ident &name, const Frame &frame);
  Axis *findDim(const std::string &name, const Frame &frame) const;
  std::vector<std::string> dimNames(const Frame &frame) const;
  /// The dims of a type, `..` replaced by the frame's rest. False if one is unknown or stands twice.
  bool resolve(const ast::TensorType &type, const Frame &frame, std::vector<Axis *> &dims);
  struct Size {
    std::optional<int64_t> value;
    Formula formula;
  };
  /// The size that an expression of dims stands for; nothing after an error.
  std::optional<Size> size(const ast::Expr &expr, const Frame &frame);
  /// The size of several axes together; no number if one is not known or 64 bits do not hold it.
  static Size product(const std::vector<Axis *> &axes);
  const std::map<std::string, Axis *> &fileDims() const { return fileAxes; }

  // Modules: CheckModule.cpp, CheckCall.cpp
  /// Check mode: walks modules where they are defined, all signatures first, since a call is checked against them alone.
  void checkModules();
  void checkSignature(const ast::Module &module, Frame &frame);
  void checkBody(Frame &frame);
  bool statements(const std::vector<ast::StmtPtr> &body, Frame &frame, std::vector<Value> *results);
  void dims(const ast::DimStmt &stmt, Frame &frame);
  void let(const ast::LetStmt &stmt, Frame &frame);
  void repeat(const ast::RepeatStmt &stmt, Frame &frame);
  std::optional<std::vector<Value>> returned(const ast::ReturnStmt &stmt, Frame &frame);
  Value call(const ast::Call &call, Frame &frame);
  Value inlineModule(const ast::Module &module, Frame callee);
  /// The place in the user's file that led to a place of a library: the call, or the place itself.
  Span inMainFile(Span span) const;

  // Parameters: CheckParams.cpp
  void param(const ast::ParamStmt &stmt, Frame &frame);
  struct Init {
    const char *kind = "constant";
    double a = 0, b = 0;
  };
  std::optional<Init> initialiser(const ast::Initialiser &init, const std::vector<Axis *> &dims, Frame &frame);
  /// Declares what outlives a step, or checks that it is what another entry has declared. False after an error.
  bool variable(const std::string &full, const Value &value, Span span, const char *kind, const Init &init, bool frozen);
  Value read(const std::string &name, Value prototype, Span span);

  // Optimizers: CheckOptimizer.cpp
  /// Check mode: walks the update rules where they are declared.
  void checkOptimizers();
  void checkOptimizer(const ast::Module &rule);
  /// Are the arguments of a rule those of an optimizer? Errors if not (H0415).
  bool ruleSignature(const ast::Module &rule);
  /// Gives a frame what is the same in every use of a rule: `step` (i32, counted from 1), `steps`, and the axis that
  /// `..` stands for, whose size is not known in Check.
  void openRule(const ast::Module &rule, Frame &frame, const Value &step, std::optional<int64_t> steps);
  /// Walks a rule whose arguments are in the frame; the next values are among `writes`, under the names of the parameter
  /// and the states.
  void walkRule(Frame &frame);
  static Value stepValue();
  static void nameSteps(Frame &frame, const Value &step, std::optional<int64_t> steps);
  /// Build mode: what a state of a rule is; unset elsewhere.
  std::function<mlir::Value(const std::string &name, double initial)> ruleState;

  // State and collections: CheckState.cpp
  void state(const ast::StateStmt &stmt, Frame &frame);
  void next(const ast::NextStmt &stmt, Frame &frame);
  void collect(const ast::CollectStmt &stmt, Frame &frame);
  /// Ends the states that were declared deeper than the loops that are open now.
  void endStates(Frame &frame);

  // Expressions: CheckExpr.cpp and the files named
  Value expr(const ast::Expr &expr, Frame &frame);
  Value name(const ast::Name &name, Frame &frame);
  Value attribute(const ast::Attribute &attribute, Frame &frame);
  Value unary(const ast::Unary &expr, Frame &frame);
  Value binary(const ast::Binary &expr, Frame &frame);      // CheckArithmetic.cpp
  Value contract(const ast::Contract &expr, Frame &frame);  // CheckContract.cpp
  Value index(const ast::Index &expr, Frame &frame);        // CheckIndex.cpp
  Value take(Value x, const ast::IndexItem &item, Value at, Frame &frame);
  Value rename(Value x, const ast::IndexItem &item, Frame &frame);
  Value addAxis(Value x, const ast::IndexItem &item, Frame &frame);
  /// Does the value have the axis that an item names? Does it lack it? An error if not.
  bool hasAxis(const Value &x, Axis *axis, const ast::Ident &name);
  bool lacksAxis(const Value &x, Axis *axis, const ast::Ident &name);
  /// Does the value lack an axis that it was checked to have? In Build, what a call gives for a bool or an i32 may: it is
  /// the same all along it.
  bool spreadsOver(const Value &x, const Axis *axis) const {
    return building() && x.isTensor() && (x.index || !x.isF32()) && !x.has(axis);
  }
  /// The value with the axis, if it spreads over it.
  Value spread(Span span, const Value &x, Axis *axis);
  Value regroup(Value x, const ast::IndexItem &item, Frame &frame); // CheckRegroup.cpp
  /// The same with the axes known, whose sizes agree. Unknown after an error: together they have too many positions.
  Value regroup(Span span, Value x, const std::vector<Axis *> &from, const std::vector<Axis *> &to);
  Value concat(const ast::Call &call, Frame &frame);
  Value builtin(const ast::Call &call, Frame &frame);       // CheckFunctions.cpp
  static bool isBuiltin(const std::string &name);
  static std::vector<std::string> builtinNames();
  /// Reports a call of what is neither module nor function, once for each name.
  void unknownCallee(const ast::Call &call, Frame &frame);

  // Elementwise: CheckElementwise.cpp. Operands are tensors; names say what an error calls them.
  struct Operand {
    Value value;
    Span span;
  };
  /// The dims of an elementwise result by rule 3; nothing after an error.
  std::optional<Value> cover(Span op, const std::string &what, const std::vector<Operand> &operands, ast::Element element);
  template <typename Op> Value unaryOp(Span span, const Value &x) {
    Value result = like(x);
    return emit<Op>(span, result, x.ir);
  }
  template <typename Op> Value binaryOp(Span span, const std::string &what, Operand a, Operand b) {
    auto result = cover(span, what, {a, b}, a.value.element);
    return result ? emit<Op>(span, *result, a.value.ir, b.value.ir) : Value();
  }
  Value arithmetic(ast::BinaryOp op, Span span, Operand a, Operand b);
  Value power(Span span, Operand a, Operand b);
  Value compare(const char *predicate, Span span, const std::string &what, Operand a, Operand b);
  Value logic(bool conjunction, Span span, Operand a, Operand b);
  Value where(Span span, Operand c, Operand a, Operand b);
  Value extremum(bool max, Span span, Operand a, Operand b);
  Value negate(Span span, Operand a);
  /// A number as a rank-0 tensor.
  Value constant(Span span, double number, ast::Element element);
  /// A number as a tensor of this element, if it is of that type or an int for an f32; else of its own, which the caller
  /// finds not to be what it wants. Unknown after an error: a number that does not fit.
  Value toTensor(Span span, const Value &value, ast::Element element);
  Value toFloat(Span span, const Value &value);
  Value broadcast(Span span, const Value &x, const std::vector<Axis *> &dims);
  Value reduce(Span span, const char *kind, Value x, const std::vector<Axis *> &over);
  /// x, but 0 in rows of the batch that do not count, where it is summed over the batch.
  Value counted(Span span, const Value &x, const std::vector<Axis *> &over);
  /// Brings two operands of arithmetic to one element type. False after an error.
  bool unify(Span op, const std::string &what, Operand &a, Operand &b, bool toFloat, bool boolsToo = false);
  bool numeric(Span op, const std::string &what, const Operand &x);

  // Making ops
  template <typename Op, typename... Args> Value emit(Span span, Value result, Args &&...args) {
    if (!building())
      return result;
    heddle::Tensor type = irType(span, result);
    if (!type || !countOp(span))
      return {};
    result.ir = Op::create(*builder, location(span), type, std::forward<Args>(args)...);
    return result;
  }
  /// The same dims and index-ness, no history.
  static Value like(const Value &x) {
    Value v = Value::tensor(x.element, x.dims);
    v.index = x.index;
    return v;
  }
  mlir::Location location(Span span) const;
  /// The variable of the graph with this name; null if there is none yet.
  VariableOp variable(const std::string &name);
  /// Null after an error (more elements than 2^62, an unknown size).
  heddle::Tensor irType(Span span, const Value &value);
  mlir::Type element(ast::Element element) const;
  mlir::StringAttr id(const Axis *axis) const { return builder->getStringAttr(axis->id); }
  mlir::ArrayAttr ids(const std::vector<Axis *> &axes) const;
  /// The value with its graph type in the order of its dims.
  mlir::Value ordered(Span span, const Value &value);
  bool countOp(Span span);
  bool refuseElement(ast::Element element, Span span);

  // Messages
  /// "`v`", or "this value".
  std::string called(const Value &value) const;
  Diagnostic &error(Code code, Span span, std::string message);
  /// Labels the value where it was made, with its type.
  void labelMade(Diagnostic &d, const Value &value, Span besides);
  std::string describe(const Axis *axis) const;
  void noteSameSize(Diagnostic &d, const Axis *wanted, const Value &value);

  /// In [0, size)? Otherwise an error, except for data, whose bound is recorded, and where sizes are not known.
  bool inRange(const Value &index, Span span, const Axis *axis, Frame &frame);

  static constexpr size_t maxOps = 12000; // with sanitizers, too, the error comes within a second
  static constexpr size_t maxDepth = 1200;           // of expressions within expressions, through calls
  static constexpr size_t maxLoopNames = 10'000'000; // names that all `repeat`s together mention: each copies them
  static constexpr int64_t maxLoops = 4; // HEDDLE_MAX_LOOPS of runtime/Abi.h

  std::vector<Loop> loops;
  const Frame *current = nullptr;

private:
  const ModuleTable &table;
  Diagnostics &diagnostics;
  Mode mode;
  std::map<std::string, int64_t> given;
  std::deque<Axis> axes;
  std::map<std::string, Axis *> fileAxes;
  std::map<std::pair<std::string, int64_t>, std::vector<std::string>> idsOf; // ids handed out for a name and a size
  std::map<std::string, size_t> idCounts;
  std::set<std::string> liveIds;
  std::vector<std::string> idLog; // live ones in order: a call takes back those of its body
  size_t ops = 0, depth = 0, loopNames = 0;
  std::map<std::string, VariableOp> variables; // of the graph, by name
  std::map<std::string, mlir::Value> readValues; // in this entry
  mlir::Operation *lastRead = nullptr;
  std::map<std::string, Span> stateNames; // of this entry
  std::set<const ast::Module *> unsound; // what they return is not what they promise, or unknown: calls give unknowns
  std::map<std::string, std::pair<std::string, Span>> ties; // call sites with parameters: what a tie must agree in
};

} // namespace heddle
