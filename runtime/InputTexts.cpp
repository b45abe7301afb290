// See InputTexts.h.
#include "runtime/InputTexts.h"

#include "runtime/InputFile.h"
#include "runtime/RunError.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace heddle {
namespace {

std::string readStandardInput() {
  std::string text;
  char piece[1 << 16];
  for (;;) {
    ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw RunError(kData, fmt::format("standard input cannot be read: {}", strerror(errno)));
    if (n == 0) return text;
    text.append(piece, size_t(n));
  }
}

}  // namespace

InputTexts::InputTexts(const UnlabelledInput& input) : lines(!input.text) {
  if (!lines) {
    source = "--text", content = *input.text, starts = {0};
    return;
  }
  bool standard = input.path.empty() || input.path == "-";
  source = standard ? "standard input" : input.path;
  content = standard ? readStandardInput() : InputFile(input.path).readAll();
  size_t at = content.starts_with("\xEF\xBB\xBF") ? 3 : 0;  // a byte order mark
  while (at < content.size()) {
    starts.push_back(at);
    at = std::min(content.find('\n', at), content.size()) + 1;
  }
  if (starts.empty()) throw RunError(kData, fmt::format("{}: holds no text", source), "a text is a line");
}

std::string_view InputTexts::text(size_t i) const {
  std::string_view all = content;
  if (!lines) return all;
  std::string_view line = all.substr(starts[i], all.find('\n', starts[i]) - starts[i]);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string InputTexts::place(size_t i) const { return lines ? fmt::format("{}: line {}", source, i + 1) : source; }

}  // namespace heddle
