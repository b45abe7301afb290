// The order of a trial; each step says what it compares.
#include "tests/random/Trial.h"
#include "codegen/llvm/Jit.h"
#include "passes/Pipeline.h"
#include "tests/random/Execution.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include <cfloat>
#include <cmath>

using namespace mlir;
using namespace heddle;

bool heddle::withinBound(double got, double want, double error) {
  if (error == INFINITY) return true;
  if (std::isnan(want)) return std::isnan(got);
  if (got == want || got == static_cast<float>(want)) return true;
  return std::isfinite(want) && std::isfinite(got) && std::fabs(got - want) <= error;
}

// A bound below what single precision flushes is exact for every purpose.
bool heddle::isVacuous(double error, double largest) { return error > 0.1 * largest && error > 1e-30; }

namespace {
double largestOf(const Array &array) {
  double largest = 0;
  for (double y : array.elements)
    if (std::isfinite(y)) largest = std::fmax(largest, std::fabs(y));
  return largest;
}

std::string place(const std::string &name, size_t i, double got, double want, double error) {
  char text[160];
  std::snprintf(text, sizeof text, "[%zu] is %.9g, not %.9g within %.3g", i, got, want, error);
  return name + text;
}

// Two evaluations in double precision: a unit of 2^-53 for 2^-24, functions of the C library within 2 ulps (4 u) for
// those of kernels within 1 (2 u), and two sides.
constexpr double kDoubleUnit = 4 * 0x1p-53;

std::string differenceInDouble(const std::string &name, const Array &want, const Array &got, const Bounded &bound,
                               double factor) {
  Array actual = reordered(got, want.type), scale = reordered(Array(bound.value.type, bound.error), want.type);
  for (size_t i = 0; i < want.elements.size(); ++i) {
    double x = want.elements[i], y = actual.elements[i], error = factor * scale.elements[i];
    if (x == y || (std::isnan(x) && std::isnan(y)) || !std::isfinite(scale.elements[i])) continue;
    if (!(std::fabs(x - y) <= error + 0x1p-50 * std::fabs(x))) return place(name, i, y, x, error);
  }
  return "";
}

class Trial {
public:
  Trial(MLIRContext &context, ArrayRef<ModuleOp> programs, const TrialOptions &options, const TrialProgress &progress)
      : context(context), programs(programs), options(options), progress(progress),
        handler(&context, [this](Diagnostic &diagnostic) {
          said += (said.empty() ? "" : "; ") + diagnostic.str();
          return success();
        }) {}

  TrialOutcome run() {
    for (size_t i = 0; i < programs.size(); ++i) expect(i);
    if (expected.empty()) return std::move(outcome);
    const TargetInfo *target = findTargetClass(options.targetClass);
    runMerged(*target, true);
    if (!options.unfusedClass.empty()) runMerged(*findTargetClass(options.unfusedClass), false);
    return std::move(outcome);
  }

private:
  void found(int program, const std::string &kind, const std::string &detail) {
    outcome.findings[program].push_back({kind, detail});
  }
  std::string takeSaid() { return std::exchange(said, {}); }
  bool lower(ModuleOp module, Stage from, Stage to, const TargetInfo &target, bool fuse) {
    said.clear();
    if (!fuse && to == Stage::fused) return succeeded(lowerUnfused(module));
    PipelineOptions options;
    options.fuseAttention = false;  // it has no error bound; tests/attention compares it
    return succeeded(runPipeline(module, from, to, target, options));
  }

  void expect(int i);
  bool expectEntry(int i, func::FuncOp graph, func::FuncOp grad, Expectation &expectation);
  bool computeByBlocks(ModuleOp module);
  void runMerged(const TargetInfo &target, bool fuse);
  void interpretMerged(ModuleOp module, const std::string &stage);
  void compare(int i, const Expectation &program, const Snapshot &got, const std::string &kind, bool counts);

  MLIRContext &context;
  ArrayRef<ModuleOp> programs;
  const TrialOptions &options;
  const TrialProgress &progress;
  std::string said;  // diagnostics since the last step began
  ScopedDiagnosticHandler handler;
  TrialOutcome outcome;
  std::map<int, Expectation> expected;
};
}  // namespace

static std::string differenceWithin(const Interpretation &want, const Interpretation &got, const BoundedOutcome &bounds,
                                    double factor) {
  for (auto &[name, array] : want.results) {
    auto found = got.results.find(name);
    if (found == got.results.end()) return "no result " + name;
    std::string differs = ::differenceInDouble(name, array, found->second, bounds.results.find(name)->second, factor);
    if (!differs.empty()) return differs;
  }
  for (auto &[name, array] : want.variables) {
    std::string differs =
        ::differenceInDouble("@" + name, array, got.variables.find(name)->second, bounds.variables.find(name)->second, factor);
    if (!differs.empty()) return differs;
  }
  return "";
}

// Bounds are convex in the unit, so that a smaller one scales them down at least in proportion, except where they are the
// size of a jump, or 0 since constants were folded: then they are derived anew.
std::string heddle::differenceInDouble(const Interpretation &want, const Interpretation &got, const ExpectedEntry &entry,
                                       func::FuncOp function, const Arrays &variables) {
  std::string differs = differenceWithin(want, got, entry.bounds, kDoubleUnit / BoundOptions().unit);
  if (differs.empty()) return "";
  BoundOptions options;
  options.unit = kDoubleUnit;
  auto bounds = boundErrors(function, entry.inputs, variables, options);
  return bounds ? differenceWithin(want, got, *bounds, 1) : llvm::toString(bounds.takeError());
}

//===------------------------------------------------------------------------------------------------- one by one
bool Trial::expectEntry(int i, func::FuncOp graph, func::FuncOp grad, Expectation &expectation) {
  ExpectedEntry entry;
  entry.name = grad.getSymName();
  entry.inputs = inputsOf(grad);
  progress(i, "interpreter");
  auto before = interpret(graph, entry.inputs, expectation.variables);
  if (!before) return found(i, "interpreter graph", llvm::toString(before.takeError())), false;
  auto after = interpret(grad, entry.inputs, expectation.variables);
  if (!after) return found(i, "interpreter grad", llvm::toString(after.takeError())), false;
  auto bounds = boundErrors(grad, entry.inputs, expectation.variables);
  if (!bounds) return found(i, "bounds", llvm::toString(bounds.takeError())), false;
  entry.graph = std::move(*before), entry.grad = std::move(*after), entry.bounds = std::move(*bounds);
  // Before the optimizer ran there was nothing but state to write.
  Interpretation wanted = entry.graph;
  if (entry.grad.results.count("grad_norm")) wanted.variables.clear();
  std::string differs = heddle::differenceInDouble(wanted, entry.grad, entry, graph, expectation.variables);
  if (!differs.empty()) return found(i, "interpreter grad", entry.name + "/" + differs), false;
  expectation.entries.push_back(std::move(entry));
  return true;
}

void Trial::expect(int i) {
  ModuleOp graph = programs[i];
  Expectation expectation;
  progress(i, "derive");
  expectation.grad = graph.clone();
  if (!lower(*expectation.grad, Stage::graph, Stage::grad, targetClasses().front(), true)) {
    std::string reason = takeSaid();
    if (reason.find("depends on no parameter") != std::string::npos) ++outcome.statistics.rejected;
    else found(i, "pass grad", reason);
    return;
  }
  expectation.variables = variablesOf(*expectation.grad);
  std::vector<func::FuncOp> before = entriesOf(graph), after = entriesOf(*expectation.grad);
  for (size_t k = 0; k < before.size(); ++k)
    if (!expectEntry(i, before[k], after[k], expectation)) return;
  progress(i, "gradient");
  for (ExpectedEntry &entry : expectation.entries) {
    auto loss = entry.bounds.results.find("loss.main");
    if (loss == entry.bounds.results.end()) continue;
    std::vector<Finding> wrong = checkGradient(graph, loss->second.error[0], outcome.statistics);
    for (Finding &finding : wrong) found(i, finding.kind, finding.detail);
    if (!wrong.empty()) return;
  }
  ++outcome.statistics.programs;
  expected.insert({i, std::move(expectation)});
}

//===------------------------------------------------------------------------------------------------- together
void Trial::interpretMerged(ModuleOp module, const std::string &stage) {
  for (auto &[i, program] : expected) {
    for (const ExpectedEntry &entry : program.entries) {
      progress(i, "interpreter " + stage);
      auto function = module.lookupSymbol<func::FuncOp>(mergedEntry(i, entry.name));
      if (!function) {
        found(i, "interpreter " + stage, "the entry is gone");
        continue;
      }
      Arrays own;
      for (auto &[name, array] : program.variables) own.insert({mergedVariable(i, name), array});
      auto got = interpret(function, entry.inputs, own);
      if (!got) {
        found(i, "interpreter " + stage, llvm::toString(got.takeError()));
        continue;
      }
      Interpretation plain;
      plain.results = got->results;
      for (auto &[name, array] : program.variables)
        plain.variables.insert({name, got->variables.find(mergedVariable(i, name))->second});
      auto grad = program.grad->lookupSymbol<func::FuncOp>(entry.name);
      std::string differs = heddle::differenceInDouble(entry.grad, plain, entry, grad, program.variables);
      if (!differs.empty()) found(i, "interpreter " + stage, entry.name + "/" + differs);
    }
  }
}

void Trial::compare(int i, const Expectation &program, const Snapshot &got, const std::string &kind, bool counts) {
  bool told = false, tested = false;
  for (const ExpectedEntry &entry : program.entries) {
    auto check = [&](const std::string &name, const Bounded &bound) {
      auto found = got.first.find(entry.name + "/" + name);
      if (found == got.first.end()) return this->found(i, kind, entry.name + "/" + name + " is missing");
      Array want = reordered(bound.value, found->second.type);
      std::vector<double> errors = reordered(Array(bound.value.type, bound.error), found->second.type).elements;
      double largest = largestOf(want);
      int64_t vacuous = 0;
      for (size_t e = 0; e < errors.size(); ++e) {
        vacuous += isVacuous(errors[e], largest);
        if (told || withinBound(found->second.elements[e], want.elements[e], errors[e])) continue;
        told = true;
        this->found(i, kind, place(entry.name + "/" + name, e, found->second.elements[e], want.elements[e], errors[e]));
      }
      tested |= vacuous == 0;
      if (!counts) return;
      Statistics &statistics = outcome.statistics;
      ++statistics.results, statistics.elements += errors.size();
      statistics.vacuousResults += vacuous > 0, statistics.vacuousElements += vacuous;
    };
    for (auto &[name, bound] : entry.bounds.results) check(name, bound);
    for (auto &[name, bound] : entry.bounds.variables) check("@" + name, bound);
  }
  if (counts && !tested) ++outcome.statistics.untested;
}

bool Trial::computeByBlocks(ModuleOp module) {
  said.clear();
  PassManager manager(&context);
  if (failed(parsePassPipeline("block-logits{rows=1 elements=1}", manager)) || failed(manager.run(module))) return false;
  module.walk([&](RepeatOp repeat) { outcome.statistics.blocked += repeat.getName() == "block"; });
  return true;
}

void Trial::runMerged(const TargetInfo &target, bool fuse) {
  std::string kind = fuse ? "jit" : "unfused", suffix = fuse ? "" : " unfused";
  OwningOpRef<ModuleOp> module = mergePrograms(context, expected);
  Stage at = Stage::grad;
  if (fuse && options.blocks) {
    progress(-1, "pass blocks");
    if (!computeByBlocks(*module)) return found(-1, "pass blocks", takeSaid());
    interpretMerged(*module, "blocks");
  }
  for (Stage to : {Stage::fused, Stage::plan, Stage::kernel}) {
    std::string name = stageName(to).str() + suffix;
    progress(-1, "pass " + name);
    if (!lower(*module, at, to, target, fuse)) return found(-1, "pass " + name, takeSaid());
    if (to != Stage::kernel) interpretMerged(*module, name);
    at = to;
  }
  progress(-1, "compile " + kind);
  said.clear();
  auto jit = jitProgram(*module, target);
  if (!jit) return found(-1, "compile " + kind, llvm::toString(jit.takeError()) + takeSaid());
  std::map<int, Snapshot> snapshots;
  {
    Session one((*jit)->program(), 1, target.name.str()), two((*jit)->program(), 2, target.name.str());
    for (auto &[i, program] : expected) {
      progress(i, "run " + kind);
      Snapshot got = execute(one, i, program, context);
      std::string differs = differentBits(got, execute(two, i, program, context), false);
      if (!differs.empty()) found(i, "threads" + suffix, differs);
      compare(i, program, got, kind, fuse);
      snapshots.insert({i, std::move(got)});
    }
  }
  if (!fuse || !options.native) return;
  progress(-1, "compile native");
  auto library = NativeLibrary::build(*module);
  if (!library) return found(-1, "compile native", llvm::toString(library.takeError()));
  Session native((*library)->program(), 2, target.name.str());
  for (auto &[i, program] : expected) {
    progress(i, "run native");
    std::string differs = differentBits(execute(native, i, program, context), snapshots.find(i)->second, true);
    if (!differs.empty()) found(i, "native", differs);
    ++outcome.statistics.native;
  }
}

TrialOutcome heddle::runTrial(MLIRContext &context, ArrayRef<ModuleOp> programs, const TrialOptions &options,
                              const TrialProgress &progress) {
  return Trial(context, programs, options, progress).run();
}
