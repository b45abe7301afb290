// A flat walk over the steps with a stack of open loops: no recursion, no allocation once it runs.
#include "runtime/Executor.h"

#include "runtime/FloatMode.h"

#include <algorithm>
#include <chrono>

namespace heddle {
namespace {

// Scratch of a thread starts on its own pages, so that threads share no cache line.
int64_t strideOf(const HeddleTarget& target) {
  int64_t most = 0;
  for (int i = 0; i < target.entry_count; ++i) most = std::max(most, target.entries[i].scratch_bytes);
  return most == 0 ? 0 : (most + HEDDLE_PADDING + 4095) / 4096 * 4096;
}

size_t mostArgs(const HeddleTarget& target) {
  int32_t most = 0;
  for (int e = 0; e < target.entry_count; ++e)
    for (int s = 0; s < target.entries[e].step_count; ++s) most = std::max(most, target.entries[e].steps[s].arg_count);
  return size_t(most);
}

struct Call {
  HeddleKernel kernel;
  void* const* args;
  const int64_t* loops;
  char* scratch;
  int64_t scratchStride;
};

void runTiles(void* context, int64_t begin, int64_t end, int thread) {
  auto& c = *static_cast<Call*>(context);
  c.kernel(c.args, c.loops, begin, end, c.scratch + thread * c.scratchStride);
}

}  // namespace

Executor::Executor(const HeddleTarget& target, ThreadPool& pool)
    : target(target), pool(pool), scratchStride(strideOf(target)),
      scratch(scratchStride * pool.threads(), "threads' scratch"), args(mostArgs(target)) {}

int64_t argOffset(const HeddleArg& arg, int depth, const int64_t* loops) {
  int64_t offset = arg.offset;
  for (int d = 0; d < depth; ++d) offset += arg.stride[d] * loops[d];
  return offset;
}

int64_t Executor::scratchBytes(const HeddleTarget& target, int threads) {
  return Arena::reserved(strideOf(target) * threads);
}

void Executor::call(const HeddleStep& step, int depth, const int64_t* loops, char* const spaces[2]) {
  for (int i = 0; i < step.arg_count; ++i) args[size_t(i)] = spaces[step.args[i].space] + argOffset(step.args[i], depth, loops);
  Call c{target.kernels[step.kernel], args.data(), loops, scratch.data(), scratchStride};
  if (!trace) return pool.run(step.count, runTiles, &c);
  auto start = std::chrono::steady_clock::now();
  pool.run(step.count, runTiles, &c);
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  trace({&step, target.kernel_names ? target.kernel_names[step.kernel] : "", depth, loops, seconds.count()});
}

void Executor::run(const HeddleEntry& entry, void* variables, void* workspace) {
  FloatMode mode;
  char* const spaces[2] = {static_cast<char*>(variables), static_cast<char*>(workspace)};
  int64_t loops[HEDDLE_MAX_LOOPS] = {};
  int opened[HEDDLE_MAX_LOOPS];
  int depth = 0;
  for (int i = 0; i < entry.step_count; ++i) {
    const HeddleStep& step = entry.steps[i];
    switch (step.kind) {
      case HEDDLE_CALL: call(step, depth, loops, spaces); break;
      case HEDDLE_LOOP:
      case HEDDLE_REVERSE_LOOP:
        opened[depth] = i;
        loops[depth++] = step.kind == HEDDLE_LOOP ? 0 : step.count - 1;
        break;
      case HEDDLE_END: {
        const HeddleStep& loop = entry.steps[opened[depth - 1]];
        int64_t& index = loops[depth - 1];
        bool again = loop.kind == HEDDLE_LOOP ? ++index < loop.count : --index >= 0;
        if (again)
          i = opened[depth - 1];
        else
          loops[--depth] = 0;
      }
    }
  }
}

}  // namespace heddle
