// One entry of the graph under construction, and what all entries of a train block have in common: the values of the
// data's fields, and the walk over the block's statements. Each entry is built by an Elaborator of its own, since it may
// have another batch, so other sizes.
#pragma once
#include "frontend/TrainBlock.h"

namespace heddle {

using Sizes = std::map<std::string, int64_t>;

/// What `data` is in a block: its fields.
Value dataValue(const std::vector<Value> &fields, bool known);
/// The frame of a block's statements.
Elaborator::Frame trainFrame(const ModuleTable &table);
/// The fields, of the axes that they declare; unknown where that was an error.
std::vector<Value> checkFields(Elaborator &el, const TrainBlock &block, Elaborator::Frame &frame);
/// The axis of the batch: the first of every field of the data. Null if there is none.
Axis *batchAxis(Elaborator &el, const TrainBlock &block, const Elaborator::Frame &frame);
/// Walks the statements of a block and its losses, `metrics` too if wanted; their values by name. `minimise` becomes the
/// name of the one to be minimised.
std::vector<std::pair<std::string, Value>> walkBlock(Elaborator &el, const TrainBlock &block, Elaborator::Frame &frame,
                                                     bool metrics, std::string &minimise);

/// One entry under construction.
class GraphEntry {
public:
  GraphEntry(const ModuleTable &table, Diagnostics &diagnostics, mlir::ModuleOp graph, const Sizes &sizes);

  void open(const std::string &name, Span span);
  /// Adds an argument; `checked` numbers it among those whose ids are checked on arrival.
  Value argument(const std::string &name, Value value, Span span, bool checked = true);
  /// Adds those that count: `$seed`, `$step` and, if wanted, `$micro`.
  void counters(Span span, bool micro);
  void close(const std::vector<std::pair<std::string, Value>> &results, Span span);
  /// Adds the ranges of the inputs to `all`: the smallest of each.
  void ranges(std::map<std::string, int64_t> &all) const;
  /// Adds the fields of the data as arguments.
  std::vector<Value> fields(const TrainBlock &block, Elaborator::Frame &frame, const std::string &prefix);
  /// Those that generation has.
  std::vector<Value> sampledFields(const TrainBlock &block, Elaborator::Frame &frame);

  Elaborator el;
  mlir::OpBuilder builder;
  mlir::ModuleOp graph;
  mlir::func::FuncOp func;
  std::vector<std::string> names;

private:
  mlir::Location place(Span span);
};

} // namespace heddle
