// A parsed file with the library files that it uses, and what is known of its modules by their text alone: who calls
// whom, which hold parameters, which dims of the file they mention, and the name of every call site.
#pragma once
#include "frontend/Ast.h"
#include "frontend/Diagnostics.h"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace heddle {

class ModuleTable {
public:
  struct ModuleInfo {
    const ast::File *file = nullptr;
    bool holdsParameters = false;      // itself or through its calls
    std::vector<uint64_t> mentions;    // a bit by number: the dims of the main file named in it and in what it calls there
    size_t depth = 0;                  // of the longest row of calls under it
    bool visiting = false, done = false;
  };

  /// Modules that call each other in a row: what bounds the recursion over calls.
  static constexpr size_t maxCallDepth = 256;

  /// Reports unknown libraries, modules declared twice and recursion. `main` must outlive the program.
  ModuleTable(const ast::File &main, Diagnostics &diagnostics);

  const ast::File &file() const { return main; }
  /// The library files that the main file uses.
  const std::vector<std::unique_ptr<ast::File>> &libraries() const { return libs; }
  /// The update rule of the optimizer that a name means: the main file's own, else one of `std.optim`, which needs no
  /// `use`. Null if there is none.
  const ast::Module *findOptimizer(const std::string &name) const;
  /// All optimizers that can be named, the main file's own first.
  std::vector<const ast::Module *> optimizers() const;
  /// The module that a name means in a file: its own, else one of the libraries'. Null if there is none.
  const ast::Module *find(const ast::File *from, const std::string &name) const;
  const ModuleInfo &info(const ast::Module *module) const { return modules.at(module); }
  /// True if a module of the main file names the dim of the file, itself or through what it calls there.
  bool mentions(const ast::Module *module, const std::string &dim) const;
  /// True if the main file uses the name where only a dim can stand.
  bool mentionsDim(const std::string &name) const { return mentioned.count(name) > 0; }
  /// True if the name is that of a module of `std.nn`, and the main file does not use that library.
  bool inUnusedLibrary(const std::string &name) const;
  /// The names of all modules that can be called in a file.
  std::vector<std::string> moduleNames(const ast::File *from) const;

  /// The level that a call site adds to the names of its parameters: `attn`, `linear_2`; "" for the sole call of a
  /// `repeat` or of a train block. Null for what is no call of a module.
  const std::string *level(const ast::Call *call) const;

private:
  void use(const ast::Use &use, Diagnostics &diagnostics);
  static std::unique_ptr<ast::File> load(const std::string &path, Diagnostics &diagnostics);
  void summarise(const ast::Module *module, Diagnostics &diagnostics);
  void nameCalls(const ast::File *file, const std::vector<ast::StmtPtr> &body, bool soleAddsNone);

  const ast::File &main;
  std::vector<std::unique_ptr<ast::File>> libs;
  std::unique_ptr<ast::File> optim;
  std::map<const ast::Module *, ModuleInfo> modules;
  std::map<const ast::File *, std::map<std::string, const ast::Module *>> byName;
  std::map<std::string, size_t> fileDims; // number of each dim of the main file
  std::map<const ast::Call *, std::string> levels;
  std::set<std::string> mentioned;
  std::vector<std::pair<const ast::Module *, const ast::Call *>> chain;
};

/// `LayerNorm` -> `layer_norm`, `GPT2` -> `gpt2`, `MLPBlock` -> `mlp_block`.
std::string snakeCase(const std::string &name);
/// The text of a library that is built in (`std.nn`, `std.optim`), and the name that its diagnostics print; null if unknown.
const char *libraryText(const std::string &path, std::string &name);

} // namespace heddle
