// See ThreadPool.h for the method.
//
// Why no stale worker does harm: function and context are written before the ranges are published (release) and read
// only after a successful compare-and-swap on one (acquire); the caller does not return, and so does not change them,
// before the tiles so taken are counted off `pending`. A compare-and-swap that succeeds on a range of a later call
// than the one it was read from has simply taken tiles of that later call.
#include "runtime/ThreadPool.h"

#include "runtime/FloatMode.h"
#include "runtime/RunError.h"
#include "runtime/StartThread.h"

#include <fmt/format.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <fstream>

namespace heddle {
namespace {

// About 20 us of `pause` (40 to 140 cycles each): longer than the gap between two kernels of a step.
constexpr int kSpins = 600;

void futexWait(std::atomic<uint32_t>& word, uint32_t expected) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}
void futexWake(std::atomic<uint32_t>& word, int count) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}
uint64_t pack(uint32_t begin, uint32_t end) { return uint64_t(begin) << 32 | end; }

}  // namespace

int ThreadPool::availableCores() {
  cpu_set_t set;
  int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : int(sysconf(_SC_NPROCESSORS_ONLN));
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota, period;
  if (file >> quota >> period && period > 0) cores = std::min(cores, std::max(1, int(quota / period + 0.5)));
  return std::max(1, cores);
}

ThreadPool::ThreadPool(int threads)
    : count(std::max(1, threads)), jobs(new Job[size_t(count)]), ranges(new Range[size_t(count)]) {
  // More threads than cores: a spinning one would keep a working one off its core.
  spins = threads > availableCores() ? 0 : kSpins;
  workers.reserve(size_t(count));
  for (int i = 1; i < threads; ++i) start(i);
}

ThreadPool::~ThreadPool() { stopWorkers(); }

// Allocates nothing: an exception must not leave threads behind that work for an object that was never made.
void ThreadPool::start(int thread) {
  auto run = [](void* opaque) -> void* {
    auto* job = static_cast<Job*>(opaque);
    job->pool->work(job->thread);
    return nullptr;
  };
  jobs[thread] = {this, thread};
  pthread_t worker;
  if (int error = startThread(worker, run, &jobs[thread])) {
    stopWorkers();
    throw RunError(kData, fmt::format("cannot start {} threads: {}", count, strerror(error)), "a smaller -j");
  }
  workers.push_back(worker);
}

void ThreadPool::stopWorkers() {
  stop = true;
  epoch.fetch_add(1);
  futexWake(epoch, INT_MAX);
  for (pthread_t worker : workers) pthread_join(worker, nullptr);
}

bool ThreadPool::takeAndRun(int thread) {
  int n = threads();
  for (int i = 0; i < n; ++i) {
    int owner = thread + i < n ? thread + i : thread + i - n;
    auto& word = ranges[owner].beginEnd;
    uint64_t seen = word.load(std::memory_order_relaxed);
    for (;;) {
      uint32_t begin = uint32_t(seen >> 32), end = uint32_t(seen), left = end - begin;
      if (begin >= end) break;
      uint32_t taken = (left + 1) / 2;
      // The owner works upwards from the front, a thief takes from the end.
      uint32_t first = owner == thread ? begin : end - taken;
      uint64_t rest = owner == thread ? pack(begin + taken, end) : pack(begin, end - taken);
      if (!word.compare_exchange_weak(seen, rest, std::memory_order_acq_rel, std::memory_order_relaxed)) continue;
      function(context, first, int64_t(first) + taken, thread);
      if (pending.fetch_sub(taken) == taken && callerSleeps.load())
        futexWake(pending, 1);
      return true;
    }
  }
  return false;
}

void ThreadPool::work(int thread) {
  FloatMode mode;
  uint32_t seen = epoch.load(std::memory_order_acquire);
  while (!stop.load(std::memory_order_relaxed)) {
    while (takeAndRun(thread)) {}
    for (int i = 0; i < spins && epoch.load(std::memory_order_relaxed) == seen; ++i) _mm_pause();
    if (epoch.load() == seen) {
      sleepers.fetch_add(1);
      if (epoch.load() == seen) futexWait(epoch, seen);
      sleepers.fetch_sub(1);
    }
    seen = epoch.load(std::memory_order_acquire);
  }
}

void ThreadPool::run(int64_t tiles, TileFunction f, void* c) {
  FloatMode mode;
  int64_t n = std::min<int64_t>(threads(), tiles);
  if (n <= 1 || tiles > INT_MAX) {
    if (tiles > 0) f(c, 0, tiles, 0);
    return;
  }
  function = f;
  context = c;
  pending.store(uint32_t(tiles), std::memory_order_relaxed);
  for (int64_t i = 0; i < n; ++i)
    ranges[i].beginEnd.store(pack(uint32_t(tiles * i / n), uint32_t(tiles * (i + 1) / n)), std::memory_order_release);
  epoch.fetch_add(1);
  if (sleepers.load() > 0) futexWake(epoch, int(n) - 1);

  while (takeAndRun(0)) {}
  for (int i = 0; pending.load(std::memory_order_acquire) != 0; ++i) {
    if (i < spins) {
      _mm_pause();
      continue;
    }
    callerSleeps.store(true);
    if (uint32_t left = pending.load(); left != 0) futexWait(pending, left);
    callerSleeps.store(false);
  }
}

}  // namespace heddle
