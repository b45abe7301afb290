// From the syntax tree to the graph: checks a file and builds the entries of a train block, or a module to run.
//
// A built module has module attributes heddle.program (the block's name), heddle.config (JSON for the runtime, see
// docs/runtime.md), heddle.optimizer (a dictionary, see TrainBlock.h) and entries:
//   @train   arguments: the fields of the data {heddle.name = "data.ids"}, `$seed` i32[2], `$step` i32;
//            results: the losses {heddle.name = "loss.lm"}; heddle.minimise names the result to be minimised
//            ("loss.lm", or "minimise" for an expression of losses, an extra result)
//   @train.T64  the same, of the length bucket `T = 64`: there is one for each but the last, which is @train
//   @eval    the same without dropout, seed and step
//   @sample  if the block trains a cross entropy against data.next: rows of data.ids (data.tgt, with the source, for
//            pairs) give the logits {heddle.name = "logits"}, f32[B,T,V]
#pragma once
#include "frontend/Ast.h"
#include "frontend/Diagnostics.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace heddle {

/// Numbers by name; nothing if there are none.
using DataFacts = std::optional<std::map<std::string, int64_t>>;

struct BuildSettings {
  /// `--set K=V`: sizes of dims, `steps`, `seed`.
  std::map<std::string, std::string> set;
  /// What the data tell of sizes (DataDescription of runtime/DataSource.h); nothing and a sentence if they cannot be
  /// read. `config` is a heddle.config with the source alone. Unset: nothing is known of the data.
  std::function<DataFacts(const std::string &config, std::string &error)> describeData;
  /// The size of dims that data would tell which are not at hand, for a check; unset: an error.
  std::optional<int64_t> guessedSize;
  /// The directory of the .heddle file, for the configuration.
  std::string base;
};

/// Everything that can be found without data: names, dims and types of every module and train block, and what the sizes
/// of a block tell where all are known.
void checkFile(const ast::File &file, Diagnostics &diagnostics, const BuildSettings &settings = {});

/// The graph of a train block: the one called `name`, or the only one if it is empty. Null if there are errors.
mlir::OwningOpRef<mlir::ModuleOp> buildTrain(const ast::File &file, const std::string &name, Diagnostics &diagnostics,
                                             mlir::MLIRContext &context, const BuildSettings &settings);

/// Shapes of the tensors given, by the names of a module's arguments or of the data's fields.
using InputShapes = std::map<std::string, std::vector<int64_t>>;

/// The graph of `heddle run`: one entry @run. For a module: its arguments by name, results `out`, or `out.0`, `out.1`.
/// For a train block: the data's fields by name, results the losses by name. Without dropout. Open dims are bound
/// from the shapes. heddle.minimise on @run names the result that `--grad` differentiates. Null if there are errors.
mlir::OwningOpRef<mlir::ModuleOp> buildRun(const ast::File &file, const std::string &name, const InputShapes &shapes,
                                           Diagnostics &diagnostics, mlir::MLIRContext &context,
                                           const BuildSettings &settings);

} // namespace heddle
