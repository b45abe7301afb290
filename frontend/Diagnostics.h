// The one place that user errors go through: collected while the frontend works, then printed as text or as JSON.
//
// Use:  diagnostics.error(Code::H0203, span, "`@` cannot sum over `S`: `v` has no such dim")
//           .here("`v` is f32[B, T, H, K]")            // text at the caret
//           .label(other, "`p` is f32[B, T, H, S]")    // another place that took part
//           .note("S and T have the same size but are different axes")
//           .help("rename it where it is made:  v = (x @ wv)[T -> S]");
// The code must stand in ErrorCodes.def (it is an enumerator, so the compiler checks). The message says what is
// wrong in plain English without a full stop; the help says what to write instead.
//
// Cascades: an error whose primary span already bears an error is dropped, as is everything after `limit` errors
// (the count goes on). The phases keep their own: the parser recovers at statements, and the checker gives a
// failed expression an "unknown" type that silences what depends on it.
#pragma once

#include "frontend/Source.h"

#include <cstdio>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

/// The stable codes: one enumerator per row of ErrorCodes.def.
enum class Code : uint16_t {
#define HEDDLE_ERROR(code, title, explanation) code,
#include "frontend/ErrorCodes.def"
#undef HEDDLE_ERROR
};

/// A row of the catalogue. The explanation is what `heddle explain CODE` prints.
struct CodeInfo {
  Code code;
  const char *name; // "H0203"
  const char *title;
  const char *explanation;
};
const CodeInfo &info(Code code);
/// The row of a code by its name, in either case; null if there is none.
const CodeInfo *findCode(std::string_view name);
/// All rows, in the order of the table.
const std::vector<CodeInfo> &allCodes();

enum class Severity { Error, Warning, Remark };

/// A place with its text; the text may be empty (the place is only underlined).
struct Label {
  Span span;
  std::string text;
};

struct Diagnostic {
  Severity severity = Severity::Error;
  Code code{};
  std::string message;
  Label primary;
  std::vector<Label> labels;
  std::vector<std::string> notes;
  std::vector<std::string> helps;

  Diagnostic &here(std::string text) { return primary.text = std::move(text), *this; }
  Diagnostic &label(Span span, std::string text) { return labels.push_back({span, std::move(text)}), *this; }
  Diagnostic &note(std::string text) { return notes.push_back(std::move(text)), *this; }
  Diagnostic &help(std::string text) { return helps.push_back(std::move(text)), *this; }
};

class Diagnostics {
public:
  /// Errors kept before the rest are only counted.
  static constexpr size_t defaultLimit = 50;

  explicit Diagnostics(size_t limit = defaultLimit) : limit(limit) {}

  /// Records and returns the diagnostic, for its labels, notes and help to be added. A dropped one (see above) is
  /// returned too, but never printed. The reference is for the statement that calls this, not for keeping.
  Diagnostic &error(Code code, Span primary, std::string message);
  Diagnostic &warning(Code code, Span primary, std::string message);

  /// Errors found, with those beyond the limit and without the cascades.
  size_t errorCount() const { return errors; }
  bool hasErrors() const { return errors > 0; }
  /// What is to be shown, sorted by source and place.
  std::vector<const Diagnostic *> shown() const;
  /// Errors found beyond the limit.
  size_t omitted() const { return beyondLimit; }

private:
  Diagnostic &record(Severity severity, Code code, Span primary, std::string message);

  size_t limit;
  size_t errors = 0, beyondLimit = 0;
  std::deque<Diagnostic> kept;
  std::deque<Diagnostic> dropped;
  std::vector<const Source *> sourceOrder;
};

/// The form for people: header, place, source lines in a gutter with carets, notes, help. See docs/language.md.
/// `colour` adds ANSI escapes. Control characters of the source are never sent to the terminal.
std::string renderText(const Diagnostic &diagnostic, bool colour);
/// All of them, each followed by an empty line, then the count.
std::string renderText(const Diagnostics &diagnostics, bool colour);
/// The form for programs, one JSON object: {"diagnostics": [...], "errors": n, "warnings": n}. Each has severity,
/// code, title, message, notes, help, and spans: objects of file, line, column, end_line, end_column, byte,
/// end_byte, primary, text.
std::string renderJson(const Diagnostics &diagnostics);

/// True if the stream is a terminal and NO_COLOR is unset or empty.
bool wantsColour(std::FILE *stream);

} // namespace heddle
