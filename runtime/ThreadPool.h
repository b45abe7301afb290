// Persistent worker threads that share the tiles of one kernel call at a time.
//
// A training step is some hundred calls of 10 us to 10 ms, so what counts is the cost of starting and joining a call.
// Each thread owns a contiguous range of the tiles (the same one at each call, which keeps its caches warm) and takes
// halves of what is left of it; a thread that has run dry takes from the ends of the others' ranges. A worker that
// the system has not scheduled is therefore never waited for: its tiles are done by others, and it finds nothing.
// Idle workers spin for some 20 us, then sleep on a futex. Which thread runs a tile never shows in a result.
#ifndef HEDDLE_RUNTIME_THREADPOOL_H
#define HEDDLE_RUNTIME_THREADPOOL_H
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace heddle {

/// Computes tiles [begin, end) on thread `thread` (0 is the caller). Must not throw.
using TileFunction = void (*)(void* context, int64_t begin, int64_t end, int thread);

class ThreadPool {
public:
  /// `threads` includes the calling one. Throws RunError(kData) when the system gives no thread.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return count; }

  /// Runs all tiles and returns when they are done; every thread, the caller too, is in FloatMode meanwhile.
  /// One call at a time: not to be called from two threads, nor from within a tile.
  void run(int64_t tiles, TileFunction function, void* context);

  /// The same for any callable `f(begin, end, thread)`.
  template <typename F> void forEachTile(int64_t tiles, F&& f) {
    run(tiles, [](void* c, int64_t b, int64_t e, int t) { (*static_cast<std::remove_reference_t<F>*>(c))(b, e, t); },
        const_cast<void*>(static_cast<const void*>(&f)));
  }

  /// Cores that this process may use: affinity mask and the CPU quota of its control group.
  static int availableCores();

private:
  // [begin, end) of a thread's own tiles in one word, so that a single compare-and-swap takes some of them.
  struct alignas(64) Range {
    std::atomic<uint64_t> beginEnd{0};
  };

  // What a worker gets to know at its start.
  struct Job {
    ThreadPool* pool;
    int thread;
  };

  void start(int thread);
  void stopWorkers();
  void work(int thread);
  bool takeAndRun(int thread);

  const int count;  // not workers.size(): the first workers run while the others are still being started
  std::unique_ptr<Job[]> jobs;
  std::vector<pthread_t> workers;
  std::unique_ptr<Range[]> ranges;
  TileFunction function = nullptr;
  void* context = nullptr;
  int spins;
  alignas(64) std::atomic<uint32_t> epoch{0};    // of the current call; workers sleep on it
  alignas(64) std::atomic<uint32_t> pending{0};  // tiles not yet done; the caller sleeps on it
  alignas(64) std::atomic<uint32_t> sleepers{0};
  std::atomic<bool> callerSleeps{false};
  std::atomic<bool> stop{false};
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_THREADPOOL_H
