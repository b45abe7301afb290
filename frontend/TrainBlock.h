// What a train block says, read from its syntax tree: data, sizes, optimizer, periodic actions.
#pragma once
#include "frontend/BuildGraph.h"
#include "frontend/Elaborator.h"
#include "frontend/TrainData.h"

namespace heddle {

/// What an optimizer's argument is given: by its declaration, by `optim = ...`, or by a group.
using Arguments = std::map<std::string, const ast::Expr *>;

/// `group vectors, "*.wte" { decay = 0 }`.
struct Group {
  const ast::GroupStmt *ast = nullptr;
  Arguments given;
};

/// An optimizer as written. Its arguments differ from parameter to parameter: a group changes those that its selectors
/// take, after the groups before it. Before all of them, `decay` is 0 for vectors: parameters with fewer than two dims
/// besides the layer axes, as nanoGPT has it.
struct Optimizer {
  const ast::Module *rule = nullptr;
  Span span;
  Arguments given;
  std::vector<Group> groups;
  double clip = 0; // the largest norm of all gradients together; 0: none
};

/// What @train's parameters are updated with, for those that share all arguments.
struct OptimizerGroup {
  std::string settings; // what sets it apart, as text: "lr = 0.1 * lr, decay = 0"
  std::vector<std::string> parameters; // names of variables
};

struct PeriodicAction {
  int64_t n = 0;
  std::string what; // "eval", "save", "sample"
  Span span;
  std::string loss;
  int64_t batches = 0; // of eval; 0: as many as the source has by itself
  std::map<std::string, DataSetting> sample; // what `sample` is told, by its names in heddle.config
};

/// A length bucket: `size T = 64 | 128` makes two.
struct Bucket {
  std::string name;                     // what it adds to the name of its entry: ".T64"
  std::map<std::string, int64_t> sizes; // of the dims that have several
};

struct TrainBlock {
  const ast::Train *ast = nullptr;
  DataDeclaration data;
  std::map<std::string, int64_t> sizes; // from `size`, overridden by --set; of buckets those of the last
  std::vector<Bucket> buckets;          // none, or at least two
  int64_t steps = 0;
  uint64_t seed = 0;
  int64_t accumulate = 1; // micro-batches of a step
  Span accumulateSpan;
  std::string from;
  std::optional<Optimizer> optimizer;
  std::vector<const ast::LossStmt *> losses;
  std::vector<const ast::MetricStmt *> metrics; // computed in evaluations only
  const ast::MinimiseStmt *minimise = nullptr;
  std::vector<PeriodicAction> every;
  std::set<const ast::LetStmt *> misnamed; // meant as settings, which was reported
  std::vector<BoundDim> binds;
  std::optional<int64_t> heldOut; // with `batch = all`: the records of evaluation
};

/// Sizes of dims from `size` and --set, the last one where a dim has several; errors for unknown and closed dims. `block` may be null (`heddle run MODULE`).
std::map<std::string, int64_t> readSizes(const ModuleTable &table, const ast::Train *block, Diagnostics &diagnostics,
                                         const BuildSettings &settings);
/// The length buckets of a block, from the smallest on. H0417 if they cannot be.
std::vector<Bucket> readBuckets(const ast::Train &block, const DataDeclaration &data, Elaborator &el, const BuildSettings &settings);
/// The rest of the block. `el` has declared the file's dims; used for the numbers only.
TrainBlock readTrainBlock(const ast::Train &block, Elaborator &el, const BuildSettings &settings);
/// An optimizer as written, `adamw(lr = warmup(100) then cosine(3e-4, 3e-5), beta = (0.9, 0.95))`, and the groups of a
/// run of `steps` steps. Nothing after an error.
std::optional<Optimizer> readOptimizer(const ast::Expr &expr, const std::vector<const ast::GroupStmt *> &groups,
                                       int64_t steps, Elaborator &el, Elaborator::Frame &frame);
/// The values of a rule's arguments behind the gradient, in a frame that has `step` and `steps`: those of the optimizer,
/// then, with `vector`, a decay of 0, then those of the groups given, in which an argument's name is its value so far.
/// Scalars that may change are f32 tensors. Unknown after an error.
std::map<std::string, Value> argumentValues(const Optimizer &optimizer, bool vector, const std::vector<const Group *> &groups,
                                            Elaborator &el, Elaborator::Frame frame);
/// Puts what heddle.optimizer says (passes/graph/ApplyOptimizer.h) into a graph whose parameters are known, and returns
/// the groups that it makes of them. Nothing after an error: a selector takes no parameter (H0416).
std::optional<std::vector<OptimizerGroup>> buildOptimizer(const ModuleTable &table, Diagnostics &diagnostics,
                                                          mlir::ModuleOp graph, const Optimizer &optimizer, int64_t steps,
                                                          const std::map<std::string, int64_t> &sizes);
/// heddle.config.
std::string configJson(const TrainBlock &block, const std::string &minimise, const std::map<std::string, int64_t> &ranges,
                       const std::vector<OptimizerGroup> &groups, const BuildSettings &settings);

/// The whole number that all of `text` is, as `--set` gives it; nothing if it is none or too large.
std::optional<int64_t> wholeNumber(const std::string &text);

/// A whole number from `least` to `most` from an expression; nothing after an error (H0410).
std::optional<int64_t> readWhole(const ast::Expr &expr, Elaborator &el, Elaborator::Frame &frame, const char *what,
                                 int64_t least, int64_t most = INT64_MAX);

/// A number from `lo` to `hi`, or to below it with `openTop`; nothing after an error (H0410).
std::optional<double> readBounded(const ast::Expr &expr, Elaborator &el, Elaborator::Frame &frame, const char *what,
                                  double lo, double hi, bool openTop);

/// A number from an expression; nothing after an error.
std::optional<Number> readNumber(const ast::Expr &expr, Elaborator &el, Elaborator::Frame &frame, const char *what);

} // namespace heddle
