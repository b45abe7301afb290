// What a name means, recursion, and the names of call sites. See ModuleTable.h.
#include "frontend/ModuleTable.h"
#include "frontend/AstWalk.h"
#include "frontend/DidYouMean.h"
#include "frontend/Parser.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <fmt/ranges.h>

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
  use(&main, diagnostics);
  for (const Library &library : libraries())
    if (library.path == std::string_view("std.optim"))
      optim = open(library, diagnostics);
  use(optim, diagnostics);
  auto once = [&](std::map<std::string, Span> &seen, const Ident &name, const char *what) {
    auto [it, fresh] = seen.emplace(name.name, name.span);
    if (!fresh)
      diagnostics.error(Code::H0301, name.span, fmt::format("{} `{}` is declared twice", what, name.name))
          .label(it->second, "declared here first");
  };
  for (const File *file : all) {
    std::map<std::string, Span> seen, rules;
    for (const Module &module : file->modules) {
      modules[&module].file = file;
      byName[file].emplace(module.name.name, &module);
      once(seen, module.name, "module");
    }
    for (const Module &rule : file->optimizers) {
      modules[&rule].file = file;
      once(rules, rule.name, "optimizer");
    }
  }
  fileDims = std::make_unique<FileDims>(main, [this](const File *file) { return uses.at(file).imports; }, diagnostics);
  for (const FileDim &dim : fileDims->all())
    dimNumbers.emplace(dim.decl->name.name, dimNumbers.size());
  for (const File *file : all)
    for (const std::vector<Module> *some : {&file->modules, &file->optimizers})
      for (const Module &module : *some)
        summarise(&module, diagnostics);
  AstVisitor dims;
  dims.dim = [&](const Ident &dim) { mentioned.insert(dim.name); };
  AstVisitor calls;
  calls.call = [&](const Call &call) { reportClash(&main, call.callee, diagnostics); };
  for (const Module &module : main.modules)
    walk(module, dims);
  for (const Train &train : main.trains) {
    walk(train.body, dims);
    walk(train.body, calls);
  }
  for (const File *file : all)
    for (const std::vector<Module> *some : {&file->modules, &file->optimizers})
      for (const Module &module : *some)
        nameCalls(file, module.body, false);
  for (const Train &train : main.trains)
    nameCalls(&main, train.body, true);
}

// A file and what it uses, each once. Imports are at most maxImports deep, and libraries use each other in no circle.
void ModuleTable::use(const File *file, Diagnostics &diagnostics) {
  if (!uses.emplace(file, Uses()).second)
    return;
  all.push_back(file);
  auto add = [](std::vector<const File *> &list, const File *other) {
    if (other && std::find(list.begin(), list.end(), other) == list.end())
      list.push_back(other);
  };
  for (const Use &use : file->uses)
    if (use.path.empty()) {
      add(uses[file].imports, use.imported.get());
      if (!use.imported)
        diagnostics.error(Code::H0327, use.fileSpan, "no file can be imported here");
    } else {
      add(uses[file].libraries, library(use, diagnostics));
    }
  Uses own = uses[file];
  for (const File *other : own.imports)
    this->use(other, diagnostics);
  for (const File *other : own.libraries)
    this->use(other, diagnostics);
}

const File *ModuleTable::library(const Use &use, Diagnostics &diagnostics) {
  std::string path;
  for (const Ident &part : use.path)
    path += (path.empty() ? "" : ".") + part.name;
  std::vector<std::string> paths;
  for (const Library &library : libraries()) {
    paths.push_back(library.path);
    if (path != library.path)
      continue;
    return open(library, diagnostics);
  }
  Diagnostic &d = diagnostics.error(Code::H0302, use.span, fmt::format("there is no library `{}`", path));
  Span words = join(use.path.front().span, use.path.back().span);
  if (!suggest(d, words, path, paths))
    d.help(fmt::format("the libraries are {}; a file of one's own stands in quotes: `use \"{}.heddle\"`",
                       fmt::join(paths, ", "), use.path.back().name));
  return nullptr;
}

const File *ModuleTable::open(const Library &library, Diagnostics &diagnostics) {
  static SourceManager sources; // library texts live as long as the process: spans point into them
  static std::map<std::string, const Source *> loaded;
  const Source *&source = loaded[library.path];
  if (!source)
    source = &sources.add(library.name, library.text);
  std::unique_ptr<File> &file = libs[library.path];
  if (!file)
    file = parse(*source, diagnostics);
  return file.get();
}

std::vector<const Module *> ModuleTable::optimizers() const {
  std::vector<const File *> files{&main};
  const std::vector<const File *> &imports = uses.at(&main).imports;
  files.insert(files.end(), imports.begin(), imports.end());
  files.push_back(optim);
  std::vector<const Module *> rules;
  for (const File *file : files)
    for (const Module &rule : file->optimizers)
      rules.push_back(&rule);
  return rules;
}

const Module *ModuleTable::findOptimizer(const std::string &name) const {
  for (const Module *rule : optimizers())
    if (rule->name.name == name)
      return rule;
  return nullptr;
}

const Module *ModuleTable::own(const File *file, const std::string &name) const {
  auto modulesOf = byName.find(file);
  if (modulesOf == byName.end())
    return nullptr;
  auto it = modulesOf->second.find(name);
  return it == modulesOf->second.end() ? nullptr : it->second;
}

// What a name may mean in a file: more than one module only where two imported files have one each.
std::vector<const Module *> ModuleTable::candidates(const File *from, const std::string &name) const {
  if (const Module *module = own(from, name))
    return {module};
  std::vector<const Module *> found;
  auto used = uses.find(from);
  if (used == uses.end())
    return found;
  for (const File *file : used->second.imports)
    if (const Module *module = own(file, name))
      found.push_back(module);
  for (const File *file : used->second.libraries)
    if (const Module *module = found.empty() ? own(file, name) : nullptr)
      found.push_back(module);
  return found;
}

const Module *ModuleTable::find(const File *from, const std::string &name) const {
  std::vector<const Module *> found = candidates(from, name);
  return found.empty() ? nullptr : found[0];
}

bool ModuleTable::reportClash(const File *from, const Ident &place, Diagnostics &diagnostics) const {
  std::vector<const Module *> found = candidates(from, place.name);
  if (found.size() < 2)
    return false;
  if (diagnostics.firstTime("clash " + place.name)) {
    Diagnostic &d = diagnostics.error(Code::H0329, place.span, fmt::format("module `{}` is one of several imported files", place.name));
    for (const Module *module : found)
      d.label(module->name.span, "declared here");
    d.help("give all but one of them another name, or declare a module of this name here, which hides both");
  }
  return true;
}

std::string ModuleTable::unusedLibrary(const File *from, const std::string &name) const {
  static const std::map<std::string, std::string> libraryOf = [] {
    std::map<std::string, std::string> all;
    for (const Library &library : libraries()) {
      Diagnostics silent;
      Source source(library.name, library.text);
      const std::unique_ptr<File> file = parse(source, silent); // named: a temporary would end before the loop
      for (const Module &module : file->modules)
        all.emplace(module.name.name, library.path);
    }
    return all;
  }();
  auto it = libraryOf.find(name);
  if (it == libraryOf.end())
    return "";
  auto parsed = libs.find(it->second);
  auto used = uses.find(from);
  bool known = parsed != libs.end() && used != uses.end() &&
               std::count(used->second.libraries.begin(), used->second.libraries.end(), parsed->second.get()) > 0;
  return known ? "" : it->second;
}

std::vector<std::string> ModuleTable::moduleNames(const File *from) const {
  std::vector<std::string> names;
  auto add = [&](const File *file) {
    for (const Module &module : file->modules)
      names.push_back(module.name.name);
  };
  add(from);
  if (auto used = uses.find(from); used != uses.end()) {
    std::for_each(used->second.imports.begin(), used->second.imports.end(), add);
    std::for_each(used->second.libraries.begin(), used->second.libraries.end(), add);
  }
  return names;
}

bool ModuleTable::mentions(const Module *module, const std::string &dim) const {
  auto number = dimNumbers.find(dim);
  if (number == dimNumbers.end())
    return false;
  const std::vector<uint64_t> &bits = info(module).mentions;
  return number->second / 64 < bits.size() && bits[number->second / 64] >> number->second % 64 & 1;
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
  // As long as needed: a program may have many dims and many modules, but modules of imported files see few dims.
  auto mention = [&](const std::string &name) {
    auto number = dimNumbers.find(name);
    if (number == dimNumbers.end() || !fileDims->sees(info.file, name))
      return;
    info.mentions.resize(std::max(info.mentions.size(), number->second / 64 + 1));
    info.mentions[number->second / 64] |= uint64_t(1) << number->second % 64;
  };
  std::vector<const Call *> calls; // followed when the walk of the body is over: no recursion within a recursion
  AstVisitor visitor;
  visitor.dim = [&](const Ident &dim) { mention(dim.name); };
  visitor.name = [&](const Name &name) { mention(name.name); };
  visitor.call = [&](const Call &call) { calls.push_back(&call); };
  walk(*module, visitor);
  for (const Call *site : calls) {
    const Call &call = *site;
    reportClash(info.file, call.callee, diagnostics);
    const Module *callee = find(info.file, call.callee.name);
    if (!callee)
      continue;
    chain.push_back({callee, &call});
    auto tooDeep = [&] {
      if (diagnostics.firstTime("call depth"))
        diagnostics.error(Code::H0601, call.callee.span, fmt::format("modules call each other more than {} levels deep",
                                                                     maxCallDepth))
            .help("layers of one kind are a loop: `repeat L as h { x = Block(x) }`");
    };
    if (chain.size() > maxCallDepth) {
      tooDeep();
    } else if (modules[callee].visiting) {
      Diagnostic &d = diagnostics.error(Code::H0303, call.callee.span,
                                        fmt::format("module `{}` calls itself{}", callee->name.name,
                                                    callee == module ? "" : " through others"));
      d.here(fmt::format("`{}` calls `{}`", module->name.name, callee->name.name));
      // The way from the callee round to here; the walk may have begun in the callee itself, which is then not in the chain.
      bool inside = std::none_of(chain.begin(), chain.end() - 1, [&](auto &step) { return step.first == callee; });
      const Module *caller = callee;
      for (auto &[m, site] : chain) {
        if (inside && site != &call) {
          d.label(site->callee.span, fmt::format("`{}` calls `{}`", caller->name.name, m->name.name));
          caller = m;
        }
        inside |= m == callee;
      }
      d.note("modules are expanded where they are called, so a recursion would never end")
          .help("layers of one kind are a loop: `repeat L as h { x = Block(x) }`");
    } else {
      summarise(callee, diagnostics);
      const ModuleInfo &other = modules[callee];
      info.holdsParameters |= other.holdsParameters;
      info.depth = std::max(info.depth, other.depth + 1);
      if (info.depth > maxCallDepth)
        tooDeep();
      info.mentions.resize(std::max(info.mentions.size(), other.mentions.size()));
      for (size_t i = 0; i < other.mentions.size(); ++i)
        info.mentions[i] |= other.mentions[i];
    }
    chain.pop_back();
  }
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
  std::map<std::string, int> counts; // the number that a name without `as` tries next
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
    std::string base = snakeCase(call->callee.name), level;
    do {
      int n = ++counts[base];
      level = n == 1 ? base : fmt::format("{}_{}", base, n);
    } while (!taken.insert(level).second);
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
