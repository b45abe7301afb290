// See FileDims.h. Views are gathered from the imported files up, so that a file settles what its imports leave open. Then the
// declarations that hold are put in an order in which each size can be computed: a number that gave way to a formula of the
// importing file may depend on dims that stand far below in the text. The walk has a stack of its own, since a chain of dims
// may be as long as a file.
#include "frontend/FileDims.h"
#include "frontend/AstWalk.h"
#include "frontend/Imports.h"
#include "frontend/PrintAst.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace heddle {
using namespace ast;

namespace {

bool isOpen(const DimDecl &dim) { return !dim.size && !dim.like; }
bool isNumber(const DimDecl &dim) { return dim.size && dim.size->is<IntLiteral>(); }
bool saysTheSame(const DimDecl &a, const DimDecl &b) {
  if (a.like || b.like)
    return a.like && b.like && a.like->name == b.like->name;
  return isOpen(a) == isOpen(b) && (isOpen(a) || printAst(*a.size) == printAst(*b.size));
}
std::string declared(const DimDecl &dim) {
  return dim.like ? fmt::format("as long as {}", dim.like->name) : isNumber(dim) ? fmt::format("{} here", printAst(*dim.size)) : "computed here";
}

/// The names that a size is computed from.
std::vector<std::string> namesIn(const DimDecl &dim) {
  std::vector<std::string> names;
  if (dim.like)
    names.push_back(dim.like->name);
  AstVisitor visitor;
  visitor.name = [&](const Name &name) { names.push_back(name.name); };
  if (dim.size)
    walk(*dim.size, visitor);
  return names;
}

} // namespace

FileDims::FileDims(const File &main, const std::function<std::vector<const File *>(const File *)> &importsOf,
                   Diagnostics &diagnostics)
    : importsOf(importsOf), diagnostics(diagnostics) {
  gather(&main);
  program = &views[&main];
  for (const File *file : files) {
    std::set<std::string> own;
    for (const DimDecl &decl : file->dims) {
      place(decl.name.name);
      if (!own.insert(decl.name.name).second) // the second of one file: reported when it is declared
        order.push_back({&decl, file});
    }
  }
}

const DimDecl *FileDims::find(const std::string &name) const {
  auto it = program->find(name);
  return it == program->end() ? nullptr : it->second.decl;
}

bool FileDims::sees(const File *file, const std::string &name) const {
  auto it = views.find(file);
  return it != views.end() && it->second.count(name);
}

// Imports cannot be circular (Imports.h), and are at most maxImports deep.
void FileDims::gather(const File *file) {
  if (views.count(file))
    return;
  std::vector<const File *> imports = importsOf(file);
  for (const File *other : imports)
    gather(other);
  View view;
  std::map<std::string, Conflict> conflicts;
  for (const File *other : imports)
    for (auto &[name, dim] : views[other]) {
      auto [at, fresh] = view.emplace(name, dim);
      FileDim &known = at->second;
      if (fresh || known.decl == dim.decl || isOpen(*dim.decl) || saysTheSame(*known.decl, *dim.decl))
        continue;
      if (isOpen(*known.decl))
        known = dim;
      else
        conflicts.emplace(name, Conflict{known, dim, true}).first->second.numbers &= isNumber(*known.decl) && isNumber(*dim.decl);
    }
  std::map<std::string, const DimDecl *> &own = firsts[file];
  for (const DimDecl &decl : file->dims) {
    const std::string &name = decl.name.name;
    if (!own.emplace(name, &decl).second)
      continue;
    auto [at, fresh] = view.emplace(name, FileDim{&decl, file});
    FileDim &known = at->second;
    if (fresh)
      continue;
    if (auto conflict = conflicts.find(name); conflict != conflicts.end() && conflict->second.numbers && !isOpen(decl))
      conflicts.erase(conflict);
    bool gives = isOpen(*known.decl) || (!isOpen(decl) && (isNumber(*known.decl) || saysTheSame(decl, *known.decl)));
    if (!gives && !isOpen(decl))
      diagnostics.error(Code::H0226, decl.span, fmt::format("dim `{}` of an imported file is computed, and cannot be declared otherwise", name))
          .label(known.decl->span, declared(*known.decl))
          .help(fmt::format("leave the size out, `dim {}`, or take another name", name));
    if (gives)
      known = {&decl, file};
  }
  for (auto &[name, conflict] : conflicts) {
    Diagnostic &d = diagnostics.error(Code::H0226, conflict.second.decl->span, fmt::format("two imported files declare dim `{}` differently", name));
    d.here(declared(*conflict.second.decl)).label(conflict.first.decl->span, declared(*conflict.first.decl));
    for (const Use &use : file->uses)
      if (use.imported && sees(use.imported.get(), name))
        d.label(use.fileSpan, "imported here");
    d.note("a dim is one axis in all files of a program");
    d.help(conflict.numbers ? fmt::format("say in the file that imports both which size it has: `dim {} = {}`", name,
                                          printAst(*conflict.first.decl->size))
                            : "give one of the two another name");
  }
  files.push_back(file);
  views[file] = std::move(view);
}

// The order of one name and of what its size is computed from.
void FileDims::place(const std::string &start) {
  struct Step {
    std::string name;
    std::vector<std::string> needs;
    size_t next = 0;
  };
  std::vector<Step> stack;
  auto enter = [&](const std::string &name) {
    const FileDim &dim = program->at(name);
    auto [state, fresh] = placed.emplace(name, false);
    if (!fresh && state->second)
      return;
    if (!fresh) {
      Diagnostic &d = diagnostics.error(Code::H0226, dim.decl->span, fmt::format("the size of dim `{}` depends on itself", name));
      for (size_t i = stack.size(), shown = 0; i-- > 0 && stack[i].name != name && shown < 8; ++shown)
        d.label(program->at(stack[i].name).decl->span, fmt::format("by way of `{}`", stack[i].name));
      d.help("a size of the importing file takes the place of the imported number in every size that is computed from it");
      return;
    }
    // Of its own file, a size may name what stands above it; the rest is imported.
    std::vector<std::string> needs;
    std::vector<const File *> imports = importsOf(dim.file);
    for (const std::string &need : namesIn(*dim.decl)) {
      auto own = firsts[dim.file].find(need);
      if ((own != firsts[dim.file].end() && own->second < dim.decl) ||
          std::any_of(imports.begin(), imports.end(), [&](const File *other) { return sees(other, need); }))
        needs.push_back(need);
    }
    stack.push_back({name, std::move(needs)});
  };
  enter(start);
  while (!stack.empty()) {
    Step &step = stack.back();
    if (step.next < step.needs.size()) {
      std::string need = step.needs[step.next++];
      enter(need);
      continue;
    }
    placed[step.name] = true;
    order.push_back(program->at(step.name));
    stack.pop_back();
  }
}

} // namespace heddle
