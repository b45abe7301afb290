// The search for a target against what the model says of every step, and scores of texts against values worked out by hand.
#include "runtime/TargetClass.h"
#include "runtime/RunError.h"
#include "runtime/TargetTexts.h"
#include "runtime/TextScores.h"
#include "tests/generation/Models.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace heddle;

namespace {

// Of 13 tokens the last six are special, as those of "char" are.
struct TargetSearchOf : testing::Test {
  std::unique_ptr<JitProgram> program = compileGenerator(generators().back(), runnableTargetClasses().front());
  std::unique_ptr<Session> session;
  std::optional<SpecialTokens> special;
  std::vector<std::vector<int32_t>> sources{{1, 2, 3}, {4}, {0, 0, 5, 6, 2, 2}, {}, {6, 5, 4, 3, 2, 1, 0, 1}, {3, 3}};

  void SetUp() override {
    ASSERT_TRUE(program);
    session = std::make_unique<Session>(program->program(), 2);
    session->initialise(11);
    special.emplace(Tokenizer::of("char", "abcdefg", "text"), RunConfig{}, std::span<const SpecialTokens::Part>{});
    ASSERT_EQ(special->vocabulary, 13);
  }

  std::vector<FoundTarget> search(SearchOptions options, const std::vector<std::vector<int32_t>> &of) {
    return TargetSearch(*session, *special, options).search(of);
  }

  // log p of each next token behind <begin> and `ids`, for one source.
  std::vector<double> logProbabilities(const std::vector<int32_t> &source, const std::vector<int32_t> &ids) {
    TokenModel model(*session, true);
    const HeddleBuffer *src = model.findGiven("data.src");
    size_t n = size_t(src->dims[1].size), words = std::min(source.size(), n - 1);
    std::vector<int32_t> row(n, special->pad), valid(n, 0), all, allValid;
    std::copy_n(source.begin(), words, row.begin());
    row[words] = special->end;
    std::fill_n(valid.begin(), words + 1, 1);
    for (int64_t r = 0; r < model.rows; ++r) {
      all.insert(all.end(), row.begin(), row.end());
      allValid.insert(allValid.end(), valid.begin(), valid.end());
    }
    model.give(*src, all);
    model.give(*model.findGiven("data.src_valid"), allValid);
    std::vector<int32_t> sequence{special->begin};
    sequence.insert(sequence.end(), ids.begin(), ids.end());
    const float *logits = model.next(std::vector<std::vector<int32_t>>(size_t(model.rows), sequence))[0];
    double sum = 0;
    for (int v = 0; v < 13; ++v) sum += std::exp(double(logits[v]));
    std::vector<double> result;
    for (int v = 0; v < 13; ++v) result.push_back(logits[v] - std::log(sum));
    return result;
  }
};

TEST_F(TargetSearchOf, OneBeamTakesTheLikeliestToken) {
  std::vector<FoundTarget> found = search({.beams = 1}, sources);
  ASSERT_EQ(found.size(), sources.size());
  for (size_t s = 0; s < sources.size(); ++s) {
    std::vector<int32_t> ids;
    double sum = 0;
    bool ended = false;
    while (ids.size() < 11 && !ended) {
      std::vector<double> log = logProbabilities(sources[s], ids);
      log[size_t(special->pad)] = log[size_t(special->begin)] = -INFINITY;
      size_t best = size_t(std::max_element(log.begin(), log.end()) - log.begin());
      sum += log[best];
      ended = int32_t(best) == special->end;
      if (!ended) ids.push_back(int32_t(best));
    }
    EXPECT_EQ(found[s].ids, ids) << s;
    EXPECT_EQ(found[s].ended, ended) << s;
    EXPECT_NEAR(found[s].logProbability, sum, 1e-4) << s;  // twelve sums of f32 logits below 100
  }
}

TEST_F(TargetSearchOf, BeamsFindWhatTheModelSays) {
  for (double penalty : {0.0, 0.6}) {
    std::vector<FoundTarget> greedy = search({.beams = 1, .lengthPenalty = penalty}, sources);
    for (int64_t beams : {2, 3, 8}) {
      std::vector<FoundTarget> found = search({.beams = beams, .lengthPenalty = penalty}, sources);
      std::vector<FoundTarget> recomputed = search({.beams = beams, .lengthPenalty = penalty, .recompute = true}, sources);
      for (size_t s = 0; s < sources.size(); ++s) {
        double sum = 0;
        for (size_t n = 0; n <= found[s].ids.size(); ++n) {
          bool last = n == found[s].ids.size();
          if (last && !found[s].ended) break;
          std::vector<int32_t> before(found[s].ids.begin(), found[s].ids.begin() + std::ptrdiff_t(n));
          sum += logProbabilities(sources[s], before)[size_t(last ? special->end : found[s].ids[n])];
        }
        EXPECT_NEAR(found[s].logProbability, sum, 1e-4) << s << " with " << beams;
        EXPECT_EQ(found[s].ids, recomputed[s].ids) << s << " with " << beams;
        // Sources that are searched for together do not meet.
        EXPECT_EQ(found[s].ids, search({.beams = beams, .lengthPenalty = penalty}, {sources[s]})[0].ids);
        if (penalty == 0 && beams == 8 && greedy[s].ended) {
          EXPECT_GE(found[s].logProbability, greedy[s].logProbability - 1e-4);
        }
      }
    }
  }
}

TEST_F(TargetSearchOf, RefusesMoreBeamsThanRowsAndCountsWhatIsCut) {
  EXPECT_ANY_THROW(TargetSearch(*session, *special, {.beams = 9}));
  EXPECT_ANY_THROW(TargetSearch(*session, *special, {.beams = 0}));
  TargetSearch cutting(*session, *special, {});
  cutting.search(sources);
  EXPECT_EQ(cutting.sourceLength, 7);
  EXPECT_EQ(cutting.cut, 1);
}

struct TargetTextsOf : TargetSearchOf {
  Tokenizer words = Tokenizer::of("char", "abcdefg", "text");
  RunConfig config;
  TargetTextsOf() { config.data.kind = "pairs"; }

  static std::string place(size_t i) { return fmt::format("text {}", i); }
  std::string errorOf(const SearchOptions &options, const Tokenizer &tokenizer, int code) {
    try {
      TargetTexts(*session, config, tokenizer, options);
    } catch (const RunError &e) {
      EXPECT_EQ(e.exitCode, code);
      return e.what();
    }
    return "";
  }
};

TEST_F(TargetTextsOf, AreTheSearchAsText) {
  TargetTexts writer(*session, config, words, {.beams = 2});
  EXPECT_EQ(writer.together(), 4);
  std::vector<std::string> texts;
  for (auto &ids : sources) {
    texts.emplace_back();
    for (int32_t id : ids) texts.back() += char('a' + id);
  }
  std::vector<TargetText> targets = writer.of(texts, place);
  std::vector<FoundTarget> found = search({.beams = 2}, sources);
  ASSERT_EQ(targets.size(), found.size());
  int64_t unended = 0;
  for (size_t s = 0; s < found.size(); ++s) {
    std::string text;
    for (int32_t id : found[s].ids)
      if (id < 7) text += char('a' + id); // special tokens are no text
    EXPECT_EQ(targets[s].text, text) << s;
    EXPECT_EQ(targets[s].logProbability, found[s].logProbability);
    EXPECT_EQ(targets[s].ended, found[s].ended);
    unended += !found[s].ended;
  }
  EXPECT_EQ(writer.sources, 6);
  EXPECT_EQ(writer.cut(), 1);
  EXPECT_EQ(writer.unended, unended);
  EXPECT_EQ(writer.notes()[0], "note: 1 of 6 sources have more than 6 tokens, and are cut there");
  EXPECT_TRUE(writer.of({}, place).empty());
  try {
    writer.of({"abc", "abz"}, place);
    FAIL() << "a character that no source has";
  } catch (const RunError &e) {
    EXPECT_NE(std::string(e.what()).find("text 1: byte 2: the character 'z' (U+007A) is not in the vocabulary"), std::string::npos) << e.what();
  }
}

TEST_F(TargetTextsOf, RefuseOtherDataTokenizersAndBeams) {
  EXPECT_EQ(errorOf({.beams = 9}, words, kUsage), "--beams wants a whole number from 1 to 8, not 9");
  EXPECT_EQ(errorOf({}, Tokenizer::of("char", "abcdefgh", "text"), kData),
            "the checkpoint's tokenizer has 14 tokens, special ones included, but the program was compiled for 13");
  config.ranges["data.src"] = 12; // the sources' own table
  EXPECT_EQ(errorOf({}, words, kData),
            "the checkpoint's tokenizer has 13 tokens, special ones included, but the program was compiled for 12");
  config.program = "letters", config.data.kind = "text";
  EXPECT_EQ(errorOf({}, words, kUsage), "'letters' learns no targets of sources");
}

TEST(TextScoresOf, WordsStandApart) {
  EXPECT_EQ(wordsOf(" The cat,  sat.\n"), (std::vector<std::string_view>{"The", "cat", ",", "sat", "."}));
  EXPECT_TRUE(wordsOf(" \t").empty());
}

TEST(TextScoresOf, AgreeWithThePapers) {
  TextScores none;
  EXPECT_EQ(none.exact(), 0);
  EXPECT_EQ(none.bleu(), 0);
  EXPECT_EQ(none.rouge1(), 0);

  TextScores same;
  same.add("the cat is on the mat", "the cat is on the mat");
  EXPECT_EQ(same.exact(), 1);
  EXPECT_DOUBLE_EQ(same.bleu(), 1);
  EXPECT_DOUBLE_EQ(same.rouge1(), 1);

  // Papineni et al., section 2.1: of seven times "the" two count.
  TextScores clipped;
  clipped.add("the the the the the the the", "the cat is on the mat");
  EXPECT_DOUBLE_EQ(clipped.rouge1(), 2.0 * 2 / (7 + 6));
  EXPECT_EQ(clipped.bleu(), 0);

  // Runs of 1 to 4: 5/5, 4/4, 3/3, 2/2 of a text one word short: exp(1 - 6/5). In the corpus with one more text, sums.
  TextScores corpus;
  corpus.add("a b c d e", "a b c d e f");
  EXPECT_NEAR(corpus.bleu(), std::exp(1 - 6.0 / 5), 1e-12);
  corpus.add("a x c d e", "a b c d e");
  double precision = (9.0 / 10) * (6.0 / 8) * (4.0 / 6) * (2.0 / 4);
  EXPECT_NEAR(corpus.bleu(), std::pow(precision, 0.25) * std::exp(1 - 11.0 / 10), 1e-12);
  EXPECT_NEAR(corpus.rouge1(), (10.0 / 11 + 8.0 / 10) / 2, 1e-12);
  EXPECT_EQ(corpus.exact(), 0);
}

}  // namespace
