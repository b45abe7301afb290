// UTF-8 is decoded by hand, strictly (RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF), because an
// error must name the byte where it starts. Files are read in pieces: a corpus may be larger than memory.
#include "runtime/Tokenizer.h"

#include "runtime/InputFile.h"
#include "runtime/RunError.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace heddle {
namespace {

// The code point at text[at], which moves behind it. The text starts at byte `base` of what `where` names.
uint32_t decodeOne(std::string_view text, size_t& at, const std::string& where, uint64_t base) {
  auto byte = [&](size_t i) { return i < text.size() ? uint8_t(text[i]) : uint8_t(0); };
  uint8_t first = byte(at);
  int length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  uint32_t point = length == 1 ? first : length == 2 ? first & 0x1F : length == 3 ? first & 0x0F : first & 0x07;
  bool good = length > 0;
  for (int i = 1; i < length && good; ++i) {
    good = (byte(at + i) & 0xC0) == 0x80;
    point = point << 6 | (byte(at + i) & 0x3F);
  }
  if (length == 3) good &= point >= 0x800 && !(point >= 0xD800 && point < 0xE000);
  if (length == 4) good &= point >= 0x10000 && point <= 0x10FFFF;
  if (!good)
    throw RunError(kData, fmt::format("{}: byte {}: 0x{:02x} is not valid UTF-8", where, base + at, first),
                   "convert the text to UTF-8, or use tokenizer = \"byte\"");
  at += size_t(length);
  return point;
}

std::string encodeOne(uint32_t p) {
  if (p < 0x80) return {char(p)};
  if (p < 0x800) return {char(0xC0 | p >> 6), char(0x80 | (p & 0x3F))};
  if (p < 0x10000) return {char(0xE0 | p >> 12), char(0x80 | (p >> 6 & 0x3F)), char(0x80 | (p & 0x3F))};
  return {char(0xF0 | p >> 18), char(0x80 | (p >> 12 & 0x3F)), char(0x80 | (p >> 6 & 0x3F)), char(0x80 | (p & 0x3F))};
}

// How much of a text ends with a whole character: all of it, or up to the start of one that goes on behind it.
size_t wholeCharacters(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    auto byte = uint8_t(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    size_t length = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    return length > back ? text.size() - back : text.size();
  }
  return text.size();
}

constexpr size_t kPiece = size_t(1) << 18;  // bytes

// Calls f(piece, its first byte) for the whole file; pieces end where characters do.
template <typename F> void forEachPiece(const InputFile& file, F f) {
  std::string buffer(kPiece, '\0');
  size_t kept = 0;
  for (uint64_t at = 0; at < file.size();) {
    size_t n = size_t(std::min<uint64_t>(kPiece - kept, file.size() - at)), filled = kept + n;
    file.read(at, buffer.data() + kept, n);
    bool last = at + n == file.size();
    size_t used = last ? filled : wholeCharacters({buffer.data(), filled});
    f(std::string_view(buffer.data(), used), at - kept);
    kept = filled - used;
    buffer.replace(0, kept, buffer, used, kept);
    at += n;
  }
}

// The code points that a text uses.
struct CodePoints {
  std::vector<bool> seen = std::vector<bool>(0x110000);
  uint32_t largest = 0;
  int64_t count = 0;

  void add(std::string_view text, const std::string& where, uint64_t base) {
    for (size_t at = 0; at < text.size(); ++count) {
      uint32_t point = decodeOne(text, at, where, base);
      seen[point] = true;
      largest = std::max(largest, point);
    }
  }
  std::vector<uint32_t> sorted() const {
    std::vector<uint32_t> points;
    for (uint32_t p = 0; p <= largest; ++p)
      if (seen[p]) points.push_back(p);
    return points;
  }
};

}  // namespace

Tokenizer Tokenizer::named(const std::string& kind) {
  if (kind != "byte" && kind != "char")
    throw RunError(kData, fmt::format("unknown tokenizer '{}'", kind), "one of char, byte");
  Tokenizer result;
  result.name = kind;
  return result;
}

Tokenizer Tokenizer::of(const std::string& kind, std::string_view text, const std::string& where) {
  Tokenizer result = named(kind);
  if (kind == "byte") return result;
  CodePoints points;
  points.add(text, where, 0);
  result.codePoints = points.sorted();
  return result;
}

Tokenizer Tokenizer::ofFile(const std::string& kind, const InputFile& file, int64_t& tokens) {
  if (file.size() == 0) throw RunError(kData, fmt::format("{}: is empty", file.path()));
  Tokenizer result = named(kind);
  tokens = int64_t(file.size());
  if (kind == "byte") return result;
  CodePoints points;
  forEachPiece(file, [&](std::string_view piece, uint64_t base) { points.add(piece, file.path(), base); });
  result.codePoints = points.sorted();
  tokens = points.count;
  return result;
}

std::string Tokenizer::toJson() const {
  std::string vocabulary;
  for (uint32_t p : codePoints) vocabulary += encodeOne(p);
  nlohmann::ordered_json json = {{"kind", name}};
  if (name == "char") json["vocabulary"] = vocabulary;
  return json.dump();
}

Tokenizer Tokenizer::fromJson(const std::string& text) {
  try {
    auto json = nlohmann::json::parse(text);
    Tokenizer result = of(json.at("kind"), json.value("vocabulary", ""), "the checkpoint's vocabulary");
    if (result.size() == 0) throw RunError(kData, "the checkpoint's vocabulary is empty");
    return result;
  } catch (const nlohmann::json::exception& e) {
    throw RunError(kData, fmt::format("the checkpoint's tokenizer is damaged: {}", e.what()));
  }
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, const std::string& where) const {
  std::vector<int32_t> tokens;
  tokens.reserve(text.size());
  append(text, where, 0, tokens);
  return tokens;
}

void Tokenizer::encodeFile(const InputFile& file, const PieceSink& sink) const {
  std::vector<int32_t> tokens;
  tokens.reserve(kPiece);
  forEachPiece(file, [&](std::string_view piece, uint64_t base) {
    tokens.clear();
    append(piece, file.path(), base, tokens);
    sink(piece, tokens);
  });
}

void Tokenizer::append(std::string_view text, const std::string& where, uint64_t base,
                       std::vector<int32_t>& tokens) const {
  if (name == "byte") {
    for (char c : text) tokens.push_back(uint8_t(c));
    return;
  }
  int32_t ascii[128];
  std::fill(std::begin(ascii), std::end(ascii), -1);
  for (size_t i = 0; i < codePoints.size() && codePoints[i] < 128; ++i) ascii[codePoints[i]] = int32_t(i);
  for (size_t at = 0; at < text.size();) {
    size_t start = at;
    uint32_t point = decodeOne(text, at, where, base);
    auto found = std::lower_bound(codePoints.begin(), codePoints.end(), point);
    int32_t token = point < 128 ? ascii[point]
                    : found != codePoints.end() && *found == point ? int32_t(found - codePoints.begin())
                                                                   : -1;
    if (token < 0)
      throw RunError(kData, fmt::format("{}: byte {}: the character '{}' (U+{:04X}) is not in the vocabulary", where,
                                        base + start, encodeOne(point), point));
    tokens.push_back(token);
  }
}

std::string Tokenizer::decode(int32_t token) const {
  if (token < 0 || token >= size()) return {};
  return name == "byte" ? std::string(1, char(token)) : encodeOne(codePoints[size_t(token)]);
}

TokenizerInfo describe(const std::string& path, const std::string& tokenizer) {
  int64_t tokens;
  Tokenizer t = Tokenizer::ofFile(tokenizer, InputFile(path), tokens);
  return {t.size(), tokens};
}

}  // namespace heddle
