// What the command does around the passes of a pipeline: it keeps the IR before a stage for the report of a crash, takes
// times, and writes the files of --save-temps.
#pragma once

#include "tools/heddle/PipelineFlags.h"

#include <string>
#include <vector>

namespace heddle {

class CompileObserver : public PipelineObserver {
public:
  /// `program` names the files of --save-temps. Both must outlive the observer.
  CompileObserver(const PipelineFlags &flags, const std::string &program) : flags(flags), program(program) {}
  ~CompileObserver() override;

  void beforePass(llvm::StringRef text, mlir::ModuleOp module) override;
  PassOutcome afterPass(llvm::StringRef text, mlir::ModuleOp module, PassOutcome result) override;
  void afterRewrite(int64_t number) override;
  void reached(Stage stage, mlir::ModuleOp module) override;

  /// The pass that failed and how; empty and `passed` if none did.
  std::string failedPass;
  std::string lastPass; // that passed
  int code = 0; // exitInputOutput if a file of --save-temps cannot be written
  PassOutcome outcome = PassOutcome::passed;

private:
  const PipelineFlags &flags;
  const std::string &program;
  mlir::ModuleOp current;
  std::string pass, passes, before; // the one that runs; those of its stage up to it; the IR before them
};

/// Writes a file of --save-temps, DIR/PROGRAM.SUFFIX, where the flag asks for it. Returns exitDone, or says what is wrong
/// and returns exitInputOutput.
int saveTemp(const PipelineFlags &flags, const std::string &program, const std::string &suffix, std::string_view text);

/// A module as its stage prints, its comments first. With `locations`, places stand at their ops.
std::string stageText(mlir::ModuleOp module, bool locations = false);
/// Lines that stand as comments before a module's text, behind those that it has.
void addComments(mlir::ModuleOp module, llvm::ArrayRef<std::string> lines);
/// The comments before the text of a stage.
std::vector<std::string> commentsOf(llvm::StringRef text);

/// What --internal-fail and the command internal-crash do: exception, segv, stack; abort for all else.
void crash(const std::string &how);

} // namespace heddle
