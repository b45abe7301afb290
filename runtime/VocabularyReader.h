// Makes the tokenizer of texts that come one by one, without holding them: of "char", only the characters that are new.
// "byte" and a tokenizer.json need no text.
#ifndef HEDDLE_RUNTIME_VOCABULARYREADER_H
#define HEDDLE_RUNTIME_VOCABULARYREADER_H
#include "runtime/RunConfig.h"
#include "runtime/Tokenizer.h"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace heddle {

class VocabularyReader {
public:
  /// Throws RunError(kData) for a tokenizer.json that lies elsewhere than the program may read.
  explicit VocabularyReader(const RunConfig& config) : name(resolveTokenizer(config.base, config.data.tokenizer)) {}

  /// Whether the tokenizer depends on the texts.
  bool needsTexts() const { return name == "char"; }
  /// Throws RunError(kData) for invalid UTF-8 where the tokenizer needs it, with the place that `where` gives.
  void add(std::string_view text, const std::function<std::string()>& where);
  /// The tokenizer of the texts; `path` names them in errors. Throws RunError(kData).
  Tokenizer finish(const std::string& path) const;

private:
  std::string name, characters;
  std::unordered_set<uint32_t> seen;
  bool ascii[128] = {};
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_VOCABULARYREADER_H
