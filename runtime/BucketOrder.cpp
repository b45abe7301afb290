// See BucketOrder.h. Turns are compared as fractions, in whole numbers: (2j + 1) r / (2n).
#include "runtime/BucketOrder.h"

#include "runtime/RunError.h"

#include <algorithm>
#include <utility>

namespace heddle {
namespace {
using Wide = unsigned __int128;  // (2^32) (2^40) (2^40) fits
constexpr Wide kMostSteps = Wide(1) << 32;  // no step is asked for behind it
}  // namespace

BucketOrder::BucketOrder(std::vector<Bucket> all) : buckets(std::move(all)) {}

// How many turns are due before this one; of those due at the same time, the first bucket's comes first.
int64_t BucketOrder::stepOf(Turn turn) const {
  const Bucket& own = buckets[turn.bucket];
  int64_t before = turn.number;
  for (size_t k = 0; k < buckets.size(); ++k) {
    const Bucket& other = buckets[k];
    if (k == turn.bucket || other.records == 0) continue;
    // Turns i of the other with (2i + 1) a < b, or <= b: half of the whole numbers up to a bound are odd.
    Wide a = Wide(other.rows) * Wide(own.records), b = Wide(2 * turn.number + 1) * Wide(own.rows) * Wide(other.records);
    Wide bound = (k < turn.bucket ? b : b - 1) / a;
    before += int64_t(std::min<Wide>((bound + 1) / 2, kMostSteps));
  }
  return before;
}

BucketOrder::Turn BucketOrder::operator()(int64_t step) const {
  for (size_t k = 0; k < buckets.size(); ++k) {
    if (buckets[k].records == 0) continue;
    int64_t low = 0, high = step;  // a bucket has no more turns than there are steps
    while (low < high) {
      int64_t middle = low + (high - low) / 2;
      if (stepOf({k, middle}) < step) low = middle + 1;
      else high = middle;
    }
    if (stepOf({k, low}) == step) return {k, low};
  }
  throw RunError(kInternal, "a step is no bucket's turn");
}

}  // namespace heddle
