// How near generated texts are to the ones that were wanted.
//
// Words are what stands between white space; ASCII punctuation marks are words of their own.
#ifndef HEDDLE_RUNTIME_TEXTSCORES_H
#define HEDDLE_RUNTIME_TEXTSCORES_H
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

std::vector<std::string_view> wordsOf(std::string_view text);

class TextScores {
public:
  void add(std::string_view generated, std::string_view wanted);

  int64_t texts = 0;
  /// The part of the texts that are the same, byte for byte.
  double exact() const;
  /// BLEU of the corpus, from 0 to 1: up to four words, one reference, a penalty for shortness (Papineni et al. 2002,
  /// section 2.3); 0 if no four words in a row agree.
  double bleu() const;
  /// ROUGE-1, from 0 to 1: the mean over texts of the harmonic mean of precision and recall of words (Lin 2004, section 2).
  double rouge1() const;

private:
  int64_t same = 0, generatedWords = 0, wantedWords = 0;
  std::array<int64_t, 4> matches{}, total{};  // of n words in a row
  double rougeSum = 0;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TEXTSCORES_H
