// From a .heddle file to a stage of compilation: what compile, train, eval, sample and run share.
#pragma once

#include "passes/Pipeline.h"
#include "tools/heddle/ParsedFile.h"
#include "tools/heddle/Settings.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>
#include <string>
#include <vector>

namespace heddle {

class Compilation {
public:
  std::string file;              // the .heddle file; "-" is stdin
  std::string block;             // the train block; empty: the only one
  SettingFlags flags;            // --set, --data
  std::string from;              // --from: `file` is not a program but the text of this stage

  Compilation();

  /// Parses the file and builds the graph of its train block. Returns an exit code; what is wrong has been said.
  int buildTrain();
  /// The same for `heddle run`: a module, or a train block's losses, with inputs of these shapes.
  int buildRun(const std::string &name, const std::map<std::string, std::vector<int64_t>> &shapes);

  /// Takes the module on to `stage`. Returns exitDone or exitInternal.
  int lowerTo(Stage stage, const TargetInfo &target);
  /// A copy of the module, lowered to kernels for one class; null after an internal error, which has been said.
  mlir::OwningOpRef<mlir::ModuleOp> kernelsFor(const TargetInfo &target);

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
};

/// The target class named, or HEDDLE_TARGET's, or the best of this machine. Throws RunError if there is none such.
const TargetInfo &chooseTargetInfo(const std::string &wanted);

} // namespace heddle
