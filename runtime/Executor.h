// Runs the steps of an entry: kernel calls, and the loops of the source's `repeat`s.
//
// The executor owns no tensors. Its caller gives the arena of variables and a workspace; the workspace's contents are
// undefined when an entry starts, apart from its inputs, because entries share one. It holds each thread's scratch.
#ifndef HEDDLE_RUNTIME_EXECUTOR_H
#define HEDDLE_RUNTIME_EXECUTOR_H
#include "runtime/Abi.h"
#include "runtime/Arena.h"
#include "runtime/ThreadPool.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace heddle {

/// One executed kernel call, as a trace sees it.
struct StepTrace {
  const HeddleStep* step;
  const char* kernel;
  int depth;             // enclosing loops
  const int64_t* loops;  // their indices
  double seconds;
};
using TraceHook = std::function<void(const StepTrace&)>;

/// Checks the tables of a program: ABI version, loops closed and not too deep, kernels present, every buffer aligned
/// and every argument, at every iteration, inside its arena. Throws RunError(kInternal): a bug in the compiler.
void checkProgram(const HeddleProgram& program);

class Executor {
public:
  /// Scratch is taken for the hungriest entry of `target`. Throws RunError(kData) if there is no memory.
  Executor(const HeddleTarget& target, ThreadPool& pool);

  /// Runs `entry`, one of the target's, from its first step to its last.
  void run(const HeddleEntry& entry, void* variables, void* workspace);

  /// Called after every kernel call with its time; empty (the default) costs nothing.
  TraceHook trace;

  /// Bytes of scratch, padding included, that `threads` threads take for `target`.
  static int64_t scratchBytes(const HeddleTarget& target, int threads);

private:
  void call(const HeddleStep& step, int depth, const int64_t* loops, char* const spaces[2]);

  const HeddleTarget& target;
  ThreadPool& pool;
  int64_t scratchStride;
  Arena scratch;
  std::vector<void*> args;  // of the call at hand
};

/// Bytes from the start of its space to where an argument lies in the iteration `loops` of `depth` open loops.
int64_t argOffset(const HeddleArg& arg, int depth, const int64_t* loops);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_EXECUTOR_H
