// The handler only sets a flag; _exit is one of the few calls that a handler may make.
#include "runtime/Interrupt.h"

#include "runtime/RunError.h"

#include <unistd.h>

#include <atomic>

namespace heddle {
namespace {

// Two signals may be delivered at once, to two threads.
std::atomic<bool> received = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // else a handler may not touch it

void onSignal(int) {
  if (received.exchange(true)) _exit(kInterrupted);
}

}  // namespace

Interrupt::Interrupt() {
  received = false;
  struct sigaction action = {};
  action.sa_handler = onSignal;
  action.sa_flags = SA_RESTART;
  for (int i = 0; i < 3; ++i) {
    sigaction(kSignals[i], nullptr, &old[i]);
    if (old[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

Interrupt::~Interrupt() {
  for (int i = 0; i < 3; ++i) sigaction(kSignals[i], &old[i], nullptr);
}

bool Interrupt::requested() { return received; }

}  // namespace heddle
