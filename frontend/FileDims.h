// The dims that the files of a program declare. A name is one axis in all of them; which file says its size is settled here.
//
// A file sees its own dims and those of the files that it imports, directly and through others, never those of a file that
// imports it: what a file means does not depend on who uses it. A file may declare again what it imports. An open
// declaration (`dim D`) agrees with every other and takes its size; a number of the imported file gives way to what the
// importing file says, as it does to --set; a size that the imported file computes (`dim K = D / H`, `dim S ~ T`) must be
// computed alike. Two imported files with different sizes are an error unless the file that imports both says the size.
#pragma once
#include "frontend/Ast.h"
#include "frontend/Diagnostics.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace heddle {

/// A declaration that holds, and the file in which it stands: the names in its size are those that this file sees.
struct FileDim {
  const ast::DimDecl *decl;
  const ast::File *file;
};

class FileDims {
public:
  /// `importsOf` gives the files that a file names itself. Reports declarations that do not agree and sizes that depend on
  /// themselves (H0226).
  FileDims(const ast::File &main, const std::function<std::vector<const ast::File *>(const ast::File *)> &importsOf,
           Diagnostics &diagnostics);

  /// Those that hold, each behind what its size is computed from. A name that one file declares twice stands twice.
  const std::vector<FileDim> &all() const { return order; }
  /// The declaration that holds for a name; null if there is none.
  const ast::DimDecl *find(const std::string &name) const;
  /// Does the file see a dim of this name?
  bool sees(const ast::File *file, const std::string &name) const;

private:
  using View = std::map<std::string, FileDim>;
  struct Conflict {
    FileDim first, second;
    bool numbers; // all of them: then the importing file may settle it
  };

  void gather(const ast::File *file);
  void place(const std::string &name);

  std::function<std::vector<const ast::File *>(const ast::File *)> importsOf;
  Diagnostics &diagnostics;
  std::map<const ast::File *, View> views; // what each file sees
  std::map<const ast::File *, std::map<std::string, const ast::DimDecl *>> firsts; // the first declaration of each name in it
  std::vector<const ast::File *> files;    // each behind those that it imports
  const View *program = nullptr;           // that of the main file
  std::map<std::string, bool> placed;      // false: its needs are being placed
  std::vector<FileDim> order;
};

} // namespace heddle
