// A stack for the handlers of signals of one thread.
#pragma once
#include <csignal>

namespace heddle {

/// As long as it lives, handlers that ask for it (SA_ONSTACK) run on it in the thread that made it: a thread whose own stack
/// is full would otherwise end the process without a word. It stands in the frame of the thread's first function.
class SignalStack {
 public:
  SignalStack() {
    stack_t stack{};
    stack.ss_sp = room;
    stack.ss_size = sizeof room;
    sigaltstack(&stack, nullptr);
  }
  ~SignalStack() {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
  }
  SignalStack(const SignalStack &) = delete;
  SignalStack &operator=(const SignalStack &) = delete;

 private:
  alignas(16) char room[64 * 1024];
};

}  // namespace heddle
