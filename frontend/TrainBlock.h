// What a train block says, read from its syntax tree: data, sizes, optimizer, schedule, periodic actions.
#pragma once
#include "frontend/BuildGraph.h"
#include "frontend/Elaborator.h"
#include "frontend/TrainData.h"

namespace heddle {

/// A part of a learning rate's course. `warmup` rises from 0 to the first value of the next part in `steps` steps; the
/// others fill the rest of the run: `constant` at `from`, `linear` and `cosine` between `from` and `to`
/// (Loshchilov and Hutter 2017, one half period).
struct SchedulePart {
  std::string kind;
  int64_t steps = 0;
  double from = 0, to = 0;
};

/// heddle.optimizer: {kind, lr = [{kind, steps, from, to}, ...], steps, and for
///   sgd: decay, clip;  momentum: momentum, nesterov, decay, clip;  adam, adamw: beta1, beta2, eps, decay, clip}.
/// `clip` 0 is none. `decay` acts on parameters with two or more dims besides the layer axes, as nanoGPT has it:
/// gains and biases are left alone. For adamw it is decoupled (Loshchilov and Hutter 2019), else added to the gradient.
struct Optimizer {
  std::string kind;
  std::vector<SchedulePart> rate;
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, decay = 0, clip = 0, momentum = 0.9;
  bool nesterov = false;
  mlir::DictionaryAttr attribute(mlir::Builder &builder, int64_t steps) const;
};

struct PeriodicAction {
  int64_t n = 0;
  std::string what; // "eval", "save", "sample"
  Span span;
  std::string loss;
  int64_t batches = 0; // of eval; 0: as many as the source has by itself
  std::map<std::string, DataSetting> sample; // what `sample` is told, by its names in heddle.config
};

struct TrainBlock {
  const ast::Train *ast = nullptr;
  DataDeclaration data;
  std::map<std::string, int64_t> sizes; // from `size`, overridden by --set
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

/// Sizes of dims from `size` and --set; errors for unknown and closed dims. `block` may be null (`heddle run MODULE`).
std::map<std::string, int64_t> readSizes(const ast::File &file, const ast::Train *block, Diagnostics &diagnostics,
                                         const BuildSettings &settings);
/// The rest of the block. `el` has declared the file's dims; used for the numbers only.
TrainBlock readTrainBlock(const ast::Train &block, Elaborator &el, const BuildSettings &settings);
/// An optimizer as written: `adamw(lr = warmup(100) then cosine(3e-4, 3e-5), beta = (0.9, 0.95))`.
std::optional<Optimizer> readOptimizer(const ast::Expr &expr, Elaborator &el, Elaborator::Frame &frame);
/// heddle.config.
std::string configJson(const TrainBlock &block, const std::string &minimise, const std::map<std::string, int64_t> &ranges,
                       const BuildSettings &settings);

/// The whole number that all of `text` is, as `--set` gives it; nothing if it is none or too large.
std::optional<int64_t> wholeNumber(const std::string &text);

/// A whole number from `least` to `most` from an expression; nothing after an error (H0410).
std::optional<int64_t> readWhole(const ast::Expr &expr, Elaborator &el, Elaborator::Frame &frame, const char *what,
                                 int64_t least, int64_t most = INT64_MAX);

/// A number from an expression; nothing after an error.
std::optional<Number> readNumber(const ast::Expr &expr, Elaborator &el, Elaborator::Frame &frame, const char *what);

} // namespace heddle
