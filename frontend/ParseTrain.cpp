// Train blocks. Their words (`data`, `size`, `loss`, ...) are not reserved: each is told from the name of a value by
// the token that follows.
#include "frontend/ParserState.h"

#include <fmt/format.h>

namespace heddle {

using namespace ast;

namespace {

template <typename Statement> StmtPtr close(std::unique_ptr<Statement> statement, Span start, Span last) {
  statement->span = join(start, last);
  return statement;
}

} // namespace

// train = "train" name "{" { trainstatement } "}"
Train Parser::train() {
  Train train;
  Span start = take().span;
  train.name = name("the name of the train block");
  train.close = block("train block", [&] { train.body.push_back(trainStatement()); });
  train.span = join(start, train.close);
  return train;
}

// trainstatement = setting | size | loss | metric | minimise | precision | every | group | let
StmtPtr Parser::trainStatement() {
  Tok next = ahead().kind;
  bool assigns = next == Tok::Assign;
  if (at(Tok::Name) && assigns && isSettingName(current().text()))
    return settingStatement();
  if (at(Tok::Name) && (assigns || next == Tok::Comma))
    return letStatement();
  if (atWord("size"))
    return sizeStatement();
  if (atWord("loss"))
    return namedStatement<LossStmt>();
  if (atWord("metric"))
    return namedStatement<MetricStmt>();
  if (atWord("minimise"))
    return minimiseStatement();
  if (atWord("precision"))
    return precisionStatement();
  if (atWord("every"))
    return everyStatement();
  if (atWord("group"))
    return groupStatement();
  if (at(Tok::Dim))
    fail(Code::H0120, current().span, "dims are declared outside of train blocks",
         [](Diagnostic &d) { d.help("declare it at the top of the file; `size` gives it its size here"); });
  if (isReservedWord(current().kind) && !startsItem())
    fail(Code::H0120, current().span, fmt::format("`{}` belongs in a module", current().text()));
  unknownStatement({"data", "size", "loss", "metric", "minimise", "optim", "steps", "seed", "batch", "accumulate",
                    "precision", "every", "from", "group"},
                   "a train block");
}

// setting = ( "data" | "optim" | "steps" | "seed" | "batch" | "accumulate" | "from" ) "=" expression
StmtPtr Parser::settingStatement() {
  auto node = std::make_unique<SettingStmt>();
  Span start = current().span;
  node->name = name("a setting");
  take();
  node->value = expression();
  return close(std::move(node), start, previous().span);
}

// size = "size" name "=" sizes { "," name "=" sizes }
// sizes = expression { "|" expression }
StmtPtr Parser::sizeStatement() {
  auto node = std::make_unique<SizeStmt>();
  Span start = take().span;
  do {
    SizeStmt::Entry entry;
    entry.dim = name("the dim that gets a size, as in `size B = 8, T = 256`");
    expect(Tok::Assign, "and the size of the dim");
    do
      entry.sizes.push_back(expression());
    while (accept(Tok::Bar));
    entry.span = join(entry.dim.span, previous().span);
    node->entries.push_back(std::move(entry));
  } while (accept(Tok::Comma));
  return close(std::move(node), start, previous().span);
}

// loss = "loss" name "=" expression
// metric = "metric" name "=" expression
template <typename Statement> StmtPtr Parser::namedStatement() {
  auto node = std::make_unique<Statement>();
  const Token &word = take();
  node->name = name(std::is_same_v<Statement, LossStmt> ? "the name of the loss, as in `loss lm = ...`"
                                                        : "the name of the metric, as in `metric acc = ...`");
  expect(Tok::Assign, "and its value");
  node->value = expression();
  return close(std::move(node), word.span, previous().span);
}

// minimise = "minimise" expression
StmtPtr Parser::minimiseStatement() {
  auto node = std::make_unique<MinimiseStmt>();
  Span start = take().span;
  node->value = expression();
  return close(std::move(node), start, previous().span);
}

// precision = "precision" name
StmtPtr Parser::precisionStatement() {
  auto node = std::make_unique<PrecisionStmt>();
  Span start = take().span;
  node->element = name("an element type, as in `precision bf16`");
  return close(std::move(node), start, previous().span);
}

// every = "every" expression "{" { action } "}"
StmtPtr Parser::everyStatement() {
  auto node = std::make_unique<EveryStmt>();
  Span start = take().span;
  node->period = expression();
  block("`every`", [&] { node->actions.push_back(action()); });
  return close(std::move(node), start, previous().span);
}

// group = "group" selector { "," selector } "{" { name "=" expression } "}"
// selector = string | name
StmtPtr Parser::groupStatement() {
  auto node = std::make_unique<GroupStmt>();
  Span start = take().span;
  do {
    if (!at(Tok::String) && !at(Tok::Name))
      unexpected("a pattern of names, as in `group \"*.bias\" { decay = 0 }`, or `matrices` or `vectors`");
    bool word = at(Tok::Name);
    const Token &token = take();
    node->selectors.push_back({word ? std::string(token.text()) : token.stringValue, word, token.span});
  } while (accept(Tok::Comma));
  block("group", [&] {
    if (!at(Tok::Name) || ahead().kind != Tok::Assign)
      unexpected("a setting of the optimizer, as in `decay = 0`");
    StmtPtr setting = letStatement();
    node->settings.emplace_back(static_cast<LetStmt *>(setting.release()));
  });
  return close(std::move(node), start, previous().span);
}

// action = name [ "(" [ argument { "," argument } ] ")" ]
std::unique_ptr<Call> Parser::action() {
  auto node = std::make_unique<Call>();
  Span start = current().span;
  node->callee = name("an action: `eval(...)`, `save` or `sample(...)`");
  if (at(Tok::LeftParen) && !current().startsLine)
    node->args = arguments(node->parens);
  pendingOvers.push_back({&node->args, currentModule});
  node->span = join(start, previous().span);
  return node;
}

} // namespace heddle
