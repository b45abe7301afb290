// See Utf8.h.
#include "runtime/Utf8.h"

namespace heddle {
namespace {

uint8_t byteAt(std::string_view text, size_t i) { return i < text.size() ? uint8_t(text[i]) : uint8_t(0); }

// The length of the character that `first` may start; 0 if none.
size_t lengthOf(uint8_t first) {
  return first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

// May `second` follow `first`? This is where overlong forms, surrogates and what is past U+10FFFF are refused.
bool follows(uint8_t first, uint8_t second) {
  uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  return second >= low && second <= high;
}

// How many bytes of the character at text[at] are as they may be, from 0 to its length.
size_t goodBytes(std::string_view text, size_t at) {
  uint8_t first = byteAt(text, at);
  size_t length = lengthOf(first), good = length > 0;
  while (good > 0 && good < length && at + good < text.size() &&
         (good == 1 ? follows(first, byteAt(text, at + 1)) : (byteAt(text, at + good) & 0xC0) == 0x80))
    ++good;
  return good;
}

}  // namespace

size_t decodeUtf8(std::string_view text, size_t at, uint32_t& point) {
  uint8_t first = byteAt(text, at);
  if (first < 0x80) return point = first, at < text.size() ? 1 : 0;
  size_t length = lengthOf(first);
  if (length == 0 || goodBytes(text, at) < length) return 0;
  point = first & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) point = point << 6 | (byteAt(text, at + i) & 0x3F);
  return length;
}

void appendUtf8(std::string& text, uint32_t p) {
  if (p < 0x80) {
    text += char(p);
  } else if (p < 0x800) {
    text += {char(0xC0 | p >> 6), char(0x80 | (p & 0x3F))};
  } else if (p < 0x10000) {
    text += {char(0xE0 | p >> 12), char(0x80 | (p >> 6 & 0x3F)), char(0x80 | (p & 0x3F))};
  } else {
    text += {char(0xF0 | p >> 18), char(0x80 | (p >> 12 & 0x3F)), char(0x80 | (p >> 6 & 0x3F)), char(0x80 | (p & 0x3F))};
  }
}

size_t wholeCharacters(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    auto byte = uint8_t(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    size_t length = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    return length > back ? text.size() - back : text.size();
  }
  return text.size();
}

bool isUtf8(std::string_view text) {
  uint32_t point;
  for (size_t at = 0; at < text.size();) {
    size_t length = uint8_t(text[at]) < 0x80 ? 1 : decodeUtf8(text, at, point);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string replaceInvalidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    size_t good = goodBytes(text, at);
    if (good > 0 && good == lengthOf(byteAt(text, at)))
      out.append(text.substr(at, good));
    else
      appendUtf8(out, 0xFFFD);
    at += good > 0 ? good : 1;
  }
  return out;
}

}  // namespace heddle
