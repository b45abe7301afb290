// What this machine can do at most, measured beside what a program does: clocks of shared machines drift by a third.
#ifndef HEDDLE_RUNTIME_ROOFS_H
#define HEDDLE_RUNTIME_ROOFS_H
#include "runtime/Arena.h"
#include "runtime/ThreadPool.h"

#include <string>

namespace heddle {

struct Roofs {
  double flops = 0;  // fp32 multiplications and additions a second
  double bytes = 0;  // a second, to and from main memory
};

class RoofMeter {
public:
  /// For all threads of the pool and the instructions of a target class, which this machine must be able to run. Takes
  /// memory far larger than caches: `kBytes` in all.
  RoofMeter(ThreadPool& pool, const std::string& targetClass);

  /// The best of several attempts: fused multiply-adds on registers alone, in chains enough to hide their latency
  /// (multiplications and additions where a class has no fused ones); and x[i] = y[i] + s z[i] with stores that pass by
  /// the caches (McCalpin's STREAM triad), 12 bytes an element. Some 0.2 s.
  Roofs measure();

  static constexpr int64_t kBytes = int64_t(384) << 20;

private:
  float* piece(int array, int64_t number) const;

  ThreadPool& pool;
  int width;  // vector registers' bytes
  Arena memory;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_ROOFS_H
