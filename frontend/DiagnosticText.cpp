// Diagnostics as people read them:
//
//   error[H0203]: `@` cannot sum over `S`: `v` has no such dim
//     --> gpt2.heddle:18:18
//      |
//   14 |   v = (x @ wv)
//      |   - `v` is f32[B, T, H, K]
//   18 |   return (p @[S] v) @[H,K] wo
//      |           -      ^ `p` is f32[B, T, H, S]
//      = note: S and T have the same size but are different axes
//      = help: rename it where it is made:  v = (x @ wv)[T -> S]
//
// The primary place is marked `^`, the others `-`. A line whose marks have one text between them shows it after
// the last mark; where there are several, the rightmost stands there and the others hang below on `|`.
// Lines are laid out in columns of a terminal, not bytes: a tab counts as four columns, wide characters as two,
// combining ones as none; control characters are replaced, so that a file cannot steer the terminal.
#include "frontend/Diagnostics.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace heddle {
namespace {

struct Style {
  bool on;
  std::string paint(const char *escape, std::string_view text) const {
    return on && !text.empty() ? fmt::format("\x1b[{}m{}\x1b[0m", escape, text) : std::string(text);
  }
  std::string gutter(std::string_view text) const { return paint("1;34", text); }
  std::string bold(std::string_view text) const { return paint("1", text); }
  const char *of(Severity severity) const {
    return severity == Severity::Error ? "1;31" : severity == Severity::Warning ? "1;33" : "1;36";
  }
};

constexpr size_t tabWidth = 4;
// Of a longer line only a window is shown, from a little before its first mark: a generated line of 1 MB must not
// flood the screen.
constexpr size_t longestLine = 160, beforeMark = 40;

/// Columns that a code point takes, from the blocks of Unicode's East Asian Width that matter in practice.
size_t columnsOf(uint32_t c) {
  if ((c >= 0x300 && c <= 0x36F) || (c >= 0x200B && c <= 0x200D) || (c >= 0xFE00 && c <= 0xFE0F))
    return 0;
  bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
              (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
              (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
  return wide ? 2 : 1;
}

/// A source line made printable, with the column at which each byte of the original starts.
struct Layout {
  std::string text;
  std::vector<size_t> columnAt; // one more than the bytes: the end of the line
};

/// Lays out a line of which `firstMark` (a byte) must be seen.
Layout layOut(std::string_view line, size_t firstMark) {
  Layout out;
  size_t from = line.size() <= longestLine || firstMark < longestLine - beforeMark ? 0 : firstMark - beforeMark;
  while (from > 0 && (static_cast<unsigned char>(line[from]) & 0xC0) == 0x80)
    --from;
  if (from > 0)
    out.text = "... ";
  size_t column = out.text.size();
  out.columnAt.assign(from, 0);
  for (size_t i = from; i < line.size();) {
    unsigned char lead = line[i];
    size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    bool cut = length > line.size() - i;
    if (cut)
      length = 1;
    uint32_t point = length == 1 ? lead : lead & (0x3F >> (length - 1));
    bool valid = lead < 0x80 || (lead >= 0xC0 && !cut);
    for (size_t k = 1; k < length; ++k) {
      valid = valid && (static_cast<unsigned char>(line[i + k]) & 0xC0) == 0x80;
      point = point << 6 | (line[i + k] & 0x3F);
    }
    if (!valid)
      length = 1;
    for (size_t k = 0; k < length; ++k)
      out.columnAt.push_back(column);
    bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
    bool steers = (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
    size_t width = 1;
    if (point == '\t') {
      width = tabWidth;
      out.text.append(tabWidth, ' ');
    } else if (!valid || control || steers) {
      out.text += "\uFFFD";
    } else {
      width = columnsOf(point);
      out.text += line.substr(i, length);
    }
    column += width;
    i += length;
    if (column > longestLine && i < line.size()) {
      out.text += " ...";
      while (out.columnAt.size() < line.size())
        out.columnAt.push_back(column);
      break;
    }
  }
  out.columnAt.push_back(column);
  return out;
}

/// One underlined stretch of one line: bytes of the line, then columns.
struct Mark {
  size_t begin, end;
  bool primary;
  std::string text;
  size_t column = 0, width = 1;
};

using Lines = std::map<uint32_t, std::vector<Mark>>;

void addMark(Lines &lines, const Label &label, bool primary) {
  uint32_t number = label.span.start().line;
  size_t start = label.span.source->lineStart(number), size = label.span.source->line(number).size();
  size_t begin = std::min(label.span.begin - start, size);
  size_t end = std::clamp(label.span.end - start, begin, size);
  lines[number].push_back({begin, end, primary, label.text});
}

/// Lays out a line so that its marks are seen, and gives them their columns.
Layout placeMarks(std::string_view line, std::vector<Mark> &marks) {
  size_t first = line.size();
  for (const Mark &mark : marks)
    first = std::min(first, mark.begin);
  Layout layout = layOut(line, first);
  for (Mark &mark : marks) {
    mark.column = layout.columnAt[mark.begin];
    mark.width = std::max<size_t>(1, layout.columnAt[mark.end] - mark.column);
  }
  return layout;
}

/// The rows of marks under one line.
std::vector<std::string> markRows(std::vector<Mark> marks, const Style &style, Severity severity) {
  std::stable_sort(marks.begin(), marks.end(), [](const Mark &a, const Mark &b) { return a.column < b.column; });
  auto paint = [&](const Mark &mark, std::string_view text) {
    return style.paint(mark.primary ? style.of(severity) : "1;34", text);
  };
  std::vector<const Mark *> hanging; // texts that do not fit on the first row, from the left
  const Mark *inRow = nullptr;
  for (const Mark &mark : marks)
    if (!mark.text.empty()) {
      if (inRow)
        hanging.push_back(inRow);
      inRow = &mark;
    }

  size_t columns = 0;
  for (const Mark &mark : marks)
    columns = std::max(columns, mark.column + mark.width);
  std::vector<const Mark *> owner(columns, nullptr);
  for (const Mark &mark : marks)
    for (size_t c = mark.column; c < mark.column + mark.width; ++c)
      if (!owner[c] || mark.primary)
        owner[c] = &mark;
  std::string row;
  for (const Mark *mark : owner)
    row += mark ? paint(*mark, mark->primary ? "^" : "-") : " ";
  if (inRow)
    row.append(1, ' ').append(paint(*inRow, inRow->text));
  std::vector<std::string> rows{row};

  for (size_t n = hanging.size(); n-- > 0;) {
    std::string stem;
    size_t at = 0;
    for (size_t k = 0; k <= n; ++k) {
      if (hanging[k]->column < at)
        continue;
      stem += std::string(hanging[k]->column - at, ' ');
      stem += k == n ? paint(*hanging[k], hanging[k]->text) : paint(*hanging[k], "|");
      at = hanging[k]->column + 1;
    }
    rows.push_back(stem);
  }
  return rows;
}

std::string place(const Span &span) {
  LineColumn at = span.start();
  std::string name = span.source->name();
  for (char &c : name)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      c = '?'; // a file may be called anything
  return fmt::format("{}:{}:{}", name, at.line, at.column);
}

} // namespace

std::string renderText(const Diagnostic &diagnostic, bool colour) {
  Style style{colour};
  const char *word = diagnostic.severity == Severity::Error     ? "error"
                     : diagnostic.severity == Severity::Warning ? "warning"
                                                                : "remark";
  std::string out =
      style.paint(style.of(diagnostic.severity), fmt::format("{}[{}]", word, info(diagnostic.code).name)) +
      style.bold(": " + diagnostic.message) + "\n";

  // The primary's file comes first, the others in the order of their labels.
  std::vector<const Source *> sources;
  std::map<const Source *, Lines> marked;
  std::map<const Source *, Span> first;
  auto add = [&](const Label &label, bool primary) {
    if (!label.span.valid())
      return;
    if (!marked.count(label.span.source)) {
      sources.push_back(label.span.source);
      first[label.span.source] = label.span;
    }
    addMark(marked[label.span.source], label, primary);
  };
  add(diagnostic.primary, true);
  for (const Label &label : diagnostic.labels)
    add(label, false);

  size_t digits = 1;
  for (auto &[source, lines] : marked)
    digits = std::max(digits, std::to_string(lines.rbegin()->first).size());
  std::string blank(digits, ' ');
  for (size_t i = 0; i < sources.size(); ++i) {
    out += blank + style.gutter(i == 0 ? "--> " : "::: ") + place(first[sources[i]]) + "\n";
    out += blank + style.gutter(" |") + "\n";
    for (auto &[number, marks] : marked[sources[i]]) {
      out += style.gutter(fmt::format("{:>{}} |", number, digits)) + " " +
             placeMarks(sources[i]->line(number), marks).text + "\n";
      for (const std::string &row : markRows(marks, style, diagnostic.severity))
        out += blank + style.gutter(" |") + " " + row + "\n";
    }
  }
  for (const std::string &text : diagnostic.notes)
    out += blank + style.gutter(" =") + style.bold(" note: ") + text + "\n";
  for (const std::string &text : diagnostic.helps)
    out += blank + style.gutter(" =") + style.bold(" help: ") + text + "\n";
  return out;
}

std::string renderText(const Diagnostics &diagnostics, bool colour) {
  std::string out;
  for (const Diagnostic *diagnostic : diagnostics.shown())
    out += renderText(*diagnostic, colour) + "\n";
  Style style{colour};
  if (diagnostics.omitted())
    out += fmt::format("and {} more {}, not shown\n", diagnostics.omitted(),
                       diagnostics.omitted() == 1 ? "error" : "errors");
  if (size_t n = diagnostics.errorCount())
    out += style.paint("1;31", "error") + fmt::format(": {} {} found\n", n, n == 1 ? "error" : "errors");
  return out;
}

} // namespace heddle
