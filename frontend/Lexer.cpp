// The lexer, by hand: one pass over the bytes. The text is checked to be UTF-8 first, as a whole, since a binary file
// deserves one message and not a thousand. Outside strings and comments only ASCII means anything.
#include "frontend/Lexer.h"

#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace heddle {
namespace {

struct Spelling {
  const char *text;
  Tok kind;
};

constexpr Spelling words[] = {
    {"and", Tok::And},       {"as", Tok::As},         {"collect", Tok::Collect}, {"const", Tok::Const},
    {"dim", Tok::Dim},       {"false", Tok::False},   {"frozen", Tok::Frozen},   {"inf", Tok::Inf},
    {"module", Tok::Module}, {"next", Tok::Next},     {"not", Tok::Not},         {"or", Tok::Or},
    {"over", Tok::Over},     {"param", Tok::Param},   {"repeat", Tok::Repeat},   {"return", Tok::Return},
    {"state", Tok::State},   {"then", Tok::Then},     {"train", Tok::Train},     {"true", Tok::True},
    {"use", Tok::Use},
};

// Longer symbols first.
constexpr Spelling symbols[] = {
    {"..", Tok::Rest},       {"->", Tok::Arrow},       {"==", Tok::Equal},        {"!=", Tok::NotEqual},
    {"<=", Tok::LessEqual},  {">=", Tok::GreaterEqual}, {"//", Tok::FloorSlash},  {"(", Tok::LeftParen},
    {")", Tok::RightParen},  {"[", Tok::LeftBracket},  {"]", Tok::RightBracket},  {"{", Tok::LeftBrace},
    {"}", Tok::RightBrace},  {",", Tok::Comma},        {":", Tok::Colon},         {".", Tok::Dot},
    {"~", Tok::Tilde},       {"|", Tok::Bar},          {"=", Tok::Assign},        {"<", Tok::Less},
    {">", Tok::Greater},     {"+", Tok::Plus},         {"-", Tok::Minus},         {"*", Tok::Star},
    {"/", Tok::Slash},       {"%", Tok::Percent},      {"@", Tok::At},            {"^", Tok::Caret},
};

/// What people write from habit, and what Heddle writes for it.
constexpr struct {
  const char *text, *instead, *replacement; // null: it takes more than another word
} habits[] = {
    {"&&", "write `and`", " and "},
    {"&", "write `and`", " and "},
    {"||", "write `or`", " or "},
    {"**", "a power is written `^`", "^"},
    {"!", "write `not`", "not "},
    {"?", "a choice between values is `where(condition, a, b)`", nullptr},
    {"'", "strings stand between double quotes: \"...\"", "\""},
    {"\u201C", "strings stand between straight double quotes: \"...\"", "\""},
    {"\u201D", "strings stand between straight double quotes: \"...\"", "\""},
    {"\u2212", "this is a minus sign from a text program: write `-`", "-"},
    {"\u2013", "this is a dash from a text program: write `-`", "-"},
    {"\u00D7", "write `*`", "*"},
    {"\u2264", "write `<=`", "<="},
    {"\u2265", "write `>=`", ">="},
    {"\u2192", "write `->`", "->"},
    {"\u00A0", "this is a no-break space: write a plain one", " "},
};

/// Letters that look like ASCII ones (Cyrillic, Greek, full width): what an editor shows alike reads as another name.
struct LookAlike {
  const char *text;
  char ascii;
};
constexpr LookAlike lookAlikes[] = {
    {"\u0410", 'A'}, {"\u0412", 'B'}, {"\u0415", 'E'}, {"\u041A", 'K'}, {"\u041C", 'M'}, {"\u041D", 'H'},
    {"\u041E", 'O'}, {"\u0420", 'P'}, {"\u0421", 'C'}, {"\u0422", 'T'}, {"\u0425", 'X'}, {"\u0430", 'a'},
    {"\u0435", 'e'}, {"\u043E", 'o'}, {"\u0440", 'p'}, {"\u0441", 'c'}, {"\u0443", 'y'}, {"\u0445", 'x'},
    {"\u0455", 's'}, {"\u0456", 'i'}, {"\u0458", 'j'}, {"\u0391", 'A'}, {"\u0392", 'B'}, {"\u0395", 'E'},
    {"\u0396", 'Z'}, {"\u0397", 'H'}, {"\u0399", 'I'}, {"\u039A", 'K'}, {"\u039C", 'M'}, {"\u039D", 'N'},
    {"\u039F", 'O'}, {"\u03A1", 'P'}, {"\u03A4", 'T'}, {"\u03A5", 'Y'}, {"\u03A7", 'X'}, {"\u03BF", 'o'},
};

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isNamePart(char c) { return isNameStart(c) || isDigit(c); }

/// The bytes of the well-formed UTF-8 sequence at the front of a text, 0 if it is malformed.
/// Well-formed as in table 3-7 of the Unicode standard: no overlong forms, no surrogates, at most U+10FFFF.
size_t sequenceLength(std::string_view text) {
  auto byte = [&](size_t i) -> unsigned { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  auto tail = [&](size_t i, unsigned low = 0x80, unsigned high = 0xBF) { return byte(i) >= low && byte(i) <= high; };
  unsigned lead = byte(0);
  if (lead < 0x80)
    return 1;
  if (lead >= 0xC2 && lead <= 0xDF)
    return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF)
    return tail(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF) && tail(2) ? 3 : 0;
  if (lead >= 0xF0 && lead <= 0xF4)
    return tail(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF) && tail(2) && tail(3) ? 4 : 0;
  return 0;
}

class Lexer {
public:
  Lexer(const Source &source, Diagnostics &diagnostics)
      : source(source), text(source.text()), diagnostics(diagnostics) {}

  std::vector<Token> run() {
    if (!isText())
      return {endToken()};
    if (text.starts_with("\xEF\xBB\xBF"))
      at = 3;
    for (skipSpace(); at < text.size(); skipSpace())
      token();
    tokens.push_back(endToken());
    return std::move(tokens);
  }

private:
  const Source &source;
  std::string_view text;
  Diagnostics &diagnostics;
  std::vector<Token> tokens;
  uint32_t at = 0;
  bool newLine = true, space = false;

  Span spanTo(uint32_t end, uint32_t begin) const { return {&source, begin, end}; }

  Token endToken() const {
    Token end;
    end.startsLine = true;
    end.spaceBefore = true;
    end.span = {&source, source.size(), source.size()};
    return end;
  }

  bool isText() {
    for (uint32_t i = 0; i < text.size();) {
      unsigned char c = text[i];
      size_t length = sequenceLength(text.substr(i));
      bool lineBreak = c == '\n' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n');
      bool control = (c < 0x20 && c != '\t' && !lineBreak) || c == 0x7F;
      if (length == 0 || control) {
        std::string what = length == 0 ? fmt::format("byte 0x{:02X} is not UTF-8", c)
                           : c == '\r' ? std::string("a carriage return without a line feed")
                                       : fmt::format("control character 0x{:02X}", c);
        diagnostics.error(Code::H0103, spanTo(i + 1, i), "this file is not plain UTF-8 text: " + what)
            .help("is it the right file? If so, save it as UTF-8");
        return false;
      }
      i += static_cast<uint32_t>(length);
    }
    return true;
  }

  void skipSpace() {
    for (; at < text.size(); ++at) {
      char c = text[at];
      if (c == '#')
        while (at + 1 < text.size() && text[at + 1] != '\n')
          ++at;
      else if (c == '\n')
        newLine = true;
      else if (c != ' ' && c != '\t' && c != '\r')
        return;
      space = true;
    }
  }

  Token &push(Tok kind, uint32_t begin, uint32_t end) {
    Token &token = tokens.emplace_back();
    token.kind = kind;
    token.span = spanTo(end, begin);
    token.startsLine = newLine;
    token.spaceBefore = space || newLine;
    newLine = space = false;
    at = end;
    return token;
  }

  void token() {
    char c = text[at];
    if (isNameStart(c))
      return word();
    if (isDigit(c) || (c == '.' && at + 1 < text.size() && isDigit(text[at + 1])))
      return number();
    if (c == '"')
      return string();
    if (!text.substr(at).starts_with("**"))
      for (const Spelling &symbol : symbols)
        if (text.substr(at).starts_with(symbol.text)) {
          if (symbol.kind == Tok::Bar && text.substr(at).starts_with("||"))
            break;
          push(symbol.kind, at, at + static_cast<uint32_t>(std::string_view(symbol.text).size()));
          return;
        }
    strange();
  }

  void word() {
    uint32_t begin = at, end = at;
    while (end < text.size() && isNamePart(text[end]))
      ++end;
    std::string_view name = text.substr(begin, end - begin);
    if (name.size() > maxNameLength)
      diagnostics.error(Code::H0602, spanTo(end, begin),
                        fmt::format("this name has {} characters; the limit is {}", name.size(), maxNameLength));
    Tok kind = Tok::Name;
    for (const Spelling &word : words)
      if (name == word.text)
        kind = word.kind;
    push(kind, begin, end);
  }

  // number = digits [ "." digits ] [ ("e" | "E") [ "+" | "-" ] digits ]
  void number() {
    uint32_t begin = at, end = at;
    auto digits = [&] {
      uint32_t from = end;
      while (end < text.size() && isDigit(text[end]))
        ++end;
      return end > from;
    };
    auto here = [&](uint32_t offset) { return offset < text.size() ? text[offset] : '\0'; };
    bool isFloat = false;
    const char *problem = nullptr;
    if (!digits())
      problem = "a number begins with a digit: write a 0 before the point";
    if (here(end) == '.' && here(end + 1) != '.') {
      isFloat = true;
      ++end;
      if (!digits() && !problem)
        problem = "digits follow the point of a number";
    }
    if ((here(end) == 'e' || here(end) == 'E') &&
        (isDigit(here(end + 1)) || here(end + 1) == '+' || here(end + 1) == '-')) {
      isFloat = true;
      end += 2;
      if (!isDigit(text[end - 1]) && !digits() && !problem)
        problem = "digits follow the `e` of a number";
      digits();
    }
    if (isNamePart(here(end))) {
      while (isNamePart(here(end)))
        ++end;
      if (!problem)
        problem = "a number cannot run into a name: names begin with a letter, products need `*`";
    }
    Token &token = push(isFloat ? Tok::Float : Tok::Int, begin, end);
    std::string_view digitsText = token.text();
    if (!problem && isFloat) {
      auto [last, ec] = std::from_chars(digitsText.begin(), digitsText.end(), token.floatValue);
      if (ec == std::errc::result_out_of_range)
        problem = "the number is too large or too small for a floating-point number";
    } else if (!problem) {
      auto [last, ec] = std::from_chars(digitsText.begin(), digitsText.end(), token.intValue);
      if (ec != std::errc())
        problem = "an integer must fit 64 bits";
    }
    if (problem) {
      bool isLong = digitsText.size() > 40; // a number of a megabyte must not fill the screen
      diagnostics.error(Code::H0104, token.span, fmt::format("`{}{}` is not a number", digitsText.substr(0, 40), isLong ? "..." : ""))
          .here(problem);
      token.kind = Tok::Invalid;
    }
  }

  void string() {
    uint32_t begin = at, end = at + 1;
    std::string value;
    for (;; ++end) {
      if (end >= text.size() || text[end] == '\n') {
        diagnostics.error(Code::H0102, spanTo(begin + 1, begin), "this string is not closed on its line")
            .help("end it with `\"`");
        push(Tok::Invalid, begin, end);
        return;
      }
      if (text[end] == '"') {
        ++end;
        break;
      }
      if (text[end] != '\\' || end + 1 >= text.size() || text[end + 1] == '\n') {
        value += text[end];
        continue;
      }
      std::optional<char> escaped = escape(text[++end]);
      if (!escaped)
        diagnostics.error(Code::H0105, spanTo(end + 1, end - 1), "there is no such escape")
            .help("the escapes are \\n, \\t, \\\" and \\\\");
      value += escaped.value_or(text[end]);
    }
    push(Tok::String, begin, end).stringValue = std::move(value);
  }

  static std::optional<char> escape(char c) {
    switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case '"':
    case '\\': return c;
    default: return std::nullopt;
    }
  }

  bool atEndOfLine(uint32_t offset) const {
    while (offset < text.size() && (text[offset] == ' ' || text[offset] == '\t' || text[offset] == '\r'))
      ++offset;
    return offset >= text.size() || text[offset] == '\n' || text[offset] == '#';
  }

  /// A character at the front that changes the direction of the text around it, or that has no width.
  static bool steersText(std::string_view front) {
    for (const char *mark : {"\u200B", "\u200C", "\u200D", "\u200E", "\u200F", "\u202A", "\u202B", "\u202C", "\u202D",
                             "\u202E", "\u2060", "\u2066", "\u2067", "\u2068", "\u2069", "\uFEFF"})
      if (front.starts_with(mark))
        return true;
    return false;
  }
  /// As messages name it: one that steers the text by its number.
  static std::string shownCharacter(std::string_view character) {
    if (!steersText(character))
      return std::string(character);
    uint32_t point = character[0] & 0x0F; // all of them take three bytes
    for (char c : character.substr(1))
      point = point << 6 | (c & 0x3F);
    return fmt::format("U+{:04X}", point);
  }

  void strange() {
    std::string_view rest = text.substr(at);
    if (rest.starts_with(';')) {
      diagnostics.error(Code::H0113, spanTo(at + 1, at), "there are no semicolons")
          .help("begin each statement on a line of its own")
          .replace(spanTo(at + 1, at), atEndOfLine(at + 1) ? "" : "\n");
      newLine = true;
      push(Tok::Invalid, at, at + 1);
      newLine = true;
      return;
    }
    size_t length = sequenceLength(rest);
    const char *instead = nullptr, *replacement = nullptr;
    for (const auto &habit : habits)
      if (rest.starts_with(habit.text)) {
        length = std::string_view(habit.text).size();
        instead = habit.instead;
        replacement = habit.replacement;
        break;
      }
    uint32_t end = at + static_cast<uint32_t>(length);
    auto &error = diagnostics.error(Code::H0101, spanTo(end, at),
                                    fmt::format("`{}` means nothing here", shownCharacter(rest.substr(0, length))));
    Span span = spanTo(end, at);
    push(Tok::Invalid, at, end);
    if (instead) {
      error.help(instead);
      if (replacement)
        error.replace(span, replacement);
      return;
    }
    for (const LookAlike &letter : lookAlikes)
      if (rest.starts_with(letter.text)) {
        error.help(fmt::format("it looks like `{0}` and is another letter: write `{0}`", letter.ascii));
        error.replace(span, std::string(1, letter.ascii));
        return;
      }
    if (steersText(rest))
      error.help("this invisible character changes the order in which the text is shown: delete it").replace(span, "");
    else if (length > 1)
      error.help("letters outside ASCII may stand in strings and comments only");
  }
};

} // namespace

const char *spelling(Tok kind) {
  switch (kind) {
  case Tok::End: return "the end of the file";
  case Tok::Invalid: return "nothing";
  case Tok::Name: return "a name";
  case Tok::Int: return "a whole number";
  case Tok::Float: return "a number";
  case Tok::String: return "a string";
  default: break;
  }
  for (const Spelling &word : words)
    if (word.kind == kind)
      return word.text;
  for (const Spelling &symbol : symbols)
    if (symbol.kind == kind)
      return symbol.text;
  return "?";
}

std::vector<Token> tokenize(const Source &source, Diagnostics &diagnostics) {
  return Lexer(source, diagnostics).run();
}

} // namespace heddle
