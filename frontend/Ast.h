// The syntax tree of a .heddle file, exactly as written: no name is resolved and no size is known here.
//
// Every node carries the span of its text, every name its own span, every operator the span of its symbol, so
// that a later error can point at the smallest thing that is wrong. Nodes own their children; the Source that the
// spans point into must outlive the tree. Nodes are plain structs with a `kind`; `node.is<Call>()` and
// `node.as<Call>()` (null if it is another kind) tell them apart, and `classof` serves llvm::dyn_cast.
// The depth of an expression is limited by the parser (Parser.h), so recursion over the tree is safe.
#pragma once

#include "frontend/Source.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace heddle::ast {

/// A name where it is written.
struct Ident {
  std::string name;
  Span span;
};

/// Gives a base struct with a `kind` member the tests `is<T>()` and `as<T>()`.
template <typename Base> struct Castable {
  template <typename T> bool is() const { return T::classof(static_cast<const Base *>(this)); }
  template <typename T> T *as() { return is<T>() ? static_cast<T *>(static_cast<Base *>(this)) : nullptr; }
  template <typename T> const T *as() const {
    return is<T>() ? static_cast<const T *>(static_cast<const Base *>(this)) : nullptr;
  }
};

//===------------------------------------------------------------------------------------------------------------
// Types
//===------------------------------------------------------------------------------------------------------------

enum class Element { F32, BF16, I32, Bool };

/// `f32[.., T, K]`, `i32[B,T]`, `bool`, `f32`. `f32` and `f32[]` are both a scalar.
struct TensorType {
  Span span;
  Element element = Element::F32;
  Span elementSpan;
  std::optional<Span> rest; // `..`: always first where it stands; takes what remains and is opaque
  std::vector<Ident> dims;  // the named dims, in order, after the rest
};

//===------------------------------------------------------------------------------------------------------------
// Expressions
//===------------------------------------------------------------------------------------------------------------

enum class ExprKind {
  IntLiteral,
  FloatLiteral,
  BoolLiteral,
  StringLiteral,
  Name,
  Attribute,
  Call,
  Tuple,
  Unary,
  Binary,
  Contract,
  Transpose,
  Index,
};

struct Expr : Castable<Expr> {
  const ExprKind kind;
  Span span;
  uint32_t depth = 1; // levels below and including this node, kept by the parser for its limit

  virtual ~Expr() = default;

protected:
  explicit Expr(ExprKind kind) : kind(kind) {}
};
using ExprPtr = std::unique_ptr<Expr>;

template <ExprKind K> struct ExprBase : Expr {
  ExprBase() : Expr(K) {}
  static bool classof(const Expr *e) { return e->kind == K; }
};

/// `1024`. Never negative: `-1` is Unary{Negate, 1}. Fits int64 (the lexer checks).
struct IntLiteral : ExprBase<ExprKind::IntLiteral> {
  int64_t value = 0;
};

/// `3e-4`, `0.5`, and `inf`.
struct FloatLiteral : ExprBase<ExprKind::FloatLiteral> {
  double value = 0;
  std::string spelling; // as written, so that printing is exact
};

/// `true`, `false`.
struct BoolLiteral : ExprBase<ExprKind::BoolLiteral> {
  bool value = false;
};

/// `"corpus.txt"`; `value` has its escapes resolved.
struct StringLiteral : ExprBase<ExprKind::StringLiteral> {
  std::string value;
};

/// A value, a parameter, a dim used as a number (`sqrt(2 * L)`), a constant, the repeat's index, the word `len`
/// inside `x[T = len - 1]`, or a bare word of a train block (`all`, `save`). Which one it is, is Check's to say.
struct Name : ExprBase<ExprKind::Name> {
  std::string name;
};

/// `data.ids`. Keywords are allowed after the dot (`data.next`).
struct Attribute : ExprBase<ExprKind::Attribute> {
  ExprPtr base;
  Ident attribute;
};

/// The dims of an `over` argument: a list (`over H, K`), or a join (`over 1 + N -> T` in `concat`).
/// The parser has already separated `layer_norm(x, over D, eps)`: in a list, names after the first that the file
/// and the module know as no dim are positional arguments of the call, not members of the list.
struct Over {
  struct Axis {
    Ident dim;                   // its name; for a number, the digits as written
    std::optional<int64_t> size; // set for a bare number: the piece has no such axis (`1 + N -> T`)
  };
  Span span; // from the word `over`
  std::vector<Axis> axes;
  std::optional<Ident> into; // set in the join form: the dim after `->`
};

/// One argument of a call, in the order of the text.
struct Argument {
  enum class Kind {
    Positional, // `x`                 value
    Named,      // `O = F`             name, value
    Over,       // `over H, K`         over
    Field,      // `x: f32[N,I]`       name, type   (data sources only)
  };
  Kind kind = Kind::Positional;
  Span span;
  Ident name;
  ExprPtr value;
  Over over;
  TensorType type;
};

/// `Linear(x, O = F) as fc`: a module, a built-in function, a data source, an optimizer, a schedule.
struct Call : ExprBase<ExprKind::Call> {
  Ident callee;
  std::vector<Argument> args;
  std::optional<Ident> as; // the call site's name
  Span parens;             // from `(` to `)`
};

/// `(0.9, 0.95)`: two or more elements.
struct Tuple : ExprBase<ExprKind::Tuple> {
  std::vector<ExprPtr> elements;
};

enum class UnaryOp { Negate, Not };

struct Unary : ExprBase<ExprKind::Unary> {
  UnaryOp op = UnaryOp::Negate;
  Span opSpan;
  ExprPtr operand;
};

enum class BinaryOp {
  Add,
  Subtract,
  Multiply,
  Divide,      // `/`  true division
  FloorDivide, // `//`
  Modulo,      // `%`  floor
  Power,       // `^`
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  And,
  Or,
  Then, // `warmup(100) then cosine(3e-4, 3e-5)`: schedules only
};

struct Binary : ExprBase<ExprKind::Binary> {
  BinaryOp op = BinaryOp::Add;
  Span opSpan;
  ExprPtr lhs, rhs;
};

/// `a @ b` (sums over the last dim of a), `a @[H,K] b`.
struct Contract : ExprBase<ExprKind::Contract> {
  Span opSpan;                              // `@` alone, or `@[H,K]`
  ExprPtr lhs, rhs;
  std::optional<std::vector<Ident>> dims;   // absent for plain `@`; never an empty list
};

/// `k^T`, written without spaces: accepted, changes nothing, since contraction goes by name.
struct Transpose : ExprBase<ExprKind::Transpose> {
  ExprPtr operand;
};

/// One item between the brackets of `x[...]`.
struct IndexItem {
  enum class Kind {
    At,     // `V = ids`         from = {V}, index = ids
    Rename, // `T -> S`          from = {T}, to = {S}
    Split,  // `Y -> (GY,P)`     from = {Y}, to = {GY, P}
    Merge,  // `(GY,GX) -> N`    from = {GY, GX}, to = {N}
    Add,    // `+S`              to = {S}
  };
  Kind kind = Kind::At;
  Span span;
  std::vector<Ident> from, to;
  ExprPtr index; // At only
};

/// `x[V = ids]`, `x[T -> S, +M]`.
struct Index : ExprBase<ExprKind::Index> {
  ExprPtr base;
  std::vector<IndexItem> items; // never empty
  Span brackets;
};

//===------------------------------------------------------------------------------------------------------------
// Statements of modules
//===------------------------------------------------------------------------------------------------------------

/// One declaration of a `dim` line: `B` (open), `S ~ T` (same size, another axis), `K = D / H`.
struct DimDecl {
  Span span;
  Ident name;
  std::optional<Ident> like; // after `~`
  ExprPtr size;              // after `=`
};

enum class StmtKind {
  Dim,
  Param,
  State,
  Let,
  Next,
  Collect,
  Repeat,
  Return,
  // only in train blocks:
  Setting,
  Size,
  Loss,
  Metric,
  Minimise,
  Precision,
  Every,
  Group,
};

struct Stmt : Castable<Stmt> {
  const StmtKind kind;
  Span span;
  virtual ~Stmt() = default;

protected:
  explicit Stmt(StmtKind kind) : kind(kind) {}
};
using StmtPtr = std::unique_ptr<Stmt>;

template <StmtKind K> struct StmtBase : Stmt {
  StmtBase() : Stmt(K) {}
  static bool classof(const Stmt *s) { return s->kind == K; }
};

/// `dim K = D / H` inside a module: fresh at each call.
struct DimStmt : StmtBase<StmtKind::Dim> {
  std::vector<DimDecl> decls;
};

/// `normal(0.02)`, `zeros`, `xavier(over H, K)`.
struct Initialiser {
  Span span;
  Ident name;
  std::vector<Argument> args; // empty for a bare word
};

/// `param wq, wk: f32[D,H,K] ~ normal(0.02)`; `frozen param ...`.
struct ParamStmt : StmtBase<StmtKind::Param> {
  std::optional<Span> frozen; // the word
  std::vector<Ident> names;
  TensorType type;
  Initialiser init;
};

/// `state mem: f32[B,M,D] = zeros`.
struct StateStmt : StmtBase<StmtKind::State> {
  Ident name;
  TensorType type;
  Initialiser init;
};

/// `q = x @ wq`; `t, c = Bert(...)`; a target `_` discards. Reassigning a name shadows it.
struct LetStmt : StmtBase<StmtKind::Let> {
  std::vector<Ident> targets;
  ExprPtr value;
};

/// `next mem = e`.
struct NextStmt : StmtBase<StmtKind::Next> {
  Ident target;
  ExprPtr value;
};

/// `collect hs[L] = x`.
struct CollectStmt : StmtBase<StmtKind::Collect> {
  Ident target;
  Ident dim;
  ExprPtr value;
};

/// `repeat L as h { ... }`: the body may hold lets, params, nested repeats, next and collect.
struct RepeatStmt : StmtBase<StmtKind::Repeat> {
  Ident dim;
  Ident index; // the name after `as`: level of parameter names and i32 value in the body
  std::vector<StmtPtr> body;
  Span header; // up to the brace
};

/// `return e`, `return a, b`.
struct ReturnStmt : StmtBase<StmtKind::Return> {
  std::vector<ExprPtr> values; // never empty
};

//===------------------------------------------------------------------------------------------------------------
// Modules
//===------------------------------------------------------------------------------------------------------------

/// A formal argument of a module.
struct Parameter {
  enum class Kind {
    Tensor, // `x: f32[B,T,D]`          type
    Dim,    // `dim O`, `dim O = 4`     defaultValue
    Const,  // `const std = 0.02`, `const both: bool`, `const W: int = 256`
  };
  enum class ConstType { Unstated, Int, Float, Bool };
  Kind kind = Kind::Tensor;
  Span span;
  Ident name;
  TensorType type;
  ConstType constType = ConstType::Unstated;
  ExprPtr defaultValue; // may be null
};

/// A module; or the update rule of an optimizer, which has no results: its values are `next w` and those of its states.
struct Module {
  Span span;   // all of it
  Span header; // `module Name(...) -> ...`, `optimizer Name(...)`
  Ident name;
  std::vector<Parameter> params;
  std::vector<TensorType> results; // at least one
  bool resultsInParens = false;
  std::vector<StmtPtr> body;
  Span close; // the closing brace: where a missing return is reported
};

//===------------------------------------------------------------------------------------------------------------
// Train blocks. Their statements are LetStmt and the ones below, in the order of the text.
//===------------------------------------------------------------------------------------------------------------

/// `data = text(...)`, `optim = adamw(...)`, `steps = 2000`, `seed = 1`, `batch = all`, `accumulate = 4`,
/// `from = "out/bert"`: exactly these names (see isSettingName).
struct SettingStmt : StmtBase<StmtKind::Setting> {
  Ident name;
  ExprPtr value;
};

/// `size B = 8, T = 64 | 128`.
struct SizeStmt : StmtBase<StmtKind::Size> {
  struct Entry {
    Span span;
    Ident dim;
    std::vector<ExprPtr> sizes; // one, or the alternatives between `|`
  };
  std::vector<Entry> entries;
};

/// `loss lm = cross_entropy(y, data.next, over V)`.
struct LossStmt : StmtBase<StmtKind::Loss> {
  Ident name;
  ExprPtr value;
};

/// `metric acc = mean(...)`.
struct MetricStmt : StmtBase<StmtKind::Metric> {
  Ident name;
  ExprPtr value;
};

/// `minimise lm`, `minimise lm + 0.5 * nsp`.
struct MinimiseStmt : StmtBase<StmtKind::Minimise> {
  ExprPtr value;
};

/// `precision bf16`.
struct PrecisionStmt : StmtBase<StmtKind::Precision> {
  Ident element;
};

/// `every 100 { eval(lm, batches = 20) }`; an action without parentheses is a Call without arguments.
struct EveryStmt : StmtBase<StmtKind::Every> {
  ExprPtr period;
  std::vector<std::unique_ptr<Call>> actions;
};

/// `group vectors, "*.wte" { decay = 0 }`: other settings of the optimizer for some parameters.
struct GroupStmt : StmtBase<StmtKind::Group> {
  struct Selector {
    std::string text; // a pattern of names, or a word: `matrices`, `vectors`
    bool word = false;
    Span span;
  };
  std::vector<Selector> selectors; // at least one
  std::vector<std::unique_ptr<LetStmt>> settings;
};

struct Train {
  Span span;
  Ident name;
  std::vector<StmtPtr> body;
  Span close;
};

//===------------------------------------------------------------------------------------------------------------
// Files
//===------------------------------------------------------------------------------------------------------------

struct File;

/// `use std.nn`, `use "layers.heddle"`.
struct Use {
  Span span;
  std::vector<Ident> path;              // of a library; empty for a file
  std::string file;                     // a file's path, as the text says it
  Span fileSpan;                        // the string
  std::shared_ptr<const File> imported; // the file itself, once loadImports has read it (Imports.h)
};

struct File {
  const Source *source = nullptr;
  std::optional<int64_t> version; // `heddle 1`
  std::vector<Use> uses;
  std::vector<DimDecl> dims; // in the order of the text
  std::vector<Module> modules;
  std::vector<Module> optimizers;
  std::vector<Train> trains;
};

/// Is `name = e` in a train block a setting rather than a let?
bool isSettingName(std::string_view name);

/// How it is written: `f32`, `@`-free operators (`+`, `<=`, `and`), `-` and `not`.
const char *spelling(Element element);
const char *spelling(BinaryOp op);
const char *spelling(UnaryOp op);

/// The type as text, `f32[.., B, T]`: the form that diagnostics print.
std::string toString(const TensorType &type);

} // namespace heddle::ast
