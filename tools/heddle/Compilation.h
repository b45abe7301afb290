// From a .heddle file, or the text of a stage, to a stage of compilation: what compile, train, eval, sample and run share.
#pragma once

#include "passes/Pipeline.h"
#include "tools/heddle/ParsedFile.h"
#include "tools/heddle/PipelineFlags.h"
#include "tools/heddle/Settings.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>
#include <string>
#include <vector>

namespace heddle {

class Compilation {
public:
  std::string file;       // the .heddle file; "-" is stdin
  std::string block;      // the train block; empty: the only one
  SettingFlags flags;     // --set, --data
  PipelineFlags pipeline; // --from, --no-fuse, --pass-limit and what a developer wants to see

  Compilation();

  /// Parses the file and builds the graph of its train block, or reads the text of a stage. Returns an exit code; what is
  /// wrong has been said.
  int buildTrain();
  /// The same for `heddle run`: a module, or a train block's losses, with inputs of these shapes.
  int buildRun(const std::string &name, const std::map<std::string, std::vector<int64_t>> &shapes);
  /// The same for one of the entries of a train block as `heddle train` has them.
  int buildEntry(const std::string &train, const std::string &entry);
  /// With `grad`, gradients of @run's parameters and float inputs are derived too; else none. Returns an exit code.
  int chooseGradients(bool grad);

  /// The target class to lower for: the one named, or HEDDLE_TARGET's, or the best of this machine; of a program at stage
  /// kernel the one that it is lowered for. Call it when the program is built. Returns an exit code.
  int chooseTarget(const std::string &wanted, const TargetInfo *&target) const;

  /// Takes the module on to `stage`. Returns exitDone; exitProgramErrors when a pass refuses text that somebody fed
  /// back. Any other failure is an internal error and ends the process.
  int lowerTo(Stage stage, const TargetInfo &target);
  /// A copy of the module, lowered to kernels for one class; null, with an exit code, where lowerTo would return one.
  mlir::OwningOpRef<mlir::ModuleOp> kernelsFor(const TargetInfo &target, int &code);
  /// The same at any later stage.
  mlir::OwningOpRef<mlir::ModuleOp> copyAt(Stage to, const TargetInfo &target, int &code);

  /// Writes a file of --save-temps, where it is given; `suffix` ends its name.
  int saveTemp(const std::string &suffix, std::string_view text) const;

  /// Gives back what the program was compiled from: it runs without, and training wants the memory.
  void release();

  /// The text of a line of the program, for comments; empty if it is of another file.
  std::string sourceLine(const std::string &file, unsigned line) const;

  mlir::MLIRContext context;
  ParsedFile parsed;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  Stage stage = Stage::graph;

private:
  int parse();
  int finish();
  int readStage();
  int advance(mlir::ModuleOp module, Stage to, const TargetInfo &target, RewriteCount &count);
  void tellPassLimit(const RewriteCount &count) const;
  std::string programName() const;

  RewriteCount rewrites; // that made the module what it is
};

} // namespace heddle
