// The functions of passes/kernel/MathFunctions.h against double-precision libm, in units in the last place, on every
// target class that this machine runs: the bounds that the header states, over random bit patterns, the ranges where
// each function is not constant, and the ends.
#include "codegen/llvm/Jit.h"
#include "passes/Pipeline.h"
#include "runtime/Session.h"
#include "runtime/TargetClass.h"
#include "tests/numeric/Graph.h"
#include <cfloat>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace heddle;

namespace {
constexpr int kCount = 1 << 16;

struct Function {
  const char *name;
  double (*reference)(double);  // null: pow
  double bound;                 // ulp
  float low, high;              // where a uniform sweep is worth it
};
const Function kFunctions[] = {
    {"exp", std::exp, 1.0, -110, 95},      {"expm1", std::expm1, 1.6, -30, 95}, {"log", std::log, 0.9, 0, 4},
    {"log1p", std::log1p, 1.5, -1, 4},     {"sin", std::sin, 2.4, -1e4, 1e4},   {"cos", std::cos, 2.4, -1e4, 1e4},
    {"tanh", std::tanh, 1.4, -12, 12},     {"erf", std::erf, 1.4, -6, 6},       {"pow", nullptr, 3.6, 0, 0},
};

float flushed(float x) { return std::fabs(x) < FLT_MIN ? std::copysign(0.0f, x) : x; }

// Distance in units in the last place of `want`; results that are or may be subnormal count as zero.
double distance(float got, double want) {
  if (std::isnan(want)) return std::isnan(got) ? 0 : HUGE_VAL;
  if (std::fabs(want) < FLT_MIN * 16) return std::fabs(got - want) <= FLT_MIN ? 0 : HUGE_VAL;
  if (std::isinf(got) || std::fabs(want) > FLT_MAX)
    return std::fabs(want) > FLT_MAX * (1 - 1e-7) && std::fabs(got) > FLT_MAX * (1 - 1e-6) && (got > 0) == (want > 0)
               ? 0 : HUGE_VAL;
  int exponent;
  std::frexp(want, &exponent);
  return std::fabs(got - want) / std::ldexp(1.0, exponent - 24);
}

// Argument pairs of one round; `y` matters for pow only.
void fill(const Function &function, int round, std::mt19937_64 &random, float *x, float *y) {
  auto bits = [&] { return std::bit_cast<float>(static_cast<uint32_t>(random())); };
  auto uniform = [&](double low, double high) { return float(low + (high - low) * double(random() >> 11) * 0x1p-53); };
  for (int i = 0; i < kCount; ++i) {
    x[i] = bits();
    y[i] = bits();
    if (function.reference) {
      if (round % 3 == 1) x[i] = uniform(function.low, function.high);
      if (round % 3 == 2) x[i] = std::copysign(std::exp2(uniform(-30, 10)), x[i]) + (round % 2 ? 1.0f : 0.0f);
    } else {
      if (round % 3 == 1) x[i] = std::exp2(uniform(-100, 100)), y[i] = uniform(-140, 140) / std::fabs(std::log2(x[i]));
      if (round % 3 == 2) x[i] = uniform(-10, 10), y[i] = std::round(uniform(-20, 20));
    }
  }
  if (round) return;
  const float ends[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, FLT_MIN, -FLT_MIN, 1, -1, 2, -2, 0.5f, -0.5f, 3, -3,
                        FLT_MAX, -FLT_MAX, 88.7228f, 88.73f, -87.33f, -103.9f, 1e-8f, -1e-8f, 1e-40f, 0.625f};
  int i = 0;
  for (float a : ends)
    for (float b : ends) x[i] = a, y[i++] = b;
}

class MathFunctions : public testing::TestWithParam<std::string> {};
}  // namespace

TEST_P(MathFunctions, StayWithinTheirBounds) {
  const TargetInfo *target = findTargetClass(GetParam());
  std::string text;
  std::string type = "!f[N=" + std::to_string(kCount) + "]";
  for (const Function &function : kFunctions) {
    std::string name = function.name;
    text += "func.func @" + name + "(%x: " + type + " {heddle.name = \"x\"}, %y: " + type + " {heddle.name = \"y\"}) -> (" +
            type + " {heddle.name = \"z\"}) {\n  %z = heddle." + name + (function.reference ? " %x : (" : " %x, %y : (") +
            type + (function.reference ? "" : ", " + type) + ") -> " + type + "\n  return %z : " + type + "\n}\n";
  }
  loadDialects(testContext());
  OwningOpRef<ModuleOp> module = parseGraph(text);
  ASSERT_TRUE(succeeded(runPipeline(*module, Stage::grad, Stage::kernel, *target)));
  auto jit = jitProgram(*module, *target);
  ASSERT_TRUE(bool(jit)) << llvm::toString(jit.takeError());
  Session session((*jit)->program(), 1, GetParam());

  for (const Function &function : kFunctions) {
    const HeddleEntry &entry = session.entry(function.name);
    std::mt19937_64 random(7);
    double worst = 0;
    float worstX = 0, worstY = 0, worstZ = 0;
    bool periodic = function.reference == kFunctions[4].reference || function.reference == kFunctions[5].reference;
    for (int round = 0; round < 24; ++round) {
      std::vector<float> xs(kCount), ys(kCount);
      fill(function, round, random, xs.data(), ys.data());
      std::copy(xs.begin(), xs.end(), static_cast<float *>(session.memory(*session.findInput(entry, "x"))));
      std::copy(ys.begin(), ys.end(), static_cast<float *>(session.memory(*session.findInput(entry, "y"))));
      session.run(entry);
      auto *zs = static_cast<const float *>(session.memory(*session.findOutput(entry, "z")));
      for (int i = 0; i < kCount; ++i) {
        float x = flushed(xs[i]), y = flushed(ys[i]);
        double want = function.reference ? function.reference(x) : std::pow(double(x), double(y));
        if (periodic && std::isfinite(x) && std::fabs(x) > 1e4) {
          ASSERT_LE(std::fabs(zs[i]), 1.0f) << function.name << "(" << x << ")";
          continue;
        }
        if (periodic && std::fabs(zs[i] - want) < 0x1p-25) continue;
        double error = distance(zs[i], want);
        if (error > worst) worst = error, worstX = x, worstY = y, worstZ = zs[i];
        if (round == 0 && i < 625 && want == 0) {
          EXPECT_EQ(std::signbit(zs[i]), std::signbit(want)) << function.name << "(" << x << ", " << y << ")";
        }
      }
    }
    EXPECT_LE(worst, function.bound) << function.name << " at " << worstX << ", " << worstY << " gives " << worstZ;
    RecordProperty(std::string(function.name) + "_ulp", std::to_string(worst));
  }
}
INSTANTIATE_TEST_SUITE_P(Class, MathFunctions, testing::ValuesIn(runnableTargetClasses()),
                         [](const auto &info) { return info.param; });
