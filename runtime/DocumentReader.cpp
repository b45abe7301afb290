// See DocumentReader.h.
#include "runtime/DocumentReader.h"

#include "runtime/RunError.h"

#include <fmt/format.h>

#include <algorithm>

namespace heddle {
namespace {
constexpr size_t kPiece = size_t(1) << 18;  // bytes read at a time
bool isBreak(char c) { return c == '\n' || c == '\r'; }
}  // namespace

DocumentReader::DocumentReader(const std::string& path, std::string separator) : file(path), separator(std::move(separator)) {
  if (file.size() == 0) throw RunError(kData, fmt::format("{}: is empty", path));
}

bool DocumentReader::more() {
  size_t n = size_t(std::min<uint64_t>(kPiece, file.size() - read)), held = buffer.size();
  if (n == 0) return false;
  buffer.resize(held + n);
  file.read(read, buffer.data() + held, n);
  state.add({buffer.data() + held, n});
  read += n;
  return true;
}

bool DocumentReader::next() {
  while (true) {
    if (at >= kPiece) {
      buffer.erase(0, at);
      dropped += at, at = 0;
    }
    if (at == buffer.size() && !more()) return false;
    size_t end, search = at;
    while ((end = buffer.find(separator, search)) == std::string::npos) {
      search = std::max(at, buffer.size() - std::min(buffer.size(), separator.size() - 1));
      if (more()) continue;
      end = buffer.size();
      break;
    }
    size_t last = end;
    from = at, at = std::min(buffer.size(), end + separator.size());
    while (from < last && isBreak(buffer[from])) from += 1;
    while (from < last && isBreak(buffer[last - 1])) last -= 1;
    length = last - from;
    if (length) return true;
  }
}

std::string DocumentReader::place() const { return fmt::format("{}: the document at byte {}", file.path(), dropped + from); }

}  // namespace heddle
