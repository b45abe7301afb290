// A program loaded on this machine: its target class, threads, arenas and executor. Commands, tests and
// `heddle run` all drive a program through it.
#ifndef HEDDLE_RUNTIME_SESSION_H
#define HEDDLE_RUNTIME_SESSION_H
#include "runtime/Abi.h"
#include "runtime/Arena.h"
#include "runtime/Executor.h"
#include "runtime/ThreadPool.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

/// Elements of a buffer: the product of its dims, 1 for a scalar. All element types are 4 bytes in memory.
int64_t elementCount(const HeddleBuffer& buffer);
int64_t elementCount(const HeddleVariable& variable);
const char* typeName(int32_t heddleType);                    // "f32", "i32", "bool"
std::string shapeText(const HeddleDim* dims, int32_t rank);  // "[B=12, T=64]"

/// Whether a session has memory for what generation keeps from token to token.
enum class Caches { kept, none };

/// Bytes of the variables' arena.
int64_t variableBytes(const HeddleProgram& program, Caches caches);

/// Bytes that a run holds at its peak: variables, the largest workspace, every thread's scratch. Exact.
int64_t plannedBytes(const HeddleProgram& program, const HeddleTarget& target, int threads, Caches caches = Caches::kept);

/// The entries that train: `train.*` for each length bucket but the last, from the smallest on, then `train`. None if there is
/// no `train`.
std::vector<const HeddleEntry*> trainingEntries(const HeddleTarget& target);

/// Bytes of the arena that all entries share, with the batch of the next step.
int64_t workspaceBytes(const HeddleTarget& target);

/// A NaN without the sign that CPUs give it, which says nothing: 0/0 is -nan on x86.
inline float withoutNanSign(float value) { return std::isnan(value) ? std::abs(value) : value; }

class Session;

/// An entry that trains, as a source of data sees it while the batch of its next step is made: inputs lie where no entry
/// works, and those of a step with several micro-batches (`accumulate`) are those of one of them.
class MicroBatches {
public:
  MicroBatches(const HeddleEntry& entry, const HeddleTarget& target);
  MicroBatches(const MicroBatches&) = delete;

  int32_t count = 1;
  /// The entry with the inputs of micro-batch `micro`, from 0. Inputs keep their addresses.
  const HeddleEntry& operator[](int32_t micro);
  /// Copies all of them to where the entry takes its inputs.
  void moveIn(Session& session) const;

private:
  const HeddleEntry& whole;
  HeddleEntry slice;
  std::vector<HeddleBuffer> inputs;
  std::vector<int64_t> places;  // in the workspace
};

class Session {
public:
  /// Checks the program, chooses its target class (`targetClass`, HEDDLE_TARGET or the best), starts the threads and
  /// takes the memory. Variables are zero until initialise() or a checkpoint. The program must outlive the session.
  /// Without caches it does not generate. Throws RunError.
  Session(const HeddleProgram& program, int threads, const std::string& targetClass = {}, Caches caches = Caches::kept);
  Session(const Session&) = delete;

  const HeddleProgram& program;
  const HeddleTarget& target;
  ThreadPool pool;
  Arena variables;
  Arena workspace;  // shared by the entries
  Arena keptState;  // room for training's model state during an evaluation
  Executor executor;

  /// Initial values of all variables.
  void initialise(uint64_t seed);

  /// The entry of that name, or null.
  const HeddleEntry* findEntry(std::string_view name) const;
  /// The same; throws RunError(kData) that names the entries there are.
  const HeddleEntry& entry(std::string_view name) const;
  /// trainingEntries of the target. Throws RunError(kData) if there is no `train`.
  std::vector<const HeddleEntry*> trainingEntries() const;

  /// Throws RunError(kInternal) if the entry uses a cache that the session has no memory for.
  void run(const HeddleEntry& entry);

  const HeddleBuffer* findInput(const HeddleEntry& entry, std::string_view name) const;
  const HeddleBuffer* findOutput(const HeddleEntry& entry, std::string_view name) const;
  const HeddleVariable* findVariable(std::string_view name) const;

  /// Memory of a buffer or variable; elements are float or int32_t, row-major.
  void* memory(const HeddleBuffer& buffer) { return workspace.data() + buffer.offset; }
  void* memory(const HeddleVariable& variable) { return variables.data() + variable.offset; }
  /// A NaN has no sign.
  float scalar(const HeddleBuffer& buffer) { return withoutNanSign(*static_cast<const float*>(memory(buffer))); }

  /// Writes "$step", "$seed" and "$micro" where the entry has them. Throws RunError(kData) for a step past 2^31 - 1.
  void setCounters(const HeddleEntry& entry, int64_t step, uint64_t seed, int32_t micro = 0);

private:
  Caches caches;
  std::vector<const HeddleEntry*> generating;  // the entries that use caches
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_SESSION_H
