// Files are read in pieces: a corpus may be larger than memory. Pieces end where characters do, and those of a
// tokenizer.json where SubwordTokenizer::cut allows it; where it finds no place, the piece grows.
#include "runtime/Tokenizer.h"

#include "runtime/DataPath.h"
#include "runtime/FileHash.h"
#include "runtime/InputFile.h"
#include "runtime/RunError.h"
#include "runtime/SubwordTokenizer.h"
#include "runtime/Utf8.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace heddle {
namespace {

// The code point at text[at], which moves behind it. The text starts at byte `base` of what `where` names.
uint32_t decodeOne(std::string_view text, size_t& at, const std::string& where, uint64_t base) {
  uint32_t point;
  size_t length = decodeUtf8(text, at, point);
  if (length == 0)
    throw RunError(kData, fmt::format("{}: byte {}: 0x{:02x} is not valid UTF-8", where, base + at, uint8_t(text[at])),
                   "convert the text to UTF-8, or use tokenizer = \"byte\"");
  at += length;
  return point;
}

std::string encodeOne(uint32_t point) {
  std::string text;
  appendUtf8(text, point);
  return text;
}

constexpr size_t kPiece = size_t(1) << 18;  // bytes

// Calls f(piece, its first byte) for the whole file. usable(text) is how much of a text may be a piece; where it says 0,
// more is read.
template <typename Usable, typename F> void forEachPiece(const InputFile& file, Usable usable, F f) {
  std::string buffer(std::min<uint64_t>(kPiece, file.size()), '\0');
  size_t kept = 0;
  for (uint64_t at = 0; at < file.size();) {
    if (kept == buffer.size()) buffer.resize(std::min<uint64_t>(2 * kept, kept + file.size() - at));
    size_t n = size_t(std::min<uint64_t>(buffer.size() - kept, file.size() - at)), filled = kept + n;
    file.read(at, buffer.data() + kept, n);
    bool last = at + n == file.size();
    size_t used = last ? filled : usable(std::string_view(buffer.data(), filled));
    if (used > 0) f(std::string_view(buffer.data(), used), at - kept);
    kept = filled - used;
    if (used > 0) buffer.replace(0, kept, buffer, used, kept);
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

bool isTokenizerFile(std::string_view name) { return name.ends_with(".json"); }

std::string resolveTokenizer(const std::string& base, const std::string& name) {
  constexpr char help[] = "a tokenizer.json lies in the directory of the .heddle file, or below it";
  return isTokenizerFile(name) ? resolveDataPath(base, name, "tokenizer", help) : name;
}

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

Tokenizer Tokenizer::of(TokenizerFile file) {
  Tokenizer result;
  result.name = file.model == TokenizerFile::Model::kBpe ? "bpe" : "wordpiece";
  result.subword = std::make_shared<SubwordTokenizer>(std::move(file));
  return result;
}

Tokenizer Tokenizer::load(const std::string& path) {
  InputFile file(path);
  constexpr uint64_t most = uint64_t(1) << 28;
  if (file.size() > most)
    throw RunError(kData, fmt::format("{}: has {} bytes; a tokenizer has at most {}", path, file.size(), most));
  return of(TokenizerFile::parse(file.readAll(), path));
}

Tokenizer Tokenizer::ofFile(const std::string& name, const InputFile& file, int64_t& tokens) {
  if (file.size() == 0) throw RunError(kData, fmt::format("{}: is empty", file.path()));
  if (isTokenizerFile(name)) {
    Tokenizer result = load(name);
    tokens = 0;
    result.encodeFile(file, [&](std::string_view, const std::vector<int32_t>& ids) { tokens += int64_t(ids.size()); });
    return result;
  }
  Tokenizer result = named(name);
  tokens = int64_t(file.size());
  if (name == "byte") return result;
  CodePoints points;
  forEachPiece(file, wholeCharacters, [&](std::string_view piece, uint64_t base) { points.add(piece, file.path(), base); });
  result.codePoints = points.sorted();
  tokens = points.count;
  return result;
}

std::string Tokenizer::fingerprint() const {
  if (!subword) return name;
  FileHash hash;
  hash.add(subword->file().json);
  return fmt::format("{}:{:016x}", name, hash.digest());
}

std::string Tokenizer::toJson() const {
  std::string vocabulary;
  for (uint32_t p : codePoints) vocabulary += encodeOne(p);
  nlohmann::ordered_json json = {{"kind", name}};
  if (name == "char") json["vocabulary"] = vocabulary;
  if (subword) json["tokenizer.json"] = subword->file().json;
  return json.dump();
}

Tokenizer Tokenizer::fromJson(const std::string& text) {
  try {
    auto json = nlohmann::json::parse(text);
    if (std::string kind = json.at("kind"); kind == "bpe" || kind == "wordpiece") {
      Tokenizer result = of(TokenizerFile::parse(json.at("tokenizer.json"), "the checkpoint's tokenizer"));
      if (result.name != kind) throw RunError(kData, fmt::format("the checkpoint's tokenizer is no {}", kind));
      return result;
    }
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
  auto usable = [&](std::string_view text) { return subword ? subword->cut(text) : wholeCharacters(text); };
  forEachPiece(file, usable, [&](std::string_view piece, uint64_t base) {
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
  if (subword) return subword->encode(text, base > 0, tokens);
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

int64_t Tokenizer::size() const {
  return subword ? int64_t(subword->file().tokens.size()) : name == "byte" ? 256 : int64_t(codePoints.size());
}

const TokenizerFile* Tokenizer::file() const { return subword ? &subword->file() : nullptr; }

std::optional<int32_t> Tokenizer::tokenId(std::string_view content) const {
  if (subword) {
    auto found = subword->file().ids.find(std::string(content));
    return found == subword->file().ids.end() ? std::nullopt : std::optional(found->second);
  }
  if (name == "byte") return content.size() == 1 ? std::optional<int32_t>(uint8_t(content[0])) : std::nullopt;
  uint32_t point;
  if (content.empty() || decodeUtf8(content, 0, point) != content.size()) return std::nullopt;
  auto found = std::lower_bound(codePoints.begin(), codePoints.end(), point);
  if (found == codePoints.end() || *found != point) return std::nullopt;
  return int32_t(found - codePoints.begin());
}

bool Tokenizer::isSpecial(int32_t token) const {
  if (!subword) return false;
  const auto& added = subword->file().added;
  return std::any_of(added.begin(), added.end(), [&](const AddedToken& a) { return a.id == token && a.special; });
}

std::string Tokenizer::decode(int32_t token) const {
  if (token < 0 || token >= size()) return {};
  if (subword) return subword->decode(token, true);
  return name == "byte" ? std::string(1, char(token)) : encodeOne(codePoints[size_t(token)]);
}

std::string Tokenizer::Decoder::next(int32_t token) {
  if (token < 0 || token >= tokenizer.size()) return {};
  std::string text = tokenizer.subword ? tokenizer.subword->decode(token, first) : tokenizer.decode(token);
  first = false;
  return text;
}

TokenizerInfo describe(const std::string& path, const std::string& tokenizer) {
  int64_t tokens;
  Tokenizer t = Tokenizer::ofFile(tokenizer, InputFile(path), tokens);
  return {t.size(), tokens};
}

}  // namespace heddle
