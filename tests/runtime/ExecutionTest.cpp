// Arena, thread pool, random numbers, initial values, executor and choice of target class.
#include "TempDir.h"
#include "TinyProgram.h"

#include "runtime/Arena.h"
#include "runtime/FloatMode.h"
#include "runtime/Initialise.h"
#include "runtime/Philox.h"
#include "runtime/Session.h"
#include "runtime/TargetClass.h"
#include "runtime/ThreadPool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <vector>

namespace heddle {
namespace {

using testing::HasSubstr;

TEST(Arena, IsAlignedZeroedAndPadded) {
  for (int64_t bytes : {1, 64, 4096, 5 << 20}) {
    Arena arena(bytes, "test");
    EXPECT_EQ(reinterpret_cast<uintptr_t>(arena.data()) % HEDDLE_ALIGNMENT, 0u);
    int64_t sum = 0;
    for (int64_t i = 0; i < bytes + HEDDLE_PADDING; ++i) sum += arena.data()[i];
    EXPECT_EQ(sum, 0);
  }
  EXPECT_EQ(Arena(0, "test").data(), nullptr);
}

TEST(Arena, IsZeroedAgain) {
  for (int64_t bytes : {1, 5 << 20}) {
    Arena arena(bytes, "test");
    char* place = arena.data();
    memset(place, 1, size_t(bytes));
    arena.clear();
    EXPECT_EQ(arena.data(), place);
    EXPECT_EQ(std::count(place, place + bytes, 0), bytes);
  }
}

TEST(Arena, ARefusalNamesThePlannedBytes) {
  EXPECT_THAT(errorOf([] { Arena(int64_t(1) << 46, "workspace"); }), HasSubstr("workspace: 67108864.0 MiB"));
  EXPECT_THAT(errorOf([] { Arena(-1, "workspace"); }), HasSubstr("70: internal error"));
  EXPECT_THAT(errorOf([] { checkMemory(int64_t(1) << 50); }), HasSubstr("1125899906842624 bytes"));
}

TEST(ThreadPool, EveryTileRunsOnce) {
  for (int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    for (int64_t tiles : {0, 1, 2, 3, 5, 64, 1000}) {
      std::vector<std::atomic<int>> ran(tiles);
      pool.forEachTile(tiles, [&](int64_t begin, int64_t end, int thread) {
        EXPECT_LT(thread, threads);
        for (int64_t i = begin; i < end; ++i) ran[i]++;
      });
      for (auto& count : ran) EXPECT_EQ(count, 1);
    }
  }
}

TEST(ThreadPool, ManyShortCallsAllJoin) {
  ThreadPool pool(4);
  std::atomic<int64_t> sum = 0;
  for (int call = 0; call < 20000; ++call)
    pool.forEachTile(4, [&](int64_t begin, int64_t end, int) { sum += end - begin; });
  EXPECT_EQ(sum, 80000);
}

TEST(ThreadPool, EveryThreadFlushesSubnormals) {
  ThreadPool pool(3);
  unsigned before = _mm_getcsr();
  std::atomic<unsigned> wrong = 0, seen = 0;
  volatile float tiny = 1e-38f;
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  pool.forEachTile(300, [&](int64_t, int64_t, int thread) {
    if (tiny * 0.01f != 0.f || (_mm_getcsr() & ~0x3Fu) != FloatMode::kKernels) wrong |= 1u << thread;
    // Nobody goes on before each has had a tile, so that the caller does not do all the work.
    for (seen |= 1u << thread; seen != 7 && std::chrono::steady_clock::now() < deadline;) std::this_thread::yield();
  });
  EXPECT_EQ(seen, 7u);
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(_mm_getcsr() & ~0x3Fu, before & ~0x3Fu);
}

TEST(Philox, KnownAnswersOfRandom123) {
  EXPECT_EQ(philox({0, 0, 0, 0}, 0), (PhiloxWords{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, ~uint64_t(0)), (PhiloxWords{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822),
            (PhiloxWords{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, UniformNumbersStayInside) {
  EXPECT_GT(uniform01(0, 0), 0);
  EXPECT_LT(uniform01(~0u, ~0u), 1);
  EXPECT_EQ(uniformBelow(0, 0, 10), 0u);
  EXPECT_EQ(uniformBelow(~0u, ~0u, 10), 9u);
}

TEST(Initialise, NormalHasItsMomentsAndIsBoxMuller) {
  double sum = 0, squares = 0, fourth = 0;
  constexpr int n = 200000;
  for (int i = 0; i < n; ++i) {
    float z = normalValue(5, 9, i, 0, 1);
    sum += z, squares += double(z) * z, fourth += std::pow(double(z), 4);
    PhiloxWords w = philox({uint32_t(i / 4), 0, 9, 0}, 5);
    auto unit = [&](int k) { return (w[size_t(k)] + 0.5) * 0x1p-32; };
    int pair = i % 4 / 2 * 2;
    double angle = 2 * M_PI * unit(pair + 1), direction = i % 2 ? std::sin(angle) : std::cos(angle);
    ASSERT_FLOAT_EQ(z, float(std::sqrt(-2 * std::log(unit(pair))) * direction)) << i;
  }
  EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(double(n)));
  EXPECT_NEAR(squares / n, 1, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(fourth / n, 3, 5 * std::sqrt(96.0 / n));
}

TEST(Initialise, UniformStaysBelowItsEnd) {
  for (int i = 0; i < 10000; ++i) {
    ASSERT_EQ(uniformValue(1, 2, i, 1, 1.0000001), 1.f);  // one float wide
    float y = uniformValue(1, 2, i, -2, 3);
    ASSERT_TRUE(y >= -2 && y < 3);
  }
}

TEST(Initialise, SameForAnyThreadCountAndLayersDiffer) {
  HeddleProgram program = tiny::make("{}");
  Session one(program, 1), three(program, 3);
  one.initialise(42), three.initialise(42);
  EXPECT_EQ(memcmp(one.variables.data(), three.variables.data(), program.variables_bytes), 0);
  const HeddleVariable& scale = *one.findVariable("h.{}.scale");
  auto* values = static_cast<float*>(one.memory(scale));
  EXPECT_NE(memcmp(values, values + tiny::D, tiny::D * 4), 0);
  for (int d = 0; d < tiny::D; ++d) EXPECT_EQ(values[tiny::D + d], uniformValue(42, scale.stream + 1, d, -1, 1));
  three.initialise(43);
  EXPECT_NE(memcmp(one.variables.data(), three.variables.data(), program.variables_bytes), 0);
  memset(three.variables.data(), 1, size_t(program.variables_bytes));
  three.initialise(42);
  EXPECT_EQ(memcmp(one.variables.data(), three.variables.data(), program.variables_bytes), 0);
}

TEST(Initialise, BigVariablesAreSplitTheSameWay) {
  HeddleDim dims[] = {{"N", 100003}};
  HeddleVariable v{"x", HEDDLE_PARAMETER, HEDDLE_F32, 1, 0, dims, 0, HEDDLE_NORMAL, 1, 2, uint64_t(3) << 40, 0};
  std::vector<float> a(100003), b(100003);
  ThreadPool one(1), two(2);
  initialiseVariable(v, 1, a.data(), one);
  initialiseVariable(v, 1, b.data(), two);
  EXPECT_EQ(a, b);
  EXPECT_EQ(a[77777], normalValue(1, uint64_t(3) << 40, 77777, 1, 2));
}

// Vectors of every width give what one element at a time gives, at the ends of layers too.
TEST(Initialise, EveryKindOfCpuGivesTheSameValues) {
  HeddleDim dims[] = {{"L", 3}, {"N", 33331}};
  for (int32_t init : {HEDDLE_NORMAL, HEDDLE_UNIFORM})
    for (const char* cpu : {"", "avx2", "baseline"}) {
      HeddleVariable v{"x", HEDDLE_PARAMETER, HEDDLE_F32, 2, 1, dims, 0, init, -1, 2, ~uint64_t(0) - 1, 0};
      std::vector<float> values(3 * 33331);
      ThreadPool pool(2);
      setenv("HEDDLE_CPU", cpu, 1);
      initialiseVariable(v, uint64_t(5) << 40, values.data(), pool);
      unsetenv("HEDDLE_CPU");
      for (size_t i = 0; i < values.size(); ++i) {
        auto one = init == HEDDLE_NORMAL ? normalValue : uniformValue;
        ASSERT_EQ(values[i], one(uint64_t(5) << 40, v.stream + i / 33331, i % 33331, -1, 2)) << cpu << " " << i;
      }
    }
}

TEST(Executor, LoopsPassForwardAndBackWithTheirStrides) {
  HeddleProgram program = tiny::make("{}");
  Session s(program, 2);
  const HeddleEntry& train = s.entry("train");
  s.setCounters(train, 1, 0);
  s.run(train);
  auto* order = static_cast<int32_t*>(s.memory(*s.findOutput(train, "order")));
  EXPECT_EQ(std::vector<int32_t>(order, order + 4), (std::vector<int32_t>{3, 2, 1, 0}));
  float loss = s.scalar(*s.findOutput(train, "loss.lm"));
  EXPECT_NEAR(loss, std::log(double(tiny::V)), 1e-5);
  auto* scale = static_cast<float*>(s.memory(*s.findVariable("h.{}.scale")));
  for (int l = 0; l < tiny::L; ++l)
    for (int d = 0; d < tiny::D; ++d) EXPECT_EQ(scale[l * tiny::D + d], float(l + 1) * loss * 1e-3f);
}

TEST(Executor, TraceSeesEveryCall) {
  HeddleProgram program = tiny::make("{}");
  Session s(program, 1);
  std::map<std::string, int> calls;
  s.executor.trace = [&](const StepTrace& t) {
    std::string kernel = t.kernel;
    calls[kernel]++;
    EXPECT_GE(t.seconds, 0);
    EXPECT_EQ(t.depth, kernel == "stretch" || kernel == "note" ? 1 : 0);
  };
  s.run(s.entry("train"));
  EXPECT_EQ(calls, (std::map<std::string, int>{{"clear", 1}, {"softmax_rows", 1}, {"mean_loss", 1}, {"stretch", 3},
                                               {"note", 3}, {"update_rows", 1}}));
}

TEST(Executor, BrokenTablesAreInternalErrors) {
  HeddleProgram program = tiny::make("{}");
  program.abi_version = 99;
  EXPECT_THAT(errorOf([&] { checkProgram(program); }),
              HasSubstr("70: internal error: the program's tables are broken: ABI version 99"));
  program = tiny::make("{}");
  program.variables_bytes = 512;
  EXPECT_THAT(errorOf([&] { checkProgram(program); }),
              HasSubstr("'h.{}.scale': 60 bytes at offset 512 of an arena of 512"));
  HeddleStep unclosed[] = {{HEDDLE_LOOP, 0, 2, 0, nullptr, "", nullptr}}, unopened[] = {{HEDDLE_END, 0, 0, 0, nullptr, "", nullptr}};
  HeddleStep missing[] = {{HEDDLE_CALL, 7, 1, 0, nullptr, "", nullptr}};
  HeddleArg far{HEDDLE_WORKSPACE, 0, {64}, 0};
  HeddleStep wild[] = {
      {HEDDLE_LOOP, 0, 3, 0, nullptr, "", nullptr}, {HEDDLE_CALL, 0, 1, 1, &far, "a:7", nullptr}, {HEDDLE_END, 0, 0, 0, nullptr, "", nullptr}};
  auto errorWith = [&](const HeddleStep* steps, int count) {
    HeddleProgram p = tiny::make("{}");
    HeddleEntry entry{"e", 0, nullptr, 0, nullptr, count, steps, 128, 0, 0};
    HeddleTarget target = p.targets[0];
    target.entry_count = 1, target.entries = &entry;
    p.targets = &target;
    return errorOf([&] { checkProgram(p); });
  };
  EXPECT_THAT(errorWith(unclosed, 1), HasSubstr("a loop is not closed"));
  EXPECT_THAT(errorWith(unopened, 1), HasSubstr("closed that is not open"));
  EXPECT_THAT(errorWith(missing, 1), HasSubstr("no kernel 7"));
  EXPECT_THAT(errorWith(wild, 3), HasSubstr("a:7: an argument from 0 to 128 of an arena of 128"));
}

TEST(Session, NamesTheEntriesThereAre) {
  HeddleProgram program = tiny::make("{}");
  Session s(program, 1);
  EXPECT_THAT(errorOf([&] { s.entry("run"); }), HasSubstr("it has: train, eval, sample"));
  EXPECT_THAT(errorOf([&] { s.setCounters(s.entry("train"), int64_t(1) << 31, 1); }), HasSubstr("past the last"));
}

TEST(TargetClass, UnknownAndUnsupportedAreTold) {
  EXPECT_THAT(errorOf([] { chooseTargetClass("neon"); }), HasSubstr("2: error: unknown target class 'neon'"));
  EXPECT_TRUE(cpuRuns("baseline"));
  HeddleProgram program = tiny::make("{}");
  EXPECT_STREQ(chooseTarget(program).name, "baseline");
  EXPECT_THAT(errorOf([&] { chooseTarget(program, "avx2"); }), HasSubstr("was not compiled for the target class 'avx2'"));
  setenv("HEDDLE_TARGET", "sse9", 1);
  EXPECT_THAT(errorOf([&] { chooseTarget(program); }), HasSubstr("unknown target class 'sse9'"));
  unsetenv("HEDDLE_TARGET");
  HeddleProgram other = tiny::make("{}", "0", "future");
  EXPECT_THAT(errorOf([&] { chooseTarget(other); }), HasSubstr("was compiled for future, which this CPU does not run"));
}

}  // namespace
}  // namespace heddle
