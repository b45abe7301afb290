// See SpecialTokens.h.
#include "runtime/SpecialTokens.h"

namespace heddle {

SpecialTokens::SpecialTokens(const Tokenizer& tokenizer) : plain(tokenizer.size()), vocabulary(plain + 6) {
  int32_t next = int32_t(plain);
  for (int32_t* token : {&pad, &begin, &end, &unknown, &mask, &separator}) *token = next++;
  whole = begin;
}

}  // namespace heddle
