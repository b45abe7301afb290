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

/// The losses that an entry gives: outputs called "loss.NAME".
class Losses {
public:
  struct Loss {
    std::string name;  // "lm"
    const HeddleBuffer* output;
    double value;
  };

  explicit Losses(const HeddleEntry& entry);
  /// Takes the values from the workspace, after the entry has run.
  void read(Session& session);

  std::vector<Loss> all;  // by name
};

class Evaluation {
public:
  /// Of the entry `eval`. Throws RunError(kData) if the program has none.
  Evaluation(Session& session, DataSource& source);

  /// Runs the entry over `batches` batches of the source's evaluation part, or over all that it has if those are fewer,
  /// and returns the means of its losses (in double, in the order of the batches, by the rows that count). Model state starts from its initial values and is put back afterwards.
  const Losses& run(uint64_t seed, int64_t batches);

  const HeddleEntry& entry;
  Losses means;  // of the last run

private:
  class FreshState;
  Session& session;
  DataSource& source;
  Losses batch;
  std::vector<std::pair<const HeddleVariable*, std::vector<char>>> state;  // room for model state meanwhile
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_EVALUATE_H
