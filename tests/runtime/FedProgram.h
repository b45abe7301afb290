// A program that does nothing but take data: entries `train` and `eval` with the inputs that a test wants, for looking
// at what a source feeds.
#ifndef HEDDLE_TESTS_RUNTIME_FEDPROGRAM_H
#define HEDDLE_TESTS_RUNTIME_FEDPROGRAM_H
#include "runtime/Session.h"

#include <deque>
#include <map>
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
  /// Other sizes of dims.
  using Sizes = std::map<std::string, int64_t>;
  /// The same inputs for both entries, but for the batch (the first dim) of `eval`, if `evalRows` is given. For each of
  /// `buckets` there is one more entry that trains.
  explicit FedProgram(std::vector<FedInput> inputs, int64_t evalRows = 0, const std::vector<Sizes>& buckets = {});
  FedProgram(const FedProgram&) = delete;

  Session& session() { return *opened; }
  const HeddleEntry& entry(bool evaluation) { return opened->entry(evaluation ? "eval" : "train"); }
  /// The elements of an input as they lie in the workspace.
  std::vector<int32_t> ints(const std::string& name, bool evaluation = false) { return ints(entry(evaluation), name); }
  std::vector<int32_t> ints(const HeddleEntry& entry, const std::string& name);
  std::vector<float> floats(const std::string& name, bool evaluation = false);

private:
  void addEntry(const std::string& name, const Sizes& sizes);

  std::vector<FedInput> inputs;
  std::deque<std::string> names;
  std::deque<std::vector<HeddleDim>> dims;
  std::deque<std::vector<HeddleBuffer>> buffers;
  std::vector<HeddleEntry> entries;
  HeddleTarget target;
  HeddleProgram program;
  std::unique_ptr<Session> opened;
};

}  // namespace heddle
#endif  // HEDDLE_TESTS_RUNTIME_FEDPROGRAM_H
