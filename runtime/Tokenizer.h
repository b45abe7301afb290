// Text to tokens and back: `char` (a token is a Unicode code point of the corpus) and `byte`.
#ifndef HEDDLE_RUNTIME_TOKENIZER_H
#define HEDDLE_RUNTIME_TOKENIZER_H
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

class InputFile;

class Tokenizer {
public:
  /// `kind` is "char" or "byte"; for `char`, the vocabulary is the sorted set of the code points of `text`.
  /// `where` names the text in errors. Throws RunError(kData) for invalid UTF-8 (`char`), with its byte.
  static Tokenizer of(const std::string& kind, std::string_view text, const std::string& where);
  /// The same for a file, which is read in pieces; `tokens` becomes the number of its tokens. An empty one is an error.
  static Tokenizer ofFile(const std::string& kind, const InputFile& file, int64_t& tokens);
  /// From toJson(). Throws RunError(kData).
  static Tokenizer fromJson(const std::string& json);
  std::string toJson() const;  // {"kind":"char","vocabulary":"\n !..."}

  const std::string& kind() const { return name; }
  int64_t size() const { return name == "byte" ? 256 : int64_t(codePoints.size()); }

  /// Throws RunError(kData) for invalid UTF-8 and for characters outside the vocabulary, with place and character.
  std::vector<int32_t> encode(std::string_view text, const std::string& where) const;
  /// The same for a file: the pieces of it in their order, each with its tokens.
  using PieceSink = std::function<void(std::string_view bytes, const std::vector<int32_t>& tokens)>;
  void encodeFile(const InputFile& file, const PieceSink& sink) const;
  /// The bytes of one token, UTF-8 for `char`.
  std::string decode(int32_t token) const;

private:
  static Tokenizer named(const std::string& kind);
  void append(std::string_view text, const std::string& where, uint64_t base, std::vector<int32_t>& tokens) const;

  std::string name;
  std::vector<uint32_t> codePoints;  // of `char`, ascending; a token is an index into it
};

/// The vocabulary of a corpus, for binding a dim to it before anything is compiled.
struct TokenizerInfo {
  int64_t vocabularySize;
  int64_t tokens;  // of the whole text
};
/// Throws RunError(kData): missing, not a regular file, empty, invalid UTF-8.
TokenizerInfo describe(const std::string& path, const std::string& tokenizer);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TOKENIZER_H
