// Reading a program: one place, so that every command treats a missing file or a syntax error alike.
#include "tools/heddle/ReadProgram.h"

#include "frontend/Parser.h"
#include "tools/heddle/Command.h"

#include <cstdio>
#include <fmt/format.h>

namespace heddle {

int readProgram(const std::string &path, Program &program) {
  std::string error;
  const Source *source = program.sources.read(path, error);
  if (!source)
    return complain(exitInputOutput, error);
  program.file = parse(*source, program.diagnostics);
  return program.diagnostics.hasErrors() ? exitProgramErrors : exitDone;
}

void printDiagnostics(const Diagnostics &diagnostics) {
  fmt::print(stderr, "{}", renderText(diagnostics, wantsColour(stderr)));
}

} // namespace heddle
