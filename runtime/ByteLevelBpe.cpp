// Merging takes O(n log n) for a word of n bytes: the symbols are a linked list, and a heap holds the pairs that can be
// merged, by rank and then by place. Entries that were overtaken are skipped when they come up. Text repeats its words, so
// the ids of short ones are kept.
#include "runtime/ByteLevelBpe.h"

#include "runtime/Unicode.h"
#include "runtime/Utf8.h"

#include <queue>

namespace heddle {
namespace {

constexpr uint8_t kWordClasses = kLetter | kNumber | kSpace;

// The class of the character at text[at], and its length.
uint8_t classAt(std::string_view text, size_t at, size_t& length) {
  static const uint8_t* classes = charClasses();
  auto first = uint8_t(text[at]);
  uint32_t point = first;
  length = first < 0x80 ? 1 : decodeUtf8(text, at, point);
  if (length == 0) length = 1;
  return classes[point] & kWordClasses;
}

// Behind the characters of one class from text[at] on; where the last of them starts.
size_t runEnd(std::string_view text, size_t at, uint8_t wanted, size_t& last) {
  size_t length;
  for (; at < text.size() && classAt(text, at, length) == wanted; at += length) last = at;
  return at;
}

size_t contraction(std::string_view rest) {
  for (std::string_view suffix : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
    if (rest.starts_with(suffix)) return suffix.size();
  return 0;
}

}  // namespace

size_t gpt2WordEnd(std::string_view text, size_t at) {
  size_t length, last = at;
  if (text[at] == '\'')
    if (size_t n = contraction(text.substr(at))) return at + n;
  if (text[at] == ' ' && at + 1 < text.size())
    if (uint8_t next = classAt(text, at + 1, length); next != kSpace) return runEnd(text, at + 1, next, last);
  uint8_t own = classAt(text, at, length);
  size_t end = runEnd(text, at, own, last);
  // A run of spaces leaves its last one to the word behind it, unless it is all that there is.
  return own == kSpace && end < text.size() && last > at ? last : end;
}

const std::array<std::string, 256>& byteCharacters() {
  static const auto characters = [] {
    std::array<std::string, 256> all;
    uint32_t next = 256;
    for (uint32_t b = 0; b < 256; ++b) {
      bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      appendUtf8(all[b], printable ? b : next++);
    }
    return all;
  }();
  return characters;
}

std::string bytesOfToken(const std::string& token) {
  static const auto bytes = [] {
    std::unordered_map<uint32_t, char> all;
    for (int b = 0; b < 256; ++b) {
      uint32_t point;
      decodeUtf8(byteCharacters()[size_t(b)], 0, point);
      all[point] = char(b);
    }
    return all;
  }();
  std::string out;
  uint32_t point;
  for (size_t at = 0; at < token.size();) {
    size_t length = decodeUtf8(token, at, point);
    auto found = bytes.find(point);
    if (length == 0 || found == bytes.end()) return token;
    out += found->second;
    at += length;
  }
  return out;
}

ByteLevelBpe::ByteLevelBpe(const BpeOptions& options, const std::array<int32_t, 256>& bytes,
                           const std::vector<BpeMerge>& list)
    : options(options), bytes(bytes) {
  merges.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i)
    merges[uint64_t(uint32_t(list[i].left)) << 32 | uint32_t(list[i].right)] = {uint32_t(i), list[i].merged};
}

const ByteLevelBpe::Merge* ByteLevelBpe::find(int32_t left, int32_t right) const {
  auto found = merges.find(uint64_t(uint32_t(left)) << 32 | uint32_t(right));
  return found == merges.end() ? nullptr : &found->second;
}

void ByteLevelBpe::encode(std::string_view text, bool continued, std::vector<int32_t>& ids) const {
  std::string prefixed;
  if (options.addPrefixSpace && !continued && !text.starts_with(' ')) {
    prefixed.reserve(text.size() + 1);
    text = prefixed.append(1, ' ').append(text);
  }
  std::unique_lock<std::mutex> lock(cacheLock, std::try_to_lock);
  constexpr size_t longestKept = 64, kept = size_t(1) << 16;
  if (lock.owns_lock() && cache.empty()) cache.resize(kept);
  for (size_t at = 0, end; at < text.size(); at = end) {
    end = options.useRegex ? gpt2WordEnd(text, at) : text.size();
    std::string_view word = text.substr(at, end - at);
    if (!lock.owns_lock() || word.size() > longestKept) {
      encodeWord(word, ids);
      continue;
    }
    Cached& entry = cache[std::hash<std::string_view>()(word) % kept];
    if (entry.word != word) {
      entry.word.clear();  // so that an allocation that fails below leaves no word with another's ids
      entry.ids.clear();
      encodeWord(word, entry.ids);
      entry.word = word;
    }
    ids.insert(ids.end(), entry.ids.begin(), entry.ids.end());
  }
}

void ByteLevelBpe::encodeWord(std::string_view word, std::vector<int32_t>& ids) const {
  struct Symbol {
    int32_t id;
    size_t before, behind;  // neighbours; kNone at the ends, and `behind` is kGone in a symbol that was merged away
  };
  constexpr size_t kNone = ~size_t(0), kGone = kNone - 1;
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  bool unknownBefore = false;
  for (char c : word) {
    int32_t id = bytes[uint8_t(c)];
    bool unknown = id < 0, fused = unknown && unknownBefore && options.fuseUnknown;
    unknownBefore = unknown && options.unknown >= 0;
    if (unknown) id = options.unknown;
    if (id < 0 || fused) continue;
    size_t i = symbols.size();
    if (i > 0) symbols[i - 1].behind = i;
    symbols.push_back({id, i - 1, kNone});
  }

  struct Candidate {
    uint32_t rank;
    size_t at;
    int32_t merged;
    bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : at > other.at; }
  };
  std::priority_queue<Candidate> queue;
  auto offer = [&](size_t left, size_t right) {
    if (left == kNone || right == kNone) return;
    if (const Merge* merge = find(symbols[left].id, symbols[right].id)) queue.push({merge->rank, left, merge->merged});
  };
  for (size_t i = 0; i + 1 < symbols.size(); ++i) offer(i, i + 1);
  while (!queue.empty()) {
    Candidate best = queue.top();
    queue.pop();
    Symbol& left = symbols[best.at];
    if (left.behind == kNone || left.behind == kGone) continue;
    Symbol& right = symbols[left.behind];
    const Merge* merge = find(left.id, right.id);
    if (!merge || merge->merged != best.merged) continue;  // overtaken
    left.id = best.merged;
    left.behind = right.behind;
    right.behind = kGone;
    if (left.behind != kNone) symbols[left.behind].before = best.at;
    offer(left.before, best.at);
    offer(best.at, left.behind);
  }
  for (size_t i = symbols.empty() ? kNone : 0; i != kNone; i = symbols[i].behind) ids.push_back(symbols[i].id);
}

}  // namespace heddle
