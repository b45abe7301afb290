// A carriage return and spaces redraw the line, so that no terminal needs more than that; the loss is bold unless
// NO_COLOR is set (https://no-color.org) or the terminal is dumb.
#include "runtime/Progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace heddle {

// Text of up to 500 bytes, which fmt keeps on the stack (progress lines are much shorter), and where the loss stands.
struct Progress::Line {
  fmt::memory_buffer text;
  size_t lossBegin = 0, lossEnd = 0;

  template <typename... Args> void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(fmt::appender(text), format, std::forward<Args>(args)...);
  }
  void put() { fwrite(text.data(), 1, text.size(), stderr); }
};

namespace {

template <typename Line> void addDuration(Line& line, double seconds) {
  auto s = int64_t(std::min(seconds, 3.6e6) + 0.5);
  if (s >= 3600) line.add("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  else line.add("{}:{:02}", s / 60, s % 60);
}

template <typename Line> void addQuantity(Line& line, double n) {
  if (n >= 1e6) line.add("{:.2f}M", n / 1e6);
  else if (n >= 1e4) line.add("{:.1f}k", n / 1e3);
  else line.add("{:.0f}", n);
}

}  // namespace

Progress::Progress(int64_t first, int64_t last)
    : first(first), last(last), start(Clock::now()), stepStart(start), now(start), lastDrawn() {
  const char *noColour = getenv("NO_COLOR"), *term = getenv("TERM");
  bool dumb = !term || std::string_view(term) == "dumb";
  terminal = isatty(STDERR_FILENO) && !dumb;
  colour = terminal && !(noColour && *noColour);
}

Progress::~Progress() {
  if (shown) fputs("\n", stderr);
}

void Progress::write(Line& line, int64_t step, float loss) const {
  double seconds = std::chrono::duration<double>(now - start).count();
  double perStep = seconds / double(std::max<int64_t>(1, step - first + 1));
  int width = int(fmt::formatted_size("{}", last));
  line.add("step {:{}}/{}  loss ", step, width, last);
  line.lossBegin = line.text.size();
  line.add("{:.4f}", loss);
  line.lossEnd = line.text.size();
  if (tokens) {
    line.add("  ");
    addQuantity(line, double(tokens) / stepSeconds);
    line.add(" tokens/s");
  }
  line.add("  {} ", step < last ? "ETA" : "in");
  addDuration(line, step < last ? perStep * double(last - step) : seconds);
}

void Progress::update(int64_t step, float loss, int64_t batch) {
  now = Clock::now();
  double seconds = std::max(1e-9, std::chrono::duration<double>(now - stepStart).count());
  stepSeconds += seconds;
  tokens += batch;
  rate = double(batch) / seconds;
  Line line;
  if (!terminal) {
    int64_t every = std::max<int64_t>(1, last / 20);
    if (step != first && step != last && step % every != 0) return;
    write(line, step, loss);
    line.add("\n");
    return line.put();
  }
  if (step != last && now - lastDrawn < std::chrono::milliseconds(100)) return;
  lastDrawn = now;
  write(line, step, loss);
  std::string_view text(line.text.data(), line.text.size()), lossText = text.substr(line.lossBegin, line.lossEnd - line.lossBegin);
  Line drawn;
  drawn.add("\r{}{}{}{}{}", text.substr(0, line.lossBegin), colour ? "\x1b[1m" : "", lossText, colour ? "\x1b[0m" : "",
            text.substr(line.lossEnd));
  drawn.add("{:{}}", "", shown > text.size() ? shown - text.size() : 0);
  shown = text.size();
  drawn.put();
  fflush(stderr);
}

void Progress::message(std::string_view text) {
  Line line;
  if (shown) line.add("\r{:{}}\r", "", shown);
  shown = 0;
  line.add("{}\n", text);
  line.put();
}

}  // namespace heddle
