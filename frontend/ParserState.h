// The parser itself, shared by the files that hold its rules: Parser.cpp (files, dims, modules, types),
// ParseExpression.cpp, ParseStatement.cpp and ParseTrain.cpp. Internal to the frontend; others use Parser.h.
#pragma once

#include "frontend/Lexer.h"
#include "frontend/Parser.h"

#include <functional>
#include <set>

namespace heddle {

class Parser {
public:
  Parser(const Source &source, Diagnostics &diagnostics)
      : source(source), diagnostics(diagnostics), tokens(tokenize(source, diagnostics)) {}

  std::unique_ptr<ast::File> file();

private:
  // Files, dims, modules, types: Parser.cpp
  void version(ast::File &file);
  void item(ast::File &file);
  ast::Use use();
  std::vector<ast::DimDecl> dims();
  ast::DimDecl dimDecl();
  ast::Module module();
  ast::Module optimizer();
  ast::Parameter parameter();
  ast::Parameter constParameter();
  ast::TensorType type();
  ast::Element element();
  void typeDims(ast::TensorType &type);

  // Statements of modules: ParseStatement.cpp
  ast::StmtPtr statement();
  ast::StmtPtr dimStatement();
  ast::StmtPtr paramStatement();
  ast::StmtPtr stateStatement();
  ast::StmtPtr nextStatement();
  ast::StmtPtr collectStatement();
  ast::StmtPtr repeatStatement();
  ast::StmtPtr returnStatement();
  ast::StmtPtr letStatement();
  ast::Initialiser initialiser();
  [[noreturn]] void unknownStatement(const std::vector<std::string> &known, const char *where);

  // Train blocks: ParseTrain.cpp
  ast::Train train();
  ast::StmtPtr trainStatement();
  ast::StmtPtr settingStatement();
  ast::StmtPtr sizeStatement();
  template <typename Statement> ast::StmtPtr namedStatement();
  ast::StmtPtr minimiseStatement();
  ast::StmtPtr precisionStatement();
  ast::StmtPtr everyStatement();
  ast::StmtPtr groupStatement();
  std::unique_ptr<ast::Call> action();

  // Expressions: ParseExpression.cpp
  ast::ExprPtr expression(int minPrecedence = 0);
  ast::ExprPtr unary();
  ast::ExprPtr power();
  ast::ExprPtr postfix();
  ast::ExprPtr primary();
  ast::ExprPtr parenthesised();
  ast::ExprPtr call();
  ast::ExprPtr attribute(ast::ExprPtr base);
  ast::ExprPtr index(ast::ExprPtr base);
  ast::IndexItem indexItem();
  ast::ExprPtr binary(ast::ExprPtr lhs, const Token &op, int precedence);
  ast::ExprPtr contract(ast::ExprPtr lhs, const Token &op, int precedence);
  std::vector<ast::Argument> arguments(Span &parens);
  ast::Argument argument();
  ast::Over over();
  bool isTranspose() const;

  // Lists of `over` that may hold arguments: sorted out when the dims are known. ParseExpression.cpp
  void splitOverLists(const ast::File &file);

  // Tokens
  const Token &current() const { return tokens[position]; }
  const Token &ahead() const { return tokens[std::min(position + 1, tokens.size() - 1)]; }
  const Token &previous() const { return tokens[position - 1]; }
  bool at(Tok kind) const { return current().kind == kind; }
  bool atWord(std::string_view word) const { return at(Tok::Name) && current().text() == word; }
  const Token &take() { return tokens[position < tokens.size() - 1 ? position++ : position]; }
  bool accept(Tok kind);
  /// Takes a token of the kind, or fails with "expected ... CONTEXT".
  const Token &expect(Tok kind, const char *context);
  ast::Ident name(const char *what);
  /// Parses items between brackets, separated by commas, a last comma allowed; the opening one is current.
  Span list(Tok open, Tok close, const char *what, const std::function<void()> &item);
  std::vector<ast::Ident> dimNames(Tok open, Tok close);

  // Errors and recovery
  /// Thrown after an error is recorded; caught where parsing can go on.
  struct Abandon {};
  /// Records an error and gives up. An error at text that the lexer has reported stays silent.
  template <typename Decorate> [[noreturn]] void fail(Code code, Span span, std::string message, Decorate decorate) {
    if (!at(Tok::Invalid))
      decorate(diagnostics.error(code, span, std::move(message)));
    throw Abandon();
  }
  [[noreturn]] void fail(Code code, Span span, std::string message) {
    fail(code, span, std::move(message), [](Diagnostic &) {});
  }
  [[noreturn]] void unexpected(const std::string &expected);
  [[noreturn]] void missingExpression();
  [[noreturn]] void unclosed(const Token &opening, Tok close, const char *what);
  /// "the end of the line", "`)`": what stands where something else was expected.
  std::string found() const;
  /// Where it stands: the current token, or the place after the last one if the line has ended.
  Span foundSpan() const;
  /// The statements of a block up to `}`, each parsed by `one`, with recovery. Returns the closing brace.
  Span block(const char *what, const std::function<void()> &one);
  void endOfStatement();
  void skipToStatement();
  void skipToItem();
  bool startsItem() const;
  bool startsOptimizer() const;
  bool beginsStatement() const;

  /// Sets the span and the depth of an expression, from its children, and checks the depth.
  template <typename Node> ast::ExprPtr finish(std::unique_ptr<Node> node, Span span, uint32_t childDepth);

  /// Counts levels of recursion; fails at maxNesting.
  struct Nest {
    explicit Nest(Parser &parser);
    ~Nest() { --parser.nesting; }
    Parser &parser;
  };

  const Source &source;
  Diagnostics &diagnostics;
  std::vector<Token> tokens;
  size_t position = 0;
  uint32_t nesting = 0;
  uint32_t brackets = 0; // open ( and [ around the current token: line breaks mean nothing there

  struct PendingOver {
    std::vector<ast::Argument> *args = nullptr;
    size_t module = 0; // index of the module it stands in, or npos
  };
  std::vector<PendingOver> pendingOvers;
  size_t currentModule = std::string::npos;
};

/// How the pieces of a message name a token: "`x`".
std::string quoted(std::string_view text);

template <typename Node> ast::ExprPtr Parser::finish(std::unique_ptr<Node> node, Span span, uint32_t childDepth) {
  node->span = span;
  node->depth = childDepth + 1;
  if (node->depth > maxExpressionDepth) {
    fail(Code::H0601, {span.source, span.end - 1, span.end}, "this expression has more than 1000 levels",
         [](Diagnostic &d) { d.help("give a part of it a name on a line of its own"); });
  }
  return node;
}

} // namespace heddle
