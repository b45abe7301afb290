// Libraries, recursion, and the names of call sites. See ModuleTable.h.
#include "frontend/ModuleTable.h"
#include "frontend/AstWalk.h"
#include "frontend/DidYouMean.h"
#include "frontend/Parser.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace heddle {
using namespace ast;

std::string snakeCase(const std::string &name) {
  std::string result;
  for (size_t i = 0; i < name.size(); ++i) {
    bool upper = std::isupper(static_cast<unsigned char>(name[i]));
    bool afterLower = i && (std::islower(static_cast<unsigned char>(name[i - 1])));
    bool endsAcronym = i && std::isupper(static_cast<unsigned char>(name[i - 1])) && i + 1 < name.size() &&
                       std::islower(static_cast<unsigned char>(name[i + 1]));
    if (upper && (afterLower || endsAcronym))
      result += '_';
    result += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return result;
}

ModuleTable::ModuleTable(const File &main, Diagnostics &diagnostics) : main(main) {
  for (const Use &u : main.uses)
    use(u, diagnostics);
  std::vector<const File *> files{&main};
  for (auto &lib : libs)
    files.push_back(lib.get());
  for (const File *file : files) {
    std::map<std::string, Span> seen;
    for (const Module &module : file->modules) {
      modules[&module].file = file;
      auto [it, fresh] = seen.emplace(module.name.name, module.name.span);
      if (!fresh)
        diagnostics.error(Code::H0301, module.name.span, fmt::format("module `{}` is declared twice", module.name.name))
            .label(it->second, "declared here first");
    }
  }
  for (auto &[module, info] : modules)
    summarise(module, diagnostics);
  for (const File *file : files) {
    for (const Module &module : file->modules)
      nameCalls(file, module.body, false);
    for (const Train &train : file->trains)
      nameCalls(file, train.body, true);
  }
}

void ModuleTable::use(const Use &use, Diagnostics &diagnostics) {
  std::string path;
  for (const Ident &part : use.path)
    path += (path.empty() ? "" : ".") + part.name;
  std::string name;
  const char *text = libraryText(path, name);
  if (!text) {
    diagnostics.error(Code::H0302, use.span, fmt::format("there is no library `{}`", path))
        .help("the library that exists is `std.nn`; files of one's own cannot be imported yet");
    return;
  }
  static SourceManager sources; // library texts live as long as the process: spans point into them
  static std::map<std::string, const Source *> loaded;
  const Source *&source = loaded[path];
  if (!source)
    source = &sources.add(name, text);
  libs.push_back(parse(*source, diagnostics));
}

const Module *ModuleTable::find(const File *from, const std::string &name) const {
  auto in = [&](const File &file) -> const Module * {
    for (const Module &module : file.modules)
      if (module.name.name == name)
        return &module;
    return nullptr;
  };
  if (const Module *own = in(*from))
    return own;
  if (from == &main)
    for (auto &lib : libs)
      if (const Module *module = in(*lib))
        return module;
  return nullptr;
}

std::vector<std::string> ModuleTable::moduleNames(const File *from) const {
  std::vector<std::string> names;
  for (const Module &module : from->modules)
    names.push_back(module.name.name);
  if (from == &main)
    for (auto &lib : libs)
      for (const Module &module : lib->modules)
        names.push_back(module.name.name);
  return names;
}

// Depth first over the calls; a module met while it is being visited calls itself.
void ModuleTable::summarise(const Module *module, Diagnostics &diagnostics) {
  ModuleInfo &info = modules[module];
  if (info.done)
    return;
  info.visiting = true;
  std::function<void(const std::vector<StmtPtr> &)> parameters = [&](const std::vector<StmtPtr> &body) {
    for (const StmtPtr &stmt : body) {
      info.holdsParameters |= stmt->is<ParamStmt>() || stmt->is<StateStmt>();
      if (auto *repeat = stmt->as<RepeatStmt>())
        parameters(repeat->body);
    }
  };
  parameters(module->body);
  AstVisitor visitor;
  visitor.dim = [&](const Ident &dim) { info.mentions.insert(dim.name); };
  visitor.name = [&](const Name &name) { info.mentions.insert(name.name); };
  visitor.call = [&](const Call &call) {
    const Module *callee = find(info.file, call.callee.name);
    if (!callee)
      return;
    chain.push_back({callee, &call});
    if (modules[callee].visiting) {
      Diagnostic &d = diagnostics.error(Code::H0303, call.callee.span,
                                        fmt::format("module `{}` calls itself{}", callee->name.name,
                                                    callee == module ? "" : " through others"));
      bool inside = false;
      for (auto &[m, site] : chain) {
        if (inside && site != &call)
          d.label(site->callee.span, fmt::format("which calls `{}`", m->name.name));
        inside |= m == callee;
      }
      d.note("modules are expanded where they are called, so a recursion would never end")
          .help("layers of one kind are a loop: `repeat L as h { x = Block(x) }`");
    } else {
      summarise(callee, diagnostics);
      const ModuleInfo &other = modules[callee];
      info.holdsParameters |= other.holdsParameters;
      if (other.file == info.file)
        info.mentions.insert(other.mentions.begin(), other.mentions.end());
    }
    chain.pop_back();
  };
  walk(*module, visitor);
  info.visiting = false;
  info.done = true;
}

// Levels of the calls of one body, in the order of the text; the bodies of its repeats are bodies of their own.
void ModuleTable::nameCalls(const File *file, const std::vector<StmtPtr> &body, bool soleAddsNone) {
  std::vector<const Call *> calls;
  AstVisitor visitor;
  visitor.intoRepeats = false;
  visitor.call = [&](const Call &call) {
    if (find(file, call.callee.name))
      calls.push_back(&call);
  };
  walk(body, visitor);
  std::sort(calls.begin(), calls.end(),
            [](const Call *a, const Call *b) { return a->callee.span.begin < b->callee.span.begin; });
  std::set<std::string> taken;
  size_t holders = 0;
  for (const Call *call : calls) {
    holders += info(find(file, call->callee.name)).holdsParameters;
    if (call->as)
      taken.insert(call->as->name);
  }
  for (const Call *call : calls) {
    if (call->as) {
      levels[call] = call->as->name;
      continue;
    }
    bool holder = info(find(file, call->callee.name)).holdsParameters;
    if (soleAddsNone && holder && holders == 1) {
      levels[call] = "";
      continue;
    }
    std::string base = snakeCase(call->callee.name), level = base;
    for (int n = 2; !taken.insert(level).second; ++n)
      level = fmt::format("{}_{}", base, n);
    levels[call] = level;
  }
  for (const StmtPtr &stmt : body)
    if (auto *repeat = stmt->as<RepeatStmt>())
      nameCalls(file, repeat->body, true);
}

const std::string *ModuleTable::level(const Call *call) const {
  auto it = levels.find(call);
  return it == levels.end() ? nullptr : &it->second;
}

} // namespace heddle
