// The tokens that stand for no text: padding, begin and end, unknown, mask, separator, and the one whose place in the
// result says what a whole text is ("[CLS]").
//
// "char" and "byte" have none of their own: their special tokens follow the vocabulary, in the order
// <pad> <begin> <end> <unk> <mask> <sep>, and <begin> stands for the whole text. A tokenizer that has special tokens
// answers with those here.
#ifndef HEDDLE_RUNTIME_SPECIALTOKENS_H
#define HEDDLE_RUNTIME_SPECIALTOKENS_H
#include "runtime/Tokenizer.h"

#include <cstdint>

namespace heddle {

struct SpecialTokens {
  explicit SpecialTokens(const Tokenizer& tokenizer);

  int32_t pad, begin, end, unknown, mask, separator;
  int32_t whole;       // "[CLS]"
  int64_t plain;       // tokens of text: [0, plain), which a random token is drawn from
  int64_t vocabulary;  // all tokens, the special ones included
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_SPECIALTOKENS_H
