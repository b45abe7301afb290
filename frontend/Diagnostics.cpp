// Collection of diagnostics: the catalogue, the limit, the dropping of cascades and the order of printing.
#include "frontend/Diagnostics.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <unistd.h>

namespace heddle {

// frontend/errors/CODE.md, embedded by EmbedErrorPages.cmake: a code without a page does not link.
#define HEDDLE_ERROR(code, title) extern const char *const errorPage##code;
#include "frontend/ErrorCodes.def"
#undef HEDDLE_ERROR

const std::vector<CodeInfo> &allCodes() {
  static const std::vector<CodeInfo> table = {
#define HEDDLE_ERROR(code, title) {Code::code, #code, title, errorPage##code},
#include "frontend/ErrorCodes.def"
#undef HEDDLE_ERROR
  };
  return table;
}

const CodeInfo &info(Code code) { return allCodes().at(static_cast<size_t>(code)); }

const CodeInfo *findCode(std::string_view name) {
  for (const CodeInfo &row : allCodes())
    if (std::equal(name.begin(), name.end(), row.name, row.name + std::string_view(row.name).size(),
                   [](char a, char b) { return std::toupper(static_cast<unsigned char>(a)) == b; }))
      return &row;
  return nullptr;
}

Diagnostic &Diagnostics::record(Severity severity, Code code, Span primary, std::string message) {
  bool isError = severity == Severity::Error;
  bool repeated = std::any_of(kept.begin(), kept.end(), [&](const Diagnostic &other) {
    return other.primary.span == primary && primary.valid() &&
           (isError ? other.severity == Severity::Error : other.code == code);
  });
  bool tooMany = !repeated && isError && errors >= limit;
  if (isError && !repeated)
    ++errors;
  if (tooMany)
    ++beyondLimit;
  auto &list = repeated || tooMany ? dropped : kept;
  if (&list == &dropped)
    dropped.clear();
  if (primary.valid() && std::find(sourceOrder.begin(), sourceOrder.end(), primary.source) == sourceOrder.end())
    sourceOrder.push_back(primary.source);
  Diagnostic &diagnostic = list.emplace_back();
  diagnostic.severity = severity;
  diagnostic.code = code;
  diagnostic.message = std::move(message);
  diagnostic.primary.span = primary;
  return diagnostic;
}

Diagnostic &Diagnostics::error(Code code, Span primary, std::string message) {
  return record(Severity::Error, code, primary, std::move(message));
}

Diagnostic &Diagnostics::warning(Code code, Span primary, std::string message) {
  return record(Severity::Warning, code, primary, std::move(message));
}

void Diagnostics::add(const Diagnostic &other) {
  record(other.severity, other.code, other.primary.span, other.message) = other;
}

std::vector<const Diagnostic *> Diagnostics::shown() const {
  std::vector<const Diagnostic *> list;
  for (const Diagnostic &diagnostic : kept)
    list.push_back(&diagnostic);
  auto rank = [&](const Diagnostic *d) {
    return std::find(sourceOrder.begin(), sourceOrder.end(), d->primary.span.source) - sourceOrder.begin();
  };
  std::stable_sort(list.begin(), list.end(), [&](const Diagnostic *a, const Diagnostic *b) {
    auto rankA = rank(a), rankB = rank(b);
    return rankA != rankB ? rankA < rankB : a->primary.span.begin < b->primary.span.begin;
  });
  return list;
}

bool wantsColour(std::FILE *stream) {
  const char *noColour = std::getenv("NO_COLOR");
  return (!noColour || !*noColour) && isatty(fileno(stream));
}

} // namespace heddle
