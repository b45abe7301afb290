// Files, dims, modules and types; and what all rules share: looking at tokens, errors, recovery.
//
// Recovery: an error throws Abandon, which is caught by the loop over statements or over items. The loop then skips
// to the next token that begins a line and can begin a statement. C++ exceptions are used for this alone: the rules
// stay as plain as the grammar, with no test for failure after each step.
#include "frontend/ParserState.h"

#include "frontend/DidYouMean.h"

#include <fmt/format.h>

namespace heddle {

using namespace ast;

std::string quoted(std::string_view text) { return fmt::format("`{}`", text); }

std::unique_ptr<File> parse(const Source &source, Diagnostics &diagnostics) {
  return Parser(source, diagnostics).file();
}

//===------------------------------------------------------------------------------------------------------------
// Rules
//===------------------------------------------------------------------------------------------------------------

// file = [ version ] { use | "dim" dims | module | optimizer | train }
std::unique_ptr<File> Parser::file() {
  auto file = std::make_unique<File>();
  file->source = &source;
  bool first = true;
  while (!at(Tok::End)) {
    size_t before = position, pending = pendingOvers.size();
    try {
      if (first && atWord("heddle") && ahead().kind == Tok::Int)
        version(*file);
      else
        item(*file);
      endOfStatement();
    } catch (Abandon) {
      pendingOvers.resize(pending);
      if (position == before)
        take();
      skipToItem();
    }
    first = false;
  }
  splitOverLists(*file);
  return file;
}

// version = "heddle" integer
void Parser::version(File &file) {
  take();
  const Token &number = take();
  file.version = number.intValue;
  if (number.intValue != 1)
    diagnostics.error(Code::H0119, number.span, fmt::format("there is no version {} of the language", number.text()))
        .help("this compiler knows `heddle 1`");
}

void Parser::item(File &file) {
  switch (current().kind) {
  case Tok::Use:
    file.uses.push_back(use());
    return;
  case Tok::Dim:
    for (DimDecl &decl : dims())
      file.dims.push_back(std::move(decl));
    return;
  case Tok::Module:
    currentModule = file.modules.size();
    file.modules.push_back(module());
    currentModule = std::string::npos;
    return;
  case Tok::Train:
    file.trains.push_back(train());
    return;
  case Tok::RightBrace:
    fail(Code::H0112, current().span, "this `}` closes nothing");
  default:
    break;
  }
  if (atWord("heddle"))
    fail(Code::H0119, current().span, "the version of the language stands once, on the first line",
         [](Diagnostic &d) { d.help("the file begins with:  heddle 1"); });
  if (startsOptimizer()) {
    file.optimizers.push_back(optimizer());
    return;
  }
  bool belongsInside = at(Tok::Param) || at(Tok::State) || at(Tok::Repeat) || at(Tok::Return) || at(Tok::Frozen) ||
                       at(Tok::Next) || at(Tok::Collect);
  if (belongsInside || (at(Tok::Name) && ahead().kind == Tok::Assign))
    fail(Code::H0120, current().span, fmt::format("{} cannot stand outside a module", quoted(current().text())),
         [](Diagnostic &d) { d.help("a file holds `use`, `dim`, `module`, `optimizer` and `train`"); });
  if (at(Tok::Name))
    unknownStatement({"use", "dim", "module", "optimizer", "train"}, "a file");
  fail(Code::H0110, current().span,
       fmt::format("expected `use`, `dim`, `module`, `optimizer` or `train`, found {}", quoted(current().text())),
       [&](Diagnostic &d) {
         if (at(Tok::FloorSlash))
           d.help("comments begin with `#`");
       });
}

// use = "use" ( string | name { "." name } )
Use Parser::use() {
  Use use;
  Span start = take().span;
  if (at(Tok::String)) {
    use.fileSpan = current().span;
    use.file = take().stringValue;
    use.span = join(start, use.fileSpan);
    return use;
  }
  use.path.push_back(name("a library or a file, as in `use std.nn` and `use \"layers.heddle\"`"));
  while (accept(Tok::Dot))
    use.path.push_back(name("a name after the `.`"));
  use.span = join(start, previous().span);
  return use;
}

// dims = "dim" dim { "," dim }
std::vector<DimDecl> Parser::dims() {
  std::vector<DimDecl> decls;
  take();
  do
    decls.push_back(dimDecl());
  while (accept(Tok::Comma));
  return decls;
}

// dim = name [ "~" name | "=" expression ]
DimDecl Parser::dimDecl() {
  DimDecl decl;
  decl.name = name("the name of a dim");
  if (accept(Tok::Tilde))
    decl.like = name("the dim whose size it shares");
  else if (accept(Tok::Assign))
    decl.size = expression();
  decl.span = join(decl.name.span, previous().span);
  return decl;
}

// module = "module" name "(" [ parameter { "," parameter } ] ")" "->" results block
// results = type | "(" type { "," type } ")"
Module Parser::module() {
  Module module;
  Span start = take().span;
  module.name = name("the name of the module");
  if (!at(Tok::LeftParen))
    unexpected("`(` with the arguments of the module");
  list(Tok::LeftParen, Tok::RightParen, "argument", [&] { module.params.push_back(parameter()); });
  if (!accept(Tok::Arrow))
    fail(Code::H0110, foundSpan(), fmt::format("expected `->` and the type of the result, found {}", found()),
         [&](Diagnostic &d) { d.help(fmt::format("module {}(...) -> f32[...] {{", module.name.name)); });
  if (at(Tok::LeftParen)) {
    module.resultsInParens = true;
    list(Tok::LeftParen, Tok::RightParen, "type", [&] { module.results.push_back(type()); });
    if (module.results.empty())
      fail(Code::H0110, previous().span, "a module has at least one result");
  } else {
    module.results.push_back(type());
  }
  module.header = join(start, previous().span);
  module.close = block("module", [&] { module.body.push_back(statement()); });
  module.span = join(start, module.close);
  return module;
}

// optimizer = "optimizer" name "(" [ parameter { "," parameter } ] ")" block
Module Parser::optimizer() {
  Module rule;
  Span start = take().span;
  rule.name = name("the name of the optimizer");
  if (!at(Tok::LeftParen))
    unexpected("`(` with the arguments of the optimizer");
  list(Tok::LeftParen, Tok::RightParen, "argument", [&] { rule.params.push_back(parameter()); });
  rule.header = join(start, previous().span);
  if (at(Tok::Arrow))
    fail(Code::H0110, current().span, "an optimizer has no results",
         [](Diagnostic &d) { d.help("the parameter's next value is one of its statements:  next w = w - lr * g"); });
  rule.close = block("optimizer", [&] { rule.body.push_back(statement()); });
  rule.span = join(start, rule.close);
  return rule;
}

// parameter = name ":" type | "dim" name [ "=" expression ] | constant
Parameter Parser::parameter() {
  if (at(Tok::Const))
    return constParameter();
  Parameter parameter;
  Span start = current().span;
  if (accept(Tok::Dim)) {
    parameter.kind = Parameter::Kind::Dim;
    parameter.name = name("the name of the dim");
    if (accept(Tok::Assign))
      parameter.defaultValue = expression();
  } else {
    parameter.name = name("an argument: `x: f32[B,T]`, `dim O` or `const p = 0.1`");
    if (!accept(Tok::Colon))
      fail(Code::H0110, foundSpan(), fmt::format("argument `{}` has no type", parameter.name.name),
           [&](Diagnostic &d) {
             d.help(fmt::format("a tensor: `{0}: f32[B,T]`; a dim: `dim {0}`; a number: `const {0}`",
                                parameter.name.name));
           });
    parameter.type = type();
    if (at(Tok::Assign))
      fail(Code::H0110, current().span, "a tensor argument cannot have a default",
           [](Diagnostic &d) { d.help("`const` and `dim` arguments can: `const std = 0.02`"); });
  }
  parameter.span = join(start, previous().span);
  return parameter;
}

// constant = "const" name [ ":" ( "int" | "float" | "bool" ) ] [ "=" expression ]
Parameter Parser::constParameter() {
  Parameter parameter;
  parameter.kind = Parameter::Kind::Const;
  Span start = take().span;
  parameter.name = name("the name of the constant");
  if (accept(Tok::Colon)) {
    using ConstType = Parameter::ConstType;
    if (atWord("int"))
      parameter.constType = ConstType::Int;
    else if (atWord("float"))
      parameter.constType = ConstType::Float;
    else if (atWord("bool"))
      parameter.constType = ConstType::Bool;
    else
      unexpected("`int`, `float` or `bool`");
    take();
  }
  if (accept(Tok::Assign))
    parameter.defaultValue = expression();
  parameter.span = join(start, previous().span);
  return parameter;
}

// type = element [ "[" [ typedims ] "]" ]
TensorType Parser::type() {
  TensorType type;
  type.elementSpan = current().span;
  type.element = element();
  if (at(Tok::LeftBracket) && !current().startsLine)
    typeDims(type);
  type.span = join(type.elementSpan, previous().span);
  return type;
}

// element = "f32" | "bf16" | "i32" | "bool"
Element Parser::element() {
  if (!at(Tok::Name))
    unexpected("a type, as in `f32[B,T]`");
  for (Element element : {Element::F32, Element::BF16, Element::I32, Element::Bool})
    if (atWord(spelling(element))) {
      take();
      return element;
    }
  static const std::pair<const char *, const char *> habits[] = {
      {"float", "f32"}, {"float32", "f32"}, {"int", "i32"},       {"int32", "i32"},
      {"i64", "i32"},   {"int64", "i32"},   {"bfloat16", "bf16"}, {"i1", "bool"}};
  fail(Code::H0125, current().span, fmt::format("there is no element type `{}`", current().text()),
       [&](Diagnostic &d) {
         for (auto &[word, meant] : habits)
           if (current().text() == word)
             return void(d.help(fmt::format("did you mean `{}`?", meant)).replace(current().span, meant));
         if (!suggest(d, current().span, current().text(), {"f32", "bf16", "i32", "bool"}))
           d.help("the element types are f32, bf16, i32 and bool");
       });
}

// typedims = ( ".." | name ) { "," name }
void Parser::typeDims(TensorType &type) {
  list(Tok::LeftBracket, Tok::RightBracket, "dim", [&] {
    if (at(Tok::Rest)) {
      if (type.rest || !type.dims.empty())
        fail(Code::H0118, current().span, "`..` stands once, before the named dims",
             [](Diagnostic &d) { d.help("write it first: `f32[.., T, K]`"); });
      type.rest = take().span;
      return;
    }
    if (!at(Tok::Name) && !isReservedWord(current().kind))
      fail(Code::H0117, foundSpan(), fmt::format("a type lists the names of dims, found {}", found()),
           [&](Diagnostic &d) {
             if (at(Tok::Int))
               d.help(fmt::format("declare one:  dim N = {}", current().text()));
           });
    type.dims.push_back(name("the name of a dim"));
    if (type.dims.size() > maxTypeDims)
      fail(Code::H0605, previous().span, fmt::format("a type has at most {} dims", maxTypeDims));
    if (at(Tok::Plus) || at(Tok::Star) || at(Tok::Slash) || at(Tok::Minus))
      fail(Code::H0117, current().span, "a type lists the names of dims, not calculations",
           [](Diagnostic &d) { d.help("declare one:  dim F = 4 * D"); });
  });
}

//===------------------------------------------------------------------------------------------------------------
// Tokens
//===------------------------------------------------------------------------------------------------------------

bool Parser::accept(Tok kind) {
  if (!at(kind))
    return false;
  take();
  return true;
}

const Token &Parser::expect(Tok kind, const char *context) {
  if (!at(kind))
    unexpected(fmt::format("{} {}", quoted(spelling(kind)), context));
  return take();
}

Ident Parser::name(const char *what) {
  if (isReservedWord(current().kind) && !current().startsLine)
    fail(Code::H0121, current().span, fmt::format("`{}` is a word of the language, not a name", current().text()),
         [&](Diagnostic &d) { d.help(fmt::format("choose another, such as `{}_`", current().text())); });
  if (!at(Tok::Name))
    unexpected(what);
  if (current().text() == "__metadata__")
    fail(Code::H0121, current().span, "`__metadata__` is a word of safetensors files, not a name",
         [](Diagnostic &d) { d.help("choose another: checkpoints and data hold a tensor under each name"); });
  const Token &token = take();
  return {std::string(token.text()), token.span};
}

Span Parser::list(Tok open, Tok close, const char *what, const std::function<void()> &item) {
  Nest nest(*this);
  const Token &opening = current();
  expect(open, "");
  ++brackets;
  while (!at(close)) {
    if (at(Tok::Comma))
      unexpected(fmt::format("{} {}", std::string_view("aeiou").find(what[0]) == std::string::npos ? "a" : "an",
                             what));
    if (at(Tok::End) || at(Tok::LeftBrace) || at(Tok::RightBrace) || startsItem())
      unclosed(opening, close, what);
    item();
    if (!accept(Tok::Comma) && !at(close))
      unclosed(opening, close, what);
  }
  --brackets;
  take();
  return join(opening.span, previous().span);
}

// names = name { "," name }
std::vector<Ident> Parser::dimNames(Tok open, Tok close) {
  std::vector<Ident> names;
  Span where = list(open, close, "dim", [&] { names.push_back(name("the name of a dim")); });
  if (names.empty())
    fail(Code::H0110, where, "expected the names of dims between the brackets");
  return names;
}

//===------------------------------------------------------------------------------------------------------------
// Errors and recovery
//===------------------------------------------------------------------------------------------------------------

std::string Parser::found() const {
  if (at(Tok::End))
    return "the end of the file";
  if (current().startsLine && brackets == 0 && position > 0)
    return "the end of the line";
  if (at(Tok::String))
    return "a string";
  return quoted(current().text());
}

Span Parser::foundSpan() const {
  bool ended = at(Tok::End) || (current().startsLine && brackets == 0);
  return ended && position > 0 ? previous().span.after() : current().span;
}

void Parser::unexpected(const std::string &expected) {
  fail(Code::H0110, foundSpan(), fmt::format("expected {}, found {}", expected, found()));
}

void Parser::unclosed(const Token &opening, Tok close, const char *what) {
  bool lineGoesOn = !current().startsLine && !at(Tok::End) && !at(Tok::LeftBrace) && !at(Tok::RightBrace);
  if (lineGoesOn)
    fail(Code::H0110, current().span,
         fmt::format("expected `,` or `{}` after the {}, found {}", spelling(close), what, found()),
         [&](Diagnostic &d) { d.label(opening.span, "opened here"); });
  brackets = 0;
  fail(Code::H0112, opening.span, fmt::format("this `{}` is never closed", opening.text()),
       [&](Diagnostic &d) { d.label(previous().span.after(), fmt::format("`{}` expected", spelling(close))); });
}

Parser::Nest::Nest(Parser &parser) : parser(parser) {
  if (++parser.nesting > maxNesting) {
    --parser.nesting;
    parser.fail(Code::H0601, parser.current().span,
                fmt::format("nested more than {} levels deep", maxNesting));
  }
}

bool Parser::startsItem() const {
  return current().startsLine && (at(Tok::Module) || at(Tok::Train) || at(Tok::Use) || startsOptimizer());
}

// `optimizer` is no reserved word: two names in a row begin nothing else.
bool Parser::startsOptimizer() const {
  return atWord("optimizer") && ahead().kind == Tok::Name && !ahead().startsLine;
}

void Parser::endOfStatement() {
  if (current().startsLine || at(Tok::RightBrace))
    return;
  if (at(Tok::RightParen) || at(Tok::RightBracket))
    fail(Code::H0112, current().span, fmt::format("this {} closes nothing", found()));
  bool begins = (isReservedWord(current().kind) && !at(Tok::As) && !at(Tok::Over)) ||
                (at(Tok::Name) && ahead().kind == Tok::Assign);
  if (begins)
    fail(Code::H0113, current().span, "a statement begins on a line of its own",
         [&](Diagnostic &d) { d.help(fmt::format("put a line break before {}", found())); });
  if (at(Tok::As))
    fail(Code::H0115, current().span, "`as` names a call, and no call ends here",
         [](Diagnostic &d) { d.help("it stands directly after the call's `)`:  Linear(x, O = F) as fc"); });
  fail(Code::H0110, current().span, fmt::format("expected the end of the statement, found {}", found()),
       [&](Diagnostic &d) {
         if (at(Tok::Assign))
           d.help("to compare, write `==`");
         else if (previous().text() == "if")
           d.help("a choice between values is `where(condition, a, b)`");
       });
}

// `module`, `train` and `use` begin an item wherever they begin a line; a `dim` does outside of braces only, for the body
// of a module whose header has failed may hold one.
void Parser::skipToItem() {
  brackets = 0;
  for (int depth = 0; !at(Tok::End) && !startsItem(); take()) {
    if (depth == 0 && current().startsLine && at(Tok::Dim))
      return;
    if (at(Tok::LeftBrace))
      ++depth;
    if (at(Tok::RightBrace) && depth > 0)
      --depth;
  }
}

// A name that begins a line inside of brackets is an argument, unless the brackets are what is wrong.
void Parser::skipToStatement() {
  int open = static_cast<int>(brackets);
  brackets = 0;
  for (int depth = 0; !at(Tok::End) && !startsItem(); take()) {
    bool begins = current().startsLine && ((at(Tok::Name) && open <= 0) || beginsStatement());
    if (depth == 0 && (at(Tok::RightBrace) || begins))
      return;
    if (at(Tok::LeftBrace))
      ++depth;
    if (at(Tok::RightBrace))
      --depth;
    open += at(Tok::LeftParen) || at(Tok::LeftBracket);
    open -= at(Tok::RightParen) || at(Tok::RightBracket);
  }
}

/// A word that can begin a statement and nothing else.
bool Parser::beginsStatement() const {
  return at(Tok::Param) || at(Tok::Frozen) || at(Tok::Repeat) || at(Tok::Return) || at(Tok::Dim) || at(Tok::State) ||
         at(Tok::Next) || at(Tok::Collect);
}

// block = "{" { statement } "}"
Span Parser::block(const char *what, const std::function<void()> &one) {
  Nest nest(*this);
  const Token &opening = current();
  if (!at(Tok::LeftBrace))
    unexpected(fmt::format("`{{` and the body of the {}", what));
  take();
  while (!at(Tok::RightBrace)) {
    if (at(Tok::End) || startsItem())
      fail(Code::H0112, opening.span, fmt::format("the body of this {} is never closed", what),
           [&](Diagnostic &d) { d.label(foundSpan(), "`}` expected"); });
    size_t before = position, pending = pendingOvers.size();
    try {
      one();
      endOfStatement();
    } catch (Abandon) {
      pendingOvers.resize(pending);
      if (position == before && !at(Tok::RightBrace))
        take();
      skipToStatement();
    }
  }
  return take().span;
}

} // namespace heddle
