// A program: a parsed file with the files that it imports and the libraries that they use, and what is known of its modules
// by their text alone: who calls whom, which hold parameters, which dims of the files they mention, and the name of every
// call site.
//
// A name in a file means a module of that file, else one of the files that it imports itself, else one of the libraries that
// it uses itself.
#pragma once
#include "frontend/Ast.h"
#include "frontend/Diagnostics.h"
#include "frontend/FileDims.h"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace heddle {

/// A library that is built in.
struct Library {
  const char *path; // `std.nn`
  const char *name; // that its diagnostics print: `std/nn.heddle`
  const char *text;
};

class ModuleTable {
public:
  struct ModuleInfo {
    const ast::File *file = nullptr;
    bool holdsParameters = false;      // itself or through its calls
    std::vector<uint64_t> mentions;    // a bit by number: the dims of files named in it and in what it calls
    size_t depth = 0;                  // of the longest row of calls under it
    bool visiting = false, done = false;
  };

  /// Modules that call each other in a row: what bounds the recursion over calls.
  static constexpr size_t maxCallDepth = 256;

  /// Reports unknown libraries, modules declared twice, names that could be modules of two imported files, recursion, and
  /// dims on which files do not agree. `main` must outlive the program.
  ModuleTable(const ast::File &main, Diagnostics &diagnostics);

  const ast::File &file() const { return main; }
  /// The main file, the files that it imports, and the libraries.
  const std::vector<const ast::File *> &files() const { return all; }
  const FileDims &dims() const { return *fileDims; }
  /// The update rule of the optimizer that a name means: the main file's own, else one of a file that it imports, else one of
  /// `std.optim`, which needs no `use`. Null if there is none.
  const ast::Module *findOptimizer(const std::string &name) const;
  /// All optimizers that can be named, in this order.
  std::vector<const ast::Module *> optimizers() const;
  /// The module that a name means in a file. Null if there is none.
  const ast::Module *find(const ast::File *from, const std::string &name) const;
  /// Reports at `place` that a name could mean modules of two files that `from` imports. False if it does not.
  bool reportClash(const ast::File *from, const ast::Ident &place, Diagnostics &diagnostics) const;
  const ModuleInfo &info(const ast::Module *module) const { return modules.at(module); }
  /// True if a module names the dim of a file, itself or through what it calls.
  bool mentions(const ast::Module *module, const std::string &dim) const;
  /// True if the main file uses the name where only a dim can stand.
  bool mentionsDim(const std::string &name) const { return mentioned.count(name) > 0; }
  /// The library that has a module of this name and that the file does not use; "" if there is none.
  std::string unusedLibrary(const ast::File *from, const std::string &name) const;
  /// The names of all modules that can be called in a file.
  std::vector<std::string> moduleNames(const ast::File *from) const;

  /// The level that a call site adds to the names of its parameters: `attn`, `linear_2`; "" for the sole call of a
  /// `repeat` or of a train block. Null for what is no call of a module.
  const std::string *level(const ast::Call *call) const;

private:
  struct Uses {
    std::vector<const ast::File *> imports, libraries; // each once, in the order of the text
  };
  void use(const ast::File *file, Diagnostics &diagnostics);
  const ast::File *library(const ast::Use &use, Diagnostics &diagnostics);
  const ast::File *open(const Library &library, Diagnostics &diagnostics);
  const ast::Module *own(const ast::File *file, const std::string &name) const;
  std::vector<const ast::Module *> candidates(const ast::File *from, const std::string &name) const;
  void summarise(const ast::Module *module, Diagnostics &diagnostics);
  void nameCalls(const ast::File *file, const std::vector<ast::StmtPtr> &body, bool soleAddsNone);

  const ast::File &main;
  std::vector<const ast::File *> all;
  std::map<const ast::File *, Uses> uses;
  std::map<std::string, std::unique_ptr<ast::File>> libs; // by path: `std.nn`
  const ast::File *optim = nullptr;                       // std.optim
  std::unique_ptr<FileDims> fileDims;
  std::map<const ast::Module *, ModuleInfo> modules;
  std::map<const ast::File *, std::map<std::string, const ast::Module *>> byName;
  std::map<std::string, size_t> dimNumbers; // of the dims of files, those of imported files first
  std::map<const ast::Call *, std::string> levels;
  std::set<std::string> mentioned;
  std::vector<std::pair<const ast::Module *, const ast::Call *>> chain;
};

/// `LayerNorm` -> `layer_norm`, `GPT2` -> `gpt2`, `MLPBlock` -> `mlp_block`.
std::string snakeCase(const std::string &name);
const std::vector<Library> &libraries();

} // namespace heddle
