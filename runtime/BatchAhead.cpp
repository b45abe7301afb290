// See BatchAhead.h.
#include "runtime/BatchAhead.h"

#include "runtime/RunError.h"
#include "runtime/StartThread.h"

#include <fmt/format.h>

#include <csignal>
#include <cstring>
#include <utility>

namespace heddle {

BatchAhead::BatchAhead(std::function<void(int64_t step)> make) : make(std::move(make)) {
  // Signals are the main thread's: a step is to end because of them, and no read of a file. Those of faults are of the thread
  // that made one: a blocked one would end the process without a word.
  sigset_t others, before;
  sigfillset(&others);
  for (int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&others, fault);
  pthread_sigmask(SIG_SETMASK, &others, &before);
  auto run = [](void* self) -> void* { return static_cast<BatchAhead*>(self)->work(), nullptr; };
  int error = startThread(thread, run, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error) throw RunError(kData, fmt::format("cannot start the thread that makes batches: {}", strerror(error)));
}

BatchAhead::~BatchAhead() {
  {
    std::lock_guard lock(mutex);
    stop = true;
  }
  changed.notify_all();
  pthread_join(thread, nullptr);
}

void BatchAhead::work() {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return busy || stop; });
    if (stop) return;
    lock.unlock();
    std::exception_ptr thrown;
    try {
      make(made);
    } catch (...) {
      thrown = std::current_exception();
    }
    lock.lock();
    failure = std::move(thrown);
    busy = false;
    changed.notify_all();
  }
}

void BatchAhead::begin(int64_t step) {
  rest();
  {
    std::lock_guard lock(mutex);
    made = step, busy = true;
  }
  changed.notify_all();
}

void BatchAhead::rest() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return !busy; });
}

void BatchAhead::get(int64_t step) {
  rest();
  if (made != step) {
    made = -1;  // should it throw
    make(step);
    made = step, failure = nullptr;
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace heddle
