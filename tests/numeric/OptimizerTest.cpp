// Optimizers, schedules and clipping against torch.optim's update rules written as loops over doubles: three steps of
// two parameters, a matrix (which decays) and a vector (which does not), by the interpreter.
#include "passes/graph/ApplyOptimizer.h"
#include "tests/numeric/Graph.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Verifier.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;
using namespace heddle;
using Arrays = std::map<std::string, Array>;
using Numbers = std::vector<double>;

namespace {
constexpr const char *kTrain = R"(
heddle.variable @w "parameter" "constant"(0.0, 0.0) stream 1 : !f[D=2, E=2]
heddle.variable @"h.{}.b" "parameter" "constant"(0.0, 0.0) stream 2 {repeats = 1 : i64} : !f[L=2, E=1]
func.func @train(%step: !i[] {heddle.name = "$step"}, %gw: !f[D=2, E=2] {heddle.name = "gw"},
                 %gb: !f[L=2, E=1] {heddle.name = "gb"})
    -> (!f[D=2, E=2] {heddle.name = "grad.w"}, !f[L=2, E=1] {heddle.name = "grad.h.{}.b"}) {
  return %gw, %gb : !f[D=2, E=2], !f[L=2, E=1]
}
)";
constexpr double kDecay = 0.1, kClip = 0.5;

// Gradients of a step: w's four elements, then b's two.
Numbers gradientsAt(int step) { return {0.3, -0.2 * step, 0.1, 0.05, -0.4, 0.01 * step}; }

// One optimizer: its attribute, and its rule as torch.optim has it, given the step, the rate, one parameter, its
// gradient and two numbers of state.
struct Rule {
  const char *name;
  std::string attribute;
  std::function<void(int, double, double, double &, double, double &, double &)> update;
};

const Rule kRules[] = {
    {"sgd", "kind = \"sgd\"",
     [](int, double lr, double decay, double &p, double g, double &, double &) { p -= lr * (g + decay * p); }},
    {"momentum", "kind = \"momentum\", momentum = 0.9, nesterov = false",
     [](int t, double lr, double decay, double &p, double g, double &buffer, double &) {
       g += decay * p;
       buffer = t == 1 ? g : 0.9 * buffer + g;
       p -= lr * buffer;
     }},
    {"nesterov", "kind = \"momentum\", momentum = 0.9, nesterov = true",
     [](int t, double lr, double decay, double &p, double g, double &buffer, double &) {
       g += decay * p;
       buffer = t == 1 ? g : 0.9 * buffer + g;
       p -= lr * (g + 0.9 * buffer);
     }},
    {"adam", "kind = \"adam\", beta1 = 0.9, beta2 = 0.95, eps = 1.0e-4",
     [](int t, double lr, double decay, double &p, double g, double &m, double &v) {
       g += decay * p;
       m = 0.9 * m + 0.1 * g;
       v = 0.95 * v + 0.05 * g * g;
       p -= lr / (1 - std::pow(0.9, t)) * m / (std::sqrt(v) / std::sqrt(1 - std::pow(0.95, t)) + 1e-4);
     }},
    {"adamw", "kind = \"adamw\", beta1 = 0.9, beta2 = 0.95, eps = 1.0e-4",
     [](int t, double lr, double decay, double &p, double g, double &m, double &v) {
       p *= 1 - lr * decay;
       m = 0.9 * m + 0.1 * g;
       v = 0.95 * v + 0.05 * g * g;
       p -= lr / (1 - std::pow(0.9, t)) * m / (std::sqrt(v) / std::sqrt(1 - std::pow(0.95, t)) + 1e-4);
     }},
};

OwningOpRef<ModuleOp> withOptimizer(const std::string &attribute) {
  OwningOpRef<ModuleOp> module = parseGraph(kTrain);
  (*module)->setAttr(kOptimizerAttr, parseAttribute("{" + attribute + "}", &testContext()));
  EXPECT_TRUE(succeeded(applyOptimizer(*module)) && succeeded(verify(*module))) << attribute;
  return module;
}

Interpretation runStep(ModuleOp module, int step, const Arrays &variables) {
  Numbers g = gradientsAt(step);
  Arrays inputs{{"$step", array("i[]", {double(step)})},
                {"gw", array("f[D=2, E=2]", {g[0], g[1], g[2], g[3]})},
                {"gb", array("f[L=2, E=1]", {g[4], g[5]})}};
  return llvm::cantFail(interpret(entryOf(module), inputs, variables));
}

// Parameters as they start, state as zeros.
Arrays initialVariables(ModuleOp module) {
  Arrays variables;
  for (auto variable : module.getOps<VariableOp>())
    variables.insert({variable.getSymName().str(), Array(cast<Tensor>(variable.getType()))});
  variables.at("w").elements = {1, -2, 0.5, 0};
  variables.at("h.{}.b").elements = {0.25, -1};
  return variables;
}

double rateAt(const std::string &schedule, int64_t steps, int step) {
  auto module = withOptimizer("kind = \"sgd\", steps = " + std::to_string(steps) + " : i64, lr = " + schedule);
  return runStep(*module, step, initialVariables(*module)).results.at("lr").elements[0];
}

class Optimizers : public testing::TestWithParam<Rule> {};
}  // namespace

TEST_P(Optimizers, FollowTorch) {
  const Rule &rule = GetParam();
  auto module = withOptimizer(rule.attribute + ", steps = 10 : i64, decay = 0.1, clip = 0.5, "
                                               "lr = [{kind = \"constant\", from = 0.01, to = 0.01}]");
  Arrays variables = initialVariables(*module);
  Numbers p{1, -2, 0.5, 0, 0.25, -1}, first(6), second(6);
  for (int step = 1; step <= 3; ++step) {
    Interpretation outcome = runStep(*module, step, variables);
    Numbers g = gradientsAt(step);
    double squares = 0;
    for (double x : g) squares += x * x;
    double norm = std::sqrt(squares), scale = std::min(1.0, kClip / (norm + 1e-6));
    EXPECT_NEAR(outcome.results.at("grad_norm").elements[0], norm, 1e-12);
    EXPECT_EQ(outcome.results.size(), 2u) << "lr and grad_norm";
    for (int i = 0; i < 6; ++i)
      rule.update(step, 0.01, i < 4 ? kDecay : 0, p[i], g[i] * scale, first[i], second[i]);
    variables = outcome.variables;
    for (int i = 0; i < 6; ++i)
      EXPECT_NEAR(i < 4 ? variables.at("w").elements[i] : variables.at("h.{}.b").elements[i - 4], p[i], 1e-12)
          << "element " << i << " after step " << step;
  }
}
INSTANTIATE_TEST_SUITE_P(Rule, Optimizers, testing::ValuesIn(kRules),
                         [](const testing::TestParamInfo<Rule> &info) { return info.param.name; });

// What stands in LearningRate.h.
TEST(LearningRate, FollowsItsCourse) {
  std::string cosine = "[{kind = \"warmup\", steps = 4 : i64}, {kind = \"cosine\", from = 1.0, to = 0.1}]";
  EXPECT_NEAR(rateAt(cosine, 12, 1), 0.25, 1e-12);
  EXPECT_NEAR(rateAt(cosine, 12, 4), 1, 1e-12);
  EXPECT_NEAR(rateAt(cosine, 12, 6), 0.1 + 0.45 * (1 + std::cos(M_PI / 4)), 1e-12);
  EXPECT_NEAR(rateAt(cosine, 12, 8), 0.55, 1e-12);
  EXPECT_NEAR(rateAt(cosine, 12, 12), 0.1, 1e-12);
  EXPECT_NEAR(rateAt(cosine, 12, 20), 0.1, 1e-12) << "the last rate holds beyond the last step";
  std::string linear = "[{kind = \"linear\", from = 1.0, to = 0.0}]";
  EXPECT_NEAR(rateAt(linear, 4, 1), 0.75, 1e-12);
  EXPECT_NEAR(rateAt(linear, 4, 4), 0, 1e-12);
  EXPECT_NEAR(rateAt("[{kind = \"constant\", from = 0.5, to = 0.5}]", 4, 3), 0.5, 1e-12);
  EXPECT_NEAR(rateAt("[{kind = \"warmup\", steps = 9 : i64}, {kind = \"constant\", from = 0.9, to = 0.9}]", 4, 3), 0.3,
              1e-12)
      << "a warmup longer than the run";
}

// torch.clamp lets NaN through; so must clipping, or a step of NaN would look like one of size clip.
TEST(Clipping, LetsNanThrough) {
  auto module = withOptimizer("kind = \"sgd\", steps = 10 : i64, clip = 0.5, "
                              "lr = [{kind = \"constant\", from = 0.01, to = 0.01}]");
  Arrays inputs{{"$step", array("i[]", {1})},
                {"gw", array("f[D=2, E=2]", {NAN, 0, 0, 0})},
                {"gb", array("f[L=2, E=1]", {1, 1})}};
  auto outcome = llvm::cantFail(interpret(entryOf(*module), inputs, initialVariables(*module)));
  EXPECT_TRUE(std::isnan(outcome.results.at("grad_norm").elements[0]));
  EXPECT_TRUE(std::isnan(outcome.variables.at("h.{}.b").elements[0]));
}
