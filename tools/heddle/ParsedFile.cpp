// Reading a program: one place, so that every command treats a missing file or a syntax error alike.
#include "tools/heddle/ParsedFile.h"

#include "frontend/Imports.h"
#include "frontend/Parser.h"
#include "tools/heddle/InternalError.h"
#include "tools/heddle/SubCommand.h"

#include <cstdio>
#include <filesystem>
#include <fmt/format.h>

namespace heddle {

int parseFile(const std::string &path, const std::vector<std::string> &further, ParsedFile &parsed) {
  std::string error;
  const Source *source = parsed.sources.read(path, error);
  if (!source)
    return complain(exitInputOutput, error);
  parsed.file = parse(*source, parsed.diagnostics);
  ImportPlaces places{std::filesystem::path(path).parent_path().string(), further, [](const std::string &file) { noteFile(file); }};
  loadImports(*parsed.file, places, parsed.sources, parsed.diagnostics);
  return parsed.diagnostics.hasErrors() ? exitProgramErrors : exitDone;
}

void printDiagnostics(const Diagnostics &diagnostics) {
  fmt::print(stderr, "{}", renderText(diagnostics, wantsColour(stderr)));
}

} // namespace heddle
