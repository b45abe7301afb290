// Reading a program: one place, so that every command treats a missing file or a syntax error alike.
#include "tools/heddle/ParsedFile.h"

#include "frontend/Parser.h"
#include "tools/heddle/SubCommand.h"

#include <cstdio>
#include <fmt/format.h>

namespace heddle {

int parseFile(const std::string &path, ParsedFile &parsed) {
  std::string error;
  const Source *source = parsed.sources.read(path, error);
  if (!source)
    return complain(exitInputOutput, error);
  parsed.file = parse(*source, parsed.diagnostics);
  return parsed.diagnostics.hasErrors() ? exitProgramErrors : exitDone;
}

void printDiagnostics(const Diagnostics &diagnostics) {
  fmt::print(stderr, "{}", renderText(diagnostics, wantsColour(stderr)));
}

} // namespace heddle
