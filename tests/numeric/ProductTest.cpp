// Matrix products in the forms that only some sizes take, against sums in double precision, on every target class. Packed: so
// large that both operands are packed, with several blocks of rows, columns and of the sum, with a rest of each; and summed axes
// that do not merge, in each of several products. Streamed: so few rows that the other operand is read as it lies. And what is
// made of the sums where they are stored.
#include "codegen/llvm/Jit.h"
#include "passes/Pipeline.h"
#include "passes/lower/ContractShape.h"
#include "passes/lower/FusedProduct.h"
#include "runtime/Session.h"
#include "runtime/TargetClass.h"
#include "tests/numeric/Graph.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace heddle;

namespace {
// Z[p, a, c] = W[c] + sum over o, b of X[o, p, b, a] Y[o, p, b, c].
struct Product {
  int64_t o, p, b, a, c;
  bool alongSum = false;  // X[o, p, a, b] and Y[o, p, c, b]
  bool epilogue = false;  // and E = where(T, Z * R[p, a], Z - S)
  bool columnSum = false; // Y has no p, and V[c] = sum over o, b of Y
};

class Products : public testing::TestWithParam<std::string> {
protected:
  void checkPacked(const Product &s) {
    // With 4 lanes, blocks have too few rows for it to pay.
    check(s, [](const ContractTiling &tiling, int64_t lanes) { return tiling.packsA == (lanes > 4); });
  }
  void checkStreamed(const Product &s) {
    check(s, [](const ContractTiling &tiling, int64_t) { return tiling.streams > 0; });
  }

  void checkUnpacked(const Product &s) {
    check(s, [](const ContractTiling &tiling, int64_t) { return !tiling.packsA && !tiling.packsB && !tiling.streams; });
  }
  void checkAny(const Product &s) {
    check(s, [](const ContractTiling &tiling, int64_t) { return !tiling.packsA && !tiling.streams; });
  }

private:
  void check(const Product &s, llvm::function_ref<bool(const ContractTiling &, int64_t)> hasForm) {
    std::string outer = "O=" + std::to_string(s.o) + ", P=" + std::to_string(s.p), b = ", B=" + std::to_string(s.b);
    std::string a = ", A=" + std::to_string(s.a), c = ", C=" + std::to_string(s.c);
    std::string x = "!f[" + outer + (s.alongSum ? a + b : b + a) + "]", y = "!f[" + (s.columnSum ? "O=" + std::to_string(s.o) : outer) + (s.alongSum ? c + b : b + c) + "]";
    std::string z = "!f[P=" + std::to_string(s.p) + a + c + "]", w = "!f[C=" + std::to_string(s.c) + "]";
    std::string r = "!f[P=" + std::to_string(s.p) + a + "]", t = "!b" + z.substr(2);
    OwningOpRef<ModuleOp> module = parseGraph(
        "func.func @product(%x: " + x + " {heddle.name = \"x\"}, %y: " + y + " {heddle.name = \"y\"}, %w: " + w +
        " {heddle.name = \"w\"}" + (s.epilogue ? ", %t: " + t + " {heddle.name = \"t\"}, %r: " + r +
        " {heddle.name = \"r\"}, %s: !f[] {heddle.name = \"s\"}" : "") + ") -> (" + z + " {heddle.name = \"z\"}" +
        (s.epilogue ? ", " + z + " {heddle.name = \"e\"}" : "") + (s.columnSum ? ", " + w + " {heddle.name = \"v\"}" : "") + ") {\n  %z = heddle.contract %x, %y over [\"O\", \"B\"] " +
        "onto(%w) : (" + x + ", " + y + ", " + w + ") -> " + z + "\n" +
        (s.epilogue ? "  %m = heddle.mul %z, %r : (" + z + ", " + r + ") -> " + z + "\n  %d = heddle.sub %z, %s : (" + z +
        ", !f[]) -> " + z + "\n  %e = heddle.select %t, %m, %d : (" + t + ", " + z + ", " + z + ") -> " + z + "\n" : "") +
        (s.columnSum ? "  %v = heddle.reduce \"sum\" %y over [\"O\", \"B\"] : (" + y + ") -> " + w + "\n" : "") + "  return %z" +
        (s.epilogue ? ", %e" : "") + (s.columnSum ? ", %v" : "") + " : " + z + (s.epilogue ? ", " + z : "") +
        (s.columnSum ? ", " + w : "") + "\n}\n");
    ASSERT_TRUE(module);
    const TargetInfo *target = findTargetClass(GetParam());
    module->walk([&](ContractOp op) {
      EXPECT_TRUE(hasForm(contractTiling(contractShape(op), *target), target->lanes())) << "the case has another form now";
    });
    ASSERT_TRUE(succeeded(runPipeline(*module, Stage::grad, Stage::plan, *target)));
    size_t products = 0, columnSums = 0;
    module->walk([&](FusedOp op) { products += !!productOf(op).contract, columnSums += !!productOf(op).columnSum; });
    EXPECT_EQ(products, s.epilogue || s.columnSum ? 1u : 0u);
    EXPECT_EQ(columnSums, s.columnSum ? 1u : 0u);
    ASSERT_TRUE(succeeded(runPipeline(*module, Stage::plan, Stage::kernel, *target)));
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
    std::vector<float> xs = fill("x"), ys = fill("y"), ws = fill("w"), rs, ss;
    std::vector<int32_t> ts;
    if (s.epilogue) {
      rs = fill("r"), ss = fill("s");
      const HeddleBuffer &buffer = *session.findInput(entry, "t");
      for (int64_t i = 0; i < elementCount(buffer); ++i) ts.push_back(int32_t(random() & 1));
      std::copy(ts.begin(), ts.end(), static_cast<int32_t *>(session.memory(buffer)));
    }
    for (int i = 0; i < 2; ++i) session.run(entry);  // what the results' memory held before does not count
    if (s.epilogue) {  // of the sums as they are, to the last bit
      auto *zs = static_cast<const float *>(session.memory(*session.findOutput(entry, "z")));
      auto *es = static_cast<const float *>(session.memory(*session.findOutput(entry, "e")));
      for (size_t i = 0; i < ts.size(); ++i)
        ASSERT_EQ(es[i], ts[i] ? zs[i] * rs[i / size_t(s.c)] : zs[i] - ss[0]) << "element " << i;
    }
    auto *got = static_cast<const float *>(session.memory(*session.findOutput(entry, "z")));
    std::vector<double> sums(size_t(s.a * s.c)), sizes(sums.size());
    // A sum of n products, and W, errs by at most n u / (1 - n u) times the sum of their absolute values, n one more.
    double n = double(s.o * s.b + 1), unit = std::ldexp(1, -24), bound = n * unit / (1 - n * unit);
    auto atY = [&](int64_t o, int64_t p, int64_t k, int64_t j) {
      int64_t product = s.columnSum ? o : o * s.p + p;
      return size_t(s.alongSum ? (product * s.c + j) * s.b + k : (product * s.b + k) * s.c + j);
    };
    auto *vs = s.columnSum ? static_cast<const float *>(session.memory(*session.findOutput(entry, "v"))) : nullptr;
    for (int64_t j = 0; vs && j < s.c; ++j) {
      double sum = 0, size = 0;
      for (int64_t i = 0; i < s.o * s.b; ++i) {
        double term = ys[atY(i / s.b, 0, i % s.b, j)];
        sum += term, size += std::fabs(term);
      }
      ASSERT_LE(std::fabs(vs[j] - sum), bound * size) << "sum of column " << j;
    }
    for (int64_t p = 0; p < s.p; ++p, got += s.a * s.c) {
      for (size_t i = 0; i < sums.size(); ++i) sums[i] = ws[i % size_t(s.c)], sizes[i] = std::fabs(sums[i]);
      for (int64_t o = 0; o < s.o; ++o)
        for (int64_t k = 0; k < s.b; ++k) {
          int64_t product = o * s.p + p;
          for (int64_t i = 0; i < s.a; ++i)
            for (int64_t j = 0; j < s.c; ++j) {
              double x = xs[size_t(s.alongSum ? (product * s.a + i) * s.b + k : (product * s.b + k) * s.a + i)];
              double term = x * ys[atY(o, p, k, j)];
              sums[size_t(i * s.c + j)] += term, sizes[size_t(i * s.c + j)] += std::fabs(term);
            }
        }
      for (size_t i = 0; i < sums.size(); ++i)
        ASSERT_LE(std::fabs(got[i] - sums[i]), bound * sizes[i]) << "product " << p << ", row " << i / size_t(s.c) << ", column " << i % size_t(s.c);
    }
  }
};
}  // namespace

TEST_P(Products, PackedInBlocks) { checkPacked({1, 1, 600, 1003, 403}); }
TEST_P(Products, PackedInSeveralProducts) { checkPacked({2, 2, 690, 811, 600}); }

// One row, with a rest of the columns and of the sum; several tiles; as many rows as are streamed, of several products.
TEST_P(Products, StreamedAlongColumns) {
  checkStreamed({1, 1, 203, 1, 331});
  checkStreamed({1, 1, 64, 2, 2000});
  checkStreamed({1, 3, 71, 4, 130});
}
TEST_P(Products, StreamedAlongTheSum) {
  checkStreamed({1, 1, 77, 1, 53, true});
  checkStreamed({1, 1, 130, 2, 2003, true});
  checkStreamed({1, 3, 67, 4, 30, true});
}


// B as it lies: in one block of the sum and in several, with a rest of rows; of several products.
TEST_P(Products, Unpacked) {
  checkUnpacked({1, 1, 90, 67, 96});
  checkUnpacked({1, 1, 1000, 37, 96});
  checkUnpacked({3, 2, 50, 19, 96});
  checkUnpacked({1, 1, 1000, 37, 96, false, true, true});
}

// The sum of what is packed: in one block of the sum and in several, as it lies and turned, with rests; where rows are cut into
// blocks, and where they do not merge into one axis. And with an epilogue.
TEST_P(Products, ColumnSum) {
  checkAny({1, 1, 96, 150, 203, false, false, true});
  checkAny({3, 5, 40, 9, 37, true, false, true});
  checkAny({1, 1, 1000, 67, 333, true, true, true});
  checkPacked({1, 1, 600, 1003, 403, false, false, true});
  checkPacked({2, 2, 690, 811, 600, false, true, true});
}

// The same forms with an epilogue; the first are packed as they lie, in one block and in several, with a rest of rows and columns.
TEST_P(Products, Epilogue) {
  checkAny({1, 1, 96, 150, 203, true, true});
  checkAny({1, 1, 1000, 67, 333, true, true});
  checkPacked({2, 2, 690, 811, 600, false, true});
  checkStreamed({1, 3, 71, 4, 130, false, true});
  checkStreamed({1, 3, 67, 4, 30, true, true});
}

// What a loop carries is added to where it lies: Z[a, c] = sum over r, b of X[r, b, a] Y[r, b, c], with the sums of Y over b; in
// one block of the sum and in several, with rests of rows and columns.
TEST_P(Products, AddedInPlace) {
  struct {
    int64_t r, b, a, c;
  } sizes[] = {{3, 40, 19, 37}, {2, 1000, 67, 333}, {2, 600, 1003, 403}};
  for (auto [r, b, a, c] : sizes) {
    std::string turns = std::to_string(r), sizeA = "A=" + std::to_string(a), sizeC = "C=" + std::to_string(c);
    std::string rows = "B=" + std::to_string(b) + ", ", ofTurns = "!f[R=" + turns + ", ";
    OwningOpRef<ModuleOp> module = parseGraph(with(R"(
      func.func @sums(%xs: $P {heddle.name = "x"}, %ys: $Q {heddle.name = "y"}) -> ($Z {heddle.name = "z"}, $W {heddle.name = "v"}) {
        %zero = heddle.constant 0.0 : $Z
        %r:2 = heddle.repeat "turn" over "R" = $N carry(%zero) stack(%xs, %ys) : ($Z, $P, $Q) -> ($Z, $W) {
        ^bb0(%i: !i[], %sum: $Z, %x: $X, %y: $Y):
          %p = heddle.contract %x, %y over ["B"] : ($X, $Y) -> $Z
          %next = heddle.add %sum, %p : ($Z, $Z) -> $Z
          %v = heddle.reduce "sum" %y over ["B"] : ($Y) -> $V
          heddle.yield %next, %v : $Z, $V
        }
        return %r#0, %r#1 : $Z, $W
      })", {{"N", turns}, {"X", "!f[" + rows + sizeA + "]"}, {"Y", "!f[" + rows + sizeC + "]"}, {"P", ofTurns + rows + sizeA + "]"},
            {"Q", ofTurns + rows + sizeC + "]"}, {"Z", "!f[" + sizeA + ", " + sizeC + "]"}, {"V", "!f[" + sizeC + "]"},
            {"W", ofTurns + sizeC + "]"}}));
    ASSERT_TRUE(module);
    const TargetInfo *target = findTargetClass(GetParam());
    ASSERT_TRUE(succeeded(runPipeline(*module, Stage::grad, Stage::plan, *target)));
    size_t kernels = 0;
    module->walk([&](RepeatOp repeat) { kernels = llvm::range_size(repeat.getBody().getOps<FusedOp>()); });
    EXPECT_EQ(kernels, 1u) << "the sum is copied";
    ASSERT_TRUE(succeeded(runPipeline(*module, Stage::plan, Stage::kernel, *target)));
    auto jit = jitProgram(*module, *target);
    ASSERT_TRUE(bool(jit)) << llvm::toString(jit.takeError());
    Session session((*jit)->program(), 2, GetParam());
    const HeddleEntry &entry = session.entry("sums");
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    auto memoryOf = [&](const HeddleBuffer *buffer) { return static_cast<float *>(session.memory(*buffer)); };
    std::vector<float> left(size_t(r * b * a)), right(size_t(r * b * c));
    for (float &value : left) value = normal(random);
    for (float &value : right) value = normal(random);
    std::copy(left.begin(), left.end(), memoryOf(session.findInput(entry, "x")));
    std::copy(right.begin(), right.end(), memoryOf(session.findInput(entry, "y")));
    for (int i = 0; i < 2; ++i) session.run(entry);
    const float *got = memoryOf(session.findOutput(entry, "z")), *columns = memoryOf(session.findOutput(entry, "v"));
    // As above; the sum begins with 0.
    auto check = [](float value, auto terms, int64_t count) {
      double n = double(count), bound = n * std::ldexp(1, -24) / (1 - n * std::ldexp(1, -24)), sum = 0, size = 0;
      for (int64_t i = 0; i < count; ++i) sum += terms(i), size += std::fabs(terms(i));
      return std::fabs(value - sum) <= bound * size;
    };
    for (int64_t i = 0; i < a * c; ++i) {
      auto term = [&](int64_t k) { return double(left[size_t(k * a + i / c)]) * right[size_t(k * c + i % c)]; };
      ASSERT_TRUE(check(got[i], term, r * b)) << "row " << i / c << ", column " << i % c << ": " << got[i];
    }
    for (int64_t i = 0; i < r * c; ++i) {
      auto term = [&](int64_t k) { return double(right[size_t((i / c * b + k) * c + i % c)]); };
      ASSERT_TRUE(check(columns[i], term, b)) << "sum of column " << i % c << " in turn " << i / c;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Class, Products, testing::ValuesIn(runnableTargetClasses()),
                         [](const auto &info) { return info.param; });
