// WordPiece as BERT has it (Devlin et al. 2018): text is cleaned, split at spaces and punctuation, and each word is cut
// into the longest tokens from its start on; the ones behind the first carry a prefix ("##").
#ifndef HEDDLE_RUNTIME_WORDPIECE_H
#define HEDDLE_RUNTIME_WORDPIECE_H
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace heddle {

struct BertNormalizer {
  bool cleanText = false;           // without control characters and U+FFFD, every space as ' '
  bool handleChineseChars = false;  // spaces around ideographs
  bool stripAccents = false;        // NFD without its nonspacing marks
  bool lowercase = false;

  /// Of a valid UTF-8 text.
  std::string normalize(std::string_view text) const;
};

/// Calls word(part) for each word of BertPreTokenizer: between spaces, punctuation alone.
void forEachBertWord(std::string_view text, const std::function<void(std::string_view)>& word);

class WordPiece {
public:
  WordPiece(const std::vector<std::string>& vocabulary, const std::string& prefix, int32_t unknown, uint64_t maxChars);

  WordPiece(const WordPiece&) = delete;  // its maps look into its own strings

  /// Appends the ids of a normalized text (valid UTF-8).
  void encode(std::string_view text, std::vector<int32_t>& ids) const;

private:
  // Tokens of one kind by their text, and the lengths that there are, longest first.
  struct Pieces {
    std::unordered_map<std::string_view, int32_t> ids;
    std::vector<size_t> lengths;
    void add(std::string_view text, int32_t id) { ids.emplace(text, id); }
    void sortLengths();
    int32_t longest(std::string_view text, size_t& length) const;
  };
  void encodeWord(std::string_view word, std::vector<int32_t>& ids) const;

  std::vector<std::string> texts;  // what the views look at
  Pieces first, behind;
  int32_t unknown;
  uint64_t maxChars;  // longer words are unknown
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_WORDPIECE_H
