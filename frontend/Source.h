// Source text: the buffers of one run, and spans into them.
//
// A `Source` is one file held in memory, never changed, with the offsets of its lines. A `Span` is a half-open
// byte range of one source and is what every token, AST node and diagnostic carries. Positions are byte offsets
// because that is what the lexer has; lines and columns are worked out only when something is printed.
// Sources are owned by a `SourceManager` and keep their addresses, so a span is a pointer and two offsets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

/// A line and a column, both from 1. Columns count Unicode code points.
struct LineColumn {
  uint32_t line = 1;
  uint32_t column = 1;
};

class Source {
public:
  /// The largest file accepted, in bytes: far beyond any model text, small enough that spans fit 32 bits and
  /// that a hostile file costs nothing.
  static constexpr size_t maxBytes = 1 << 20;

  /// `name` is what diagnostics print: the path as the user gave it, or `<stdin>`.
  Source(std::string name, std::string text);

  const std::string &name() const { return fileName; }
  std::string_view text() const { return contents; }
  uint32_t size() const { return static_cast<uint32_t>(contents.size()); }

  /// The line and column of a byte offset; an offset past the end gives the place after the last byte.
  LineColumn lineColumn(uint32_t offset) const;
  /// The text of a line (from 1) without its line break.
  std::string_view line(uint32_t number) const;
  /// The offset of the first byte of a line (from 1).
  uint32_t lineStart(uint32_t number) const;
  uint32_t lineCount() const { return static_cast<uint32_t>(lineStarts.size()); }

private:
  std::string fileName;
  std::string contents;
  std::vector<uint32_t> lineStarts;
  std::vector<uint32_t> codePoints; // before every 256th byte: a column is found without counting a long line
};

/// A half-open range [begin, end) of bytes of one source. A default span is "nowhere" and is never rendered.
struct Span {
  const Source *source = nullptr;
  uint32_t begin = 0;
  uint32_t end = 0;

  bool valid() const { return source != nullptr; }
  std::string_view text() const { return source->text().substr(begin, end - begin); }
  LineColumn start() const { return source->lineColumn(begin); }
  LineColumn finish() const { return source->lineColumn(end); }
  /// The empty span right after this one: where something is missing.
  Span after() const { return {source, end, end}; }
  bool operator==(const Span &) const = default;
};

/// The smallest span that holds both; they must be of one source. An invalid span is ignored.
Span join(Span first, Span last);

/// Owns the sources of a run.
class SourceManager {
public:
  /// Adds text under a name and returns it; the address stays valid for the manager's life.
  const Source &add(std::string name, std::string text);

  /// Reads a file (`-` is standard input). On failure returns null and sets `error` to a sentence that names the
  /// file and says what is wrong: not there, a directory, not readable, larger than Source::maxBytes.
  const Source *read(const std::string &path, std::string &error);

  /// The source of that name, or of that file name in any folder, or null.
  const Source *find(std::string_view name) const;

private:
  std::vector<std::unique_ptr<Source>> sources;
};

} // namespace heddle
