// Losses of a step, and losses over the validation data, which leave training's state alone.
//
// What they take is taken when they are made: reading losses and evaluating do not allocate.
#ifndef HEDDLE_RUNTIME_EVALUATE_H
#define HEDDLE_RUNTIME_EVALUATE_H
#include "runtime/DataSource.h"
#include "runtime/Session.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

/// The losses that an entry gives, and the metrics: outputs called "loss.NAME" and "metric.NAME".
class Losses {
public:
  struct Loss {
    std::string name;  // "lm"
    const HeddleBuffer* output;
    double value;
    bool isMetric = false;  // need not be finite: a precision is 0/0 where nothing was predicted
  };

  explicit Losses(const HeddleEntry& entry);
  /// Takes the values from the workspace, after the entry has run.
  void read(Session& session);

  std::vector<Loss> all;  // by name
};

/// What the entry `eval` gives of a batch: sums over it ("sum.0", ...), and means ("mean.0", ...). The entry `report` makes
/// losses and metrics of what they are over all batches. Without one, they are means of the batches' own.
class Totals {
public:
  /// Throws RunError(kInternal) if `report` does not take what `eval` gives.
  Totals(Session& session, const HeddleEntry& eval, const HeddleEntry* report);
  void clear();
  /// Adds those of the batch that `eval` has just run, of which `rows` rows count.
  void add(Session& session, int64_t rows);
  /// Writes them into the inputs of `report`, or back where they were read.
  void give(Session& session) const;

private:
  struct Total {
    const HeddleBuffer *from, *to;
    bool isMean;
    std::vector<double> values;
  };
  std::vector<Total> all;
  double rows = 0;
};

class Evaluation {
public:
  /// Of the entries `eval` and, if there is one, `report`. Throws RunError(kData) if the program has none.
  Evaluation(Session& session, DataSource& source);

  /// Losses and metrics over `batches` batches of the source's evaluation part, or over all that it has if those are fewer,
  /// as if they were one batch (sums are added in double, in the order of the batches; means weigh by the rows that
  /// count). Model state starts from its initial values and is put back afterwards.
  const Losses& run(uint64_t seed, int64_t batches);

  const HeddleEntry& entry;
  const HeddleEntry* report;  // null: there is none
  Losses losses;              // of the last run

private:
  class FreshState;
  Session& session;
  DataSource& source;
  Totals totals;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_EVALUATE_H
