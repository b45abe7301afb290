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
  optim = load("std.optim", diagnostics);
  std::vector<const File *> files{&main, optim.get()};
  for (auto &lib : libs)
    files.push_back(lib.get());
  auto once = [&](std::map<std::string, Span> &seen, const Ident &name, const char *what) {
    auto [it, fresh] = seen.emplace(name.name, name.span);
    if (!fresh)
      diagnostics.error(Code::H0301, name.span, fmt::format("{} `{}` is declared twice", what, name.name))
          .label(it->second, "declared here first");
  };
  for (const File *file : files) {
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
  for (const DimDecl &dim : main.dims)
    fileDims.emplace(dim.name.name, fileDims.size());
  for (const File *file : files)
    for (const std::vector<Module> *all : {&file->modules, &file->optimizers})
      for (const Module &module : *all)
        summarise(&module, diagnostics);
  AstVisitor dims;
  dims.dim = [&](const Ident &dim) { mentioned.insert(dim.name); };
  for (const Module &module : main.modules)
    walk(module, dims);
  for (const Train &train : main.trains)
    walk(train.body, dims);
  for (const File *file : files) {
    for (const std::vector<Module> *all : {&file->modules, &file->optimizers})
      for (const Module &module : *all)
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
  if (path == "std.optim")
    return; // always there
  if (!libraryText(path, name)) {
    Diagnostic &d = diagnostics.error(Code::H0302, use.span, fmt::format("there is no library `{}`", path));
    Span words = join(use.path.front().span, use.path.back().span);
    if (!suggest(d, words, path, {"std.nn", "std.optim"}))
      d.help("the library that exists is `std.nn`; files of one's own cannot be imported yet");
    return;
  }
  libs.push_back(load(path, diagnostics));
}

std::unique_ptr<File> ModuleTable::load(const std::string &path, Diagnostics &diagnostics) {
  static SourceManager sources; // library texts live as long as the process: spans point into them
  static std::map<std::string, const Source *> loaded;
  const Source *&source = loaded[path];
  if (!source) {
    std::string name;
    const char *text = libraryText(path, name);
    source = &sources.add(name, text);
  }
  return parse(*source, diagnostics);
}

std::vector<const Module *> ModuleTable::optimizers() const {
  std::vector<const Module *> all;
  for (const File *file : {&main, static_cast<const File *>(optim.get())})
    for (const Module &rule : file->optimizers)
      all.push_back(&rule);
  return all;
}

const Module *ModuleTable::findOptimizer(const std::string &name) const {
  for (const Module *rule : optimizers())
    if (rule->name.name == name)
      return rule;
  return nullptr;
}

const Module *ModuleTable::find(const File *from, const std::string &name) const {
  auto in = [&](const File &file) -> const Module * {
    auto modulesOf = byName.find(&file);
    if (modulesOf == byName.end())
      return nullptr;
    auto it = modulesOf->second.find(name);
    return it == modulesOf->second.end() ? nullptr : it->second;
  };
  if (const Module *own = in(*from))
    return own;
  if (from == &main)
    for (auto &lib : libs)
      if (const Module *module = in(*lib))
        return module;
  return nullptr;
}

bool ModuleTable::inUnusedLibrary(const std::string &name) const {
  static const std::set<std::string> names = [] {
    std::string file;
    Diagnostics silent;
    Source source("std.nn", libraryText("std.nn", file));
    const std::unique_ptr<File> library = parse(source, silent);  // named: a temporary would end before the loop
    std::set<std::string> all;
    for (const Module &module : library->modules)
      all.insert(module.name.name);
    return all;
  }();
  return libs.empty() && names.count(name);
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

bool ModuleTable::mentions(const Module *module, const std::string &dim) const {
  auto number = fileDims.find(dim);
  return number != fileDims.end() && info(module).mentions[number->second / 64] >> number->second % 64 & 1;
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
  info.mentions.resize((fileDims.size() + 63) / 64);
  auto mention = [&](const std::string &name) {
    if (auto number = fileDims.find(name); number != fileDims.end() && info.file == &main)
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
      if (other.file == info.file)
        for (size_t i = 0; i < info.mentions.size(); ++i)
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
