// A flat walk over the steps with a stack of open loops: no recursion, no allocation once it runs.
#include "runtime/Executor.h"

#include "runtime/FloatMode.h"

#include <algorithm>
#include <chrono>

namespace heddle {
namespace {

constexpr int kMaxArgs = 64;  // on the stack; longer argument lists are rare and take the heap

// Scratch of a thread starts on its own pages, so that threads share no cache line.
int64_t strideOf(const HeddleTarget& target) {
  int64_t most = 0;
  for (int i = 0; i < target.entry_count; ++i) most = std::max(most, target.entries[i].scratch_bytes);
  return most == 0 ? 0 : (most + HEDDLE_PADDING + 4095) / 4096 * 4096;
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
      scratch(scratchStride * pool.threads(), "threads' scratch") {}

int64_t Executor::scratchBytes(const HeddleTarget& target, int threads) {
  return Arena::reserved(strideOf(target) * threads);
}

void Executor::call(const HeddleStep& step, int depth, const int64_t* loops, char* const spaces[2]) {
  void* few[kMaxArgs];
  std::unique_ptr<void*[]> many;
  if (step.arg_count > kMaxArgs) many.reset(new void*[step.arg_count]);
  void** args = many ? many.get() : few;
  for (int i = 0; i < step.arg_count; ++i) {
    const HeddleArg& a = step.args[i];
    int64_t offset = a.offset;
    for (int d = 0; d < depth; ++d) offset += a.stride[d] * loops[d];
    args[i] = spaces[a.space] + offset;
  }
  Call c{target.kernels[step.kernel], args, loops, scratch.data(), scratchStride};
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
