// The normalizer's steps go over a text one after another in BERT; here each character goes through all of them, and only
// combining marks wait: NFD sorts them before they are looked at.
#include "runtime/WordPiece.h"

#include "runtime/Unicode.h"
#include "runtime/Utf8.h"

#include <algorithm>
#include <set>

namespace heddle {
namespace {

class Pipeline {
public:
  Pipeline(const BertNormalizer& options, std::string& out) : options(options), out(out) {}

  void put(uint32_t point) {
    uint8_t kind = classes[point];
    if (options.cleanText) {
      if (point == 0 || point == 0xFFFD || kind & kControl) return;
      if (kind & kSpace) point = ' ';
    }
    if (options.handleChineseChars && kind & kChinese) {
      decomposed(' '), decomposed(point), decomposed(' ');
      return;
    }
    decomposed(point);
  }

  void flush() {
    std::sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) {
      return a.order != b.order ? a.order < b.order : a.place < b.place;
    });
    for (const Mark& mark : marks) finish(mark.point);
    marks.clear();
  }

private:
  struct Mark {
    uint32_t point;
    uint8_t order;
    size_t place;
  };

  void decomposed(uint32_t point) {
    if (!options.stripAccents) return finish(point);
    uint32_t parts[4];
    int count = point < 0x80 ? (parts[0] = point, 1) : decompose(point, parts);
    for (int i = 0; i < count; ++i) {
      uint8_t order = parts[i] < 0x80 ? 0 : combiningClass(parts[i]);
      if (order == 0) {
        flush();
        finish(parts[i]);
      } else {
        marks.push_back({parts[i], order, marks.size()});
      }
    }
  }

  void finish(uint32_t point) {
    if (options.stripAccents && classes[point] & kMark) return;
    if (!options.lowercase) return appendUtf8(out, point);
    if (point < 0x80) {
      out += char(point >= 'A' && point <= 'Z' ? point + 32 : point);
      return;
    }
    uint32_t lower[2];
    int count = lowerCase(point, lower);
    for (int i = 0; i < count; ++i) appendUtf8(out, lower[i]);
  }

  const BertNormalizer& options;
  std::string& out;
  const uint8_t* classes = charClasses();
  std::vector<Mark> marks;  // since the last character of class 0
};

}  // namespace

std::string BertNormalizer::normalize(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  Pipeline pipeline(*this, out);
  uint32_t point;
  for (size_t at = 0; at < text.size();) {
    size_t length = decodeUtf8(text, at, point);
    if (length == 0) point = 0xFFFD, length = 1;
    pipeline.put(point);
    at += length;
  }
  pipeline.flush();
  return out;
}

void forEachBertWord(std::string_view text, const std::function<void(std::string_view)>& word) {
  const uint8_t* classes = charClasses();
  size_t start = 0;
  uint32_t point;
  for (size_t at = 0, length; at < text.size(); at += length) {
    length = decodeUtf8(text, at, point);
    if (length == 0) point = 0xFFFD, length = 1;
    if (!(classes[point] & (kSpace | kPunctuation))) continue;
    if (at > start) word(text.substr(start, at - start));
    if (classes[point] & kPunctuation) word(text.substr(at, length));
    start = at + length;
  }
  if (start < text.size()) word(text.substr(start));
}

void WordPiece::Pieces::sortLengths() {
  std::set<size_t, std::greater<>> all;
  for (auto& [text, id] : ids) all.insert(text.size());
  lengths.assign(all.begin(), all.end());
}

int32_t WordPiece::Pieces::longest(std::string_view text, size_t& length) const {
  auto from = std::lower_bound(lengths.begin(), lengths.end(), text.size(), std::greater<>());
  for (; from != lengths.end(); ++from)
    if (auto found = ids.find(text.substr(0, *from)); found != ids.end()) return length = *from, found->second;
  return -1;
}

WordPiece::WordPiece(const std::vector<std::string>& vocabulary, const std::string& prefix, int32_t unknown,
                     uint64_t maxChars)
    : texts(vocabulary), unknown(unknown), maxChars(maxChars) {
  for (size_t id = 0; id < texts.size(); ++id) {
    std::string_view text = texts[id];
    if (!text.empty()) first.add(text, int32_t(id));
    if (text.size() > prefix.size() && text.starts_with(prefix)) behind.add(text.substr(prefix.size()), int32_t(id));
  }
  first.sortLengths();
  behind.sortLengths();
}

void WordPiece::encode(std::string_view text, std::vector<int32_t>& ids) const {
  forEachBertWord(text, [&](std::string_view word) { encodeWord(word, ids); });
}

void WordPiece::encodeWord(std::string_view word, std::vector<int32_t>& ids) const {
  size_t kept = ids.size();
  auto chars = uint64_t(std::count_if(word.begin(), word.end(), [](char c) { return (uint8_t(c) & 0xC0) != 0x80; }));
  bool known = chars <= maxChars;
  for (size_t at = 0, length = 0; known && at < word.size(); at += length) {
    int32_t id = (at == 0 ? first : behind).longest(word.substr(at), length);
    known = id >= 0;
    ids.push_back(id);
  }
  if (known) return;
  ids.resize(kept);
  ids.push_back(unknown);
}

}  // namespace heddle
