// The language, from bytes to a verified graph. What must hold for any text:
// - the tree of a text without errors prints as text that parses to a tree that prints the same;
// - a program that check accepts gives, for each train block and module, a graph that verifies, or an error.
#include "Budget.h"

#include "frontend/BuildGraph.h"
#include "frontend/Parser.h"
#include "frontend/PrintAst.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"

#include <memory>

using namespace heddle;
using namespace heddle::fuzz;

namespace {

std::string render(const Diagnostics &diagnostics) {
  renderJson(diagnostics);
  return renderText(diagnostics, true);
}

void checkFixedPoint(const ast::File &file) {
  std::string once = printAst(file);
  Source source("printed.heddle", once);
  Diagnostics diagnostics;
  auto again = parse(source, diagnostics);
  if (diagnostics.hasErrors())
    finding("the tree prints as text that does not parse:\n" + once + render(diagnostics));
  if (std::string twice = printAst(*again); twice != once)
    finding("printing is no fixed point:\n" + once + "\n--- and then\n" + twice);
}

// Attributes and types are never freed by their context, so that it is made anew now and then.
mlir::MLIRContext &context() {
  static std::unique_ptr<mlir::MLIRContext> current;
  static int uses = 0;
  if (uses++ % 64 == 0) {
    current = std::make_unique<mlir::MLIRContext>(mlir::MLIRContext::Threading::DISABLED);
    current->getDiagEngine().registerHandler([](mlir::Diagnostic &) { return mlir::success(); });
  }
  return *current;
}

void mustVerify(const mlir::OwningOpRef<mlir::ModuleOp> &graph, const Diagnostics &diagnostics, const std::string &what) {
  render(diagnostics);
  if (!graph && !diagnostics.hasErrors())
    finding(what + ": no graph, and no error");
  if (graph && mlir::failed(mlir::verify(*graph)))
    finding(what + ": the graph does not verify");
}

// Small sizes for the inputs of a module: what the file says, else 2, 3 or 4 by the dim's name.
InputShapes smallShapes(const ast::File &file, const ast::Module &module) {
  InputShapes shapes;
  for (const ast::Parameter &parameter : module.params)
    for (const ast::Ident &dim : parameter.type.dims) {
      int64_t size = 2 + int64_t(std::hash<std::string>()(dim.name) % 3);
      for (const ast::DimDecl &decl : file.dims)
        if (auto *number = decl.name.name == dim.name && decl.size ? decl.size->as<ast::IntLiteral>() : nullptr)
          size = number->value;
      shapes[parameter.name.name].push_back(size);
    }
  return shapes;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Budget budget;
  Source source("fuzz.heddle", std::string(reinterpret_cast<const char *>(data), size));
  Diagnostics diagnostics;
  auto file = parse(source, diagnostics);
  if (diagnostics.hasErrors())
    return render(diagnostics), 0;
  checkFixedPoint(*file);
  BuildSettings settings;
  settings.describeData = [](const std::string &, std::string &) { return DataFacts({{"vocabulary", 7}, {"classes", 3}}); };
  checkFile(*file, diagnostics, settings);
  render(diagnostics);
  if (diagnostics.hasErrors())
    return 0;
  for (const ast::Train &train : file->trains) {
    Diagnostics found;
    auto graph = buildTrain(*file, train.name.name, found, context(), settings);
    mustVerify(graph, found, "train " + train.name.name);
  }
  for (const ast::Module &module : file->modules) {
    Diagnostics found;
    auto graph = buildRun(*file, module.name.name, smallShapes(*file, module), found, context(), settings);
    mustVerify(graph, found, "module " + module.name.name);
  }
  return 0;
}
