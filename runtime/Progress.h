// The progress of training, on stderr: one line that is redrawn on a terminal, plain lines elsewhere. Lines are written
// from buffers on the stack: once training runs, progress takes no memory.
#ifndef HEDDLE_RUNTIME_PROGRESS_H
#define HEDDLE_RUNTIME_PROGRESS_H
#include <chrono>
#include <cstdint>
#include <string_view>

namespace heddle {

class Progress {
public:
  /// Steps [first, last] will follow.
  Progress(int64_t first, int64_t last);
  ~Progress();

  /// The next step begins now.
  void begin() { stepStart = Clock::now(); }
  /// Step `step`, of a batch of `tokens` (0 if it has none), is done. On a terminal the line is redrawn ten times a second; elsewhere some twenty lines are
  /// written over the whole run, the first and the last step among them.
  void update(int64_t step, float loss, int64_t tokens);
  /// A message on a line of its own.
  void message(std::string_view text);
  /// Tokens per second of the last step alone.
  double tokensPerSecond() const { return rate; }

private:
  struct Line;
  void write(Line& line, int64_t step, float loss) const;

  using Clock = std::chrono::steady_clock;
  int64_t first, last, tokens = 0;  // tokens: of all steps
  bool terminal, colour;
  size_t shown = 0;  // columns of the line that stands on the terminal
  double rate = 0;
  double stepSeconds = 0;  // in steps alone: speed leaves evaluation and saving out, the estimate of the end does not
  Clock::time_point start, stepStart, now, lastDrawn;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_PROGRESS_H
