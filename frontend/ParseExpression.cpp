// The rules of expressions. Operators by precedence climbing, loosest first:
//
//   1 then    2 or    3 and    4 not    5 == != < <= > >= (do not chain)    6 + -    7 * / // % @ @[..]
//   8 unary -    9 ^ (right-associative)    10 calls, x[...], x.name, ^T
//
// so `-x ^ 2` is -(x ^ 2), and `a @ b * c` is (a @ b) * c.
#include "frontend/ParserState.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <optional>

namespace heddle {

using namespace ast;

namespace {

constexpr int notPrecedence = 4;
constexpr int comparisonPrecedence = 5;
constexpr int productPrecedence = 7;

struct Operator {
  Tok token;
  int precedence;
  BinaryOp op;
};

constexpr Operator operators[] = {
    {Tok::Then, 1, BinaryOp::Then},        {Tok::Or, 2, BinaryOp::Or},
    {Tok::And, 3, BinaryOp::And},          {Tok::Equal, 5, BinaryOp::Equal},
    {Tok::NotEqual, 5, BinaryOp::NotEqual}, {Tok::Less, 5, BinaryOp::Less},
    {Tok::LessEqual, 5, BinaryOp::LessEqual}, {Tok::Greater, 5, BinaryOp::Greater},
    {Tok::GreaterEqual, 5, BinaryOp::GreaterEqual}, {Tok::Plus, 6, BinaryOp::Add},
    {Tok::Minus, 6, BinaryOp::Subtract},   {Tok::Star, 7, BinaryOp::Multiply},
    {Tok::Slash, 7, BinaryOp::Divide},     {Tok::FloorSlash, 7, BinaryOp::FloorDivide},
    {Tok::Percent, 7, BinaryOp::Modulo},
};

const Operator *findOperator(Tok token) {
  for (const Operator &candidate : operators)
    if (candidate.token == token)
      return &candidate;
  return nullptr;
}

} // namespace

void Parser::missingExpression() {
  if (position > 0 && (current().startsLine || at(Tok::End) || at(Tok::RightBrace)))
    fail(Code::H0111, previous().span, fmt::format("an expression is missing after {}", quoted(previous().text())));
  fail(Code::H0111, current().span, fmt::format("expected an expression, found {}", found()), [&](Diagnostic &d) {
    if (at(Tok::Star) && previous().kind == Tok::Star)
      d.help("a power is written `^`");
    else if (at(Tok::Assign) && position > 0)
      d.help(fmt::format("`x {0}= y` is written `x = x {0} y`", previous().text()));
    else if (at(Tok::LeftBracket))
      d.help("there are no list literals; `[...]` follows the value that it indexes");
  });
}

// expression = ( "not" expression | unary ) { ( operator | contraction ) expression }
ExprPtr Parser::expression(int minPrecedence) {
  ExprPtr lhs;
  if (at(Tok::Not)) {
    Nest nest(*this);
    if (minPrecedence > notPrecedence)
      fail(Code::H0110, current().span, "`not` binds looser than the operator before it",
           [](Diagnostic &d) { d.help("put it in parentheses: `(not a)`"); });
    auto node = std::make_unique<Unary>();
    node->op = UnaryOp::Not;
    node->opSpan = take().span;
    node->operand = expression(notPrecedence);
    Span span = join(node->opSpan, node->operand->span);
    uint32_t depth = node->operand->depth;
    lhs = finish(std::move(node), span, depth);
  } else {
    lhs = unary();
  }
  for (;;) {
    const Token &token = current();
    if (token.kind == Tok::At && productPrecedence >= minPrecedence) {
      lhs = contract(std::move(lhs), take(), productPrecedence);
      continue;
    }
    const Operator *found = findOperator(token.kind);
    if (!found || found->precedence < minPrecedence)
      return lhs;
    lhs = binary(std::move(lhs), take(), found->precedence);
    const Operator *following = findOperator(current().kind);
    if (found->precedence == comparisonPrecedence && following && following->precedence == comparisonPrecedence)
      fail(Code::H0114, current().span, "comparisons do not chain", [&](Diagnostic &d) {
        d.label(token.span, "the comparison before it").help("write `a < b and b < c`");
      });
  }
}

// operator = "then" | "or" | "and" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "//" | "%"
ExprPtr Parser::binary(ExprPtr lhs, const Token &op, int precedence) {
  auto node = std::make_unique<Binary>();
  node->op = findOperator(op.kind)->op;
  node->opSpan = op.span;
  node->lhs = std::move(lhs);
  node->rhs = expression(precedence + 1);
  Span span = join(node->lhs->span, node->rhs->span);
  uint32_t depth = std::max(node->lhs->depth, node->rhs->depth);
  return finish(std::move(node), span, depth);
}

// contraction = "@" [ "[" names "]" ]
ExprPtr Parser::contract(ExprPtr lhs, const Token &op, int precedence) {
  auto node = std::make_unique<Contract>();
  node->opSpan = op.span;
  if (at(Tok::LeftBracket)) {
    node->dims = dimNames(Tok::LeftBracket, Tok::RightBracket);
    node->opSpan = join(op.span, previous().span);
  }
  node->lhs = std::move(lhs);
  node->rhs = expression(precedence + 1);
  Span span = join(node->lhs->span, node->rhs->span);
  uint32_t depth = std::max(node->lhs->depth, node->rhs->depth);
  return finish(std::move(node), span, depth);
}

// unary = "-" unary | power
ExprPtr Parser::unary() {
  if (!at(Tok::Minus))
    return power();
  Nest nest(*this);
  auto node = std::make_unique<Unary>();
  node->opSpan = take().span;
  node->operand = unary();
  Span span = join(node->opSpan, node->operand->span);
  uint32_t depth = node->operand->depth;
  return finish(std::move(node), span, depth);
}

// power = postfix [ "^" unary ]
ExprPtr Parser::power() {
  ExprPtr base = postfix();
  if (!at(Tok::Caret))
    return base;
  Nest nest(*this);
  auto node = std::make_unique<Binary>();
  node->op = BinaryOp::Power;
  node->opSpan = take().span;
  node->lhs = std::move(base);
  node->rhs = unary();
  Span span = join(node->lhs->span, node->rhs->span);
  uint32_t depth = std::max(node->lhs->depth, node->rhs->depth);
  return finish(std::move(node), span, depth);
}

/// `^T` with no space on either side, after anything but a number, is a transpose and not a power.
bool Parser::isTranspose() const {
  bool afterNumber = previous().kind == Tok::Int || previous().kind == Tok::Float;
  return at(Tok::Caret) && !current().spaceBefore && ahead().text() == "T" && !ahead().spaceBefore && !afterNumber;
}

// postfix = primary { index | attribute | "^T" }
ExprPtr Parser::postfix() {
  ExprPtr value = primary();
  for (;;) {
    if (at(Tok::LeftBracket)) {
      value = index(std::move(value));
    } else if (at(Tok::Dot)) {
      value = attribute(std::move(value));
    } else if (isTranspose()) {
      take();
      auto node = std::make_unique<Transpose>();
      node->operand = std::move(value);
      Span span = join(node->operand->span, take().span);
      uint32_t depth = node->operand->depth;
      value = finish(std::move(node), span, depth);
    } else {
      break;
    }
  }
  if (at(Tok::LeftParen) && !current().startsLine)
    fail(Code::H0123, current().span, "only a name can be called",
         [&](Diagnostic &d) {
           d.label(value->span, "this is not the name of a module or function");
           if (auto *method = value->as<Attribute>())
             d.help(fmt::format("there are no methods and no packages: a module or function is called by its name, `{}(x)`",
                                method->attribute.name));
         });
  return value;
}

// primary = integer | float | "inf" | "true" | "false" | string | call | name | parenthesised
ExprPtr Parser::primary() {
  const Token &token = current();
  switch (token.kind) {
  case Tok::Int: {
    auto node = std::make_unique<IntLiteral>();
    node->value = take().intValue;
    return finish(std::move(node), token.span, 0);
  }
  case Tok::Float:
  case Tok::Inf: {
    auto node = std::make_unique<FloatLiteral>();
    node->value = token.kind == Tok::Inf ? std::numeric_limits<double>::infinity() : token.floatValue;
    node->spelling = take().text();
    return finish(std::move(node), token.span, 0);
  }
  case Tok::True:
  case Tok::False: {
    auto node = std::make_unique<BoolLiteral>();
    node->value = take().kind == Tok::True;
    return finish(std::move(node), token.span, 0);
  }
  case Tok::String: {
    auto node = std::make_unique<StringLiteral>();
    node->value = take().stringValue;
    return finish(std::move(node), token.span, 0);
  }
  case Tok::LeftParen:
    return parenthesised();
  case Tok::Name: {
    if (ahead().kind == Tok::LeftParen && !ahead().startsLine)
      return call();
    bool nextStatement = token.startsLine && brackets == 0 && ahead().kind == Tok::Assign;
    if (nextStatement)
      missingExpression();
    auto node = std::make_unique<Name>();
    node->name = take().text();
    return finish(std::move(node), token.span, 0);
  }
  default:
    break;
  }
  if (isReservedWord(token.kind) && !token.startsLine && !at(Tok::Then) && !at(Tok::As))
    fail(Code::H0121, token.span, fmt::format("`{}` is a word of the language, not a value", token.text()),
         [&](Diagnostic &d) {
           if (at(Tok::Dim) && ahead().kind == Tok::Assign)
             d.help("the axis of a function is named with `over`: `softmax(x, over S)`");
         });
  missingExpression();
}

// parenthesised = "(" expression ")" | "(" expression "," expression { "," expression } ")"
ExprPtr Parser::parenthesised() {
  std::vector<ExprPtr> elements;
  Span parens = list(Tok::LeftParen, Tok::RightParen, "expression", [&] { elements.push_back(expression()); });
  if (elements.empty())
    fail(Code::H0111, parens, "an expression is missing between the parentheses");
  if (elements.size() == 1) {
    elements[0]->span = parens;
    return std::move(elements[0]);
  }
  auto node = std::make_unique<Tuple>();
  uint32_t depth = 0;
  for (const ExprPtr &element : elements)
    depth = std::max(depth, element->depth);
  node->elements = std::move(elements);
  return finish(std::move(node), parens, depth);
}

// call = name "(" [ argument { "," argument } ] ")" [ "as" name ]
ExprPtr Parser::call() {
  auto node = std::make_unique<Call>();
  node->callee = name("a name");
  node->args = arguments(node->parens);
  if (at(Tok::As) && !current().startsLine) {
    take();
    node->as = name("the name of this call site");
  }
  uint32_t depth = 0;
  for (const Argument &argument : node->args)
    if (argument.value)
      depth = std::max(depth, argument.value->depth);
  pendingOvers.push_back({&node->args, currentModule});
  Span span = join(node->callee.span, previous().span);
  return finish(std::move(node), span, depth);
}

std::vector<Argument> Parser::arguments(Span &parens) {
  std::vector<Argument> args;
  std::map<std::string, Span> named; // `over` among them: it is no name
  std::optional<Span> firstNamed;
  parens = list(Tok::LeftParen, Tok::RightParen, "argument", [&] {
    Argument next = argument();
    bool isOver = next.kind == Argument::Kind::Over;
    if (isOver || !next.name.name.empty())
      if (auto [earlier, fresh] = named.emplace(isOver ? "over" : next.name.name, next.span); !fresh)
        fail(Code::H0124, next.span,
             isOver ? "`over` is given twice" : fmt::format("argument `{}` is given twice", next.name.name),
             [&](Diagnostic &d) { d.label(earlier->second, "given here first"); });
    if (next.kind == Argument::Kind::Positional && firstNamed)
      fail(Code::H0124, next.span, "an argument without a name stands after one with a name",
           [&](Diagnostic &d) { d.label(*firstNamed, "this one has a name").help("put it before them"); });
    if (next.kind == Argument::Kind::Named && !firstNamed)
      firstNamed = next.span;
    args.push_back(std::move(next));
  });
  return args;
}

// argument = expression | name "=" expression | word ":" type | over
Argument Parser::argument() {
  Argument argument;
  Span start = current().span;
  if (at(Tok::Over) && ahead().kind != Tok::Colon) {
    argument.kind = Argument::Kind::Over;
    argument.over = over();
  } else if (at(Tok::Name) && ahead().kind == Tok::Assign) {
    argument.kind = Argument::Kind::Named;
    argument.name = name("a name");
    take();
    argument.value = expression();
  } else if ((at(Tok::Name) || isReservedWord(current().kind)) && ahead().kind == Tok::Colon) {
    argument.kind = Argument::Kind::Field;
    const Token &word = take();
    argument.name = {std::string(word.text()), word.span};
    take();
    argument.type = type();
  } else {
    argument.value = expression();
  }
  argument.span = join(start, previous().span);
  return argument;
}

// over = "over" ( names | ( name | integer ) { "+" ( name | integer ) } "->" name )
Over Parser::over() {
  Over over;
  over.span = take().span;
  auto axis = [&] {
    Over::Axis axis;
    if (at(Tok::Int)) {
      const Token &number = take();
      axis.size = number.intValue;
      axis.dim = {std::string(number.text()), number.span};
    } else {
      axis.dim = name("the name of a dim after `over`");
    }
    over.axes.push_back(std::move(axis));
  };
  axis();
  if (at(Tok::Plus) || at(Tok::Arrow) || over.axes[0].size) {
    while (accept(Tok::Plus))
      axis();
    expect(Tok::Arrow, "and the dim that they are joined to, as in `over M + T -> J`");
    over.into = name("the dim that they are joined to");
  } else {
    // A later name may turn out to be an argument: splitOverLists.
    bool more = true;
    while (more && at(Tok::Comma) && ahead().kind == Tok::Name) {
      size_t comma = position;
      take();
      bool plain = ahead().kind == Tok::Comma || ahead().kind == Tok::RightParen;
      if (plain)
        axis();
      else
        position = comma;
      more = plain;
    }
  }
  over.span = join(over.span, previous().span);
  return over;
}

// index = "[" item { "," item } "]"
ExprPtr Parser::index(ExprPtr base) {
  auto node = std::make_unique<Index>();
  const Token &opening = current();
  node->brackets =
      list(Tok::LeftBracket, Tok::RightBracket, "index", [&] { node->items.push_back(indexItem()); });
  if (node->items.empty())
    fail(Code::H0116, node->brackets, "the brackets hold nothing",
         [](Diagnostic &d) { d.help("an index names its axis: `x[T = 0]`"); });
  uint32_t depth = base->depth;
  for (const IndexItem &item : node->items)
    if (item.index)
      depth = std::max(depth, item.index->depth);
  node->base = std::move(base);
  Span span = join(node->base->span, {opening.span.source, opening.span.begin, previous().span.end});
  return finish(std::move(node), span, depth);
}

// item = name "=" expression | name "->" name | name "->" "(" names ")" | "(" names ")" "->" name | "+" name
IndexItem Parser::indexItem() {
  using Kind = IndexItem::Kind;
  IndexItem item;
  Span start = current().span;
  bool namesAxis = at(Tok::Name) && (ahead().kind == Tok::Assign || ahead().kind == Tok::Arrow);
  if (accept(Tok::Plus)) {
    item.kind = Kind::Add;
    item.to.push_back(name("the dim to add"));
  } else if (at(Tok::LeftParen)) {
    item.kind = Kind::Merge;
    item.from = dimNames(Tok::LeftParen, Tok::RightParen);
    expect(Tok::Arrow, "and the dim that they become");
    item.to.push_back(name("the dim that they become"));
  } else if (namesAxis) {
    item.from.push_back(name("a dim"));
    if (accept(Tok::Assign)) {
      item.index = expression();
    } else if (take(); at(Tok::LeftParen)) {
      item.kind = Kind::Split;
      item.to = dimNames(Tok::LeftParen, Tok::RightParen);
    } else {
      item.kind = Kind::Rename;
      item.to.push_back(name("the dim that it becomes"));
    }
  } else {
    fail(Code::H0116, current().span, "an index names its axis", [&](Diagnostic &d) {
      d.help(at(Tok::Name) ? fmt::format("`[{0} = e]` takes along `{0}`, `[{0} -> S]` renames it", current().text())
                           : "write the axis: `x[T = 0]`");
    });
  }
  item.span = join(start, previous().span);
  return item;
}

// attribute = "." word
ExprPtr Parser::attribute(ExprPtr base) {
  auto node = std::make_unique<Attribute>();
  take();
  if (!at(Tok::Name) && !(isReservedWord(current().kind) && !current().startsLine))
    unexpected("a name after the `.`");
  const Token &word = take();
  node->attribute = {std::string(word.text()), word.span};
  Span span = join(base->span, word.span);
  uint32_t depth = base->depth;
  node->base = std::move(base);
  return finish(std::move(node), span, depth);
}

/// In `layer_norm(x, over D, eps)` only the names of dims say where the list ends. When the file has been read, they
/// are known: those it declares, and those of the module's signature, parameters and `dim` lines. The first name of
/// a list always is a dim, so that a misspelt one is reported as such.
void Parser::splitOverLists(const File &file) {
  std::set<std::string> fileDims;
  for (const DimDecl &decl : file.dims)
    fileDims.insert(decl.name.name);
  std::vector<std::set<std::string>> moduleDims;
  for (const Module &module : file.modules) {
    std::set<std::string> &dims = moduleDims.emplace_back();
    auto addType = [&](const TensorType &type) {
      for (const Ident &dim : type.dims)
        dims.insert(dim.name);
    };
    std::function<void(const std::vector<StmtPtr> &)> addBody = [&](const std::vector<StmtPtr> &body) {
      for (const StmtPtr &statement : body) {
        if (auto *decls = statement->as<DimStmt>())
          for (const DimDecl &decl : decls->decls)
            dims.insert(decl.name.name);
        else if (auto *param = statement->as<ParamStmt>())
          addType(param->type);
        else if (auto *state = statement->as<StateStmt>())
          addType(state->type);
        else if (auto *repeat = statement->as<RepeatStmt>())
          addBody(repeat->body);
      }
    };
    for (const Parameter &parameter : module.params) {
      addType(parameter.type);
      if (parameter.kind == Parameter::Kind::Dim)
        dims.insert(parameter.name.name);
    }
    for (const TensorType &result : module.results)
      addType(result);
    addBody(module.body);
  }

  for (const PendingOver &pending : pendingOvers) {
    auto isDim = [&](const std::string &name) {
      return fileDims.count(name) || (pending.module < moduleDims.size() && moduleDims[pending.module].count(name));
    };
    std::vector<Argument> &args = *pending.args;
    for (size_t i = 0; i < args.size(); ++i) {
      if (args[i].kind != Argument::Kind::Over || args[i].over.into)
        continue;
      std::vector<Over::Axis> &axes = args[i].over.axes;
      size_t last = 1;
      while (last < axes.size() && isDim(axes[last].dim.name))
        ++last;
      std::vector<Argument> values;
      for (size_t k = last; k < axes.size(); ++k) {
        Argument &value = values.emplace_back();
        auto node = std::make_unique<Name>();
        node->name = axes[k].dim.name;
        node->span = value.span = axes[k].dim.span;
        value.value = std::move(node);
      }
      axes.resize(last);
      args[i].span.end = args[i].over.span.end = axes.back().dim.span.end;
      args.insert(args.begin() + static_cast<ptrdiff_t>(i) + 1, std::make_move_iterator(values.begin()),
                  std::make_move_iterator(values.end()));
      break;
    }
  }
}

} // namespace heddle
