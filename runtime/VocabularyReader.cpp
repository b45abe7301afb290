// See VocabularyReader.h. A text is cut where bytes begin characters; that a piece is valid UTF-8 the tokenizer says,
// once for each that is new, and of the whole text where one is not, so that the error names the byte.
#include "runtime/VocabularyReader.h"

#include "runtime/RunError.h"

#include <fmt/format.h>

namespace heddle {

void VocabularyReader::add(std::string_view text, const std::function<std::string()>& where) {
  if (!needsTexts()) return;
  for (size_t at = 0; at < text.size();) {
    auto lead = uint8_t(text[at]);
    if (lead < 128) {
      if (!ascii[lead]) ascii[lead] = true, characters += text[at];
      at += 1;
      continue;
    }
    uint32_t packed = lead;
    size_t length = 1;
    while (length < 4 && at + length < text.size() && (uint8_t(text[at + length]) & 0xC0) == 0x80)
      packed = packed << 8 | uint8_t(text[at + length++]);
    if (seen.insert(packed).second) {
      try {
        Tokenizer::of(name, text.substr(at, length), "");
      } catch (const RunError&) {
        Tokenizer::of(name, text, where());
        throw;
      }
      characters += text.substr(at, length);
    }
    at += length;
  }
}

Tokenizer VocabularyReader::finish(const std::string& path) const {
  if (isTokenizerFile(name)) return Tokenizer::load(name);
  if (needsTexts() && characters.empty()) throw RunError(kData, fmt::format("{}: its texts are empty", path));
  return Tokenizer::of(name, characters, path);
}

}  // namespace heddle
