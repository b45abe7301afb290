// A carriage return and spaces redraw the line, so that no terminal needs more than that; the loss is bold unless
// NO_COLOR is set (https://no-color.org) or the terminal is dumb.
#include "runtime/Progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace heddle {
namespace {

std::string duration(double seconds) {
  auto s = int64_t(std::min(seconds, 3.6e6) + 0.5);
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string quantity(double n) {
  if (n >= 1e6) return fmt::format("{:.2f}M", n / 1e6);
  return n >= 1e4 ? fmt::format("{:.1f}k", n / 1e3) : fmt::format("{:.0f}", n);
}

}  // namespace

Progress::Progress(int64_t first, int64_t last, int64_t tokensPerStep)
    : first(first), last(last), tokensPerStep(tokensPerStep), start(Clock::now()), stepStart(start), now(start),
      lastDrawn() {
  const char *noColour = getenv("NO_COLOR"), *term = getenv("TERM");
  bool dumb = !term || std::string_view(term) == "dumb";
  terminal = isatty(STDERR_FILENO) && !dumb;
  colour = terminal && !(noColour && *noColour);
}

Progress::~Progress() {
  if (shown) fputs("\n", stderr);
}

std::string Progress::line(int64_t step, float loss) const {
  double seconds = std::chrono::duration<double>(now - start).count();
  double perStep = seconds / double(std::max<int64_t>(1, step - first + 1));
  int width = int(fmt::formatted_size("{}", last));
  std::string text = fmt::format("step {:{}}/{}  loss {:.4f}", step, width, last, loss);
  double tokens = double(tokensPerStep * (step - first + 1));
  if (tokensPerStep) text += fmt::format("  {} tokens/s", quantity(tokens / stepSeconds));
  if (step < last) return text + fmt::format("  ETA {}", duration(perStep * double(last - step)));
  return text + fmt::format("  in {}", duration(seconds));
}

void Progress::update(int64_t step, float loss) {
  now = Clock::now();
  double seconds = std::max(1e-9, std::chrono::duration<double>(now - stepStart).count());
  stepSeconds += seconds;
  rate = double(tokensPerStep) / seconds;
  if (!terminal) {
    int64_t every = std::max<int64_t>(1, last / 20);
    if (step == first || step == last || step % every == 0) fputs((line(step, loss) + "\n").c_str(), stderr);
    return;
  }
  if (step != last && now - lastDrawn < std::chrono::milliseconds(100)) return;
  lastDrawn = now;
  std::string text = line(step, loss);
  std::string padding(shown > text.size() ? shown - text.size() : 0, ' ');
  shown = text.size();
  if (colour) {
    size_t at = text.find("loss ") + 5, end = std::min(text.find("  ", at), text.size());
    text = text.substr(0, at) + "\x1b[1m" + text.substr(at, end - at) + "\x1b[0m" + text.substr(end);
  }
  fputs(fmt::format("\r{}{}", text, padding).c_str(), stderr);
  fflush(stderr);
}

void Progress::message(const std::string& text) {
  if (shown) {
    fputs(fmt::format("\r{:{}}\r", "", shown).c_str(), stderr);
    shown = 0;
  }
  fputs((text + "\n").c_str(), stderr);
}

}  // namespace heddle
