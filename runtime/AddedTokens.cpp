// See AddedTokens.h. A trie that is walked from every place where a pattern may start: patterns are short, and few
// places start one.
#include "runtime/AddedTokens.h"

#include "runtime/Unicode.h"
#include "runtime/Utf8.h"

namespace heddle {
namespace {

uint8_t classAt(std::string_view text, size_t at) {
  uint32_t point = 0;
  return decodeUtf8(text, at, point) ? charClasses()[point] : 0;
}

// Where the character that ends at text[end] starts.
size_t before(std::string_view text, size_t end) {
  size_t at = end - 1;
  while (at > 0 && (uint8_t(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

size_t spacesBefore(std::string_view text, size_t at) {
  while (at > 0 && classAt(text, before(text, at)) & kSpace) at = before(text, at);
  return at;
}

size_t spacesBehind(std::string_view text, size_t at) {
  uint32_t point;
  while (at < text.size() && classAt(text, at) & kSpace) at += decodeUtf8(text, at, point);
  return at;
}

}  // namespace

void AddedTokenFinder::add(const std::string& pattern, const AddedToken& token) {
  uint32_t node = 0;
  for (char c : pattern) {
    auto [found, fresh] = next.try_emplace(uint64_t(node) << 8 | uint8_t(c), uint32_t(ends.size()));
    if (fresh) ends.push_back(-1);
    node = found->second;
  }
  ends[node] = int32_t(tokens.size());
  starts[uint8_t(pattern[0])] = true;
  tokens.push_back(token);
}

bool AddedTokenFinder::has(const std::string& pattern) const {
  size_t length;
  return longestAt(pattern, 0, length) >= 0 && length == pattern.size();
}

int32_t AddedTokenFinder::longestAt(std::string_view text, size_t at, size_t& length) const {
  int32_t longest = -1;
  uint32_t node = 0;
  for (size_t i = at; i < text.size(); ++i) {
    auto found = next.find(uint64_t(node) << 8 | uint8_t(text[i]));
    if (found == next.end()) break;
    node = found->second;
    if (ends[node] >= 0) longest = ends[node], length = i + 1 - at;
  }
  return longest;
}

std::vector<AddedTokenFinder::Part> AddedTokenFinder::split(std::string_view text) const {
  std::vector<Part> parts;
  size_t done = 0;  // bytes that parts hold
  for (size_t at = 0, length = 0; at < text.size();) {
    int32_t found = starts[uint8_t(text[at])] ? longestAt(text, at, length) : -1;
    if (found < 0) {
      ++at;
      continue;
    }
    size_t start = at, stop = at + length;
    at = stop;
    const AddedToken& token = tokens[size_t(found)];
    if (token.singleWord && ((start > 0 && classAt(text, before(text, start)) & kWordChar) ||
                             (stop < text.size() && classAt(text, stop) & kWordChar)))
      continue;
    if (token.lstrip) start = std::max(spacesBefore(text, start), done);
    if (token.rstrip) stop = spacesBehind(text, stop);
    if (done < start) parts.push_back({text.substr(done, start - done), -1});
    parts.push_back({text.substr(start, stop - start), token.id});
    done = stop;
  }
  if (done < text.size()) parts.push_back({text.substr(done), -1});
  return parts;
}

}  // namespace heddle
