// The order in which training goes through length buckets: which one a step takes its batch from.
//
// Each bucket's records are read epoch by epoch in batches that run on from one epoch into the next, as those of data without
// buckets are. Buckets take turns in proportion to their records: turn j of a bucket with n records, r of them a step, is due
// at (j + 1/2) r / n, counted in epochs, and steps are all turns in the order in which they are due. So no bucket is ever
// a whole turn off its share, all come to the end of an epoch together, and a step is a function of its number alone:
// nothing has to be remembered to resume. Of one bucket, turns are steps.
#ifndef HEDDLE_RUNTIME_BUCKETORDER_H
#define HEDDLE_RUNTIME_BUCKETORDER_H
#include <cstddef>
#include <cstdint>
#include <vector>

namespace heddle {

class BucketOrder {
public:
  /// `records` of a bucket may be 0, but not of all; `rows` are those that a step takes, from 1. Both are below 2^40.
  struct Bucket {
    int64_t records, rows;
  };
  explicit BucketOrder(std::vector<Bucket> buckets);

  struct Turn {
    size_t bucket;
    int64_t number;  // how many steps of that bucket came before
  };
  /// Of step `step`, from 0 to 2^31 - 1.
  Turn operator()(int64_t step) const;

private:
  int64_t stepOf(Turn turn) const;

  std::vector<Bucket> buckets;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_BUCKETORDER_H
