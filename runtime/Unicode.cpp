// See Unicode.h. The tables are spread out to a byte per code point when they are first asked for.
#include "runtime/Unicode.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace heddle {
namespace {

#include "runtime/UnicodeTables.inc"

constexpr uint32_t kPoints = 0x110000;

template <size_t N> void mark(std::vector<uint8_t>& classes, const uint32_t (&runs)[N], uint8_t flag) {
  uint32_t at = 0;
  for (size_t i = 0; i < N; at += runs[i++])
    if (i % 2)
      for (uint32_t p = at; p < at + runs[i]; ++p) classes[p] |= flag;
}

std::vector<uint8_t> makeClasses() {
  std::vector<uint8_t> classes(kPoints);
  mark(classes, kLetters, kLetter);
  mark(classes, kNumbers, kNumber);
  mark(classes, kSpaces, kSpace);
  mark(classes, kControls, kControl);
  mark(classes, kMarks, kMark);
  mark(classes, kPunctuationMarks, kPunctuation);
  mark(classes, kIdeographs, kChinese);
  mark(classes, kWord, kWordChar);
  return classes;
}

std::vector<uint8_t> makeCombiningClasses() {
  std::vector<uint8_t> classes;
  classes.reserve(kPoints);
  for (size_t i = 0; i + 1 < std::size(kCombiningClasses); i += 2)
    classes.insert(classes.end(), kCombiningClasses[i], uint8_t(kCombiningClasses[i + 1]));
  return classes;
}

}  // namespace

const uint8_t* charClasses() {
  static const std::vector<uint8_t> classes = makeClasses();
  return classes.data();
}

int lowerCase(uint32_t point, uint32_t out[2]) {
  out[0] = point;
  if (point == 0x130) return out[0] = 'i', out[1] = 0x307, 2;
  struct Run {
    int32_t first, last, step, delta;
  };
  auto* runs = reinterpret_cast<const Run*>(kLower);
  auto* end = runs + std::size(kLower) / 4;
  auto p = int32_t(point);
  auto* run = std::upper_bound(runs, end, p, [](int32_t value, const Run& r) { return value < r.first; });
  if (run != runs && p <= run[-1].last && (p - run[-1].first) % run[-1].step == 0) out[0] = uint32_t(p + run[-1].delta);
  return 1;
}

int decompose(uint32_t point, uint32_t out[4]) {
  constexpr uint32_t hangul = 0xAC00, syllables = 11172;
  if (point - hangul < syllables) {
    uint32_t i = point - hangul, last = i % 28;
    out[0] = 0x1100 + i / 588, out[1] = 0x1161 + i % 588 / 28, out[2] = 0x11A7 + last;
    return last ? 3 : 2;
  }
  struct Row {
    uint32_t point, first, second;
  };
  auto* rows = reinterpret_cast<const Row*>(kDecompositions);
  auto* end = rows + std::size(kDecompositions) / 3;
  auto* row = std::lower_bound(rows, end, point, [](const Row& r, uint32_t value) { return r.point < value; });
  if (row == end || row->point != point) return out[0] = point, 1;
  int count = row->first == point ? 1 : decompose(row->first, out);
  if (row->second && count < 4) out[count++] = row->second;
  return count;
}

uint8_t combiningClass(uint32_t point) {
  static const std::vector<uint8_t> classes = makeCombiningClasses();
  return classes[point];
}

}  // namespace heddle
