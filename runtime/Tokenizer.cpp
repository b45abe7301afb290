// UTF-8 is decoded by hand, strictly (RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF), because an
// error must name the byte where it starts.
#include "runtime/Tokenizer.h"

#include "runtime/InputFile.h"
#include "runtime/RunError.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace heddle {
namespace {

// The code point at text[at], which moves behind it.
uint32_t decodeOne(std::string_view text, size_t& at, const std::string& where) {
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
    throw RunError(kData, fmt::format("{}: byte {}: 0x{:02x} is not valid UTF-8", where, at, first),
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

}  // namespace

Tokenizer Tokenizer::of(const std::string& kind, std::string_view text, const std::string& where) {
  Tokenizer result;
  result.name = kind;
  if (kind == "byte") return result;
  if (kind != "char") throw RunError(kData, fmt::format("unknown tokenizer '{}'", kind), "one of char, byte");
  std::vector<bool> seen(0x110000);
  uint32_t largest = 0;
  for (size_t at = 0; at < text.size();) {
    uint32_t point = decodeOne(text, at, where);
    seen[point] = true;
    largest = std::max(largest, point);
  }
  for (uint32_t p = 0; p <= largest; ++p)
    if (seen[p]) result.codePoints.push_back(p);
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
    return of(json.at("kind"), json.value("vocabulary", ""), "the checkpoint's vocabulary");
  } catch (const nlohmann::json::exception& e) {
    throw RunError(kData, fmt::format("the checkpoint's tokenizer is damaged: {}", e.what()));
  }
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, const std::string& where) const {
  std::vector<int32_t> tokens;
  tokens.reserve(text.size());
  if (name == "byte") {
    for (char c : text) tokens.push_back(uint8_t(c));
    return tokens;
  }
  int32_t ascii[128];
  std::fill(std::begin(ascii), std::end(ascii), -1);
  for (size_t i = 0; i < codePoints.size() && codePoints[i] < 128; ++i) ascii[codePoints[i]] = int32_t(i);
  for (size_t at = 0; at < text.size();) {
    size_t start = at;
    uint32_t point = decodeOne(text, at, where);
    auto found = std::lower_bound(codePoints.begin(), codePoints.end(), point);
    int32_t token = point < 128 ? ascii[point]
                    : found != codePoints.end() && *found == point ? int32_t(found - codePoints.begin())
                                                                   : -1;
    if (token < 0)
      throw RunError(kData, fmt::format("{}: byte {}: the character '{}' (U+{:04X}) is not in the vocabulary", where,
                                        start, encodeOne(point), point));
    tokens.push_back(token);
  }
  return tokens;
}

std::string Tokenizer::decode(int32_t token) const {
  if (token < 0 || token >= size()) return {};
  return name == "byte" ? std::string(1, char(token)) : encodeOne(codePoints[size_t(token)]);
}

TokenizerInfo describe(const std::string& path, const std::string& tokenizer) {
  InputFile file(path);
  if (file.size() == 0) throw RunError(kData, fmt::format("{}: is empty", path));
  std::string text = file.readAll();
  Tokenizer t = Tokenizer::of(tokenizer, text, path);
  int64_t tokens = int64_t(text.size());
  if (tokenizer == "char")  // bytes that do not continue a character
    tokens = std::count_if(text.begin(), text.end(), [](char c) { return (uint8_t(c) & 0xC0) != 0x80; });
  return {t.size(), tokens};
}

}  // namespace heddle
