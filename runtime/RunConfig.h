// What a program's `train` block says beyond its tensors: where the data are, how long to train, what to do when.
// The compiler writes it as JSON into HeddleProgram::config; docs/runtime.md is its reference.
#ifndef HEDDLE_RUNTIME_RUNCONFIG_H
#define HEDDLE_RUNTIME_RUNCONFIG_H
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace heddle {

struct DataConfig {
  std::string kind;       // "text", "tensors", or "" when the program has no data
  std::string path;       // as the source says it, relative to RunConfig::base
  std::string tokenizer;  // text: "char", "byte", or a tokenizer.json, relative to RunConfig::base
  double split = 0.9;     // text: the part of the tokens, from the start, that is trained on
};

struct PeriodicAction {
  int64_t n;         // after every n-th step
  bool save;         // else: evaluate
  std::string loss;  // of evaluation; all losses if empty
  int64_t batches;   // of evaluation
};

struct RunConfig {
  std::string program;  // the train block's name; default of the run directory's
  std::string base;     // the directory of the .heddle file
  DataConfig data;
  int64_t steps = 0;
  uint64_t seed = 0;
  std::string from;  // weights to start from, relative to base; "": the initial values
  std::string minimise;  // the loss that progress shows
  std::vector<PeriodicAction> every;
  std::string vocabularyDim;                  // "V", when the source's tokenizer binds a dim
  std::optional<int64_t> vocabularySize;      // its size in this program
  std::map<std::string, int64_t> ranges;      // input name -> its values lie in [0, range)

  /// Throws RunError(kInternal) for what docs/runtime.md does not allow: the compiler wrote it.
  static RunConfig parse(const char* json);
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_RUNCONFIG_H
