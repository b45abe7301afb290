// Where an entry's `data.*` inputs come from.
//
// A batch is a pure function of (source, seed, step, micro-batch): a source has no position that could be lost, so a
// resumed run sees the batches that an uninterrupted one would have seen.
#ifndef HEDDLE_RUNTIME_DATASOURCE_H
#define HEDDLE_RUNTIME_DATASOURCE_H
#include "runtime/RunConfig.h"
#include "runtime/Session.h"
#include "runtime/Tokenizer.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace heddle {

/// A source and its target, as the data have them, and where the source stands: "names.tsv: line 3, column 1".
struct TextPair {
  std::string source, target, place;
  bool operator==(const TextPair&) const = default;
};

class DataSource {
public:
  virtual ~DataSource() = default;

  /// Checks that the source can feed the entry's `data.*` inputs: names, shapes, types, enough data. With
  /// `evaluation`, from its validation part. Throws RunError(kData).
  virtual void check(Session& session, const HeddleEntry& entry, bool evaluation) = 0;

  /// The same for the entries that train: one, or one for each length bucket, from the smallest on. To be called before
  /// batches of them are asked for. Throws RunError(kInternal) if there are several and the source knows no lengths.
  virtual void checkTraining(Session& session, const std::vector<const HeddleEntry*>& entries);

  /// Which of them step `step` (from 1) runs.
  virtual size_t trainingEntry(int64_t step) const { return 0; }

  /// Writes the batch of training step `step` (from 1) and micro-batch `micro` (from 0) into the inputs of its entry.
  /// Values outside RunConfig::ranges throw RunError(kData) with path, byte and value.
  virtual void fillTraining(Session& session, const HeddleEntry& entry, uint64_t seed, int64_t step, int32_t micro) = 0;

  /// How many batches evaluation has where `batches` are asked for: never more than make its part once. 0 asks for what
  /// the source has by itself: all that it holds out where it holds out records, kWindowBatches where it is one long text.
  virtual int64_t evaluationBatches(const HeddleEntry&, int64_t batches) const { return batches ? batches : kWindowBatches; }
  static constexpr int64_t kWindowBatches = 20;

  /// Writes batch `batch` of `batches` (of evaluationBatches) of evaluation: the same ones every time, whatever
  /// training did. Returns how many of its rows count: the last batch may be filled up.
  virtual int64_t fillEvaluation(Session& session, const HeddleEntry& entry, int64_t batch, int64_t batches) = 0;

  /// Identifies the data, as JSON; a run may only be resumed on the data that it started with.
  virtual std::string fingerprint() const = 0;

  /// The source's tokenizer, or null.
  virtual const Tokenizer* tokenizer() const { return nullptr; }

  /// The names of the classes that a label counts, in their order; null if labels have none.
  virtual const std::vector<std::string>* classes() const { return nullptr; }

  /// The first `most` of the pairs of texts that are held out, in the order of evaluation, or all if there are fewer; none
  /// (not an empty list) from data that are no pairs. Throws RunError(kData) if the file has changed.
  virtual std::optional<std::vector<TextPair>> heldOutPairs(int64_t most) { return std::nullopt; }

  /// What the user should know of the data, a line each: texts that were cut. Complete after check().
  virtual std::vector<std::string> notes() const { return {}; }
};

/// The files that the source of `config` reads; `path`, from `--data`, replaces what it names unless empty: the file, or
/// for a source of two files the folder in which they are sought by their names. Throws RunError(kData) by the rules of
/// DataPath.h.
std::vector<std::string> dataFiles(const RunConfig& config, const std::string& path);

/// What data tell before anything is compiled.
struct DataDescription {
  /// Numbers by name: "vocabulary", "classes", "records" (for training), "held_out" (for evaluation), "follows",
  /// "values.FIELD" (the values of an integer field lie in [0, it)), "FIELD.DIM" (the size of an open dim of a field).
  std::map<std::string, int64_t> facts;
  int64_t bytes = 0;  // that the source will hold in arenas, as they are mapped
};

/// Reads the data that `config` names (`path`, from `--data`, replaces that unless empty) and tells what they are.
/// Throws RunError(kData) as openDataSource would.
DataDescription describeData(const RunConfig& config, const std::string& path);

/// Throws RunError(kData) if a dim of the program got another size from its data than these, in `path`, would give.
void checkBinds(const RunConfig& config, const std::map<std::string, int64_t>& facts, const std::string& path);

/// Bytes of one token of a text in memory.
int64_t tokenWidth(int64_t vocabularySize);

/// Opens the source that `config` describes; `path` (from `--data`) replaces the configured one unless empty. Null
/// if the program has no data. Throws RunError(kData).
std::unique_ptr<DataSource> openDataSource(const RunConfig& config, const std::string& path);

/// The source of each kind, and what its data tell; `path` is the file itself, `files` are those of dataFiles.
std::unique_ptr<DataSource> openTextSource(const RunConfig& config, const std::string& path);
std::unique_ptr<DataSource> openSegmentSource(const RunConfig& config, const std::string& path);
std::unique_ptr<DataSource> openTensorSource(const RunConfig& config, const std::string& path);
std::unique_ptr<DataSource> openCsvSource(const RunConfig& config, const std::string& path);
std::unique_ptr<DataSource> openLabelledSource(const RunConfig& config, const std::string& path);
std::unique_ptr<DataSource> openPairSource(const RunConfig& config, const std::string& path);
std::unique_ptr<DataSource> openMaskedTextSource(const RunConfig& config, const std::string& path);
std::unique_ptr<DataSource> openImageSource(const RunConfig& config, const std::vector<std::string>& files);
DataDescription describeText(const RunConfig& config, const std::string& path);
DataDescription describeCsv(const RunConfig& config, const std::string& path);
DataDescription describeLabelled(const RunConfig& config, const std::string& path);
DataDescription describePairs(const RunConfig& config, const std::string& path);
DataDescription describeMaskedText(const RunConfig& config, const std::string& path);
DataDescription describeImages(const RunConfig& config, const std::vector<std::string>& files);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_DATASOURCE_H
