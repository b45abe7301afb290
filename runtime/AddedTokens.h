// Added tokens: words that are found in a text before anything else happens to it. A search takes the leftmost match,
// and there the longest, then looks whether `single_word` allows it, and widens it over spaces by `lstrip` and `rstrip`,
// as the package `tokenizers` does.
#ifndef HEDDLE_RUNTIME_ADDEDTOKENS_H
#define HEDDLE_RUNTIME_ADDEDTOKENS_H
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace heddle {

struct AddedToken {
  std::string content;
  int32_t id = 0;
  bool special = false, singleWord = false, lstrip = false, rstrip = false;
  bool normalized = true;  // found in the normalized text, and normalized itself
};

class AddedTokenFinder {
public:
  /// `pattern` is what is searched for: the content, or what the normalizer makes of it; not empty, and not added yet.
  void add(const std::string& pattern, const AddedToken& token);
  bool empty() const { return tokens.empty(); }
  bool has(const std::string& pattern) const;

  struct Part {
    std::string_view text;  // what stands there, spaces that were stripped included
    int32_t id;             // of an added token, or -1 for text between them
  };
  /// The parts of a valid UTF-8 text, in order; none is empty.
  std::vector<Part> split(std::string_view text) const;

private:
  int32_t longestAt(std::string_view text, size_t at, size_t& length) const;

  std::vector<AddedToken> tokens;
  std::unordered_map<uint64_t, uint32_t> next{};  // trie: node << 8 | byte -> node; the root is 0
  std::vector<int32_t> ends{-1};                  // by node: the index of the token that ends there, or -1
  bool starts[256] = {};                          // by byte: does a pattern start with it?
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_ADDEDTOKENS_H
