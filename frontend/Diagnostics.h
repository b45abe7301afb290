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
// failed expression an "unknown" type that silences what depends on it; a name that is missing is reported where it is
// first used (firstTime). tests/frontend/mistakes measures how many errors one mistake gives.
#pragma once

#include "frontend/Source.h"

#include <cstdio>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

/// The stable codes: one enumerator per row of ErrorCodes.def.
enum class Code : uint16_t {
#define HEDDLE_ERROR(code, title) code,
#include "frontend/ErrorCodes.def"
#undef HEDDLE_ERROR
};

/// A row of the catalogue. The page is frontend/errors/CODE.md, which `heddle explain CODE` prints.
struct CodeInfo {
  Code code;
  const char *name; // "H0203"
  const char *title;
  const char *page;
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

/// What would mend the error if it stood in a place of the text: for editors, which offer it as a fix.
struct Replacement {
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
  std::vector<Replacement> replacements;
  std::vector<std::string> names; // what the message lists, where one error stands for several things

  Diagnostic &here(std::string text) { return primary.text = std::move(text), *this; }
  Diagnostic &label(Span span, std::string text) { return labels.push_back({span, std::move(text)}), *this; }
  Diagnostic &note(std::string text) { return notes.push_back(std::move(text)), *this; }
  Diagnostic &help(std::string text) { return helps.push_back(std::move(text)), *this; }
  /// A fix that can be applied as it stands; the help says it for people.
  Diagnostic &replace(Span span, std::string text) { return replacements.push_back({span, std::move(text)}), *this; }
};

class Diagnostics {
public:
  /// Errors kept before the rest are only counted.
  static constexpr size_t defaultLimit = 50;

  explicit Diagnostics(size_t limit = defaultLimit) : limit(limit) {}

  /// Records and returns the diagnostic, for its labels, notes and help to be added. A dropped one (see above) is
  /// returned too, but never printed. The reference is for the statement that calls this; share() keeps one.
  Diagnostic &error(Code code, Span primary, std::string message);
  Diagnostic &warning(Code code, Span primary, std::string message);

  /// True the first time that it is asked for a key: for what one mistake makes wrong in many places.
  bool firstTime(const std::string &key) { return seen.insert(key).second; }
  /// Keeps the latest error under a key, for a later place of the same mistake to be added to it; one that was dropped
  /// is not kept.
  void share(const std::string &key, Diagnostic &latest) {
    if (!kept.empty() && &latest == &kept.back())
      sharedErrors[key] = &latest;
  }
  /// The error that is kept under a key; null if there is none.
  Diagnostic *shared(const std::string &key) const {
    auto it = sharedErrors.find(key);
    return it == sharedErrors.end() ? nullptr : it->second;
  }

  /// Records a diagnostic that another collection has.
  void add(const Diagnostic &other);

  /// Errors found, with those beyond the limit and without the cascades.
  size_t errorCount() const { return errors; }
  bool hasErrors() const { return errors > 0; }
  /// True if a further error will only be counted: then a suggestion need not be searched for.
  bool full() const { return errors >= limit; }
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
  std::set<std::string> seen;
  std::map<std::string, Diagnostic *> sharedErrors;
  std::vector<const Source *> sourceOrder;
};

/// The form for people: header, place, source lines in a gutter with carets, notes, help. See docs/language.md.
/// `colour` adds ANSI escapes. Control characters of the source are never sent to the terminal.
std::string renderText(const Diagnostic &diagnostic, bool colour);
/// All of them, each followed by an empty line, then the count.
std::string renderText(const Diagnostics &diagnostics, bool colour);
/// The form for programs, one JSON object; docs/errors.md has its schema.
std::string renderJson(const Diagnostics &diagnostics);

/// True if the stream is a terminal and NO_COLOR is unset or empty.
bool wantsColour(std::FILE *stream);

} // namespace heddle
