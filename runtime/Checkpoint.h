// Checkpoints: everything that outlives a step, as one safetensors file.
//
// Every variable stands under its name; a stack of layers (h.{}.attn.wq) is one tensor per layer (h.0.attn.wq, ...).
// The metadata carry the rest of the run: program and its hash, target class, step, seed, the data's fingerprint, the
// tokenizer, and checksums (XXH64) of every tensor and of the header, so that a flipped bit is found.
#ifndef HEDDLE_RUNTIME_CHECKPOINT_H
#define HEDDLE_RUNTIME_CHECKPOINT_H
#include "runtime/RunError.h"
#include "runtime/Safetensors.h"
#include "runtime/Session.h"

#include <cstdint>
#include <string>
#include <vector>

namespace heddle {

struct CheckpointInfo {
  int64_t step = 0;  // steps done
  uint64_t seed = 0;
  std::string data;       // DataSource::fingerprint(), or ""
  std::string tokenizer;  // Tokenizer::toJson(), or ""
  std::string classes;    // their names, a JSON list; or ""
  std::string target;     // target class that wrote it; set by saveCheckpoint
};

/// The file is undamaged but belongs to another program, other shapes or another version of Heddle: to take an older one
/// instead would silently give up what it holds.
class CheckpointMismatch : public RunError {
  using RunError::RunError;
};

/// Names and first bytes of a variable's layers, in the order of the arena: one pair for a variable without repeats.
struct VariableLayer {
  std::string name;
  int64_t offset;  // bytes into the variables' arena
};
std::vector<VariableLayer> layersOf(const HeddleVariable& variable);

/// Writes the session's variables to `path`, durably (DurableFile). Equal runs write equal files. Throws
/// RunError(kData) if it cannot be written, RunError(kStopped) if a value is NaN or infinite; an old file stays.
void saveCheckpoint(const std::string& path, Session& session, const CheckpointInfo& info);

enum class LoadPart { kEverything, kWithoutOptimizer };

/// Reads a checkpoint through, without keeping it. Throws CheckpointMismatch for another program's checkpoint (both hashes
/// are named), for missing, extra and misshaped tensors (all are listed) and for another version; RunError(kData) for a
/// damaged file.
CheckpointInfo verifyCheckpoint(const std::string& path, const Session& session, LoadPart part);

/// Loads into the session's variables, all or nothing: the file is verified first and then read again into its place, so
/// that no second arena is needed. (A file that changes between the two is an error that leaves the variables undefined.)
CheckpointInfo loadCheckpoint(const std::string& path, Session& session, LoadPart part);

/// Throws RunError(kData) unless the file is a checkpoint, of any program, with all its bits as they were written.
void verifyChecksums(const SafetensorsFile& file);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_CHECKPOINT_H
