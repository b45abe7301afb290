// Text to tokens and back: `char` (a token is a Unicode code point of the corpus), `byte`, and what a tokenizer.json
// holds (`bpe`, `wordpiece`; see SubwordTokenizer).
#ifndef HEDDLE_RUNTIME_TOKENIZER_H
#define HEDDLE_RUNTIME_TOKENIZER_H
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

class InputFile;
class SubwordTokenizer;
struct TokenizerFile;

/// Does a tokenizer's name, as a program says it, name a file ("tokenizer.json") rather than a kind ("char")?
bool isTokenizerFile(std::string_view name);
/// The name that Tokenizer::ofFile takes: a kind as it is, a file resolved by the rules of resolveDataPath.
std::string resolveTokenizer(const std::string& base, const std::string& name);

class Tokenizer {
public:
  /// `kind` is "char" or "byte"; for `char`, the vocabulary is the sorted set of the code points of `text`.
  /// `where` names the text in errors. Throws RunError(kData) for invalid UTF-8 (`char`), with its byte.
  static Tokenizer of(const std::string& kind, std::string_view text, const std::string& where);
  /// The same for a file, which is read in pieces; `tokens` becomes the number of its tokens. An empty one is an error.
  /// `name` may also be the path of a tokenizer.json, from which the vocabulary then comes.
  static Tokenizer ofFile(const std::string& name, const InputFile& file, int64_t& tokens);
  /// From a tokenizer.json. Throws RunError(kData) with the place of what is damaged or not supported.
  static Tokenizer load(const std::string& path);
  /// From toJson(). Throws RunError(kData).
  static Tokenizer fromJson(const std::string& json);
  std::string toJson() const;  // {"kind":"char","vocabulary":"\n !..."}

  const std::string& kind() const { return name; }  // "char", "byte", "bpe", "wordpiece"
  /// The kind; of a tokenizer.json with a hash of it, since that does not follow from the text.
  std::string fingerprint() const;
  int64_t size() const;
  /// What its tokenizer.json says; null for "char" and "byte".
  const TokenizerFile* file() const;

  /// The id of a token by its text: a code point, a byte, or an entry of the vocabulary ("[CLS]", "Ġthe").
  std::optional<int32_t> tokenId(std::string_view content) const;
  /// Is it an added token that is marked special?
  bool isSpecial(int32_t token) const;

  /// `char`: throws RunError(kData) for invalid UTF-8 and for characters outside the vocabulary, with place and character.
  /// `bpe`, `wordpiece`: what is not UTF-8 counts as U+FFFD. No special tokens are put around the text.
  std::vector<int32_t> encode(std::string_view text, const std::string& where) const;
  /// The same for a file: the pieces of it in their order, each with its tokens, which together are those of the whole.
  using PieceSink = std::function<void(std::string_view bytes, const std::vector<int32_t>& tokens)>;
  void encodeFile(const InputFile& file, const PieceSink& sink) const;
  /// The bytes of one token, UTF-8 for `char`. What a token adds to a text may depend on the ones before it: Decoder.
  std::string decode(int32_t token) const;

  /// Turns tokens that follow each other into text, one at a time.
  class Decoder {
  public:
    explicit Decoder(const Tokenizer& tokenizer) : tokenizer(tokenizer) {}
    /// The bytes that the token adds; they need not end with a whole character.
    std::string next(int32_t token);

  private:
    const Tokenizer& tokenizer;
    bool first = true;
  };

private:
  static Tokenizer named(const std::string& kind);
  static Tokenizer of(TokenizerFile file);
  void append(std::string_view text, const std::string& where, uint64_t base, std::vector<int32_t>& tokens) const;

  std::string name;
  std::vector<uint32_t> codePoints;                // of `char`, ascending; a token is an index into it
  std::shared_ptr<const SubwordTokenizer> subword;  // of `bpe` and `wordpiece`
};

/// The vocabulary of a corpus, for binding a dim to it before anything is compiled.
struct TokenizerInfo {
  int64_t vocabularySize;
  int64_t tokens;  // of the whole text
};
/// `tokenizer` is as for Tokenizer::ofFile. Throws RunError(kData): missing, not a regular file, empty, invalid UTF-8.
TokenizerInfo describe(const std::string& path, const std::string& tokenizer);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TOKENIZER_H
