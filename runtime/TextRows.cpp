// See TextRows.h.
#include "runtime/TextRows.h"

#include "runtime/RunError.h"

#include <fmt/format.h>

#include <algorithm>

namespace heddle {

void TextRows::fit(int64_t length) {
  if (length && length < kFrame)
    throw RunError(kData, fmt::format("{}: rows of {} token have no room for a text between its two special tokens", path, length));
  room = length - kFrame, cut = 0;
  for (int64_t text = 0; text < texts.size() && length; ++text) cut += !holds(text, length);
}

void TextRows::fill(int64_t number, int64_t length, int32_t* ids, int32_t* valid) const {
  int64_t text = length ? std::min(length - kFrame, texts.length(number)) : 0;
  if (ids) {
    ids[0] = special.whole;
    texts.copy(number, 0, text, ids + 1);
    ids[text + 1] = special.separator;
    std::fill(ids + text + 2, ids + length, special.pad);
  }
  if (valid) {
    std::fill_n(valid, text + 2, 1);
    std::fill(valid + text + 2, valid + length, 0);
  }
}

std::vector<std::string> TextRows::notes() const {
  if (!cut) return {};
  return {fmt::format("note: {}: {} of {} texts have more than {} tokens, and are cut there", path, cut, texts.size(), room)};
}

}  // namespace heddle
