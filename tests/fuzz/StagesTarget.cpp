// The text of a stage, as --from=STAGE takes it, and what compiles it on. The first line may say which: `// from: fused`;
// without one it is the graph. Whatever the text:
// - it is refused with a diagnostic, or parses to a module that keeps the stage's contract (passes/StageForm.h);
// - an accepted module prints as text that parses to a module that prints the same;
// - with small shapes it goes on to kernels and every stage keeps its contract, or a pass says what it refuses.
#include "Budget.h"

#include "ir/graph/Heddle.h"
#include "passes/StageForm.h"
#include "tools/heddle/StageText.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include <memory>

using namespace heddle;
using namespace heddle::fuzz;

namespace {

int errors = 0; // since the last reset
std::string said;

std::unique_ptr<mlir::MLIRContext> current;

// Attributes and types are never freed by their context, so that it is made anew now and then; not while one is in use.
void renewContext() {
  static int inputs = 0;
  if (inputs++ % 64 == 0) {
    current = std::make_unique<mlir::MLIRContext>(mlir::MLIRContext::Threading::DISABLED);
    loadDialects(*current);
    current->getDiagEngine().registerHandler([](mlir::Diagnostic &diagnostic) {
      errors += diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
      said += diagnostic.str() + "\n";
      return mlir::success();
    });
  }
}

std::string print(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text;
}

mlir::OwningOpRef<mlir::ModuleOp> read(llvm::StringRef text) {
  return mlir::parseSourceString<mlir::ModuleOp>(text, mlir::ParserConfig(current.get()), "fuzz.mlir");
}

Stage stageOf(llvm::StringRef text) {
  llvm::StringRef line = text.take_until([](char c) { return c == '\n'; });
  return line.consume_front("// from: ") ? findStage(line.trim()).value_or(Stage::graph) : Stage::graph;
}

// Passes walk ops and not elements, but what they make of many or of large ones is slow for good reasons.
bool small(mlir::ModuleOp module) {
  size_t ops = 0;
  double elements = 0;
  module.walk([&](mlir::Operation *op) {
    ++ops;
    for (mlir::Type type : op->getResultTypes())
      if (auto tensor = llvm::dyn_cast<heddle::Tensor>(type))
        elements += double(tensor.getNumElements());
  });
  return ops < 300 && elements < 1e6;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Budget budget;
  renewContext();
  std::string text(reinterpret_cast<const char *>(data), size); // MLIR reads up to a NUL
  Stage stage = stageOf(text);
  if (checkStageText(text))
    return 0;
  errors = 0, said.clear();
  auto module = read(text);
  if (module && wrongLocation(*module).empty() && mlir::succeeded(verifyStage(*module, stage))) {
    std::string once = print(*module);
    auto again = read(once);
    if (!again)
      finding("what was accepted prints as text that is refused:\n" + once + said);
    if (std::string twice = print(*again); twice != once)
      finding("printing is no fixed point:\n" + once + "\n--- and then\n" + twice);
  } else if (module && wrongLocation(*module).empty() && !errors) {
    finding("refused without a word");
  } else {
    return 0;
  }
  if (!small(*module))
    return 0;
  const TargetInfo &target = targetClasses()[size % targetClasses().size()];
  for (int next = int(stage) + 1; next <= int(Stage::kernel); ++next) {
    errors = 0, said.clear();
    if (mlir::failed(runPipeline(*module, Stage(next - 1), Stage(next), target))) {
      if (!errors)
        finding("a pass failed without a word:\n" + print(*module));
      return 0;
    }
    if (mlir::failed(verifyStage(*module, Stage(next))))
      finding("stage " + stageName(Stage(next)).str() + " does not keep its contract:\n" + said);
  }
  return 0;
}
