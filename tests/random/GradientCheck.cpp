// Gradients against differences of the loss, in double precision. All executors run the same derived graph, so a wrong
// derivative shows nowhere else.
//
// Along a random direction d of all parameters and inputs, g.d is compared with the central difference D(h) =
// (L(p + h d) - L(p - h d)) / 2h. Of a smooth loss D(h) = L' + c h^2 + O(h^4), so D(h) - D(h/2) = 3/4 c h^2 tells what
// D(h/2) is off by: a third of it. To this comes what evaluation errs by, divided by h, and where p itself is a kink the
// difference K of the slopes on its two sides: second differences are K + c h. Where there is a kink or a jump beside p
// all these are large; a smaller h is tried, and the program is counted as skipped if none tells anything.
// stop_grad keeps the value that it had at p.
//
// Inputs on a grid meet many kinks at once, whose K may cancel each other while what they do to the derivative does not. So
// a difference there counts only if it stays when those inputs move off the grid.
#include "passes/graph/ApplyOptimizer.h"
#include "passes/graph/DeriveBackward.h"
#include "tests/random/Trial.h"
#include "mlir/IR/Builders.h"
#include <cmath>

using namespace mlir;
using namespace heddle;

namespace {
constexpr const char *kLoss = "loss.main";

/// @train before its gradient was derived, along a line.
class Line {
public:
  Line(func::FuncOp train, const Arrays &inputs, const Arrays &variables, const Arrays &direction)
      : train(train), inputs(inputs), variables(variables), direction(direction) {}

  llvm::Expected<double> at(double h) {
    Arrays movedInputs = inputs, movedVariables = variables;
    for (auto &[name, along] : direction) {
      auto input = movedInputs.find(name);
      Array &array = input != movedInputs.end() ? input->second : movedVariables.find(name)->second;
      for (size_t i = 0; i < array.elements.size(); ++i) array.elements[i] += h * along.elements[i];
    }
    BoundOptions options;
    options.errors = false;
    if (recorded) options.replay = &frozen;
    else options.record = &frozen;
    recorded = true;
    auto outcome = boundErrors(train, movedInputs, movedVariables, options);
    if (!outcome) return outcome.takeError();
    return outcome->results.find(kLoss)->second.value.elements[0];
  }

private:
  func::FuncOp train;
  const Arrays &inputs, &variables, &direction;
  Frozen frozen;
  bool recorded = false;
};

// The gradient by the pass under test: g.d and the sum of |g_i d_i|.
bool along(const Arrays &gradients, const Arrays &direction, double &product, double &sizes) {
  product = sizes = 0;
  for (auto &[name, d] : direction) {
    auto found = gradients.find("grad." + name);
    if (found == gradients.end()) continue;
    Array gradient = reordered(found->second, d.type);
    for (size_t i = 0; i < d.elements.size(); ++i) {
      product += gradient.elements[i] * d.elements[i];
      sizes += std::fabs(gradient.elements[i] * d.elements[i]);
    }
  }
  return std::isfinite(sizes);
}
}  // namespace

namespace {
enum class Verdict { same, skipped, wrong };

Verdict compareAt(func::FuncOp train, func::FuncOp backward, uint64_t seed, const Arrays &inputs, const Arrays &variables,
                  double error, Finding &finding) {
  Arrays direction;
  auto outcome = interpret(backward, inputs, variables);
  auto differs = [&](const char *what, const std::string &how) {
    finding = {what, how};
    return Verdict::wrong;
  };
  if (!outcome) return differs("interpreter grad", llvm::toString(outcome.takeError()));

  Random random(seed, "direction");
  for (auto &[name, gradient] : outcome->results) {
    StringRef of = name;
    if (!of.consume_front("grad.")) continue;
    Array d(gradient.type);
    for (double &element : d.elements) element = 2 * random.uniform() - 1;
    auto input = inputs.find(of.str());
    Tensor type = input != inputs.end() ? input->second.type : variables.find(of.str())->second.type;
    direction.insert({of.str(), reordered(d, type)});
  }
  double product, sizes;
  Line line(train, inputs, variables, direction);
  auto centre = line.at(0);
  if (!centre) return differs("interpreter graph", llvm::toString(centre.takeError()));
  if (!std::isfinite(*centre) || !std::isfinite(error)) return Verdict::skipped;
  if (!along(outcome->results, direction, product, sizes)) return differs("gradient", "the loss is finite, its gradient is not");

  std::string wrong;
  double noise = 4 * error * 0x1p-29 + 0x1p-52 * std::fabs(*centre);
  for (double h : {0x1p-11, 0x1p-15, 0x1p-19}) {
    double values[4];
    int i = 0;
    for (double step : {h, -h, h / 2, -h / 2}) {
      auto value = line.at(step);
      if (!value) {  // an index left its axis
        llvm::consumeError(value.takeError());
        return Verdict::skipped;
      }
      values[i++] = *value;
    }
    double wide = (values[0] - values[1]) / (2 * h), narrow = (values[2] - values[3]) / h;
    double bendWide = std::fabs(values[0] - 2 * *centre + values[1]) / h;
    double bendNarrow = std::fabs(values[2] - 2 * *centre + values[3]) / (h / 2);
    double kink = std::fabs(2 * bendNarrow - bendWide);
    double allowed = std::fabs(wide - narrow) + kink + 8 * noise / h + h * h * sizes;
    if (std::fabs(narrow - product) > allowed) {
      char text[160];
      std::snprintf(text, sizeof text, "along a direction the loss changes by %.12g, its gradient says %.12g (allowed %.3g)",
                    narrow, product, allowed);
      wrong = text;
      continue;
    }
    wrong.clear();
    if (allowed > 1e-4 * (std::fabs(narrow) + sizes)) continue;  // that tells nothing
    return Verdict::same;
  }
  return wrong.empty() ? Verdict::skipped : differs("gradient", wrong);
}

// Inputs on a grid, moved off it.
bool moveOffGrid(func::FuncOp train, uint64_t seed, Arrays &inputs) {
  Random random(seed, "off the grid");
  bool moved = false;
  for (unsigned i = 0; i < train.getNumArguments(); ++i) {
    if (!train.getArgAttr(i, kGridAttr)) continue;
    for (double &element : inputs.find(train.getArgAttrOfType<StringAttr>(i, kNameAttr).str())->second.elements)
      element += 0x1p-6 * (random.uniform() - 0.5);
    moved = true;
  }
  return moved;
}
}  // namespace

std::vector<Finding> heddle::checkGradient(ModuleOp graph, double error, Statistics &statistics) {
  OwningOpRef<ModuleOp> derived = graph.clone();
  dropOptimizer(*derived);
  auto train = graph.lookupSymbol<func::FuncOp>("train"), backward = derived->lookupSymbol<func::FuncOp>("train");
  if (!train || !train->hasAttr(kMinimiseAttr)) return {};
  backward->setAttr(kInputGradientsAttr, UnitAttr::get(graph.getContext()));
  if (failed(deriveBackward(backward))) return {{"pass grad", "deriveBackward fails"}};
  Arrays inputs = inputsOf(train), variables = variablesOf(graph);
  auto attribute = graph->getAttrOfType<IntegerAttr>(kSeedAttr);
  uint64_t seed = attribute ? attribute.getInt() : 0;
  Finding finding;
  Verdict verdict = compareAt(train, backward, seed, inputs, variables, error, finding);
  if (verdict == Verdict::wrong && moveOffGrid(train, seed, inputs))
    verdict = compareAt(train, backward, seed, inputs, variables, error, finding);
  ++(verdict == Verdict::skipped ? statistics.gradientsSkipped : statistics.gradients);
  if (verdict == Verdict::wrong) return {finding};
  return {};
}
