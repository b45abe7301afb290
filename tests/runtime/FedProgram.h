// A program that does nothing but take data: entries `train` and `eval` with the inputs that a test wants, for looking
// at what a source feeds.
#ifndef HEDDLE_TESTS_RUNTIME_FEDPROGRAM_H
#define HEDDLE_TESTS_RUNTIME_FEDPROGRAM_H
#include "runtime/Session.h"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace heddle {

/// An input: `type` is HeddleType, dims are {"B", 4}, ...
struct FedInput {
  std::string name;
  int32_t type;
  std::vector<std::pair<std::string, int64_t>> dims;
};

class FedProgram {
public:
  /// The same inputs for both entries, but for the batch (the first dim) of `eval`, if `evalRows` is given.
  explicit FedProgram(std::vector<FedInput> inputs, int64_t evalRows = 0);
  FedProgram(const FedProgram&) = delete;

  Session& session() { return *opened; }
  const HeddleEntry& entry(bool evaluation) { return opened->entry(evaluation ? "eval" : "train"); }
  /// The elements of an input as they lie in the workspace.
  std::vector<int32_t> ints(const std::string& name, bool evaluation = false);
  std::vector<float> floats(const std::string& name, bool evaluation = false);

private:
  std::vector<FedInput> inputs;
  std::deque<std::vector<HeddleDim>> dims;
  std::vector<HeddleBuffer> buffers[2];
  HeddleEntry entries[2];
  HeddleTarget target;
  HeddleProgram program;
  std::unique_ptr<Session> opened;
};

}  // namespace heddle
#endif  // HEDDLE_TESTS_RUNTIME_FEDPROGRAM_H
