// SIGINT, SIGTERM and SIGHUP while training: the first asks the loop to finish its step, save and end; the second ends
// the process at once with exit code 130 (what was saved before stays).
#ifndef HEDDLE_RUNTIME_INTERRUPT_H
#define HEDDLE_RUNTIME_INTERRUPT_H
#include <csignal>

namespace heddle {

class Interrupt {
public:
  Interrupt();   // installs the handlers, but for signals that are ignored (`nohup`, jobs of scripts): they stay so
  ~Interrupt();  // puts the former ones back
  Interrupt(const Interrupt&) = delete;
  static bool requested();

private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction old[3];
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_INTERRUPT_H
