// What a tokenizer.json of the package `tokenizers` says, for the part of the format that Heddle reads
// (docs/tokenizers.md): byte-level BPE and WordPiece.
#ifndef HEDDLE_RUNTIME_TOKENIZERFILE_H
#define HEDDLE_RUNTIME_TOKENIZERFILE_H
#include "runtime/AddedTokens.h"
#include "runtime/ByteLevelBpe.h"
#include "runtime/WordPiece.h"

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace heddle {

struct TokenizerFile {
  enum class Model { kBpe, kWordPiece };
  enum class Decoder { kNone, kByteLevel, kWordPiece };

  Model model = Model::kBpe;
  std::vector<std::string> tokens;                  // by id: the model's, then added ones that it does not have
  std::unordered_map<std::string, int32_t> ids;     // of `tokens`
  size_t modelSize = 0;                             // how many are the model's
  std::vector<AddedToken> added;                    // in their order in the file

  BpeOptions bpe;
  std::array<int32_t, 256> byteIds{};  // of the 256 bytes; -1 where the vocabulary has none
  std::vector<BpeMerge> merges;

  BertNormalizer normalizer;  // all off where there is none
  std::string prefix;         // of tokens that continue a word
  int32_t unknown = -1;       // of WordPiece
  uint64_t maxChars = 0;

  int32_t classToken = -1, separatorToken = -1;  // that its post-processor puts before and behind a text; -1: none

  Decoder decoder = Decoder::kNone;
  std::string decoderPrefix;
  bool decoderCleanup = false;

  std::string json;  // the text, without spaces: parse(json) gives the same

  /// Reads the text of a tokenizer.json; `where` names it in errors. Throws RunError(kData), with the place as a byte or
  /// as a path of keys, for what is not JSON, contradicts itself, or is outside of the supported part of the format.
  static TokenizerFile parse(const std::string& text, const std::string& where);
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TOKENIZERFILE_H
