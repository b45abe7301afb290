// Masked texts: what is chosen and shown, by numbers; pieces of documents; the next sentence.
#include "FedSource.h"

#include "runtime/DocumentReader.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

namespace heddle {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int32_t kPad = 256, kBegin = 257, kMask = 260, kSeparator = 261;

class Documents : public FedSource {
protected:
  std::vector<std::string> read(const std::string& text, const std::string& separator) {
    writeFile(dir / "t", text);
    std::vector<std::string> all;
    places.clear();
    for (DocumentReader reader(dir / "t", separator); reader.next();) {
      all.emplace_back(reader.text());
      places.push_back(reader.place());
    }
    return all;
  }
  std::vector<std::string> places;
};

TEST_F(Documents, StandBetweenSeparators) {
  EXPECT_THAT(read("a\nb\n\nc\n\n\n\nd\n", "\n\n"), ElementsAre("a\nb", "c", "d"));
  EXPECT_THAT(places[1], HasSubstr("t: the document at byte 5"));
  EXPECT_THAT(read("a\n%\nb\n%\n", "\n%\n"), ElementsAre("a", "b"));
  EXPECT_THAT(read("\n\n\n", "\n\n"), ElementsAre());
  EXPECT_THAT(read("abc", "\n"), ElementsAre("abc"));
  EXPECT_THAT(errorOf([&] { read("", "\n"); }), HasSubstr("is empty"));
}

TEST_F(Documents, LongFilesComeInPieces) {
  std::string text;
  std::vector<std::string> wanted;
  for (int i = 0; i < 400; ++i) {
    wanted.push_back(std::string(size_t(i * 37 % 5000 + 1), char('a' + i % 26)));
    text += wanted.back() + "<end>";
  }
  wanted.push_back(std::string(700'000, 'z'));
  EXPECT_EQ(read(text + wanted.back(), "<end>"), wanted);
  EXPECT_THAT(places.back(), HasSubstr("at byte " + std::to_string(text.size())));
}

class MaskedText : public FedSource {
protected:
  static constexpr int64_t kRows = 16, kLength = 32;
  static std::vector<FedInput> inputs(bool follows) {
    std::vector<FedInput> all;
    for (const char* name : {"data.ids", "data.target", "data.segs"}) all.push_back({name, HEDDLE_I32, {{"B", kRows}, {"T", kLength}}});
    for (const char* name : {"data.chosen", "data.valid"}) all.push_back({name, HEDDLE_BOOL, {{"B", kRows}, {"T", kLength}}});
    if (follows) all.push_back({"data.follows", HEDDLE_I32, {{"B", kRows}}});
    return all;
  }
  MaskedText() : program(inputs(false)), pairs(inputs(true)) {}
  json source(json more = json::object()) {
    json data = {{"kind", "mlm"}, {"path", "c.txt"}, {"tokenizer", "byte"}, {"split", 0.5}};
    data.update(more);
    return data;
  }
  struct Batch {
    std::vector<int32_t> ids, target, chosen, valid, segs, follows;
  };
  Batch read(FedProgram& from, bool evaluation = false) {
    Batch b{from.ints("data.ids", evaluation), from.ints("data.target", evaluation), from.ints("data.chosen", evaluation),
            from.ints("data.valid", evaluation), from.ints("data.segs", evaluation), {}};
    if (&from == &pairs) b.follows = from.ints("data.follows", evaluation);
    return b;
  }
  Batch train(DataSource& data, FedProgram& from, int64_t step, uint64_t seed = 3) {
    data.fillTraining(from.session(), from.entry(false), seed, step, 0);
    return read(from);
  }
  FedProgram program, pairs;
};

// Documents of one letter each, so that a row tells its document.
std::string letters(int count, int length) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::string(size_t(length), char('A' + i)) + "\n\n";
  return text;
}

TEST_F(MaskedText, MasksFifteenPercentEightyTenTen) {
  writeFile(dir / "c.txt", letters(50, 1000));
  auto data = open(source(), program);
  double tokens = 0, chosen = 0, masked = 0, kept = 0, random = 0;
  std::vector<double> drawn(256);
  for (int step = 1; step <= 1000; ++step) {
    Batch b = train(*data, program, step);
    for (size_t i = 0; i < b.ids.size(); ++i) {
      bool special = b.target[i] >= 256;
      ASSERT_TRUE(!special || (!b.chosen[i] && b.ids[i] == b.target[i]));
      ASSERT_EQ(b.valid[i], b.target[i] != kPad);
      ASSERT_EQ(b.segs[i], 0);
      if (!b.chosen[i]) { ASSERT_EQ(b.ids[i], b.target[i]); }
      tokens += !special, chosen += b.chosen[i];
      if (!b.chosen[i]) continue;
      masked += b.ids[i] == kMask, kept += b.ids[i] == b.target[i], random += b.ids[i] != kMask && b.ids[i] != b.target[i];
      if (b.ids[i] != kMask) {
        ASSERT_LT(b.ids[i], 256);
        if (b.ids[i] != b.target[i]) drawn[size_t(b.ids[i])] += 1;
      }
    }
  }
  auto share = [](double count, double of, double p) { EXPECT_LT(std::fabs(count - of * p), 4 * std::sqrt(of * p * (1 - p))) << p; };
  share(chosen, tokens, 0.15);
  share(masked, chosen, 0.8);
  share(kept, chosen, 0.1 + 0.1 / 256);  // a random token may be the same one
  share(random, chosen, 0.1 * 255 / 256);
  for (double count : drawn) EXPECT_LT(std::fabs(count - random / 256), 5 * std::sqrt(random / 256) + 0.05 * random / 256);
}

TEST_F(MaskedText, MasksAreDrawnAnewAndAreAFunctionOfTheStep) {
  writeFile(dir / "c.txt", letters(2, 30));  // one piece to train on, so that all rows have the same tokens
  auto data = open(source(), program, false), again = open(source(), program, false);
  std::set<std::vector<int32_t>> different;
  std::vector<Batch> steps;
  for (int step = 1; step <= 5; ++step) {
    steps.push_back(train(*data, program, step));
    for (int64_t row = 0; row < kRows; ++row)
      different.insert({steps.back().chosen.begin() + row * kLength, steps.back().chosen.begin() + (row + 1) * kLength});
  }
  EXPECT_GT(different.size(), 70u);
  for (int step = 5; step >= 1; --step) EXPECT_EQ(train(*again, program, step).ids, steps[size_t(step - 1)].ids);
  EXPECT_NE(train(*again, program, 1, 4).ids, steps[0].ids);
}

TEST_F(MaskedText, EvaluationIsTheSameEveryTime) {
  writeFile(dir / "c.txt", letters(40, 100));
  auto data = open(source(), program);
  std::set<int32_t> training;
  for (int step = 1; step <= 20; ++step)
    for (int32_t token : train(*data, program, step).target)
      if (token < 256) training.insert(token);
  EXPECT_EQ(training.size(), 20u);
  int64_t batches = data->evaluationBatches(program.entry(true), 100);
  EXPECT_EQ(batches, 20 * 4 / kRows);  // pieces of 30, 30, 30, 10
  data->fillEvaluation(program.session(), program.entry(true), 2, batches);
  Batch first = read(program, true);
  train(*data, program, 77, 9);
  data->fillEvaluation(program.session(), program.entry(true), 2, batches);
  EXPECT_EQ(read(program, true).ids, first.ids);
  for (int32_t token : first.target) EXPECT_TRUE(token >= 256 || !training.count(token));
}

TEST_F(MaskedText, PiecesCoverDocuments) {
  writeFile(dir / "c.txt", letters(1, 65));
  auto data = open(source({{"split", 1}}), program, false);
  std::multiset<int64_t> lengths;
  train(*data, program, 1);
  Batch b = read(program);
  for (int64_t row = 0; row < 3; ++row) {
    int64_t count = 0;
    for (int64_t t = 0; t < kLength; ++t) count += b.target[size_t(row * kLength + t)] == 'A';
    EXPECT_EQ(b.target[size_t(row * kLength)], kBegin);
    EXPECT_EQ(b.target[size_t(row * kLength + count + 1)], kSeparator);
    lengths.insert(count);
  }
  EXPECT_EQ(lengths, (std::multiset<int64_t>{5, 30, 30}));
}

TEST_F(MaskedText, HalfOfTheSentencesFollow) {
  writeFile(dir / "c.txt", letters(60, 400));
  auto data = open(source({{"next_sentence", true}}), pairs);
  double rows = 0, follows = 0;
  for (int step = 1; step <= 300; ++step) {
    Batch b = train(*data, pairs, step);
    for (int64_t row = 0; row < kRows; ++row) {
      const int32_t *target = &b.target[size_t(row * kLength)], *segs = &b.segs[size_t(row * kLength)];
      std::vector<int32_t> separators;
      for (int32_t t = 0; t < kLength; ++t)
        if (target[t] == kSeparator) separators.push_back(t);
      ASSERT_EQ(separators.size(), 2u);
      ASSERT_GE(separators[0], 2);
      ASSERT_GT(separators[1], separators[0] + 1);
      for (int32_t t = 0; t < kLength; ++t) ASSERT_EQ(segs[t], t > separators[0] && t <= separators[1]);
      bool same = target[1] == target[separators[0] + 1];
      ASSERT_EQ(b.follows[size_t(row)], same);
      rows += 1, follows += same;
    }
  }
  EXPECT_LT(std::fabs(follows - rows / 2), 4 * std::sqrt(rows / 4));
}

TEST_F(MaskedText, ErrorsMemoryAndFingerprints) {
  writeFile(dir / "c.txt", "one\n\ntwo\n");
  EXPECT_THAT(openError(source({{"next_sentence", true}}), pairs), HasSubstr("a part has one document alone, but `next_sentence` takes stretches of another"));
  EXPECT_THAT(openError(source(), pairs), HasSubstr("`data.follows`: these data have no such field"));
  EXPECT_THAT(openError(source({{"split", 1}}), program, true), HasSubstr("no pieces of documents are left for evaluation"));
  writeFile(dir / "c.txt", "one\n\ntw\xff\n");
  EXPECT_THAT(openError(source({{"tokenizer", "char"}}), program), HasSubstr("c.txt: the document at byte 5: byte 2: 0xff is not valid UTF-8"));
  writeFile(dir / "c.txt", "\n\n\n");
  EXPECT_THAT(openError(source(), program), HasSubstr("c.txt: has no text"));
  FedProgram narrow({{"data.ids", HEDDLE_I32, {{"B", 1}, {"T", 2}}}});
  writeFile(dir / "c.txt", letters(20, 3000));
  EXPECT_THAT(openError(source(), narrow), HasSubstr("rows of 2 tokens have no room for text"));
  expectPlannedMemory(source());
  expectPlannedMemory(source({{"tokenizer", "char"}, {"next_sentence", true}}));
  EXPECT_EQ(describeData(config(source()), "").facts["vocabulary"], 262);
  EXPECT_NE(open(source(), program)->fingerprint(), open(source({{"mask", 0.3}}), program)->fingerprint());
}

}  // namespace
}  // namespace heddle
