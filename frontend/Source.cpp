// Loading of source files and the map from byte offsets to lines. Reading is bounded: at most one byte more than
// the limit is ever taken in, so that a device file or an endless pipe is refused instead of filling the memory.
#include "frontend/Source.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>

namespace heddle {

static constexpr uint32_t codePointStep = 256;
static bool beginsCodePoint(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

Source::Source(std::string name, std::string text) : fileName(std::move(name)), contents(std::move(text)) {
  lineStarts.push_back(0);
  uint32_t points = 0;
  for (uint32_t i = 0; i < contents.size(); ++i) {
    if (i % codePointStep == 0)
      codePoints.push_back(points);
    points += beginsCodePoint(contents[i]);
    if (contents[i] == '\n')
      lineStarts.push_back(i + 1);
  }
  codePoints.push_back(points);
}

LineColumn Source::lineColumn(uint32_t offset) const {
  offset = std::min(offset, size());
  auto it = std::upper_bound(lineStarts.begin(), lineStarts.end(), offset);
  uint32_t line = static_cast<uint32_t>(it - lineStarts.begin());
  auto before = [&](uint32_t end) {
    uint32_t points = codePoints[end / codePointStep];
    for (uint32_t i = end - end % codePointStep; i < end; ++i)
      points += beginsCodePoint(contents[i]);
    return points;
  };
  return {line, before(offset) - before(lineStarts[line - 1]) + 1};
}

uint32_t Source::lineStart(uint32_t number) const { return lineStarts.at(number - 1); }

std::string_view Source::line(uint32_t number) const {
  uint32_t begin = lineStart(number);
  uint32_t end = number < lineCount() ? lineStarts[number] - 1 : size();
  if (end > begin && contents[end - 1] == '\r')
    --end;
  return text().substr(begin, end - begin);
}

Span join(Span first, Span last) {
  if (!first.valid())
    return last;
  if (!last.valid() || last.source != first.source)
    return first;
  return {first.source, std::min(first.begin, last.begin), std::max(first.end, last.end)};
}

const Source &SourceManager::add(std::string name, std::string text) {
  sources.push_back(std::make_unique<Source>(std::move(name), std::move(text)));
  return *sources.back();
}

const Source *SourceManager::read(const std::string &path, std::string &error) {
  bool standardInput = path == "-";
  std::error_code ec;
  if (!standardInput && std::filesystem::is_directory(path, ec)) {
    error = fmt::format("`{}` is a directory, not a .heddle file", path);
    return nullptr;
  }
  std::FILE *file = standardInput ? stdin : std::fopen(path.c_str(), "rb");
  if (!file) {
    error = errno == ENOENT ? fmt::format("there is no file `{}`", path)
                            : fmt::format("cannot open `{}`: {}", path, std::strerror(errno));
    return nullptr;
  }
  std::string text(Source::maxBytes + 1, '\0');
  size_t got = std::fread(text.data(), 1, text.size(), file);
  bool failed = std::ferror(file);
  int reason = errno;
  if (!standardInput)
    std::fclose(file);
  if (failed) {
    error = fmt::format("cannot read `{}`: {}", path, std::strerror(reason));
    return nullptr;
  }
  if (got > Source::maxBytes) {
    error = fmt::format("`{}` is larger than {} bytes, the limit for a source file", path, Source::maxBytes);
    return nullptr;
  }
  text.resize(got);
  return &add(standardInput ? "<stdin>" : path, std::move(text));
}

const Source *SourceManager::find(std::string_view name) const {
  for (const auto &source : sources)
    if (source->name() == name)
      return source.get();
  for (const auto &source : sources)
    if (source->name().ends_with("/" + std::string(name)))
      return source.get();
  return nullptr;
}

} // namespace heddle
