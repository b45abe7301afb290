// Diagnostics for programs. The layout is part of the command's interface (`heddle check --json`; its schema stands in
// frontend/errors/introduction.md): fields may be added, never renamed. Bytes of the source that are not UTF-8 appear as U+FFFD, so that the output is always JSON.
#include "frontend/Diagnostics.h"

#include <nlohmann/json.hpp>

namespace heddle {
namespace {

using Json = nlohmann::ordered_json;

/// A place as the Language Server Protocol counts: lines from 0, and UTF-16 units from the start of the line.
Json positionJson(const Source &source, uint32_t offset) {
  uint32_t line = source.lineColumn(offset).line;
  uint32_t begin = source.lineStart(line), units = 0;
  for (unsigned char c : source.text().substr(begin, offset - begin))
    units += c >= 0xF0 ? 2 : (c & 0xC0) != 0x80; // four bytes are a surrogate pair; later bytes of a sequence are none
  return {{"line", line - 1}, {"character", units}};
}

/// The range that a span covers, in every unit that an editor may count in.
Json rangeJson(Span span) {
  LineColumn start = span.start(), finish = span.finish();
  Json json = {{"file", span.source->name()},
               {"line", start.line},
               {"column", start.column},
               {"end_line", finish.line},
               {"end_column", finish.column},
               {"byte", span.begin},
               {"end_byte", span.end}};
  json["range"] = {{"start", positionJson(*span.source, span.begin)}, {"end", positionJson(*span.source, span.end)}};
  return json;
}

Json spanJson(const Label &label, bool primary) {
  Json json = rangeJson(label.span);
  json["primary"] = primary;
  json["text"] = label.text;
  return json;
}

Json replacementJson(const Replacement &replacement) {
  Json json = rangeJson(replacement.span);
  json["replacement"] = replacement.text;
  return json;
}

} // namespace

std::string renderJson(const Diagnostics &diagnostics) {
  Json list = Json::array();
  size_t warnings = 0;
  for (const Diagnostic *diagnostic : diagnostics.shown()) {
    Json spans = Json::array();
    if (diagnostic->primary.span.valid())
      spans.push_back(spanJson(diagnostic->primary, true));
    for (const Label &label : diagnostic->labels)
      if (label.span.valid())
        spans.push_back(spanJson(label, false));
    Json fixes = Json::array();
    for (const Replacement &replacement : diagnostic->replacements)
      fixes.push_back(replacementJson(replacement));
    const char *severity = diagnostic->severity == Severity::Error     ? "error"
                           : diagnostic->severity == Severity::Warning ? "warning"
                                                                       : "remark";
    warnings += diagnostic->severity == Severity::Warning;
    list.push_back({{"severity", severity},
                    {"code", info(diagnostic->code).name},
                    {"title", info(diagnostic->code).title},
                    {"message", diagnostic->message},
                    {"spans", spans},
                    {"notes", diagnostic->notes},
                    {"help", diagnostic->helps},
                    {"fixes", fixes}});
  }
  Json all = {{"diagnostics", list}, {"errors", diagnostics.errorCount()}, {"warnings", warnings}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace heddle
