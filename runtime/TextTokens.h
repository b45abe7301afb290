// A text file as tokens in memory, cut in two by position: the first part trains, the second evaluates. Shared by the
// sources that walk along one text.
//
// The tokens stay in an arena that the plan counts: one or two bytes each for vocabularies up to 2^8 and 2^16. The text
// itself is read in pieces, twice (for the vocabulary and for the tokens).
#ifndef HEDDLE_RUNTIME_TEXTTOKENS_H
#define HEDDLE_RUNTIME_TEXTTOKENS_H
#include "runtime/Arena.h"
#include "runtime/DataSource.h"
#include "runtime/InputFile.h"
#include "runtime/Tokenizer.h"

#include <cstdint>
#include <string>

namespace heddle {

class TextTokens {
public:
  /// Reads the file by the tokenizer of `config`. Throws RunError(kData): the file, a vocabulary other than the
  /// program's, memory.
  TextTokens(const RunConfig& config, const std::string& path);

  /// Vocabulary and memory of the tokens that the file has.
  static DataDescription describe(const RunConfig& config, const std::string& path);

  int64_t size() const { return count; }
  int64_t trained() const { return firstOfEvaluation; }
  int32_t operator[](int64_t i) const;
  void copy(int64_t first, int64_t length, int32_t* out) const;
  const Tokenizer& tokenizer() const { return words; }
  const std::string& path() const { return name; }

  /// The part for training or for evaluation, as an error names it: "the training part has 4 tokens (split = 0.5)".
  std::string describePart(bool evaluation) const;
  int64_t partSize(bool evaluation) const { return evaluation ? count - firstOfEvaluation : firstOfEvaluation; }

  /// {"kind":KIND,"bytes":...,"xxh64":...,"tokenizer":...,"split":...}
  std::string fingerprint(const char* kind) const;

private:
  void read(const InputFile& file);
  void checkVocabulary(const RunConfig& config) const;

  std::string name;
  double split;
  Tokenizer words;
  Arena tokens;
  int64_t width = 0, count = 0, firstOfEvaluation = 0;  // bytes of a token; tokens
  uint64_t hash = 0, bytes = 0;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TEXTTOKENS_H
