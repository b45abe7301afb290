// Byte-level byte pair encoding, as GPT-2 introduced it (Radford et al. 2019): a pattern cuts text into words, the bytes
// of a word are its first symbols, and neighbours are merged by rank until no merge is left.
//
// Vocabularies write bytes as printable characters ("Ġ" for a space); here a token is the bytes that it stands for.
#ifndef HEDDLE_RUNTIME_BYTELEVELBPE_H
#define HEDDLE_RUNTIME_BYTELEVELBPE_H
#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace heddle {

/// The end of the word that starts at text[at], by GPT-2's pattern
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// The text is valid UTF-8; words follow each other without gaps.
size_t gpt2WordEnd(std::string_view text, size_t at);

/// The character (UTF-8) that stands for a byte in vocabularies, for all 256.
const std::array<std::string, 256>& byteCharacters();
/// The bytes that a token's characters stand for; the token itself if one of them stands for none.
std::string bytesOfToken(const std::string& token);

struct BpeMerge {
  int32_t left, right, merged;  // ids; the rank is the place in the list
};

struct BpeOptions {
  bool addPrefixSpace = false;  // a space before text that starts with none
  bool useRegex = true;         // cut by the pattern; else a text is one word
  int32_t unknown = -1;         // the id for bytes that the vocabulary does not have; -1: they are left out
  bool fuseUnknown = false;     // one such id for neighbours
};

class ByteLevelBpe {
public:
  /// `bytes`: the ids of the 256 bytes, or -1.
  ByteLevelBpe(const BpeOptions& options, const std::array<int32_t, 256>& bytes, const std::vector<BpeMerge>& merges);

  /// Appends the ids of a text (valid UTF-8). `continued`: it goes on behind another piece, so that no space is added.
  void encode(std::string_view text, bool continued, std::vector<int32_t>& ids) const;

private:
  struct Merge {
    uint32_t rank;
    int32_t merged;
  };
  void encodeWord(std::string_view word, std::vector<int32_t>& ids) const;
  const Merge* find(int32_t left, int32_t right) const;

  BpeOptions options;
  std::array<int32_t, 256> bytes;
  std::unordered_map<uint64_t, Merge> merges;
  mutable std::mutex cacheLock;  // a thread that does not get it goes without the cache
  struct Cached {
    std::string word;
    std::vector<int32_t> ids;
  };
  mutable std::vector<Cached> cache;  // by hash; a word takes the place of the one before it
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_BYTELEVELBPE_H
