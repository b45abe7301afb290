// The handler only counts; _exit is one of the few calls that a handler may make.
#include "runtime/Interrupt.h"

#include "runtime/RunError.h"

#include <unistd.h>

namespace heddle {
namespace {

volatile sig_atomic_t received = 0;

void onSignal(int) {
  if (received) _exit(kInterrupted);
  received = 1;
}

}  // namespace

Interrupt::Interrupt() {
  received = 0;
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

bool Interrupt::requested() { return received != 0; }

}  // namespace heddle
