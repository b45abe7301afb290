// A trained model as a function from tokens to the logits of the next one. With the entry `decode` a token costs one
// position: what the others give to it is kept in the session's caches.
#ifndef HEDDLE_RUNTIME_TOKENMODEL_H
#define HEDDLE_RUNTIME_TOKENMODEL_H
#include "runtime/Session.h"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace heddle {

class TokenModel {
public:
  /// For entry `sample`, which takes ids i32[rows, length] and gives logits f32[rows, length, vocabulary]. With
  /// `recompute` every call computes all positions. Throws RunError(kInternal) for entries of another form.
  explicit TokenModel(Session& session, bool recompute = false);

  int64_t rows, length, vocabulary;

  /// The given input of entry `sample` of that name ("data.src"), or null.
  const HeddleBuffer* findGiven(std::string_view name) const { return session.findInput(all, name); }
  /// What it holds from now on, row-major; starts sequences anew. Throws RunError(kInternal) for another number of elements.
  void give(const HeddleBuffer& input, std::vector<int32_t> values);

  /// For each row the logits f32[vocabulary] of the token behind its sequence, until the next call. There are `rows`
  /// sequences, all equally long and not empty. If they are those of the last call with one token more, one position is
  /// computed; otherwise, and beyond `length` tokens, of which the last `length` count, all are.
  const std::vector<const float*>& next(const std::vector<std::vector<int32_t>>& sequences);

  /// Makes row r go on from what was row from[r]; the sequences of the next call are to be in the new order.
  void reorder(const std::vector<int32_t>& from);

private:
  void computeAll(const std::vector<std::vector<int32_t>>& sequences);
  void computeOne(const std::vector<std::vector<int32_t>>& sequences);
  struct Place {
    char* first;
    int64_t blocks, rowBytes;  // `blocks` times `rows` rows, one behind the other
  };

  Session& session;
  const HeddleEntry& all;
  const HeddleEntry* one = nullptr;  // null: there is none, or it is not wanted
  const HeddleBuffer *ids, *logits;
  const HeddleBuffer *id = nullptr, *position = nullptr, *logitsOfOne = nullptr;
  int64_t known = 0;  // positions in the caches
  std::vector<std::pair<const HeddleBuffer*, std::vector<int32_t>>> given;
  std::vector<Place> caches;
  std::vector<char> copy;
  std::vector<const float*> found;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TOKENMODEL_H
