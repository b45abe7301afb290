// See CompileObserver.h. The IR is printed before the passes of a stage run, since nothing can be printed any more once a
// pass has damaged memory, and not before each of them: that took two fifths of the time of lowering.
#include "tools/heddle/CompileObserver.h"

#include "passes/StageForm.h"

#include "tools/heddle/InternalError.h"
#include "tools/heddle/SubCommand.h"

#include "ir/graph/Heddle.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/TimeProfiler.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <stdexcept>

namespace heddle {

namespace {

int overflow(int depth) {
  volatile char fill[4096];
  fill[0] = static_cast<char>(depth);
  return depth < 1 << 30 ? overflow(depth + 1) + fill[0] : 0;
}

// The pass's name in its textual form.
llvm::StringRef nameOf(llvm::StringRef pass) { return pass.take_until([](char c) { return c == '{'; }); }

// A value of a type that no op gives it: the verifier must find that.
void breakModule(mlir::ModuleOp module) {
  mlir::OpBuilder builder = mlir::OpBuilder::atBlockEnd(module.getBody());
  mlir::OperationState state(module.getLoc(), "heddle.position");
  state.addTypes(builder.getF32Type());
  builder.create(state);
}

// A miscompile: the first constant that computes something becomes another. The module stays valid. Those of an attention
// are mostly there for rows that see nothing.
void damage(mlir::ModuleOp module) {
  module.walk([](ConstantOp constant) {
    if (llvm::isa<AttentionOp, AttentionBackwardOp>(constant->getParentOp()))
      return mlir::WalkResult::advance();
    auto number = llvm::dyn_cast<mlir::FloatAttr>(constant.getValue());
    if (!number || constant.use_empty() || number.getValueAsDouble() == 0 || !(std::abs(number.getValueAsDouble()) < 1e30))
      return mlir::WalkResult::advance();
    constant.setValueAttr(mlir::FloatAttr::get(number.getType(), -1 - number.getValueAsDouble()));
    return mlir::WalkResult::interrupt();
  });
}

} // namespace

void crash(const std::string &how) {
  if (how == "exception")
    throw std::runtime_error("thrown on demand");
  if (how == "segv")
    std::raise(SIGSEGV);
  if (how == "stack" && overflow(0))
    return;
  std::abort();
}

std::string stageText(mlir::ModuleOp module, bool locations) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  mlir::OpPrintingFlags printing;
  printing.enableDebugInfo(locations);
  if (locations)
    printing.useLocalScope(); // places stand at their ops, not in a list of their own
  auto comments = llvm::dyn_cast_or_null<mlir::ArrayAttr>(module->removeAttr(kCommentsAttr));
  if (comments)
    for (auto line : comments.getAsRange<mlir::StringAttr>())
      stream << "// " << line.getValue() << "\n";
  module->print(stream, printing);
  if (comments)
    module->setAttr(kCommentsAttr, comments);
  return text + "\n";
}

void addComments(mlir::ModuleOp module, llvm::ArrayRef<std::string> lines) {
  llvm::SmallVector<mlir::Attribute> all;
  if (auto before = module->getAttrOfType<mlir::ArrayAttr>(kCommentsAttr))
    llvm::append_range(all, before);
  for (std::string line : lines) {
    std::replace_if(line.begin(), line.end(), isControl, ' '); // the name of a file may hold any
    all.push_back(mlir::StringAttr::get(module->getContext(), line));
  }
  if (!all.empty())
    module->setAttr(kCommentsAttr, mlir::ArrayAttr::get(module->getContext(), all));
}

std::vector<std::string> commentsOf(llvm::StringRef text) {
  std::vector<std::string> lines;
  while (text.consume_front("// ")) {
    auto [line, rest] = text.split('\n');
    lines.push_back(line.rtrim('\r').str());
    text = rest;
  }
  return lines;
}

int saveTemp(const PipelineFlags &flags, const std::string &program, const std::string &suffix, std::string_view text) {
  if (flags.temps.empty())
    return exitDone;
  std::error_code error;
  std::filesystem::create_directories(flags.temps, error);
  if (error)
    return complain(exitInputOutput, fmt::format("--save-temps: cannot make `{}`: {}", flags.temps, error.message()));
  return writeOutput((std::filesystem::path(flags.temps) / (program + "." + suffix)).string(), text);
}

CompileObserver::~CompileObserver() { notePass({}, {}, {}); }

void CompileObserver::beforePass(llvm::StringRef text, mlir::ModuleOp module) {
  if (passes.empty())
    before = stageText(module, /*locations=*/true);
  pass = text.str();
  passes += (passes.empty() ? "" : ",") + pass;
  current = module;
  notePass(pass, passes, before);
  llvm::timeTraceProfilerBegin("pass", pass);
  llvm::StringRef how = flags.fail;
  if (how.consume_front(nameOf(text)) && how.consume_front(":") && how != "refuse" && how != "break" && how != "damage")
    crash(how.str());
}

PassOutcome CompileObserver::afterPass(llvm::StringRef text, mlir::ModuleOp module, PassOutcome result) {
  llvm::timeTraceProfilerEnd();
  if (flags.fail == (nameOf(text) + ":refuse").str())
    result = PassOutcome::refused;
  if (flags.fail == (nameOf(text) + ":damage").str())
    damage(module);
  if (flags.fail == (nameOf(text) + ":break").str()) {
    breakModule(module);
    result = mlir::succeeded(mlir::verify(module)) ? PassOutcome::passed : PassOutcome::invalid;
  }
  if (result == PassOutcome::passed)
    notePass({}, {}, {}), lastPass = pass;
  else
    failedPass = pass, outcome = result;
  return result;
}

void CompileObserver::afterRewrite(int64_t number) {
  if (flags.fail == fmt::format("rewrite-{}:damage", number))
    damage(current);
}

void CompileObserver::reached(Stage stage, mlir::ModuleOp module) {
  passes.clear();
  if (flags.temps.empty())
    return;
  std::string name = fmt::format("{}-{}", static_cast<int>(stage) + 1, stageName(stage).str());
  if (auto target = module->getAttrOfType<mlir::StringAttr>("heddle.target"))
    name.append("-").append(target.str());
  if (int failed = saveTemp(flags, program, name + ".mlir", stageText(module)); failed != exitDone)
    code = failed;
}

} // namespace heddle
