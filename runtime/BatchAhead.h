// The batch of the next step is made while a step runs, on a thread of its own: reading and decoding files then costs
// training no time. A batch is a function of its step alone, so it is the same whether it was made ahead or not.
#ifndef HEDDLE_RUNTIME_BATCHAHEAD_H
#define HEDDLE_RUNTIME_BATCHAHEAD_H
#include <pthread.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>

namespace heddle {

class BatchAhead {
public:
  /// `make` makes the batch of a step, in the one place there is for it; it may throw. Starts the thread, which takes no
  /// signals but those of its own faults. Throws RunError(kData) when the system gives none.
  explicit BatchAhead(std::function<void(int64_t step)> make);
  ~BatchAhead();
  BatchAhead(const BatchAhead&) = delete;

  /// Begins to make the batch of `step`. What the last call of get() gave must not be needed any more.
  void begin(int64_t step);

  /// Returns when the batch of `step` is there; makes it at once if another one was begun, or none. Throws what `make` threw
  /// for this step.
  void get(int64_t step);

  /// Returns when the thread does nothing, until the next begin(): what `make` uses is free.
  void rest();

private:
  void work();

  const std::function<void(int64_t)> make;
  pthread_t thread;
  std::mutex mutex;
  std::condition_variable changed;
  bool busy = false, stop = false;  // busy: the thread makes, or is to make, the batch of `made`
  int64_t made = -1;                // the step whose batch is there, or failed; -1: none
  std::exception_ptr failure;       // of that step
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_BATCHAHEAD_H
