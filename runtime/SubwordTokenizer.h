// A tokenizer.json at work: text to ids and ids to bytes, with exactly the ids that the package `tokenizers` gives
// without its post-processor. What is not UTF-8 counts as U+FFFD, as in Python after errors="replace".
#ifndef HEDDLE_RUNTIME_SUBWORDTOKENIZER_H
#define HEDDLE_RUNTIME_SUBWORDTOKENIZER_H
#include "runtime/TokenizerFile.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

class SubwordTokenizer {
public:
  explicit SubwordTokenizer(TokenizerFile file);
  SubwordTokenizer(const SubwordTokenizer&) = delete;

  const TokenizerFile& file() const { return parts; }

  /// Appends the ids of a text. `continued`: the text goes on behind a piece that ended where cut() says.
  void encode(std::string_view text, bool continued, std::vector<int32_t>& ids) const;

  /// A place in the text, the last one that is found, where it may be cut so that the ids of both pieces together are
  /// those of the whole; 0 if there is none. The text may itself be the start of a longer one.
  size_t cut(std::string_view text) const;

  /// What a token adds to a text; `first` where nothing stands before it.
  std::string decode(int32_t token, bool first) const;

private:
  bool endsWithAdded(std::string_view text) const;
  void encodePart(std::string_view text, bool continued, std::vector<int32_t>& ids) const;
  void encodeWords(std::string_view text, bool continued, std::vector<int32_t>& ids) const;

  TokenizerFile parts;
  std::vector<std::string> texts;      // by id, for decoding
  AddedTokenFinder plain, normalized;  // added tokens, by the text that they are searched in
  std::optional<ByteLevelBpe> bpe;
  std::optional<WordPiece> wordPiece;
  bool cuts = true;  // whether there is any place where a text may be cut
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_SUBWORDTOKENIZER_H
