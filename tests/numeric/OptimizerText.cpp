// See OptimizerText.h: the frontend's own path, without the model.
#include "tests/numeric/OptimizerText.h"
#include "frontend/Parser.h"
#include "frontend/TrainBlock.h"

using namespace heddle;

std::string heddle::addOptimizer(mlir::ModuleOp graph, const std::string &block, int64_t steps, const std::string &declarations) {
  Diagnostics diagnostics;
  Source source("optimizer", declarations + "\ntrain t {\n" + block + "\n}\n");
  std::unique_ptr<ast::File> file = parse(source, diagnostics);
  ModuleTable table(*file, diagnostics);
  if (!diagnostics.hasErrors()) {
    Elaborator el(table, diagnostics, Elaborator::Mode::Check);
    el.declareFileDims();
    el.checkModules();
    Elaborator::Frame frame;
    frame.file = file.get();
    const ast::Expr *optim = nullptr;
    std::vector<const ast::GroupStmt *> groups;
    for (const ast::StmtPtr &stmt : file->trains[0].body) {
      if (auto *setting = stmt->as<ast::SettingStmt>()) optim = setting->value.get();
      if (auto *group = stmt->as<ast::GroupStmt>()) groups.push_back(group);
    }
    auto optimizer = readOptimizer(*optim, groups, steps, el, frame);
    if (optimizer && !diagnostics.hasErrors()) buildOptimizer(table, diagnostics, graph, *optimizer, steps, {});
  }
  std::string text;
  for (const Diagnostic *d : diagnostics.shown()) text += fmt::format("{} {}\n", info(d->code).name, d->message);
  return text;
}
