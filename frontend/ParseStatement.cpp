// The statements of module bodies.
#include "frontend/ParserState.h"

#include "frontend/DidYouMean.h"

#include <algorithm>
#include <fmt/format.h>

namespace heddle {

using namespace ast;

namespace {

/// Sets a statement's span, from its first token to the last one taken.
template <typename Statement> StmtPtr close(std::unique_ptr<Statement> statement, Span start, Span last) {
  statement->span = join(start, last);
  return statement;
}

} // namespace

// statement = dimstatement | param | state | next | collect | repeat | return | let
StmtPtr Parser::statement() {
  switch (current().kind) {
  case Tok::Dim: return dimStatement();
  case Tok::Frozen:
  case Tok::Param: return paramStatement();
  case Tok::State: return stateStatement();
  case Tok::Next: return nextStatement();
  case Tok::Collect: return collectStatement();
  case Tok::Repeat: return repeatStatement();
  case Tok::Return: return returnStatement();
  default: break;
  }
  if (at(Tok::Name) && (ahead().kind == Tok::Assign || ahead().kind == Tok::Comma))
    return letStatement();
  unknownStatement({"dim", "param", "frozen", "state", "next", "collect", "repeat", "return"}, "a module");
}

void Parser::unknownStatement(const std::vector<std::string> &known, const char *where) {
  if (!at(Tok::Name))
    fail(Code::H0120, current().span, fmt::format("a statement of {} cannot begin with {}", where, quoted(current().text())),
         [&](Diagnostic &d) {
           if (at(Tok::FloorSlash))
             d.help("comments begin with `#`");
           else if (at(Tok::Module) || at(Tok::Train) || at(Tok::Use))
             d.help("this stands outside of modules and train blocks, on a line of its own");
         });
  std::string word(current().text());
  Tok next = ahead().kind;
  if (next == Tok::LeftParen && !ahead().startsLine)
    fail(Code::H0120, current().span, fmt::format("the result of `{}(...)` is not used", word),
         [&](Diagnostic &d) { d.help(fmt::format("give it a name:  y = {}(...)", word)); });
  bool operatorThenAssign = (next == Tok::Plus || next == Tok::Minus || next == Tok::Star || next == Tok::Slash ||
                             next == Tok::At) &&
                            position + 2 < tokens.size() && tokens[position + 2].kind == Tok::Assign;
  if (operatorThenAssign)
    fail(Code::H0120, ahead().span, fmt::format("there is no `{}=`", ahead().text()), [&](Diagnostic &d) {
      d.help(fmt::format("write it out:  {0} = {0} {1} ...", word, ahead().text()));
    });
  static const std::pair<const char *, const char *> habits[] = {
      {"def", "a module is declared:  module Name(x: f32[B,T]) -> f32[B,T] { ... }"},
      {"fn", "a module is declared:  module Name(x: f32[B,T]) -> f32[B,T] { ... }"},
      {"func", "a module is declared:  module Name(x: f32[B,T]) -> f32[B,T] { ... }"},
      {"class", "a module is declared:  module Name(x: f32[B,T]) -> f32[B,T] { ... }"},
      {"let", "a value is named without a keyword:  x = ..."},
      {"var", "a value is named without a keyword:  x = ..."},
      {"if", "a choice between values is `where(condition, a, b)`"},
      {"for", "layers repeat with:  repeat L as h { ... }"},
      {"while", "layers repeat with:  repeat L as h { ... }"},
      {"import", "libraries are named with:  use std.nn"},
      {"from", "libraries are named with:  use std.nn"},
  };
  fail(Code::H0120, current().span, fmt::format("`{}` begins no statement of {}", word, where), [&](Diagnostic &d) {
    for (auto &[habit, instead] : habits)
      if (word == habit)
        return void(d.help(instead));
    if (word == "minimize")
      return void(d.help("did you mean `minimise`?").replace(current().span, "minimise"));
    if (next == Tok::Colon)
      d.help(fmt::format("values and settings are written with `=`:  {} = ...", word)).replace(ahead().span, " =");
    else if (suggest(d, current().span, word, known))
      return;
    else if (std::string_view(where) != "a file" && (ahead().startsLine || next == Tok::End))
      d.help(fmt::format("a value is named with `=`:  {} = ...", word));
  });
}

// dimstatement = "dim" dims
StmtPtr Parser::dimStatement() {
  auto node = std::make_unique<DimStmt>();
  Span start = current().span;
  node->decls = dims();
  return close(std::move(node), start, previous().span);
}

// param = [ "frozen" ] "param" names ":" type "~" initialiser
StmtPtr Parser::paramStatement() {
  auto node = std::make_unique<ParamStmt>();
  Span start = current().span;
  if (at(Tok::Frozen))
    node->frozen = take().span;
  expect(Tok::Param, "after `frozen`");
  do
    node->names.push_back(name("the name of the parameter"));
  while (accept(Tok::Comma));
  expect(Tok::Colon, "and the type of the parameter, as in `param w: f32[I,O] ~ normal(0.02)`");
  node->type = type();
  if (!accept(Tok::Tilde))
    fail(Code::H0122, foundSpan(), fmt::format("parameter `{}` has no initial value", node->names[0].name),
         [&](Diagnostic &d) {
           d.help(fmt::format("say how it starts: `{} ~ normal(0.02)`, `~ zeros`, `~ xavier(over ...)`",
                              toString(node->type)));
           if (at(Tok::Assign))
             d.replace(current().span, "~");
         });
  node->init = initialiser();
  pendingOvers.push_back({&node->init.args, currentModule});
  return close(std::move(node), start, previous().span);
}

// state = "state" name ":" type "=" initialiser
StmtPtr Parser::stateStatement() {
  auto node = std::make_unique<StateStmt>();
  Span start = take().span;
  node->name = name("the name of the state");
  expect(Tok::Colon, "and the type of the state, as in `state mem: f32[B,M,D] = zeros`");
  node->type = type();
  if (!accept(Tok::Assign))
    fail(Code::H0122, foundSpan(), fmt::format("state `{}` has no initial value", node->name.name),
         [&](Diagnostic &d) { d.help(fmt::format("say how it starts: `{} = zeros`", toString(node->type))); });
  node->init = initialiser();
  pendingOvers.push_back({&node->init.args, currentModule});
  return close(std::move(node), start, previous().span);
}

// initialiser = name [ "(" [ argument { "," argument } ] ")" ]
Initialiser Parser::initialiser() {
  Initialiser init;
  if (!at(Tok::Name))
    fail(Code::H0122, foundSpan(), fmt::format("expected an initialiser, found {}", found()),
         [](Diagnostic &d) { d.help("the initialisers are zeros, ones, normal, uniform and xavier"); });
  init.name = name("an initialiser");
  Span parens;
  if (at(Tok::LeftParen) && !current().startsLine)
    init.args = arguments(parens);
  init.span = join(init.name.span, previous().span);
  return init;
}

// let = names "=" expression
StmtPtr Parser::letStatement() {
  auto node = std::make_unique<LetStmt>();
  Span start = current().span;
  do
    node->targets.push_back(name("the name of a value"));
  while (accept(Tok::Comma));
  expect(Tok::Assign, "and a value");
  node->value = expression();
  return close(std::move(node), start, previous().span);
}

// next = "next" name "=" expression
StmtPtr Parser::nextStatement() {
  auto node = std::make_unique<NextStmt>();
  Span start = take().span;
  node->target = name("the name of a state");
  expect(Tok::Assign, "and the state's next value");
  node->value = expression();
  return close(std::move(node), start, previous().span);
}

// collect = "collect" name "[" name "]" "=" expression
StmtPtr Parser::collectStatement() {
  auto node = std::make_unique<CollectStmt>();
  Span start = take().span;
  node->target = name("the name of the collection");
  expect(Tok::LeftBracket, "and the repeat's dim, as in `collect hs[L] = x`");
  node->dim = name("the repeat's dim");
  expect(Tok::RightBracket, "after the dim");
  expect(Tok::Assign, "and the value to collect");
  node->value = expression();
  return close(std::move(node), start, previous().span);
}

// repeat = "repeat" name "as" name block
StmtPtr Parser::repeatStatement() {
  auto node = std::make_unique<RepeatStmt>();
  Span start = take().span;
  if (at(Tok::Int))
    fail(Code::H0110, current().span, "`repeat` takes a dim, whose size says how often", [&](Diagnostic &d) {
      d.help(fmt::format("declare one:  dim L = {}", current().text()));
    });
  node->dim = name("the dim to repeat over");
  if (!accept(Tok::As))
    fail(Code::H0110, foundSpan(), fmt::format("expected `as` and a name, found {}", found()), [&](Diagnostic &d) {
      d.help(fmt::format("repeat {} as h {{ ... }}: the name is the level of parameter names, h.0.w",
                         node->dim.name));
    });
  node->index = name("a name for the repeat");
  node->header = join(start, previous().span);
  block("repeat", [&] { node->body.push_back(statement()); });
  return close(std::move(node), start, previous().span);
}

// return = "return" expression { "," expression }
StmtPtr Parser::returnStatement() {
  auto node = std::make_unique<ReturnStmt>();
  Span start = take().span;
  do
    node->values.push_back(expression());
  while (accept(Tok::Comma));
  return close(std::move(node), start, previous().span);
}

} // namespace heddle
