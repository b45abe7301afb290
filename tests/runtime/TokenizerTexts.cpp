// Line for line the functions of tests/reference/tokenizer_ids.py.
#include "TokenizerTexts.h"

#include "runtime/Utf8.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <fstream>

namespace heddle::testing {
namespace {

constexpr uint64_t kTexts = 10000;

struct Random {
  uint64_t state;
  uint64_t below(uint64_t n) {
    state += 0x9E3779B97F4A7C15;
    uint64_t z = state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return ((z ^ z >> 31) >> 33) % n;
  }
};

std::string utf8(uint64_t point) {
  std::string text;
  appendUtf8(text, uint32_t(point));
  return text;
}

const nlohmann::json& oneOf(const nlohmann::json& list, Random& r) { return list[r.below(list.size())]; }

std::string within(const nlohmann::json& range, Random& r) {
  uint64_t low = range[0], high = range[1];
  return utf8(low + r.below(high - low + 1));
}

std::string fragment(const nlohmann::json& all, Random& r) {
  uint64_t kind = r.below(16);
  std::string out;
  if (kind < 5) {
    const auto& words = all["words"];
    std::string word = words[r.below(r.below(words.size()) + 1)];
    if (r.below(8) == 0 && word[0] >= 'a' && word[0] <= 'z') word[0] = char(word[0] - 32);
    return r.below(4) ? word.insert(0, 1, ' ') : word;
  }
  if (kind == 5) {
    uint64_t most = 10;
    for (uint64_t digits = r.below(7); digits > 0; --digits) most *= 10;
    return std::to_string(r.below(most));
  }
  if (kind == 6 || kind == 12) {
    const auto& range = oneOf(all[kind == 6 ? "scripts" : "asian"], r);
    for (uint64_t n = 1 + r.below(6); n > 0; --n) out += within(range, r);
    return out;
  }
  if (kind == 7) return oneOf(all["emoji"], r);
  if (kind == 8) {
    std::string space = utf8(oneOf(all["spaces"], r));
    for (uint64_t n = r.below(64) == 0 ? 300 : 1 + r.below(5); n > 0; --n) out += space;
    return out;
  }
  if (kind == 9) return utf8(oneOf(all["controls"], r));
  if (kind == 10) {
    if (r.below(2)) {
      for (uint64_t n = 1 + r.below(4); n > 0; --n) out += char(0x80 + r.below(128));
      return out;
    }
    std::string whole = utf8(0x80 + r.below(0x10FF80));
    return whole.substr(0, 1 + r.below(whole.size()));
  }
  if (kind == 11) {
    out = utf8(oneOf(all["bases"], r));
    for (uint64_t n = 1 + r.below(4); n > 0; --n) out += within(oneOf(all["marks"], r), r);
    return out;
  }
  if (kind == 13) return oneOf(all["contractions"], r);
  if (kind == 14) return utf8(r.below(0x110000));
  return oneOf(all["added"], r);
}

}  // namespace

std::string tokenizerFolder() { return HEDDLE_TOKENIZERS "/"; }

std::vector<std::string> tokenizerTexts() {
  std::ifstream file(tokenizerFolder() + "fragments.json");
  nlohmann::json all = nlohmann::json::parse(file);
  std::vector<std::string> texts;
  for (uint64_t i = 0; i < kTexts; ++i) {
    Random r{i};
    std::string text;
    for (uint64_t n = 1 + r.below(14); n > 0; --n) text += fragment(all, r);
    texts.push_back(text);
  }
  for (uint64_t first = 0; first < 0x110000; first += 4096) {
    std::string text;
    for (uint64_t p = first; p < first + 4096; ++p) text.append("a").append(utf8(p)).append("b ").append(utf8(p)).append("1");
    texts.push_back(text);
  }
  return texts;
}

}  // namespace heddle::testing
