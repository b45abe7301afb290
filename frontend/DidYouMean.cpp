// Optimal string alignment: Levenshtein's distance with swaps of neighbours, which are the commonest slip of a
// typist. Words are cut at 64 letters, so a hostile name costs nothing.
#include "frontend/DidYouMean.h"

#include <algorithm>
#include <cctype>

namespace heddle {
namespace {

unsigned cost(char a, char b) {
  if (a == b)
    return 0;
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b)) ? 1 : 2;
}

} // namespace

unsigned editDistanceInHalves(std::string_view a, std::string_view b) {
  a = a.substr(0, 64);
  b = b.substr(0, 64);
  std::vector<std::vector<unsigned>> d(a.size() + 1, std::vector<unsigned>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i)
    d[i][0] = 2 * i;
  for (size_t j = 0; j <= b.size(); ++j)
    d[0][j] = 2 * j;
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 2, d[i][j - 1] + 2, d[i - 1][j - 1] + cost(a[i - 1], b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 2);
    }
  return d[a.size()][b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string> &candidates) {
  // A file of a hundred thousand names must not make each of its errors slow.
  constexpr size_t mostCandidates = 2000;
  std::string best;
  unsigned bestDistance = ~0u;
  for (size_t i = 0; i < std::min(candidates.size(), mostCandidates); ++i) {
    const std::string &candidate = candidates[i];
    if (candidate == word)
      continue;
    unsigned longer = static_cast<unsigned>(std::max(word.size(), candidate.size()));
    unsigned allowed = std::max(2u, 2 * longer / 3);
    unsigned distance = editDistanceInHalves(word, candidate);
    if (distance <= allowed && distance < 2 * longer && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

std::string didYouMean(std::string_view word, const std::vector<std::string> &candidates) {
  std::string best = nearest(word, candidates);
  return best.empty() ? "" : "did you mean `" + best + "`?";
}

bool suggest(Diagnostic &diagnostic, Span span, std::string_view word, const std::vector<std::string> &candidates) {
  std::string best = nearest(word, candidates);
  if (best.empty())
    return false;
  diagnostic.help("did you mean `" + best + "`?").replace(span, best);
  return true;
}

} // namespace heddle
