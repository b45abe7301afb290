// What a program's `train` block says beyond its tensors: where the data are, how long to train, what to do when.
// The compiler writes it as JSON into HeddleProgram::config; docs/runtime.md is its reference.
#ifndef HEDDLE_RUNTIME_RUNCONFIG_H
#define HEDDLE_RUNTIME_RUNCONFIG_H
#include "runtime/SampleOptions.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace heddle {

/// A field that the program itself declares, as `x: f32[N,I]` of csv.
struct FieldConfig {
  std::string name, type;          // "x", "f32"
  std::vector<std::string> dims;   // "N", "I"
  std::vector<int64_t> sizes;      // of the dims; 0: not known when this was written
};

/// What a column of a table is chosen by: its name in the header line or, where that is empty, its number from 1.
struct ColumnConfig {
  std::string name;
  int64_t number = 0;
};

struct DataConfig {
  std::string kind;              // "text", "tensors", "csv", ...: see DataSource.cpp; "" when the program has no data
  std::string path;              // as the source says it, relative to RunConfig::base
  std::string tokenizer = "char";  // of texts: "char", "byte", or a tokenizer.json, relative to RunConfig::base
  double split = 0.9;            // the part that is trained on: of the tokens, from the start, or of the records
  int64_t buckets = 0;           // labelled, pairs: length buckets, of which each has an entry that trains; 0: none
  std::string labels;            // images: the second file
  std::vector<FieldConfig> fields;               // csv
  std::string separator;                         // of columns; "": by the file
  bool header = false;                           // the first line of a table names its columns
  ColumnConfig text, label, source, target;      // of labelled and pairs
  std::string document = "\n\n";                // mlm: what stands between documents
  bool nextSentence = false;                     // mlm
  double mask = 0.15;                            // mlm: the part of the tokens that is predicted
  std::vector<double> mean, std;                 // images, in parts of the brightest value: of all channels or of each
};

/// A dim that got its size from the data when the program was compiled.
struct DataBind {
  std::string dim, fact;  // "V", "vocabulary": see describeData
  int64_t size;
};

struct PeriodicAction {
  enum class Kind { kEvaluate, kSave, kSample };
  int64_t n;         // after every n-th step
  Kind kind;
  std::string loss;  // of evaluation; all losses if empty
  int64_t batches;   // of evaluation; 0: what DataSource::evaluationBatches makes of it
  SampleOptions sample;
  std::optional<uint64_t> seed;  // of a sample; the run's, if there is none
};

/// Parameters that the optimizer treats alike.
struct OptimizerGroup {
  std::string settings;                 // "lr = 0.1 * lr, decay = 0", as the program's text has it; "": as for all
  std::vector<std::string> parameters;  // names of variables
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
  std::vector<DataBind> binds;
  int64_t microBatches = 1;                   // of a step
  std::vector<OptimizerGroup> groups;
  std::map<std::string, int64_t> ranges;      // input name -> its values lie in [0, range)

  /// Throws RunError(kInternal) for what docs/runtime.md does not allow: the compiler wrote it.
  static RunConfig parse(const char* json);

  /// Does training sample now and then?
  bool samples() const;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_RUNCONFIG_H
