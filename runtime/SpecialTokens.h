// The tokens that stand for no text: padding, begin and end, unknown, mask, separator, and the one whose place in the
// result says what a whole text is ("[CLS]").
//
// "char" and "byte" have none of their own: their special tokens follow the vocabulary, in the order
// <pad> <begin> <end> <unk> <mask> <sep>, and <begin> stands for the whole text. A tokenizer.json has its own, and which
// is which its post-processor tells, or else their names. None is added to those of a file: the model's vocabulary would
// no longer be the tokenizer's.
#ifndef HEDDLE_RUNTIME_SPECIALTOKENS_H
#define HEDDLE_RUNTIME_SPECIALTOKENS_H
#include "runtime/RunConfig.h"
#include "runtime/Tokenizer.h"

#include <cstdint>
#include <span>
#include <vector>

namespace heddle {

struct SpecialTokens {
  using Part = int32_t SpecialTokens::*;  // &SpecialTokens::pad

  /// The special tokens of the tokenizer of `config`; those that its source uses are `needed`. Throws RunError(kData),
  /// with the way to add them, if a tokenizer.json lacks one of these.
  SpecialTokens(const Tokenizer& tokenizer, const RunConfig& config, std::span<const Part> needed);

  /// What pairs of texts are framed with: begin, end, pad.
  static const Part kOfPairs[3];

  int32_t pad = -1, begin = -1, end = -1, unknown = -1, mask = -1, separator = -1;  // -1: a file that has none
  int32_t whole = -1;      // "[CLS]"
  int64_t vocabulary = 0;  // all tokens, the special ones included

  /// Is it one of these, or another that a file marks as special?
  bool contains(int32_t token) const;
  /// A token that is not special, drawn by a random word.
  int32_t drawText(uint32_t random) const;

private:
  void ofFile(const TokenizerFile& file);
  void refuseMissing(const TokenizerFile& file, const RunConfig& config, std::span<const Part> needed) const;

  std::vector<int32_t> ids;  // ascending
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_SPECIALTOKENS_H
