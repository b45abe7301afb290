// Matrix products so large that both operands are packed, against sums in double precision: several blocks of rows, columns
// and of the sum, with a rest of each; and summed axes that do not merge, in each of several products.
#include "codegen/llvm/Jit.h"
#include "passes/Pipeline.h"
#include "passes/lower/ContractShape.h"
#include "runtime/Session.h"
#include "runtime/TargetClass.h"
#include "tests/numeric/Graph.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace heddle;

namespace {
// Z[p, a, c] = sum over o, b of X[o, p, b, a] Y[o, p, b, c].
struct Product {
  int64_t o, p, b, a, c;
};

class PackedProducts : public testing::TestWithParam<std::string> {
protected:
  void check(const Product &s) {
    std::string outer = "O=" + std::to_string(s.o) + ", P=" + std::to_string(s.p), b = ", B=" + std::to_string(s.b);
    std::string a = ", A=" + std::to_string(s.a), c = ", C=" + std::to_string(s.c);
    std::string x = "!f[" + outer + b + a + "]", y = "!f[" + outer + b + c + "]";
    std::string z = "!f[P=" + std::to_string(s.p) + a + c + "]";
    OwningOpRef<ModuleOp> module = parseGraph(
        "func.func @product(%x: " + x + " {heddle.name = \"x\"}, %y: " + y + " {heddle.name = \"y\"}) -> (" + z +
        " {heddle.name = \"z\"}) {\n  %z = heddle.contract %x, %y over [\"O\", \"B\"] : (" + x + ", " + y + ") -> " + z +
        "\n  return %z : " + z + "\n}\n");
    ASSERT_TRUE(module);
    const TargetInfo *target = findTargetClass(GetParam());
    // With 4 lanes, blocks have too few rows for it to pay.
    module->walk([&](ContractOp op) {
      EXPECT_EQ(contractTiling(contractShape(op), *target).packsA, target->lanes() > 4) << "the case has another size now";
    });
    ASSERT_TRUE(succeeded(runPipeline(*module, Stage::grad, Stage::kernel, *target)));
    auto jit = jitProgram(*module, *target);
    ASSERT_TRUE(bool(jit)) << llvm::toString(jit.takeError());
    Session session((*jit)->program(), 2, GetParam());
    const HeddleEntry &entry = session.entry("product");
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    auto fill = [&](const char *name) {
      const HeddleBuffer &buffer = *session.findInput(entry, name);
      std::vector<float> values(size_t(elementCount(buffer)));
      for (float &value : values) value = normal(random);
      std::copy(values.begin(), values.end(), static_cast<float *>(session.memory(buffer)));
      return values;
    };
    std::vector<float> xs = fill("x"), ys = fill("y");
    session.run(entry);
    auto *got = static_cast<const float *>(session.memory(*session.findOutput(entry, "z")));
    std::vector<double> sums(size_t(s.a * s.c)), sizes(sums.size());
    // A sum of n products errs by at most n u / (1 - n u) times the sum of their absolute values.
    double n = double(s.o * s.b), unit = std::ldexp(1, -24), bound = n * unit / (1 - n * unit);
    for (int64_t p = 0; p < s.p; ++p, got += s.a * s.c) {
      std::fill(sums.begin(), sums.end(), 0), std::fill(sizes.begin(), sizes.end(), 0);
      for (int64_t o = 0; o < s.o; ++o)
        for (int64_t k = 0; k < s.b; ++k) {
          int64_t row = (o * s.p + p) * s.b + k;
          for (int64_t i = 0; i < s.a; ++i)
            for (int64_t j = 0; j < s.c; ++j) {
              double term = double(xs[size_t(row * s.a + i)]) * ys[size_t(row * s.c + j)];
              sums[size_t(i * s.c + j)] += term, sizes[size_t(i * s.c + j)] += std::fabs(term);
            }
        }
      for (size_t i = 0; i < sums.size(); ++i)
        ASSERT_LE(std::fabs(got[i] - sums[i]), bound * sizes[i]) << "product " << p << ", row " << i / size_t(s.c) << ", column " << i % size_t(s.c);
    }
  }
};
}  // namespace

TEST_P(PackedProducts, InBlocks) { check({1, 1, 300, 1003, 787}); }
TEST_P(PackedProducts, InSeveralProducts) { check({2, 2, 290, 811, 600}); }

INSTANTIATE_TEST_SUITE_P(Class, PackedProducts, testing::ValuesIn(runnableTargetClasses()),
                         [](const auto &info) { return info.param; });
