// Makes the tokenizer of texts that come one by one, without holding them: of "char", only the characters that are new.
#ifndef HEDDLE_RUNTIME_VOCABULARYREADER_H
#define HEDDLE_RUNTIME_VOCABULARYREADER_H
#include "runtime/Tokenizer.h"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace heddle {

class VocabularyReader {
public:
  /// `kind` is RunConfig::data.tokenizer.
  explicit VocabularyReader(std::string kind) : kind(std::move(kind)) {}

  /// Throws RunError(kData) for invalid UTF-8 where the tokenizer needs it, with the place that `where` gives.
  void add(std::string_view text, const std::function<std::string()>& where);
  /// The tokenizer of the texts; `path` names them in errors.
  Tokenizer finish(const std::string& path) const;

private:
  std::string kind, characters;
  std::unordered_set<uint32_t> seen;
  bool ascii[128] = {};
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_VOCABULARYREADER_H
