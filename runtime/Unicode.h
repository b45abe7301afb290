// What tokenizers ask about characters. The answers are those of the package `tokenizers`, whose parts follow several
// versions of Unicode, and not those of a library on this machine: ids must not depend on where a text is read.
// tools/unicode-tables asks the package about every code point and writes UnicodeTables.inc.
#ifndef HEDDLE_RUNTIME_UNICODE_H
#define HEDDLE_RUNTIME_UNICODE_H
#include <cstdint>

namespace heddle {

enum CharClass : uint8_t {
  kLetter = 1,        // \p{L} of GPT-2's pattern
  kNumber = 2,        // \p{N}
  kSpace = 4,         // \s
  kControl = 8,       // BertNormalizer's clean_text removes it
  kMark = 16,         // strip_accents removes it
  kPunctuation = 32,  // BertPreTokenizer splits it off
  kChinese = 64,      // handle_chinese_chars puts spaces around it
  kWordChar = 128     // \w of an added token's single_word
};

/// The classes of every code point, [0x110000], as flags.
const uint8_t* charClasses();

/// The lower case of a code point, up to two of them: returns how many.
int lowerCase(uint32_t point, uint32_t out[2]);

/// The full canonical decomposition of a code point, up to four: returns how many. They are not yet in order.
int decompose(uint32_t point, uint32_t out[4]);

/// Canonical combining class: NFD sorts what follows each other by it, where it is not 0.
uint8_t combiningClass(uint32_t point);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_UNICODE_H
