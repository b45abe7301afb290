// The first step of every sub-command that takes a .heddle file.
#pragma once

#include "frontend/Ast.h"
#include "frontend/Diagnostics.h"
#include "frontend/Source.h"

#include <memory>
#include <string>
#include <vector>

namespace heddle {

/// A file as parsed. The sources must outlive the tree and the diagnostics, so they stay together.
struct ParsedFile {
  SourceManager sources;
  Diagnostics diagnostics;
  std::unique_ptr<ast::File> file;
};

/// Reads and parses `path` (`-`: stdin) and the files that it imports; these lie in its directory, or in one of `further`
/// (--use). Returns exitDone; exitProgramErrors with the errors in
/// `parsed.diagnostics`, not yet printed; or exitInputOutput after saying why the file cannot be read.
int parseFile(const std::string &path, const std::vector<std::string> &further, ParsedFile &parsed);

/// Prints the diagnostics for people, to stderr.
void printDiagnostics(const Diagnostics &diagnostics);

} // namespace heddle
