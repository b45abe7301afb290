// Time per kernel, for `--profile`.
#ifndef HEDDLE_RUNTIME_PROFILE_H
#define HEDDLE_RUNTIME_PROFILE_H
#include "runtime/Executor.h"

#include <map>
#include <string>

namespace heddle {

class Profile {
public:
  /// To be called with every StepTrace (Executor::trace).
  void add(const StepTrace& trace);
  /// With the time that it took to put a batch together.
  void addBatch(double seconds) { batches += seconds; }
  /// A line on batches, and a table, the slowest kernel first: share, milliseconds and calls per step, kernel, place in the
  /// source.
  std::string table(int64_t steps) const;

private:
  struct Row {
    double seconds = 0;
    int64_t calls = 0;
    std::string where;
  };
  std::map<std::string, Row> rows;
  double batches = 0;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_PROFILE_H
