// Optimizers, schedules, groups and clipping against torch.optim's update rules written as loops over doubles: three steps
// of two parameters, a matrix (which decays) and a vector (which does not), by the interpreter.
#include "passes/graph/ApplyOptimizer.h"
#include "tests/numeric/OptimizerText.h"
#include "tests/numeric/Graph.h"
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

// One optimizer: as a train block has it, and its rule as torch.optim has it, given the step, the rate, one parameter, its
// gradient and two numbers of state.
struct Rule {
  const char *name;
  std::string text;
  std::string declaration;
  std::function<void(int, double, double, double &, double, double &, double &)> update;
};

const Rule kRules[] = {
    {"sgd", "sgd(", "",
     [](int, double lr, double decay, double &p, double g, double &, double &) { p -= lr * (g + decay * p); }},
    {"momentum", "momentum(", "",
     [](int t, double lr, double decay, double &p, double g, double &buffer, double &) {
       g += decay * p;
       buffer = t == 1 ? g : 0.9 * buffer + g;
       p -= lr * buffer;
     }},
    {"nesterov", "momentum(momentum = 0.9, nesterov = true, ", "",
     [](int t, double lr, double decay, double &p, double g, double &buffer, double &) {
       g += decay * p;
       buffer = t == 1 ? g : 0.9 * buffer + g;
       p -= lr * (g + 0.9 * buffer);
     }},
    {"adam", "adam(beta = (0.9, 0.95), eps = 1e-4, ", "",
     [](int t, double lr, double decay, double &p, double g, double &m, double &v) {
       g += decay * p;
       m = 0.9 * m + 0.1 * g;
       v = 0.95 * v + 0.05 * g * g;
       p -= lr / (1 - std::pow(0.9, t)) * m / (std::sqrt(v) / std::sqrt(1 - std::pow(0.95, t)) + 1e-4);
     }},
    {"adamw", "adamw(beta = (0.9, 0.95), eps = 1e-4, ", "",
     [](int t, double lr, double decay, double &p, double g, double &m, double &v) {
       p *= 1 - lr * decay;
       m = 0.9 * m + 0.1 * g;
       v = 0.95 * v + 0.05 * g * g;
       p -= lr / (1 - std::pow(0.9, t)) * m / (std::sqrt(v) / std::sqrt(1 - std::pow(0.95, t)) + 1e-4);
     }},
    // Chen et al. 2023, algorithm 2.
    {"lion", "Lion(beta2 = 0.95, ",
     "optimizer Lion(w: f32[..], g: f32[..], lr: f32, const beta1 = 0.9, const beta2 = 0.99, const decay = 0.0) {\n"
     "  state m: f32[..] = constant(0.5)\n"
     "  next w = w - lr * (sign(beta1 * m + (1 - beta1) * g) + decay * w)\n"
     "  next m = beta2 * m + (1 - beta2) * g\n"
     "}\n",
     [](int t, double lr, double decay, double &p, double g, double &m, double &) {
       if (t == 1) m = 0.5;
       double u = 0.9 * m + 0.1 * g;
       p -= lr * ((u > 0) - (u < 0) + decay * p);
       m = 0.95 * m + 0.05 * g;
     }},
};

OwningOpRef<ModuleOp> withOptimizer(const std::string &block, int64_t steps, const std::string &declaration = "") {
  OwningOpRef<ModuleOp> module = parseGraph(kTrain);
  EXPECT_EQ(addOptimizer(*module, block, steps, declaration), "");
  EXPECT_TRUE(succeeded(verify(*module)) && succeeded(applyOptimizer(*module)) && succeeded(verify(*module))) << block;
  return module;
}

Interpretation runStep(ModuleOp module, int step, const Arrays &variables) {
  Numbers g = gradientsAt(step);
  Arrays inputs{{"$step", array("i[]", {double(step)})},
                {"gw", array("f[D=2, E=2]", {g[0], g[1], g[2], g[3]})},
                {"gb", array("f[L=2, E=1]", {g[4], g[5]})}};
  return llvm::cantFail(interpret(entryOf(module), inputs, variables));
}

// Parameters as they start, state as declared.
Arrays initialVariables(ModuleOp module) {
  Arrays variables;
  for (auto variable : module.getOps<VariableOp>())
    variables.insert({variable.getSymName().str(), Array(cast<Tensor>(variable.getType()))}).first->second.elements.assign(
        cast<Tensor>(variable.getType()).getNumElements(), variable.getA().convertToDouble());
  variables.at("w").elements = {1, -2, 0.5, 0};
  variables.at("h.{}.b").elements = {0.25, -1};
  return variables;
}

double rateAt(const std::string &schedule, int64_t steps, int step) {
  auto module = withOptimizer("optim = sgd(lr = " + schedule + ")", steps);
  return runStep(*module, step, initialVariables(*module)).results.at("lr").elements[0];
}

class Optimizers : public testing::TestWithParam<Rule> {};
}  // namespace

TEST_P(Optimizers, FollowTorch) {
  const Rule &rule = GetParam();
  auto module = withOptimizer("optim = " + rule.text + "decay = 0.1, clip = 0.5, lr = 0.01)", 10, rule.declaration);
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

// What stands in frontend/Schedule.h.
TEST(LearningRate, FollowsItsCourse) {
  std::string cosine = "warmup(4) then cosine(1.0, 0.1)";
  EXPECT_NEAR(rateAt(cosine, 12, 1), 0.25, 1e-12);
  EXPECT_NEAR(rateAt(cosine, 12, 4), 1, 1e-12);
  EXPECT_NEAR(rateAt(cosine, 12, 6), 0.1 + 0.45 * (1 + std::cos(M_PI / 4)), 1e-12);
  EXPECT_NEAR(rateAt(cosine, 12, 8), 0.55, 1e-12);
  EXPECT_NEAR(rateAt(cosine, 12, 12), 0.1, 1e-12);
  EXPECT_NEAR(rateAt(cosine, 12, 20), 0.1, 1e-12) << "the last rate holds beyond the last step";
  std::string linear = "linear(1.0, 0.0)";
  EXPECT_NEAR(rateAt(linear, 4, 1), 0.75, 1e-12);
  EXPECT_NEAR(rateAt(linear, 4, 4), 0, 1e-12);
  EXPECT_NEAR(rateAt("constant(0.5)", 4, 3), 0.5, 1e-12);
  EXPECT_NEAR(rateAt("warmup(9) then constant(0.9)", 4, 3), 0.3, 1e-12) << "a warmup longer than the run";
}

TEST(LearningRate, IsAnExpressionOfTheStep) {
  std::string noam = "1e-3 * min(step / 100, (100 / step)^0.5)";  // Vaswani et al. 2017, section 5.3, with its peak at 1e-3
  for (int step : {1, 50, 100, 400})
    EXPECT_NEAR(rateAt(noam, 1000, step), 1e-3 * std::min(step / 100.0, std::sqrt(100.0 / step)), 1e-12) << step;
  EXPECT_NEAR(rateAt("1 - step / (2 * steps)", 10, 5), 0.75, 1e-12);
  EXPECT_NEAR(rateAt("0.1 * 0.5 ^ (step // 3)", 10, 7), 0.025, 1e-12);
  std::string warm = "warmup(4) then 2 / step";
  EXPECT_NEAR(rateAt(warm, 10, 2), 0.25, 1e-12) << "half of what the expression is at step 4";
  EXPECT_NEAR(rateAt(warm, 10, 4), 0.5, 1e-12);
  EXPECT_NEAR(rateAt(warm, 10, 8), 0.25, 1e-12);
}

// p -= rate * g for w, the matrix, and h.{}.b, the vector of each layer.
std::pair<double, double> ratesOf(const std::string &block, int step = 1) {
  auto module = withOptimizer("optim = sgd(lr = 0.5)\n" + block, 10);
  Arrays before = initialVariables(*module), after = runStep(*module, step, before).variables;
  Numbers g = gradientsAt(step);
  return {(before.at("w").elements[0] - after.at("w").elements[0]) / g[0],
          (before.at("h.{}.b").elements[0] - after.at("h.{}.b").elements[0]) / g[4]};
}

TEST(Groups, ChangeWhatTheySelect) {
  using Rates = std::pair<double, double>;
  auto expect = [](const std::string &block, Rates rates, int step = 1) {
    Rates found = ratesOf(block, step);
    EXPECT_NEAR(found.first, rates.first, 1e-12) << block;
    EXPECT_NEAR(found.second, rates.second, 1e-12) << block;
  };
  expect("", {0.5, 0.5});
  expect("group vectors { lr = 0.1 * lr }", {0.5, 0.05});
  expect("group matrices { lr = 0 }", {0, 0.5});
  expect("group \"h.*.b\" { lr = 0.25 }", {0.5, 0.25});
  expect("group \"*b\", \"w\" { lr = linear(1, 0) }", {0.7, 0.7}, 3);
  expect("group \"*\" { lr = 0.5 * lr }\ngroup vectors { lr = 0.5 * lr }", {0.25, 0.125});
  expect("group vectors { lr = 0.5 * lr }\ngroup \"*\" { lr = 1 }", {1, 1});
  expect("group vectors { lr = lr / step }", {0.5, 0.125}, 4);
}

// Decay acts on matrices alone, unless a group says otherwise.
TEST(Groups, SayWhatDecays) {
  auto decays = [](const std::string &block) {
    auto module = withOptimizer("optim = sgd(lr = 1, decay = 0.5)\n" + block, 10);
    Arrays before = initialVariables(*module), after = runStep(*module, 1, before).variables;
    Numbers g = gradientsAt(1);
    return std::pair{before.at("w").elements[1] - g[1] - after.at("w").elements[1],
                     before.at("h.{}.b").elements[1] - g[5] - after.at("h.{}.b").elements[1]};
  };
  EXPECT_EQ(decays(""), std::pair(-1.0, 0.0));
  EXPECT_EQ(decays("group vectors { decay = 0.25 }"), std::pair(-1.0, -0.25));
  EXPECT_EQ(decays("group \"w\" { decay = 0 }"), std::pair(0.0, 0.0));
  EXPECT_EQ(decays("group \"*\" { decay = 0.5 }"), std::pair(-1.0, -0.5));
}

// A sum over the parameter is one of each layer: w / norm(w), by layers.
TEST(Rules, SumOverALayer) {
  auto module = withOptimizer("optim = Norm(lr = 1)", 10,
                              "optimizer Norm(w: f32[..], g: f32[..], lr: f32) {\n  next w = w * lr / sqrt(sum(w * w))\n}\n");
  Arrays after = runStep(*module, 1, initialVariables(*module)).variables;
  EXPECT_NEAR(after.at("w").elements[1], -2 / std::sqrt(5.25), 1e-12);
  EXPECT_NEAR(after.at("h.{}.b").elements[0], 1, 1e-12);
  EXPECT_NEAR(after.at("h.{}.b").elements[1], -1, 1e-12);
}

// torch.clamp lets NaN through; so must clipping, or a step of NaN would look like one of size clip.
TEST(Clipping, LetsNanThrough) {
  auto module = withOptimizer("optim = sgd(lr = 0.01, clip = 0.5)", 10);
  Arrays inputs{{"$step", array("i[]", {1})},
                {"gw", array("f[D=2, E=2]", {NAN, 0, 0, 0})},
                {"gb", array("f[L=2, E=1]", {1, 1})}};
  auto outcome = llvm::cantFail(interpret(entryOf(*module), inputs, initialVariables(*module)));
  EXPECT_TRUE(std::isnan(outcome.results.at("grad_norm").elements[0]));
  EXPECT_TRUE(std::isnan(outcome.variables.at("h.{}.b").elements[0]));
}
