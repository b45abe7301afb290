// The parser, one function for each rule of the grammar in docs/weights.md. A line is expanded first: `w{q,k,v}` makes
// three of it, and every character remembers its column. Each line stands for itself, so that all lines are looked at
// whatever is wrong in one.
#include "runtime/WeightTable.h"

#include "runtime/InputFile.h"
#include "runtime/RunError.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

namespace heddle {
namespace {

// What a table may be: a hostile one must not cost more than its length.
constexpr size_t kMaxBytes = 1 << 20, kMaxStatements = 20'000, kMaxAlternatives = 256, kMaxAxes = 64;

struct Mistake {
  TablePlace place;
  std::string message;
};

struct Line {
  std::string text;
  std::vector<int> columns;  // of each character, and of the end
};

bool isWord(char c) { return isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool isName(char c) { return isWord(c) || c == '.' || c == '-' || c == '/'; }

// Expands {a,b,c}: all lists of a line go together, the first alternative of each, then the second, ...
std::vector<Line> expand(std::string_view text, int number) {
  struct List {
    size_t begin, end;  // of the braces
    std::vector<std::pair<size_t, std::string_view>> items;
  };
  std::vector<List> lists;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == '#' && !quoted) text = text.substr(0, i);
    if (i >= text.size() || text[i] != '{') continue;
    size_t end = text.find_first_of("{}", i + 1);
    if (end == std::string_view::npos || text[end] != '}')
      throw Mistake{{number, int(i) + 1}, "`{` without a `}`"};
    std::string_view inside = text.substr(i + 1, end - i - 1);
    if (inside.find(',') != std::string_view::npos) {
      List list{i, end + 1, {}};
      for (size_t at = 0, next; at <= inside.size(); at = next + 1) {
        next = std::min(inside.find(',', at), inside.size());
        list.items.emplace_back(i + 1 + at, inside.substr(at, next - at));
      }
      if (list.items.size() > kMaxAlternatives)
        throw Mistake{{number, int(i) + 1}, fmt::format("more than {} alternatives", kMaxAlternatives)};
      if (!lists.empty() && list.items.size() != lists[0].items.size())
        throw Mistake{{number, int(i) + 1}, fmt::format("a list of {}, but the first of this line has {}: the lists of a "
                                                        "line go together", list.items.size(), lists[0].items.size())};
      lists.push_back(std::move(list));
    }
    i = end;
  }
  std::vector<Line> lines(lists.empty() ? 1 : lists[0].items.size());
  for (size_t which = 0; which < lines.size(); ++which) {
    auto copy = [&](size_t at, std::string_view part) {
      for (size_t i = 0; i < part.size(); ++i) lines[which].columns.push_back(int(at + i) + 1);
      lines[which].text += part;
    };
    size_t done = 0;
    for (const List& list : lists) {
      copy(done, text.substr(done, list.begin - done));
      copy(list.items[which].first, list.items[which].second);
      done = list.end;
    }
    copy(done, text.substr(done));
    lines[which].columns.push_back(int(text.size()) + 1);
  }
  return lines;
}

class LineParser {
public:
  LineParser(const Line& line, int number, WeightTable& table)
      : text(line.text), columns(line.columns), number(number), table(table) {}

  // statement = base | ignore | init | tie | make | rule
  void statement() {
    if (skipSpace(), at == text.size()) return;
    if (keyword("base")) {
      table.programBase = baseName();
      want('=', "the prefix of the file");
      table.fileBase = baseName();
    } else if (keyword("ignore")) {
      names(table.ignored);
    } else if (keyword("init")) {
      names(table.initial);
    } else if (keyword("tie")) {
      NamePattern one = name(false);
      want('=', "the tensor that it is");
      table.ties.push_back({std::move(one), name(false)});
    } else if (keyword("make")) {
      made();
    } else {
      rule();
    }
    if (skipSpace(), at < text.size()) fail(at, fmt::format("`{}` was not expected here", text.substr(at, 20)));
  }

private:
  [[noreturn]] void fail(size_t where, const std::string& message) const {
    throw Mistake{place(where), message};
  }
  TablePlace place(size_t where) const { return {number, columns[std::min(where, columns.size() - 1)]}; }
  char peek() const { return at < text.size() ? text[at] : '\0'; }
  void skipSpace() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\r') ++at;
  }
  bool take(char c) {
    skipSpace();
    if (peek() != c) return false;
    ++at;
    return true;
  }
  void want(char c, const char* what) {
    if (!take(c)) fail(at, fmt::format("`{}` and {} must stand here", c, what));
  }
  void close(char c) {
    if (!take(c)) fail(at, fmt::format("`,` or `{}` must stand here", c));
  }
  bool word(std::string_view wanted) {
    skipSpace();
    if (text.substr(at, wanted.size()) != wanted || (at + wanted.size() < text.size() && isWord(text[at + wanted.size()])))
      return false;
    at += wanted.size();
    return true;
  }
  bool keyword(std::string_view wanted) {
    size_t end = at + wanted.size();
    return (end >= text.size() || !(isName(text[end]) || text[end] == '{' || text[end] == '*')) && word(wanted);
  }

  std::string baseName() {
    skipSpace();
    size_t begin = at;
    while (isName(peek())) ++at;
    std::string found(text.substr(begin, at - begin));
    return found.empty() || found.back() == '.' ? found : found + ".";
  }

  // name = character { character } | '"' { any } '"', with {i}, {i+1} and, in lists, *
  NamePattern name(bool stars) {
    skipSpace();
    NamePattern pattern;
    pattern.place = place(at);
    bool quoted = peek() == '"';
    size_t begin = at += quoted;
    auto& parts = pattern.parts;
    bool open = false;  // the last part is text that may go on
    for (; at < text.size() && (quoted ? peek() != '"' : isName(peek()) || peek() == '{' || (stars && peek() == '*'));) {
      if (peek() == '{') {
        parts.push_back(index());
        open = false;
      } else if (stars && peek() == '*') {
        if (parts.empty() || open || !parts.back().index.empty()) parts.push_back({});
        open = false, ++at;
      } else {
        if (!open) parts.push_back({});
        parts.back().text += text[at++];
        open = true;
      }
    }
    if (quoted && at == text.size()) fail(begin - 1, "a string without its end");
    if (at == begin) fail(at, "a name must stand here");
    at += quoted;
    return pattern;
  }

  NamePattern::Part index() {
    size_t begin = at++;
    NamePattern::Part part;
    while (isWord(peek())) part.index += text[at++];
    if (peek() == '+') ++at, part.plus = integer();
    if (part.index.empty() || isdigit(static_cast<unsigned char>(part.index[0])) || peek() != '}')
      fail(begin, "an index is written `{i}` or `{i+1}`, a list of alternatives `{q,k,v}`");
    ++at;
    return part;
  }

  void names(std::vector<NamePattern>& list) {
    do list.push_back(name(true));
    while (take(','));
  }

  int64_t integer() {
    int64_t value = -1;
    auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
    if (error != std::errc() || value < 0) fail(at, "a whole number must stand here, at most 9223372036854775807");
    at = size_t(end - text.data());
    return value;
  }

  std::string dim() {
    skipSpace();
    size_t begin = at;
    if (!isdigit(static_cast<unsigned char>(peek())))
      while (isWord(peek())) ++at;
    if (at == begin) fail(at, "a dim must stand here");
    return std::string(text.substr(begin, at - begin));
  }

  // size = product { "+" product }, product = atom { "*" atom }, atom = integer | dim | "{" index "}"
  TableSize size() {
    skipSpace();
    TableSize sum;
    sum.place = place(at);
    do {
      sum.terms.emplace_back();
      do {
        skipSpace();
        if (isdigit(static_cast<unsigned char>(peek()))) {
          sum.terms.back().push_back({integer(), "", ""});
        } else if (peek() == '{') {
          NamePattern::Part part = index();
          sum.terms.back().push_back({part.plus, "", part.index});
        } else {
          sum.terms.back().push_back({0, dim(), ""});
        }
      } while (take('*'));
    } while (take('+'));
    return sum;
  }

  // factor = dim | "1" | size "of" size
  TableFactor factor() {
    skipSpace();
    size_t begin = at;
    TableFactor result;
    result.place = place(begin);
    TableSize first = size();
    if (word("of")) {
      result.element = std::move(first);
      result.of = size();
      return result;
    }
    const TableSize::Atom& only = first.terms[0][0];
    bool single = first.terms.size() == 1 && first.terms[0].size() == 1 && only.index.empty();
    if (single && !only.dim.empty()) {
      result.dim = only.dim;
    } else if (!single || only.number != 1) {
      fail(begin, "an axis of the file is made of dims of the parameter, `1`, and parts such as `0 of 3`");
    }
    return result;
  }

  // axis = ( factor | "(" factor { "," factor } ")" ) [ "at" size ]
  TableAxis axis() {
    skipSpace();
    TableAxis result;
    result.place = place(at);
    if (take('(')) {
      do result.factors.push_back(factor());
      while (take(',') && result.factors.size() < kMaxAxes);
      close(')');
    } else {
      result.factors.push_back(factor());
    }
    if (word("at")) result.at = size();
    return result;
  }

  // take = dim "=" size [ ".." size ]
  TableTake taken() {
    skipSpace();
    TableTake result;
    result.place = place(at);
    result.dim = dim();
    want('=', "what of it is taken");
    result.first = size();
    if (skipSpace(), text.substr(at, 2) == "..") at += 2, result.end = size();
    return result;
  }

  // [ "-" ] number; nothing where none stands
  std::optional<double> constant() {
    skipSpace();
    size_t begin = at, end = at;
    while (end < text.size() && (isName(text[end]) || text[end] == '+')) ++end;
    if (begin == end || !(isdigit(static_cast<unsigned char>(peek())) || peek() == '-')) return std::nullopt;
    double value;
    auto [stop, error] = std::from_chars(text.data() + begin, text.data() + end, value);
    if (stop != text.data() + end) return std::nullopt;
    if (error != std::errc() || !std::isfinite(value)) fail(begin, "the number is out of range");
    at = end;
    return value;
  }

  // rule = name [ "[" take { "," take } "]" ] "=" ( number | name [ "[" [ axis { "," axis } ] "]" ] )
  void rule() {
    TableRule result;
    result.parameter = name(false);
    if (take('[')) {
      do result.takes.push_back(taken());
      while (take(',') && result.takes.size() < kMaxAxes);
      close(']');
    }
    want('=', "the tensor of the file");
    skipSpace();
    size_t begin = at;
    if (std::optional<double> value = constant()) {
      result.constant = float(*value);
      if (!std::isfinite(*result.constant)) fail(begin, "the number is out of range of f32");
    } else {
      result.tensor = name(false);
      if (take('[')) {
        result.axes.emplace();
        if (!take(']')) {
          do result.axes->push_back(axis());
          while (take(',') && result.axes->size() < kMaxAxes);
          close(']');
        }
      }
    }
    table.rules.push_back(std::move(result));
  }

  // make = "make" name ":" dtype "[" [ size { "," size } ] "]" "=" ( number | "pos" "(" dim ")" )
  void made() {
    TableMade result;
    result.name = name(false);
    if (auto* part = result.name.unbound({})) fail(at, fmt::format("`{{{}}}`: a tensor to make has one name", part->index));
    want(':', "its dtype");
    skipSpace();
    size_t begin = at;
    while (isWord(peek())) ++at;
    result.dtype = text.substr(begin, at - begin);
    if (std::vector<std::string> known{"F32", "I32", "I64", "U8", "BOOL"};
        std::find(known.begin(), known.end(), result.dtype) == known.end())
      fail(begin, fmt::format("`{}` is none of the dtypes {}", result.dtype, fmt::join(known, ", ")));
    want('[', "its shape");
    if (!take(']')) {
      do result.shape.push_back(size());
      while (take(',') && result.shape.size() < kMaxAxes);
      close(']');
    }
    want('=', "its value");
    if (std::optional<double> value = constant()) {
      result.value = *value;
      double most = result.dtype == "BOOL" ? 1 : result.dtype == "U8" ? 255 : result.dtype == "I32" ? 2147483647 : 1e15;
      bool fits = result.dtype == "F32" ? std::isfinite(float(*value))
                                        : *value == std::floor(*value) && std::abs(*value) <= most &&
                                              (*value >= 0 || result.dtype[0] == 'I');
      if (!fits) fail(at, fmt::format("{} is no {}", *value, result.dtype));
    } else if (word("pos")) {
      want('(', "a dim of its shape");
      begin = at;
      std::string along = dim();
      for (size_t i = 0; i < result.shape.size(); ++i)
        if (auto& terms = result.shape[i].terms; terms.size() == 1 && terms[0].size() == 1 && terms[0][0].dim == along)
          result.positions = i;
      if (!result.positions) fail(begin, fmt::format("`{}` is no size of its shape", along));
      if (result.dtype == "U8" || result.dtype == "BOOL") fail(begin, fmt::format("positions do not fit {}", result.dtype));
      close(')');
    } else {
      fail(at, "a number, or `pos(P)` for the positions along P, must stand here");
    }
    table.made.push_back(std::move(result));
  }

  std::string_view text;
  const std::vector<int>& columns;
  int number;
  WeightTable& table;
  size_t at = 0;
};

}  // namespace

WeightTable WeightTable::parse(const std::string& text, const std::string& path) {
  if (text.size() > kMaxBytes)
    throw RunError(kData, fmt::format("{}: {} bytes; a table has at most {}", path, text.size(), kMaxBytes));
  WeightTable table;
  table.path = path;
  std::vector<Mistake> mistakes;
  int number = 0;
  size_t statements = 0;
  for (size_t begin = 0, end; begin < text.size() && mistakes.size() < 50; begin = end + 1) {
    end = std::min(text.find('\n', begin), text.size());
    ++number;
    try {
      for (const Line& line : expand(std::string_view(text).substr(begin, end - begin), number)) {
        if (++statements > kMaxStatements + size_t(number))
          throw RunError(kData, fmt::format("{}:{}: a table has at most {} statements", path, number, kMaxStatements));
        LineParser(line, number, table).statement();
      }
    } catch (const Mistake& mistake) {
      mistakes.push_back(mistake);
    }
  }
  if (mistakes.empty()) return table;
  std::string lines;
  for (const Mistake& m : mistakes)
    lines += fmt::format("{}{}:{}:{}: {}", lines.empty() ? "" : "\n  ", path, m.place.line, m.place.column, m.message);
  throw RunError(kData, lines, "a line is `PARAMETER = TENSOR[AXES]`; docs/weights.md has all of them");
}

WeightTable WeightTable::read(const std::string& path) {
  InputFile file(path);
  if (file.size() > kMaxBytes)
    throw RunError(kData, fmt::format("{}: {} bytes; a table has at most {}", path, file.size(), kMaxBytes));
  return parse(file.readAll(), path);
}

}  // namespace heddle
