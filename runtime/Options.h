// The options of `train`, `eval`, `sample`, `predict` and `bench`, told once for the `heddle` command and for native programs.
//
// An option is a row of a table: its name, its value, one line of help, and what it sets. A program adds rows of its
// own and has them parsed, listed in the help and suggested for mistyped ones like the others.
#ifndef HEDDLE_RUNTIME_OPTIONS_H
#define HEDDLE_RUNTIME_OPTIONS_H
#include "runtime/Predict.h"
#include "runtime/Sample.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace heddle {

enum class Command { kTrain, kEval, kSample, kPredict, kBench };

/// What the command line says; the rest comes from the program's configuration.
struct RunOptions {
  Command command = Command::kTrain;
  std::string out;                // train: run directory; out/NAME if empty
  std::string data;               // --data
  std::string checkpoint;         // eval, sample, predict: a file, or a run directory (its newest); out/NAME if empty
  std::optional<int64_t> steps;   // train: instead of the program's; bench: how many to measure
  std::optional<uint64_t> seed;
  std::optional<int64_t> batches; // eval
  std::optional<int64_t> generate;  // eval: targets of so many held-out pairs; 0: of all
  std::optional<int64_t> beams;     // eval with `generate`, predict of pairs
  bool resume = false, dryRun = false, json = false, profile = false;
  int threads = 0;                // 0: HEDDLE_THREADS, or all available cores
  std::string target;             // target class; HEDDLE_TARGET, or the best, if empty
  SampleOptions sample;
  PredictOptions predict;
};

struct OptionSpec {
  std::string name;                               // "--steps"
  std::string alias;                              // "-j", or ""
  std::string value;                              // "N"; "" for a switch
  std::string help;                               // one line
  std::function<void(const std::string&)> set;    // of a switch: called with ""
};

/// The rows of one command, which set fields of `options` (it must outlive them). Values are checked when set:
/// RunError(kUsage).
std::vector<OptionSpec> runOptionSpecs(Command command, RunOptions& options);

/// Goes through `args` (`--name value`, `--name=value`, `-j4`, `-j 4`; `--` ends the options) and returns the words
/// that are not options. `--help` or `-h` stops and sets `help`. Throws RunError(kUsage): unknown option, with the
/// nearest known one; missing or unwanted value; option given twice.
std::vector<std::string> parseOptions(const std::vector<OptionSpec>& specs, const std::vector<std::string>& args,
                                      bool& help);

/// One line per option, aligned.
std::string optionsHelp(const std::vector<OptionSpec>& specs);

/// "did you mean X?" for the candidate nearest to `word` (edit distance of at most 2, or a third of its length), or "".
std::string didYouMean(const std::string& word, const std::vector<std::string>& candidates);

/// options.threads, else HEDDLE_THREADS, else the available cores. Throws RunError(kUsage) for a bad variable.
int threadCount(const RunOptions& options);

/// A whole number in [least, most]; `what` names it in the RunError(kUsage).
int64_t parseWhole(const std::string& what, const std::string& text, int64_t least, int64_t most);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_OPTIONS_H
