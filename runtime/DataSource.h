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
#include <memory>
#include <string>

namespace heddle {

class DataSource {
public:
  virtual ~DataSource() = default;

  /// Checks that the source can feed the entry's `data.*` inputs: names, shapes, types, enough data. With
  /// `evaluation`, from its validation part. Throws RunError(kData).
  virtual void check(Session& session, const HeddleEntry& entry, bool evaluation) = 0;

  /// Writes the batch of training step `step` (from 1) and micro-batch `micro` (from 0) into the entry's inputs.
  /// Values outside RunConfig::ranges throw RunError(kData) with path, byte and value.
  virtual void fillTraining(Session& session, const HeddleEntry& entry, uint64_t seed, int64_t step, int32_t micro) = 0;

  /// Writes batch `batch` of `batches` of evaluation: the same ones every time, whatever training did.
  virtual void fillEvaluation(Session& session, const HeddleEntry& entry, int64_t batch, int64_t batches) = 0;

  /// Identifies the data, as JSON; a run may only be resumed on the data that it started with.
  virtual std::string fingerprint() const = 0;

  /// The source's tokenizer, or null.
  virtual const Tokenizer* tokenizer() const { return nullptr; }
};

/// Bytes of one token of a text in memory.
int64_t tokenWidth(int64_t vocabularySize);

/// Bytes that the source that openDataSource would open holds in arenas. Throws RunError(kData) as that would.
int64_t dataMemory(const RunConfig& config, const std::string& path);

/// Opens the source that `config` describes; `path` (from `--data`) replaces the configured one unless empty. Null
/// if the program has no data. Throws RunError(kData).
std::unique_ptr<DataSource> openDataSource(const RunConfig& config, const std::string& path);

std::unique_ptr<DataSource> openTextSource(const RunConfig& config, const std::string& path);
std::unique_ptr<DataSource> openTensorSource(const RunConfig& config, const std::string& path);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_DATASOURCE_H
