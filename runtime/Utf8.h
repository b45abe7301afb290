// UTF-8 by hand, strictly (RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF).
#ifndef HEDDLE_RUNTIME_UTF8_H
#define HEDDLE_RUNTIME_UTF8_H
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace heddle {

/// The code point that starts at text[at]; returns its length in bytes, or 0 if no valid one starts there.
size_t decodeUtf8(std::string_view text, size_t at, uint32_t& point);

void appendUtf8(std::string& text, uint32_t point);

/// How much of a text ends with a whole character: all of it, or up to the start of one that goes on behind it.
size_t wholeCharacters(std::string_view text);

bool isUtf8(std::string_view text);

/// The text with U+FFFD in place of what is not valid: one for each longest start of a valid character (Unicode 3.9,
/// "maximal subpart"), as Python's bytes.decode("utf-8", errors="replace") has it.
std::string replaceInvalidUtf8(std::string_view text);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_UTF8_H
