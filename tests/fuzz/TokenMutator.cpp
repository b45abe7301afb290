// Mutations of texts by their tokens: bytes alone hardly ever give a program that gets past the parser, and what lies
// behind it is where the interesting bugs are. libFuzzer calls them in every target that is linked with this file.
//
// A text is cut into words, numbers, strings, punctuation and white space; a mutation moves, swaps, copies, drops or
// replaces tokens, bracketed groups and lines, and puts numbers at the edges of their types. It knows no grammar, so it
// serves .heddle and MLIR alike.
#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

namespace {

enum class Kind { word, number, string, space, mark };

struct Token {
  Kind kind;
  std::string text;
};
using Tokens = std::vector<Token>;

bool isWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }

Tokens cut(std::string_view text) {
  Tokens tokens;
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 1;
    Kind kind = Kind::mark;
    if (isDigit(text[at])) {
      kind = Kind::number;
      while (end < text.size() && (isWord(text[end]) || (text[end] == '.' && end + 1 < text.size() && isDigit(text[end + 1]))))
        ++end;
    } else if (isWord(text[at])) {
      kind = Kind::word;
      while (end < text.size() && (isWord(text[end]) || text[end] == '.'))
        ++end;
    } else if (text[at] == '"') {
      kind = Kind::string;
      while (end < text.size() && text[end] != '"' && text[end] != '\n')
        ++end;
      end = std::min(end + 1, text.size());
    } else if (text[at] == ' ' || text[at] == '\n' || text[at] == '\t') {
      kind = Kind::space; // a line break is a token of its own: lines are found by it
      while (text[at] != '\n' && end < text.size() && text[end] == ' ')
        ++end;
    }
    tokens.push_back({kind, std::string(text.substr(at, end - at))});
    at = end;
  }
  return tokens;
}

// The edges of i32, i64, u64, f32 and f64, of sizes that tile, and of what a parser takes for a number.
const char *const numbers[] = {"0", "1", "2", "3", "4", "5", "7", "8", "15", "16", "17", "31", "32", "33", "63", "64", "65",
                               "127", "128", "255", "256", "1000", "1024", "4096", "65535", "65536", "1000000",
                               "2147483647", "2147483648", "4294967295", "4294967296", "1099511627776",
                               "4611686018427387904", "9223372036854775807", "9223372036854775808",
                               "18446744073709551615", "18446744073709551616", "340282366920938463463374607431768211456",
                               "0.5", "0.0", "1.0", "1e-7", "1e-45", "1e39", "1e308", "1e999", "0.1", "3.40282347e38", "0x7FC00000", "007"};

class Mutation {
public:
  Mutation(std::string_view text, unsigned seed) : random(seed), tokens(cut(text)) {}

  void once() {
    if (tokens.empty())
      tokens.push_back({Kind::word, "x"});
    switch (below(13)) {
    case 0: erase(pick(), 1); break;
    case 1: swap(pick(), pick()); break;
    case 2: swapAlike(); break;
    case 3: replaceAlike(); break;
    case 4:
    case 5: replaceNumber(); break;
    case 6: eraseGroup(); break;
    case 7: copyGroup(); break;
    case 8: eraseLines(); break;
    case 9: copyLines(); break;
    case 10: insert(pick(), {tokens[pick()]}); break;
    case 11: swapLines(); break;
    case 12: nest(); break;
    }
  }
  std::string text() const {
    std::string all;
    for (const Token &token : tokens)
      all += token.text;
    return all;
  }
  size_t below(size_t n) { return n ? random() % n : 0; }

private:
  size_t pick() { return below(tokens.size()); }
  size_t pick(Kind kind) {
    size_t from = pick();
    for (size_t i = 0; i < tokens.size(); ++i)
      if (tokens[(from + i) % tokens.size()].kind == kind)
        return (from + i) % tokens.size();
    return from;
  }
  Kind anyKind() {
    const Kind kinds[] = {Kind::word, Kind::word, Kind::number, Kind::mark, Kind::string};
    return kinds[below(5)];
  }
  void erase(size_t at, size_t count) {
    tokens.erase(tokens.begin() + at, tokens.begin() + std::min(at + count, tokens.size()));
  }
  void insert(size_t at, const Tokens &some) { tokens.insert(tokens.begin() + at, some.begin(), some.end()); }
  Tokens slice(size_t from, size_t to) { return Tokens(tokens.begin() + from, tokens.begin() + to); }
  void swap(size_t a, size_t b) { std::swap(tokens[a], tokens[b]); }

  void swapAlike() {
    Kind kind = anyKind();
    swap(pick(kind), pick(kind));
  }
  void replaceAlike() {
    Kind kind = anyKind();
    size_t to = pick(kind), from = pick(kind);
    tokens[to] = Token(tokens[from]);
  }
  void replaceNumber() {
    size_t at = pick(Kind::number);
    tokens[at] = {Kind::number, below(4) ? numbers[below(std::size(numbers))] : std::to_string(below(9))};
    if (below(12) == 0)
      insert(at, {{Kind::mark, "-"}});
  }

  // A bracket and the one behind its match; equal when there is none. `->` is no bracket.
  std::pair<size_t, size_t> group() {
    size_t from = pick();
    for (size_t n = 0; n < tokens.size(); ++n, from = (from + 1) % tokens.size()) {
      size_t which = std::string_view("([{<").find(tokens[from].text);
      if (tokens[from].kind != Kind::mark || which == std::string_view::npos)
        continue;
      char open = "([{<"[which], close = ")]}>"[which];
      int depth = 0;
      for (size_t i = from; i < tokens.size(); ++i) {
        char c = tokens[i].text[0];
        if (c == open)
          ++depth;
        if (c == close && !(c == '>' && i > 0 && tokens[i - 1].text == "-") && --depth == 0)
          return {from, i + 1};
      }
    }
    return {from, from};
  }
  void eraseGroup() {
    auto [from, to] = group();
    size_t inner = below(2); // with or without its brackets
    if (to >= from + 2)
      erase(from + inner, to - from - 2 * inner);
  }
  void copyGroup() {
    auto [from, to] = group();
    Tokens copy = slice(from, to);
    auto [over, end] = group();
    if (below(2))
      erase(over, end - over);
    insert(std::min(over, tokens.size()), copy);
  }
  void nest() {
    auto [from, to] = group();
    if (to < from + 2)
      return;
    size_t times = size_t(1) << below(9);
    if ((to - from) * times > 20000)
      return;
    Tokens open(times, tokens[from]), close(times, tokens[to - 1]);
    insert(to, close);
    insert(from, open);
  }

  std::pair<size_t, size_t> lines() {
    size_t from = pick();
    while (from > 0 && tokens[from - 1].text != "\n")
      --from;
    size_t to = from, count = 1 + below(below(4) ? 2 : 12);
    while (to < tokens.size() && count > 0)
      count -= tokens[to++].text == "\n";
    return {from, to};
  }
  void eraseLines() {
    auto [from, to] = lines();
    erase(from, to - from);
  }
  void copyLines() {
    auto [from, to] = lines();
    Tokens copy = slice(from, to);
    insert(lines().first, copy);
  }
  void swapLines() {
    auto [from, to] = lines();
    Tokens moved = slice(from, to);
    erase(from, to - from);
    insert(tokens.empty() ? 0 : lines().first, moved);
  }

  std::mt19937 random;
  Tokens tokens;
};

size_t put(const std::string &text, uint8_t *out, size_t maxSize) {
  size_t size = std::min(text.size(), maxSize);
  std::memcpy(out, text.data(), size);
  return size;
}

} // namespace

// One mutation in four is libFuzzer's own, of bytes and dictionary words.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  if (seed % 4 == 0)
    return LLVMFuzzerMutate(data, size, maxSize);
  Mutation mutation({reinterpret_cast<const char *>(data), size}, seed / 4);
  for (size_t n = 1 + mutation.below(mutation.below(3) ? 2 : 6); n > 0; --n)
    mutation.once();
  return put(mutation.text(), data, maxSize);
}

// A run of lines of the second text goes into the first.
extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t firstSize, const uint8_t *second,
                                            size_t secondSize, uint8_t *out, size_t maxSize, unsigned seed) {
  std::mt19937 random(seed);
  std::string_view a(reinterpret_cast<const char *>(first), firstSize), b(reinterpret_cast<const char *>(second), secondSize);
  auto lineAt = [&](std::string_view text, size_t from) {
    size_t at = text.empty() ? std::string_view::npos : text.rfind('\n', from);
    return at == std::string_view::npos ? 0 : at + 1;
  };
  size_t from = lineAt(b, random() % (b.size() + 1)), to = from;
  for (size_t count = 1 + random() % 8; count > 0 && to != std::string_view::npos; --count)
    to = b.find('\n', to + 1);
  size_t at = lineAt(a, random() % (a.size() + 1));
  std::string text(a.substr(0, at));
  text += b.substr(from, to == std::string_view::npos ? to : to + 1 - from);
  text += a.substr(at);
  return put(text, out, maxSize);
}
