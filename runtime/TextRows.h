// Texts as the rows that a classifier reads: the token for the whole text, the text, a separator, padding (Devlin et al.
// 2018, figure 4b). A text longer than the row is cut at its end.
#ifndef HEDDLE_RUNTIME_TEXTROWS_H
#define HEDDLE_RUNTIME_TEXTROWS_H
#include "runtime/SpecialTokens.h"
#include "runtime/TokenTable.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace heddle {

class TextRows {
public:
  /// `path` names the texts in messages. `texts` are filled before fit().
  TextRows(const std::string& path, const TokenTable& texts, const SpecialTokens& special)
      : path(path), texts(texts), special(special) {}

  /// What a row needs of the special tokens.
  static constexpr SpecialTokens::Part kSpecial[] = {&SpecialTokens::whole, &SpecialTokens::separator, &SpecialTokens::pad};

  /// Rows of at most `length` tokens; 0 where a program takes none. Throws RunError(kData) if that leaves no room for a text.
  void fit(int64_t length);
  /// Whether rows of `length` tokens hold a text whole.
  bool holds(int64_t text, int64_t length) const { return texts.length(text) <= length - kFrame; }
  /// Writes a text as ids and valid, both i32[length]; either may be null.
  void fill(int64_t text, int64_t length, int32_t* ids, int32_t* valid) const;
  /// How many texts are cut, if any, as DataSource::notes() tells it.
  std::vector<std::string> notes() const;

private:
  const std::string& path;
  const TokenTable& texts;
  const SpecialTokens& special;
  static constexpr int64_t kFrame = 2;  // the tokens before and behind a text
  int64_t room = 0, cut = 0;            // tokens of a row that are for the text; texts that are longer
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TEXTROWS_H
