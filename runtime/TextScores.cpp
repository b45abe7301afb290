// See TextScores.h.
#include "runtime/TextScores.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

namespace heddle {
namespace {

bool isSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool isMark(char c) { return c && std::strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", c); }

using Counts = std::map<std::vector<std::string_view>, int64_t>;

Counts countRuns(const std::vector<std::string_view>& words, size_t n) {
  Counts counts;
  for (size_t i = 0; i + n <= words.size(); ++i)
    ++counts[{words.begin() + std::ptrdiff_t(i), words.begin() + std::ptrdiff_t(i + n)}];
  return counts;
}

// How many runs of `a` are met in `b`, each as often as it stands there at most.
int64_t shared(const Counts& a, const Counts& b) {
  int64_t sum = 0;
  for (auto& [run, count] : a)
    if (auto it = b.find(run); it != b.end()) sum += std::min(count, it->second);
  return sum;
}

}  // namespace

std::vector<std::string_view> wordsOf(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    if (!isSpace(text[i]) && !isMark(text[i]))
      while (end < text.size() && !isSpace(text[end]) && !isMark(text[end])) ++end;
    if (!isSpace(text[i])) words.push_back(text.substr(i, end - i));
    i = end;
  }
  return words;
}

void TextScores::add(std::string_view generated, std::string_view wanted) {
  ++texts;
  same += generated == wanted;
  std::vector<std::string_view> said = wordsOf(generated), meant = wordsOf(wanted);
  generatedWords += int64_t(said.size()), wantedWords += int64_t(meant.size());
  for (size_t n = 1; n <= 4; ++n) {
    int64_t match = shared(countRuns(said, n), countRuns(meant, n));
    matches[n - 1] += match;
    total[n - 1] += std::max<int64_t>(0, int64_t(said.size()) - int64_t(n) + 1);
    if (n == 1 && match) rougeSum += 2.0 * double(match) / double(said.size() + meant.size());
  }
  if (said.empty() && meant.empty()) rougeSum += 1;
}

double TextScores::exact() const { return texts ? double(same) / double(texts) : 0; }

double TextScores::bleu() const {
  double logs = 0;
  for (size_t n = 0; n < 4; ++n) {
    if (!matches[n]) return 0;
    logs += std::log(double(matches[n]) / double(total[n])) / 4;
  }
  double ratio = double(wantedWords) / double(generatedWords);
  return std::exp(logs + std::min(0.0, 1 - ratio));
}

double TextScores::rouge1() const { return texts ? rougeSum / double(texts) : 0; }

}  // namespace heddle
