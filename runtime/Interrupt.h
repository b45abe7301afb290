// SIGINT and SIGTERM while training: the first asks the loop to finish its step, save and end; the second ends the
// process at once with exit code 130 (what was saved before stays).
#ifndef HEDDLE_RUNTIME_INTERRUPT_H
#define HEDDLE_RUNTIME_INTERRUPT_H
#include <csignal>

namespace heddle {

class Interrupt {
public:
  Interrupt();   // installs the handlers
  ~Interrupt();  // puts the former ones back
  Interrupt(const Interrupt&) = delete;
  static bool requested();

private:
  struct sigaction oldInt, oldTerm;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_INTERRUPT_H
