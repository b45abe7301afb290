// A parsed file with the library files that it uses, and what is known of its modules by their text alone: who calls
// whom, which hold parameters, which dims of the file they mention, and the name of every call site.
#pragma once
#include "frontend/Ast.h"
#include "frontend/Diagnostics.h"

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
    std::set<std::string> mentions;    // names of dims in it and in what it calls within one file
    bool visiting = false, done = false;
  };

  /// Reports unknown libraries, modules declared twice and recursion. `main` must outlive the program.
  ModuleTable(const ast::File &main, Diagnostics &diagnostics);

  const ast::File &file() const { return main; }
  /// The library files that the main file uses.
  const std::vector<std::unique_ptr<ast::File>> &libraries() const { return libs; }
  /// The module that a name means in a file: its own, else one of the libraries'. Null if there is none.
  const ast::Module *find(const ast::File *from, const std::string &name) const;
  const ModuleInfo &info(const ast::Module *module) const { return modules.at(module); }
  /// The names of all modules that can be called in a file.
  std::vector<std::string> moduleNames(const ast::File *from) const;

  /// The level that a call site adds to the names of its parameters: `attn`, `linear_2`; "" for the sole call of a
  /// `repeat` or of a train block. Null for what is no call of a module.
  const std::string *level(const ast::Call *call) const;

private:
  void use(const ast::Use &use, Diagnostics &diagnostics);
  void summarise(const ast::Module *module, Diagnostics &diagnostics);
  void nameCalls(const ast::File *file, const std::vector<ast::StmtPtr> &body, bool soleAddsNone);

  const ast::File &main;
  std::vector<std::unique_ptr<ast::File>> libs;
  std::map<const ast::Module *, ModuleInfo> modules;
  std::map<const ast::Call *, std::string> levels;
  std::vector<std::pair<const ast::Module *, const ast::Call *>> chain;
};

/// `LayerNorm` -> `layer_norm`, `GPT2` -> `gpt2`, `MLPBlock` -> `mlp_block`.
std::string snakeCase(const std::string &name);
/// The text of a library that is built in (`std.nn`), and the name that its diagnostics print; null if unknown.
const char *libraryText(const std::string &path, std::string &name);

} // namespace heddle
