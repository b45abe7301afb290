// The interpreter against values worked out by hand, and against the choices of meaning in docs/language.md.
#include "tests/numeric/Graph.h"
#include "ir/graph/Random.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace heddle;

namespace {
constexpr double inf = std::numeric_limits<double>::infinity();
const double NaN = std::numeric_limits<double>::quiet_NaN();
using Arrays = std::map<std::string, Array>;

// Runs the function of `text`; its first result, or the error's message in `error`.
std::vector<double> run(llvm::StringRef text, std::vector<Array> inputs, std::string *error = nullptr) {
  auto module = parseGraph(text);
  if (!module) return {};
  Arrays named;
  for (size_t i = 0; i < inputs.size(); ++i) named.insert({"arg" + std::to_string(i), inputs[i]});
  auto outcome = interpret(entryOf(*module), named);
  if (!outcome) {
    std::string message = llvm::toString(outcome.takeError());
    if (error) *error = message;
    else ADD_FAILURE() << message;
    return {};
  }
  EXPECT_EQ(error, nullptr);
  return outcome->results.at("result0").elements;
}

// One op of operands %a0, %a1, ...: `op` is its text between "heddle." and the types.
std::vector<double> runOp(std::string op, std::vector<Array> inputs, std::vector<std::string> types, std::string result,
                          std::string *error = nullptr) {
  std::string arguments, operands;
  for (size_t i = 0; i < types.size(); ++i) {
    arguments += (i ? ", %a" : "%a") + std::to_string(i) + ": !" + types[i];
    operands += (i ? ", !" : "!") + types[i];
  }
  return run("func.func @f(" + arguments + ") -> !" + result + " {\n  %r = heddle." + op + " : (" + operands + ") -> !" +
                 result + "\n  return %r : !" + result + "\n}",
             std::move(inputs), error);
}
std::vector<double> unary(std::string op, std::vector<double> x, std::string element = "f") {
  std::string type = element + "[A=" + std::to_string(x.size()) + "]";
  return runOp(op + " %a0", {array(type, x)}, {type}, type);
}
std::vector<double> binary(std::string op, std::vector<double> x, std::vector<double> y, std::string element = "f") {
  std::string type = element + "[A=" + std::to_string(x.size()) + "]";
  return runOp(op + " %a0, %a1", {array(type, x), array(type, y)}, {type, type}, type);
}

void expectNear(const std::vector<double> &got, const std::vector<double> &want) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(want[i])) EXPECT_TRUE(std::isnan(got[i])) << "element " << i << " is " << got[i];
    else if (std::isinf(want[i])) EXPECT_EQ(got[i], want[i]) << "element " << i;
    else EXPECT_NEAR(got[i], want[i], 1e-14 * (1 + std::fabs(want[i]))) << "element " << i;
  }
}
}  // namespace

TEST(Interpreter, Arithmetic) {
  expectNear(binary("add", {1, 2}, {3, -4}), {4, -2});
  expectNear(binary("sub", {1, 2}, {3, -4}), {-2, 6});
  expectNear(binary("mul", {1.5, 2}, {3, -4}), {4.5, -8});
  expectNear(binary("div", {1, 1, 0}, {4, 0, 0}), {0.25, inf, NaN});
  expectNear(binary("floordiv", {7, -7, 7}, {2, 2, -2}), {3, -4, -4});
  expectNear(binary("mod", {7, -7, 7}, {2, 2, -2}), {1, 1, -1});
  expectNear(binary("pow", {2, -2, -8, 0}, {10, 3, 1.0 / 3, 0}), {1024, -8, NaN, 1});
  expectNear(unary("neg", {1, -2}), {-1, 2});
  expectNear(unary("abs", {1, -2}), {1, 2});
  expectNear(unary("floor", {1.5, -1.5}), {1, -2});
}

TEST(Interpreter, MinAndMaxAreCompareAndSelect) {
  expectNear(binary("min", {1, 2, NaN, 3}, {2, 1, 5, NaN}), {1, 1, 5, NaN});
  expectNear(binary("max", {1, 2, NaN, 3}, {2, 1, 5, NaN}), {2, 2, 5, NaN});
}

TEST(Interpreter, Functions) {
  expectNear(unary("exp", {0, 1, -inf}), {1, M_E, 0});
  expectNear(unary("expm1", {1e-20}), {1e-20});
  expectNear(unary("log", {1, M_E, 0, -1}), {0, 1, -inf, NaN});
  expectNear(unary("log1p", {1e-20}), {1e-20});
  expectNear(unary("sqrt", {9, 2}), {3, M_SQRT2});
  expectNear(unary("rsqrt", {4}), {0.5});
  expectNear(unary("sin", {0, M_PI / 2}), {0, 1});
  expectNear(unary("cos", {0, M_PI}), {1, -1});
  expectNear(unary("tanh", {0, inf}), {0, 1});
  expectNear(unary("sigmoid", {0, 1, inf, -inf}), {0.5, 1 / (1 + std::exp(-1)), 1, 0});
  expectNear(unary("erf", {0, inf}), {0, 1});
  expectNear(unary("stop_grad", {3}), {3});
}

TEST(Interpreter, IntegersWrapAndFloor) {
  const double most = 2147483647, least = -2147483648.0;
  expectNear(binary("add", {most, 1}, {1, 2}, "i"), {least, 3});
  expectNear(binary("sub", {least}, {1}, "i"), {most});
  expectNear(binary("mul", {65536, 100000}, {65536, 100000}, "i"), {0, 1410065408});
  expectNear(binary("floordiv", {7, -7, 7, -7, 5, least}, {2, 2, -2, -2, 0, -1}, "i"), {3, -4, -4, 3, 0, least});
  expectNear(binary("mod", {7, -7, 7, -7, 5, least}, {2, 2, -2, -2, 0, -1}, "i"), {1, 1, -1, -1, 0, 0});
  expectNear(unary("neg", {least, 3}, "i"), {least, -3});
  expectNear(unary("abs", {least, -3}, "i"), {least, 3});
}

TEST(Interpreter, Logic) {
  expectNear(unary("not", {0, 1}, "b"), {1, 0});
  expectNear(binary("and", {0, 1, 1}, {1, 0, 1}, "b"), {0, 0, 1});
  expectNear(binary("or", {0, 1, 0}, {1, 0, 0}, "b"), {1, 1, 0});
}

TEST(Interpreter, OnlyNeHoldsForNaN) {
  for (const char *predicate : {"eq", "ne", "lt", "le", "gt", "ge"}) {
    auto got = runOp(std::string("compare \"") + predicate + "\" %a0, %a1",
                     {array("f[A=4]", {NaN, 1, 2, 3}), array("f[A=4]", {NaN, 2, 2, 2})}, {"f[A=4]", "f[A=4]"}, "b[A=4]");
    std::string p = predicate;
    expectNear(got, {double(p == "ne"), double(p == "ne" || p == "lt" || p == "le"),
                     double(p == "eq" || p == "le" || p == "ge"), double(p == "ne" || p == "gt" || p == "ge")});
  }
}

TEST(Interpreter, SelectTakesNothingOfTheOtherSide) {
  expectNear(runOp("select %a0, %a1, %a2", {array("b[A=2]", {1, 0}), array("f[A=2]", {1, NaN}), array("f[]", {inf})},
                   {"b[A=2]", "f[A=2]", "f[]"}, "f[A=2]"),
             {1, inf});
}

TEST(Interpreter, CastTruncatesAndSaturates) {
  expectNear(runOp("cast %a0", {array("f[A=6]", {1.9, -1.9, 1e10, -1e10, NaN, -inf})}, {"f[A=6]"}, "i[A=6]"),
             {1, -1, 2147483647, -2147483648.0, 0, -2147483648.0});
  expectNear(runOp("cast %a0", {array("b[A=2]", {0, 1})}, {"b[A=2]"}, "f[A=2]"), {0, 1});
}

TEST(Interpreter, BroadcastsByNameInAnyOrder) {
  // x[A,B] + y[A], laid out as [B,A]
  expectNear(runOp("add %a0, %a1", {array("f[A=2, B=3]", {1, 2, 3, 4, 5, 6}), array("f[A=2]", {10, 20})},
                   {"f[A=2, B=3]", "f[A=2]"}, "f[B=3, A=2]"),
             {11, 24, 12, 25, 13, 26});
  expectNear(runOp("broadcast %a0", {array("f[A=2]", {1, 2})}, {"f[A=2]"}, "f[A=2, B=2]"), {1, 1, 2, 2});
}

TEST(Interpreter, ContractSumsOverTheDimsNamed) {
  Array x = array("f[A=2, B=2]", {1, 2, 3, 4}), y = array("f[B=2, C=2]", {5, 6, 7, 8});
  expectNear(runOp("contract %a0, %a1 over [\"B\"]", {x, y}, {"f[A=2, B=2]", "f[B=2, C=2]"}, "f[A=2, C=2]"),
             {19, 22, 43, 50});
  expectNear(runOp("contract %a0, %a1 over [\"B\"]", {x, y}, {"f[A=2, B=2]", "f[B=2, C=2]"}, "f[C=2, A=2]"),
             {19, 43, 22, 50});
  // B is a batch dim; two dims summed
  Array z = array("f[B=2, A=2]", {5, 6, 7, 8});
  expectNear(runOp("contract %a0, %a1 over [\"A\"]", {x, z}, {"f[A=2, B=2]", "f[B=2, A=2]"}, "f[B=2]"), {23, 46});
  expectNear(runOp("contract %a0, %a1 over [\"A\", \"B\"]", {x, z}, {"f[A=2, B=2]", "f[B=2, A=2]"}, "f[]"), {69});
}

TEST(Interpreter, Reductions) {
  Array x = array("f[A=2, B=3]", {1, NaN, 3, -4, -5, -inf});
  std::vector<std::string> type{"f[A=2, B=3]"};
  expectNear(runOp("reduce \"sum\" %a0 over [\"A\"]", {x}, type, "f[B=3]"), {-3, NaN, -inf});
  expectNear(runOp("reduce \"max\" %a0 over [\"B\"]", {x}, type, "f[A=2]"), {3, -4});
  expectNear(runOp("reduce \"min\" %a0 over [\"B\"]", {x}, type, "f[A=2]"), {1, -inf});
  expectNear(runOp("reduce \"max\" %a0 over [\"A\", \"B\"]", {x}, type, "f[]"), {3});
  expectNear(runOp("argmax %a0 over \"B\"", {array("f[A=2, B=3]", {1, 4, 4, NaN, -1, -1})}, type, "i[A=2]"), {1, 1});
  expectNear(runOp("reduce \"sum\" %a0 over [\"A\"]", {array("i[A=2]", {2147483647, 1})}, {"i[A=2]"}, "i[]"),
             {-2147483648.0});
}

TEST(Interpreter, SoftmaxOfARowOfMinusInfinityIsZero) {
  Array x = array("f[A=3, B=2]", {0, std::log(3), -inf, -inf, 1e30, -1e30});
  std::vector<std::string> type{"f[A=3, B=2]"};
  expectNear(runOp("softmax %a0 over \"B\"", {x}, type, "f[A=3, B=2]"), {0.25, 0.75, 0, 0, 1, 0});
  expectNear(runOp("log_softmax %a0 over \"B\"", {x}, type, "f[A=3, B=2]"),
             {std::log(0.25), std::log(0.75), -inf, -inf, 0, -2e30});
}

TEST(Interpreter, Norms) {
  std::vector<std::string> type{"f[A=2, B=2]"};
  Array x = array("f[A=2, B=2]", {1, 3, 5, 5});
  expectNear(runOp("layer_norm %a0 over \"B\" eps 0.0", {array("f[A=1, B=2]", {1, 3})}, {"f[A=1, B=2]"}, "f[A=1, B=2]"),
             {-1, 1});
  expectNear(runOp("layer_norm %a0 over \"B\" eps 3.0", {x}, type, "f[A=2, B=2]"), {-0.5, 0.5, 0, 0});
  expectNear(runOp("rms_norm %a0 over \"B\" eps 4.0", {x}, type, "f[A=2, B=2]"),
             {1.0 / 3, 1, 5 / std::sqrt(29), 5 / std::sqrt(29)});
}

TEST(Interpreter, CrossEntropy) {
  Array x = array("f[A=2, V=2]", {0, std::log(3), 0, 0});
  std::vector<std::string> types{"f[A=2, V=2]", "i[A=2]"};
  expectNear(runOp("cross_entropy %a0, %a1 over \"V\"", {x, array("i[A=2]", {1, 0})}, types, "f[A=2]"),
             {std::log(4.0 / 3), std::log(2)});
  std::string error;
  runOp("cross_entropy %a0, %a1 over \"V\"", {x, array("i[A=2]", {1, 2})}, types, "f[A=2]", &error);
  EXPECT_NE(error.find("index 2 is outside of V=2"), std::string::npos) << error;
}

TEST(Interpreter, GatherReplacesTheAxisByTheIndexDims) {
  Array x = array("f[A=3, B=2]", {1, 2, 3, 4, 5, 6});
  std::vector<std::string> types{"f[A=3, B=2]", "i[T=2]"};
  expectNear(runOp("gather %a0[\"A\" = %a1]", {x, array("i[T=2]", {2, 0})}, types, "f[T=2, B=2]"), {5, 6, 1, 2});
  // B is shared, so pointwise
  expectNear(runOp("gather %a0[\"A\" = %a1]", {x, array("i[B=2]", {2, 0})}, {"f[A=3, B=2]", "i[B=2]"}, "f[B=2]"), {5, 2});
  for (double bad : {-1.0, 3.0}) {
    std::string error;
    runOp("gather %a0[\"A\" = %a1]", {x, array("i[T=2]", {0, bad})}, types, "f[T=2, B=2]", &error);
    EXPECT_NE(error.find("is outside of A=3"), std::string::npos) << error;
  }
}

TEST(Interpreter, ScatterAddSumsUpdatesOfOneIndex) {
  std::vector<std::string> types{"f[T=3, B=2]", "i[T=3]"};
  expectNear(runOp("scatter_add %a0[\"A\" = %a1]", {array("f[T=3, B=2]", {1, 2, 3, 4, 5, 6}), array("i[T=3]", {2, 0, 2})},
                   types, "f[A=3, B=2]"),
             {3, 4, 0, 0, 6, 8});
}

TEST(Interpreter, RenameKeepsTheData) {
  expectNear(runOp("rename %a0[\"A\" -> \"C\"]", {array("f[A=2, B=2]", {1, 2, 3, 4})}, {"f[A=2, B=2]"}, "f[C=2, B=2]"),
             {1, 2, 3, 4});
}

TEST(Interpreter, BernoulliIsAFunctionOfTheLogicalElement) {
  const char *text = R"(
    func.func @f(%s: !i[word=2], %t: !i[], %h: !i[]) -> !b[ORDER] {
      %r = heddle.bernoulli %s, %t indices(%h) keep 0.75 stream 7 order ["A", "B"] : (!i[word=2], !i[], !i[]) -> !b[ORDER]
      return %r : !b[ORDER]
    })";
  auto with = [&](std::string dims) {
    std::string out = text;
    for (size_t at; (at = out.find("ORDER")) != std::string::npos;) out.replace(at, 5, dims);
    return run(out, {array("i[word=2]", {-1, 5}), array("i[]", {3}), array("i[]", {2})});
  };
  auto rowMajor = with("A=20, B=30"), other = with("B=30, A=20");
  auto stream = bernoulliStream({0xFFFFFFFFu, 5}, 7, 3, std::array<uint32_t, 1>{2});
  double kept = 0;
  for (int a = 0; a < 20; ++a)
    for (int b = 0; b < 30; ++b) {
      EXPECT_EQ(rowMajor[a * 30 + b], bernoulli({0xFFFFFFFFu, 5}, stream, a * 30 + b, 0.75));
      EXPECT_EQ(rowMajor[a * 30 + b], other[b * 20 + a]);
      kept += rowMajor[a * 30 + b];
    }
  EXPECT_NEAR(kept / 600, 0.75, 4 * std::sqrt(0.75 * 0.25 / 600));
}

// Philox4x32-10's known answers (Random123's kat_vectors).
TEST(Interpreter, PhiloxKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}));
  EXPECT_EQ(philox({0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu}, {0xffffffffu, 0xffffffffu}),
            (std::array<uint32_t, 4>{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}));
  EXPECT_EQ(philox({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, {0xa4093822u, 0x299f31d0u}),
            (std::array<uint32_t, 4>{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}));
}

// x = 3 x + w[h] + h in both directions, collecting the x before each turn; the captured 3 comes from above.
static std::string loop(std::string direction) {
  return R"(
    func.func @f(%x: !f[], %w: !f[L=3]) -> (!f[L=3], !f[]) {
      %three = heddle.constant 3.0 : !f[]
      %r:2 = heddle.repeat "h" over "L" = 3 )" + direction + R"( carry(%x) stack(%w) : (!f[], !f[L=3]) -> (!f[], !f[L=3]) {
      ^bb0(%h: !i[], %a: !f[], %b: !f[]):
        %m = heddle.mul %a, %three : (!f[], !f[]) -> !f[]
        %s = heddle.add %m, %b : (!f[], !f[]) -> !f[]
        %i = heddle.cast %h : (!i[]) -> !f[]
        %n = heddle.add %s, %i : (!f[], !f[]) -> !f[]
        heddle.yield %n, %a : !f[], !f[]
      }
      return %r#1, %r#0 : !f[L=3], !f[]
    })";
}
TEST(Interpreter, RepeatForward) {
  expectNear(run(loop(""), {array("f[]", {1}), array("f[L=3]", {10, 20, 30})}), {1, 13, 60});
}
TEST(Interpreter, RepeatReverseStacksByIndex) {
  expectNear(run(loop("reverse"), {array("f[]", {1}), array("f[L=3]", {10, 20, 30})}), {3 * 35 + 21, 35, 1});
}

TEST(Interpreter, NestedRepeat) {
  // sum over i < 2, j < 3 of w[i, j] * (i + 1), inner loop in reverse
  expectNear(run(R"(
    func.func @f(%x: !f[], %w: !f[L=2, M=3]) -> !f[] {
      %one = heddle.constant 1 : !i[]
      %r = heddle.repeat "h" over "L" = 2 carry(%x) stack(%w) : (!f[], !f[L=2, M=3]) -> !f[] {
      ^bb0(%i: !i[], %a: !f[], %row: !f[M=3]):
        %k = heddle.add %i, %one : (!i[], !i[]) -> !i[]
        %kf = heddle.cast %k : (!i[]) -> !f[]
        %s = heddle.repeat "g" over "M" = 3 reverse carry(%a) stack(%row) : (!f[], !f[M=3]) -> !f[] {
        ^bb0(%j: !i[], %b: !f[], %e: !f[]):
          %p = heddle.mul %e, %kf : (!f[], !f[]) -> !f[]
          %n = heddle.add %b, %p : (!f[], !f[]) -> !f[]
          heddle.yield %n : !f[]
        }
        heddle.yield %s : !f[]
      }
      return %r : !f[]
    })", {array("f[]", {100}), array("f[L=2, M=3]", {1, 2, 3, 4, 5, 6})}), {100 + 6 + 2 * 15});
}

TEST(Interpreter, FusedRunsItsRegion) {
  expectNear(run(R"(
    func.func @f(%x: !f[A=2]) -> !f[A=2] {
      %r = heddle.fused(%x) : (!f[A=2]) -> !f[A=2] {
      ^bb0(%a: !f[A=2]):
        %s = heddle.reduce "sum" %a over ["A"] : (!f[A=2]) -> !f[]
        %d = heddle.div %a, %s : (!f[A=2], !f[]) -> !f[A=2]
        heddle.yield %d : !f[A=2]
      }
      return %r : !f[A=2]
    })", {array("f[A=2]", {1, 3})}), {0.25, 0.75});
}

static const char *counter = R"(
  heddle.variable @w "state" "constant"(0.0, 0.0) stream 1 : !f[A=2, B=2]
  func.func @f(%x: !f[B=2, A=2] {heddle.name = "data.x"}) -> (!f[A=2, B=2] {heddle.name = "seen"}) {
    %t = heddle.broadcast %x : (!f[B=2, A=2]) -> !f[A=2, B=2]
    heddle.write %t, @w : !f[A=2, B=2]
    %r = heddle.read @w : !f[A=2, B=2]
    return %r : !f[A=2, B=2]
  })";
TEST(Interpreter, WritesTakeEffectAtTheEnd) {
  auto module = parseGraph(counter);
  Arrays inputs{{"data.x", array("f[B=2, A=2]", {5, 6, 7, 8})}}, variables{{"w", array("f[A=2, B=2]", {1, 2, 3, 4})}};
  auto outcome = interpret(entryOf(*module), inputs, variables);
  ASSERT_TRUE(bool(outcome)) << llvm::toString(outcome.takeError());
  expectNear(outcome->results.at("seen").elements, {1, 2, 3, 4});
  expectNear(outcome->variables.at("w").elements, {5, 7, 6, 8});
}
TEST(Interpreter, SaysWhatIsMissingOrMisshaped) {
  auto module = parseGraph(counter);
  Arrays inputs{{"data.x", array("f[B=2, A=2]", {5, 6, 7, 8})}}, none, wrong{{"w", array("f[A=4]", {1, 2, 3, 4})}};
  auto message = [&](const Arrays &given, const Arrays &variables) {
    auto outcome = interpret(entryOf(*module), given, variables);
    return outcome ? "no error" : llvm::toString(outcome.takeError());
  };
  EXPECT_NE(message(none, none).find("no value for input 'data.x'"), std::string::npos);
  EXPECT_NE(message(inputs, none).find("no value for variable @w"), std::string::npos);
  EXPECT_NE(message(inputs, wrong).find("not of the variable's type"), std::string::npos);
  Arrays ints{{"data.x", array("i[B=2, A=2]", {5, 6, 7, 8})}};
  EXPECT_NE(message(ints, none).find("not of the argument's type"), std::string::npos);
}

TEST(Interpreter, MayRoundToSinglePrecision) {
  auto module = parseGraph("func.func @f(%x: !f[]) -> !f[] {\n  %r = heddle.add %x, %x : (!f[], !f[]) -> !f[]\n"
                           "  return %r : !f[]\n}");
  auto outcome = interpret(entryOf(*module), {{"arg0", array("f[]", {0.1})}}, {}, {.roundToFloat = true});
  ASSERT_TRUE(bool(outcome)) << llvm::toString(outcome.takeError());
  EXPECT_EQ(outcome->results.at("result0").elements[0], 0.2f);
}
