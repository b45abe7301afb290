// Diagnostics for programs. The layout is part of the command's interface (`heddle check --json`): fields may be
// added, never renamed. Bytes of the source that are not UTF-8 appear as U+FFFD, so that the output is always JSON.
#include "frontend/Diagnostics.h"

#include <nlohmann/json.hpp>

namespace heddle {
namespace {

using Json = nlohmann::ordered_json;

Json spanJson(const Label &label, bool primary) {
  LineColumn start = label.span.start(), finish = label.span.finish();
  return {{"file", label.span.source->name()},
          {"line", start.line},
          {"column", start.column},
          {"end_line", finish.line},
          {"end_column", finish.column},
          {"byte", label.span.begin},
          {"end_byte", label.span.end},
          {"primary", primary},
          {"text", label.text}};
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
                    {"help", diagnostic->helps}});
  }
  Json all = {{"diagnostics", list}, {"errors", diagnostics.errorCount()}, {"warnings", warnings}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace heddle
