// The inputs of training's steps: batches from a source of data, made one step ahead, and the counters. The training loop
// and `bench` run their steps through it.
#ifndef HEDDLE_RUNTIME_TRAININGSTEPS_H
#define HEDDLE_RUNTIME_TRAININGSTEPS_H
#include "runtime/BatchAhead.h"
#include "runtime/Session.h"

#include <deque>
#include <optional>

namespace heddle {

class DataSource;

class TrainingSteps {
public:
  /// Checks that the source can feed the entries that train; null for a program without data. Both must outlive the object.
  /// Throws RunError(kData).
  TrainingSteps(Session& session, DataSource* source);

  /// From here on steps can be filled.
  void start(uint64_t seed);

  /// Puts the inputs of `step` (from 1) where its entry takes them, and gives the entry's number in
  /// Session::trainingEntries.
  size_t fill(int64_t step);

  /// Begins to make the batch of `step`; that of the last fill() is in its place.
  void makeAhead(int64_t step);

  /// Returns when the source is free, until the next makeAhead().
  void rest();

private:
  void make(int64_t step);

  Session& session;
  DataSource* source;
  uint64_t seed = 0;
  std::vector<const HeddleEntry*> entries;
  std::deque<MicroBatches> batches;  // of each entry
  std::optional<BatchAhead> ahead;   // uses all that is above; none without data
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TRAININGSTEPS_H
