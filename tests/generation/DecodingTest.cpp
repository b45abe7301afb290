// Logits by one position at a time are those of all positions, for every form of attention that is followed; and rows of
// caches go where a search sends them.
#include "runtime/TargetClass.h"
#include "runtime/TokenModel.h"
#include "tests/generation/Models.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace heddle;

namespace {

// Both compute the same sums in f32, in another order: at most 64 terms each, and some 40 ops in a row that pass an error on
// without enlarging it much, since norms stand between. 2^-24 for each of 64 roundings in each of 40 ops is 1.5e-4.
constexpr float kTolerance = 1.5e-4f;

struct Pair {
  Session cached, whole;
  TokenModel keeps, recomputes;

  Pair(const HeddleProgram &program, const std::string &targetClass)
      : cached(program, 2, targetClass), whole(program, 1, targetClass), keeps(cached), recomputes(whole, true) {
    for (Session *session : {&cached, &whole}) session->initialise(7);
    std::mt19937 random(3);
    for (const char *name : {"data.src", "data.src_valid"})
      if (const HeddleBuffer *input = keeps.findGiven(name)) {
        std::vector<int32_t> values(size_t(elementCount(*input)));
        for (int32_t &value : values) value = input->type == HEDDLE_BOOL ? random() % 4 > 0 : int32_t(random() % 13);
        keeps.give(*input, values);
        recomputes.give(*recomputes.findGiven(name), values);
      }
  }

  // Compares the logits of the next token, and returns the likeliest of each row.
  std::vector<int32_t> compare(const std::vector<std::vector<int32_t>> &sequences) {
    std::vector<const float *> a = keeps.next(sequences), b = recomputes.next(sequences);
    std::vector<int32_t> best;
    for (size_t r = 0; r < a.size(); ++r) {
      float scale = 0;
      for (int64_t v = 0; v < keeps.vocabulary; ++v) scale = std::max(scale, std::abs(b[r][v]));
      EXPECT_GT(scale, 0.1f);
      for (int64_t v = 0; v < keeps.vocabulary; ++v)
        EXPECT_NEAR(a[r][v], b[r][v], kTolerance * scale) << "row " << r << ", token " << v << " behind " << sequences[r].size();
      best.push_back(int32_t(std::max_element(b[r], b[r] + keeps.vocabulary) - b[r]));
    }
    return best;
  }
};

class Decoding : public testing::TestWithParam<std::tuple<Generator, std::string>> {
protected:
  std::unique_ptr<JitProgram> program;
  std::string remarks;
  void SetUp() override {
    const auto &[model, targetClass] = GetParam();
    program = compileGenerator(model, targetClass, &remarks);
    ASSERT_TRUE(program);
  }
};

TEST_P(Decoding, ComputesOnePositionAndGivesTheSameLogits) {
  EXPECT_NE(remarks.find("each token of a sample computes one position"), std::string::npos) << remarks;
  Pair pair(program->program(), std::get<1>(GetParam()));
  std::mt19937 random(5);
  for (size_t prompt : {1, 4}) {  // two texts, one after the other: what the first left behind must not matter
    std::vector<std::vector<int32_t>> sequences(size_t(pair.keeps.rows), std::vector<int32_t>(prompt));
    for (auto &sequence : sequences)
      for (int32_t &token : sequence) token = int32_t(random() % 13);
    for (int64_t n = 0; n < pair.keeps.length + 3 && !HasFailure(); ++n) {  // and past the last position
      std::vector<int32_t> best = pair.compare(sequences);
      for (size_t r = 0; r < best.size(); ++r) sequences[r].push_back(n % 3 ? best[r] : int32_t(random() % 13));
    }
  }
}

class Searching : public Decoding {};

TEST_P(Searching, MovesRowsOfCaches) {
  Pair pair(program->program(), std::get<1>(GetParam()));
  // All rows have one source, as the candidates of a search have.
  for (const char *name : {"data.src", "data.src_valid"}) {
    const HeddleBuffer *input = pair.keeps.findGiven(name);
    std::vector<int32_t> values(size_t(elementCount(*input)), 1);
    pair.keeps.give(*input, values);
    pair.recomputes.give(*pair.recomputes.findGiven(name), values);
  }
  std::vector<std::vector<int32_t>> sequences;
  for (int32_t r = 0; r < pair.keeps.rows; ++r) sequences.push_back({r, 2});
  pair.compare(sequences);
  for (int32_t step = 0; step < 5; ++step) {
    std::vector<int32_t> from;
    std::vector<std::vector<int32_t>> moved;
    for (int32_t r = 0; r < pair.keeps.rows; ++r) {
      from.push_back((3 * r + step) % int32_t(pair.keeps.rows) / (1 + step % 2));
      moved.push_back(sequences[size_t(from.back())]);
      moved.back().push_back(r);
    }
    pair.keeps.reorder(from);
    sequences = moved;
    pair.compare(sequences);
  }
}

std::string nameOf(const testing::TestParamInfo<Decoding::ParamType> &info) {
  return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
}
INSTANTIATE_TEST_SUITE_P(Model, Decoding,
                         testing::Combine(testing::ValuesIn(generators()), testing::ValuesIn(runnableTargetClasses())), nameOf);
INSTANTIATE_TEST_SUITE_P(Model, Searching,
                         testing::Combine(testing::Values(generators().back()), testing::ValuesIn(runnableTargetClasses())),
                         nameOf);

TEST(DecodingIsRefused, WhereAPositionDependsOnLaterOnes) {
  for (auto [name, why] : {std::pair("Bidirectional", "it is not shown that `T` leaves out later positions of `S`"),
                           std::pair("Averaged", "this depends on all positions at once")}) {
    std::string remarks;
    auto program = compileGenerator({name}, runnableTargetClasses().front(), &remarks);
    ASSERT_TRUE(program);
    EXPECT_NE(remarks.find(std::string("each token of a sample computes all positions: ") + why), std::string::npos) << remarks;
    Session session(program->program(), 1);
    EXPECT_FALSE(session.findEntry("decode"));
    EXPECT_EQ(TokenModel(session).next({{1, 2, 3}}).size(), 1u);
  }
}

TEST(DecodingNeedsCaches, OfTheSession) {
  auto program = compileGenerator({"Gpt"}, runnableTargetClasses().front());
  ASSERT_TRUE(program);
  Session session(program->program(), 1, "", Caches::none);
  EXPECT_LT(session.variables.size(), program->program().variables_bytes);
  EXPECT_ANY_THROW(session.run(session.entry("sample")));
}

}  // namespace
