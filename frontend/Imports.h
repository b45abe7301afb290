// Files that a program imports: `use "layers.heddle"`.
//
// A program is often somebody else's, so what it can make Heddle read is bounded: a file that it imports lies in the
// directory of the program or in one that the command line allows, wherever `..` and symbolic links lead, and is a plain
// file. Reading is a step of its own between parsing and checking, so that what comes after needs no files: a tree whose
// imports were not loaded is checked with an error for each.
#pragma once

#include "frontend/Ast.h"
#include "frontend/Diagnostics.h"

#include <functional>
#include <string>
#include <vector>

namespace heddle {

/// Files that one program may import, directly and through others; together they may have Source::maxBytes.
constexpr size_t maxImports = 64;
/// Dims that these files may declare together: each file has a list of all that it sees.
constexpr size_t maxImportedDims = 10'000;

/// Where imported files may lie.
struct ImportPlaces {
  std::string base;                                // the directory of the program's own file
  std::vector<std::string> further;                // directories that the command line allows
  std::function<void(const std::string &)> reading; // told each file before it is read; may be unset
};

/// Reads and parses the files that `main` names, and those that they name in turn, each file once, and enters them in
/// `Use::imported`. A path is relative to the file that names it. What cannot be read, circles (H0328) and limits (H0606)
/// are reported at the `use`; errors in an imported file at their own place.
void loadImports(ast::File &main, const ImportPlaces &places, SourceManager &sources, Diagnostics &diagnostics);

} // namespace heddle
