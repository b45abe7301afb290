// Texts as tokens in memory: as many bytes a token as the vocabulary needs (tokenWidth), and where each text starts. Both
// lie in arenas that the plan counts.
#ifndef HEDDLE_RUNTIME_TOKENTABLE_H
#define HEDDLE_RUNTIME_TOKENTABLE_H
#include "runtime/Arena.h"

#include <cstdint>
#include <vector>

namespace heddle {

class TokenTable {
public:
  TokenTable() = default;
  /// Room for `texts` texts that have `tokens` tokens together, of a vocabulary of that size.
  TokenTable(int64_t texts, int64_t tokens, int64_t vocabulary);
  /// What its arenas take, as they are mapped.
  static int64_t reserved(int64_t texts, int64_t tokens, int64_t vocabulary);

  /// Adds a text. False if there is no room for it: the file has changed since it was counted.
  bool add(const std::vector<int32_t>& ids);
  /// Whether all that there is room for was added.
  bool full() const { return texts == textRoom && tokens == tokenRoom; }

  int64_t size() const { return texts; }
  int64_t length(int64_t text) const { return starts()[text + 1] - starts()[text]; }
  /// Tokens [first, first + count) of a text.
  void copy(int64_t text, int64_t first, int64_t count, int32_t* out) const;

private:
  int64_t* starts() const { return reinterpret_cast<int64_t*>(offsets.data()); }

  Arena offsets, ids;
  int64_t textRoom = 0, tokenRoom = 0, texts = 0, tokens = 0, width = 1;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TOKENTABLE_H
