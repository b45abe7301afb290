// Text to tokens. White space and `#` comments separate tokens and are dropped, but each token remembers whether it
// is the first on its line and whether a space stands before it: statements begin on new lines, and `k^T` without
// spaces is a transpose.
#pragma once

#include "frontend/Diagnostics.h"
#include "frontend/Source.h"

#include <vector>

namespace heddle {

enum class Tok : uint8_t {
  End,
  Invalid, // stands for text that has been reported: the parser gives up on the statement without a word
  Name,
  Int,
  Float,
  String,
  // reserved words
  And,
  As,
  Collect,
  Const,
  Dim,
  False,
  Frozen,
  Inf,
  Module,
  Next,
  Not,
  Or,
  Over,
  Param,
  Repeat,
  Return,
  State,
  Then,
  Train,
  True,
  Use,
  // symbols
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  LeftBrace,
  RightBrace,
  Comma,
  Colon,
  Dot,
  Rest, // ..
  Arrow,
  Tilde,
  Bar,
  Assign,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Plus,
  Minus,
  Star,
  Slash,
  FloorSlash,
  Percent,
  At,
  Caret,
};

struct Token {
  Tok kind = Tok::End;
  bool startsLine = false;
  bool spaceBefore = false;
  Span span;
  int64_t intValue = 0;
  double floatValue = 0;
  std::string stringValue; // a string with its escapes resolved

  std::string_view text() const { return span.text(); }
};

inline bool isReservedWord(Tok kind) { return kind >= Tok::And && kind <= Tok::Use; }

/// How the token is written, for messages: "(", "return"; for those of varying text what they are: "a name".
const char *spelling(Tok kind);

/// The longest name accepted.
constexpr size_t maxNameLength = 128;

/// The tokens of a source, the last one Tok::End. Errors are reported and the offending text skipped; text that is
/// not UTF-8 at all gives one error and Tok::End alone.
std::vector<Token> tokenize(const Source &source, Diagnostics &diagnostics);

} // namespace heddle
