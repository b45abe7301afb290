// Length buckets: whose turn a step is, which rows it has, and that runs see each record once an epoch of its bucket.
#include "FedSource.h"

#include "runtime/BucketOrder.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace heddle {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(BucketOrder, TurnsOfABucketFollowOneAnother) {
  BucketOrder order({{70, 8}, {0, 8}, {1000, 4}, {3, 8}});
  std::map<size_t, int64_t> next;
  for (int64_t step = 0; step < 5000; ++step) {
    BucketOrder::Turn turn = order(step);
    EXPECT_EQ(turn.number, next[turn.bucket]++) << step;
    EXPECT_NE(turn.bucket, 1u);
  }
}

TEST(BucketOrder, NoBucketIsATurnOffItsShare) {
  std::vector<BucketOrder::Bucket> buckets = {{70, 8}, {1000, 4}, {3, 8}, {1, 1}};
  BucketOrder order(buckets);
  double turnsOfAnEpoch = 0;
  for (auto& bucket : buckets) turnsOfAnEpoch += double(bucket.records) / double(bucket.rows);
  std::vector<int64_t> had(buckets.size());
  for (int64_t step = 0; step < 5000; ++step) {
    ++had[order(step).bucket];
    double epochs = double(step + 1) / turnsOfAnEpoch;
    for (size_t k = 0; k < buckets.size(); ++k)
      EXPECT_LT(std::abs(double(had[k]) - epochs * double(buckets[k].records) / double(buckets[k].rows)), 2) << step << " " << k;
  }
}

TEST(BucketOrder, OfOneBucketTurnsAreSteps) {
  for (BucketOrder order : {BucketOrder({{7, 8}}), BucketOrder({{0, 8}, {7, 8}, {0, 1}})})
    for (int64_t step : {0, 1, 2, 1000, 2147483647}) EXPECT_EQ(order(step).number, step);
}

TEST(BucketOrder, LargestNumbers) {
  int64_t most = (int64_t(1) << 40) - 1;
  BucketOrder order({{most, 1}, {most - 1, 1}, {1, most}});
  EXPECT_EQ(order(2147483646).bucket, 0u);
  EXPECT_EQ(order(2147483646).number, 1073741823);
  EXPECT_EQ(order(2147483647).bucket, 1u);
}

// Texts of 1 to 9 letters, whose label is their number, for rows of 4, 6 and 11 tokens: up to 2, 4 and 9 letters.
class LengthBuckets : public FedSource {
protected:
  static constexpr int64_t kTexts = 90;

  explicit LengthBuckets(int32_t micro = 1)
      : program({{"data.ids", HEDDLE_I32, {{"B", 3}, {"T", 11}}}, {"data.valid", HEDDLE_BOOL, {{"B", 3}, {"T", 11}}}, {"data.label", HEDDLE_I32, {{"B", 3}}}},
                4, {{{"B", 5}, {"T", 4}}, {{"T", 6}}}),
        micro(micro) {
    std::string texts;
    for (int64_t i = 0; i < kTexts; ++i) texts += std::string(size_t(lengthOf(i)), 'a') + "\t" + std::to_string(i) + "\n";
    writeFile(dir / "r.tsv", texts);
  }
  static int64_t lengthOf(int64_t text) { return 1 + text % 9; }

  std::unique_ptr<DataSource> openTrained(json more = json::object()) {
    json data = {{"kind", "labelled"}, {"path", "r.tsv"}, {"tokenizer", "byte"}, {"split", 1}, {"buckets", 3}};
    data.update(more);
    auto source = openDataSource(config(data, {{"accumulate", micro}}), "");
    source->checkTraining(program.session(), program.session().trainingEntries());
    return source;
  }
  // The labels of a step's rows, whose lengths are those of its bucket.
  std::vector<int32_t> rowsOf(DataSource& source, int64_t step, uint64_t seed = 1) {
    size_t bucket = source.trainingEntry(step);
    const HeddleEntry& entry = *program.session().trainingEntries()[bucket];
    const int64_t lengths[] = {2, 4, 9}, tokens[] = {4, 6, 11};
    std::vector<int32_t> all;
    for (int32_t m = 0; m < micro; ++m) {
      source.fillTraining(program.session(), entry, seed, step, m);
      std::vector<int32_t> labels = program.ints(entry, "data.label"), valid = program.ints(entry, "data.valid");
      EXPECT_EQ(labels.size(), bucket == 0 ? 5u : 3u);
      for (size_t b = 0; b < labels.size(); ++b) {
        auto from = valid.begin() + int64_t(b) * tokens[bucket];
        EXPECT_EQ(std::count(from, from + tokens[bucket], 1), lengthOf(labels[b]) + 2);  // whole
        EXPECT_LE(lengthOf(labels[b]), lengths[bucket]);
        EXPECT_GT(lengthOf(labels[b]), bucket ? lengths[bucket - 1] : 0);
      }
      all.insert(all.end(), labels.begin(), labels.end());
    }
    return all;
  }
  // Each bucket's rows, one epoch behind the other, have every one of its records once in each.
  void expectEpochs() {
    auto source = openTrained();
    std::map<size_t, std::vector<int32_t>> rows;
    for (int64_t step = 1; step <= 400; ++step) {
      std::vector<int32_t> more = rowsOf(*source, step);
      std::vector<int32_t>& all = rows[source->trainingEntry(step)];
      all.insert(all.end(), more.begin(), more.end());
    }
    ASSERT_EQ(rows.size(), 3u);
    const size_t records[] = {20, 20, 50};
    for (auto& [bucket, all] : rows) {
      ASSERT_GT(all.size(), 3 * records[bucket]);
      for (size_t epoch = 0; (epoch + 1) * records[bucket] <= all.size(); ++epoch) {
        std::set<int32_t> seen(all.begin() + int64_t(epoch * records[bucket]), all.begin() + int64_t((epoch + 1) * records[bucket]));
        EXPECT_EQ(seen.size(), records[bucket]) << "bucket " << bucket << ", epoch " << epoch;
      }
      EXPECT_FALSE(std::equal(all.begin(), all.begin() + int64_t(records[bucket]), all.begin() + int64_t(records[bucket]))) << "each epoch in another order";
    }
  }

  FedProgram program;
  const int32_t micro;
};

TEST_F(LengthBuckets, EveryRecordStandsOnceInAnEpoch) { expectEpochs(); }

class MicroBatchesOfBuckets : public LengthBuckets {
protected:
  MicroBatchesOfBuckets() : LengthBuckets(3) {}
};
TEST_F(MicroBatchesOfBuckets, AreOfOneBucketAndGoOn) { expectEpochs(); }

TEST_F(LengthBuckets, AStepIsAFunctionOfItsNumberAndTheSeed) {
  auto source = openTrained(), other = openTrained();
  std::map<int64_t, std::vector<int32_t>> rows;
  for (int64_t step = 1; step <= 60; ++step) rows[step] = rowsOf(*source, step);
  for (int64_t step = 60; step >= 1; --step) EXPECT_EQ(rowsOf(*other, step), rows[step]) << step;
  EXPECT_NE(rowsOf(*other, 7, 2), rows[7]);
}

TEST_F(LengthBuckets, AreToldAndPlanned) {
  auto source = openTrained();
  EXPECT_THAT(source->notes(), ElementsAre("bucket T = 4: 20 of 90 texts to train on", "bucket T = 6: 20 of 90 texts to train on",
                                           "bucket T = 11: 50 of 90 texts to train on"));
  source.reset();
  expectPlannedMemory({{"kind", "labelled"}, {"path", "r.tsv"}, {"tokenizer", "byte"}, {"buckets", 3}});
}

TEST_F(LengthBuckets, WhatIsLongerThanAllIsCutInTheLast) {
  writeFile(dir / "r.tsv", "aaaaaaaaaaaaaaa\t0\na\t1\n");
  auto source = openTrained();
  EXPECT_THAT(source->notes(), ElementsAre(HasSubstr("1 of 2 texts have more than 9 tokens"), HasSubstr("bucket T = 4: 1 of 2"),
                                           HasSubstr("bucket T = 6: 0 of 2"), HasSubstr("bucket T = 11: 1 of 2")));
  for (int64_t step = 1; step <= 20; ++step) EXPECT_NE(source->trainingEntry(step), 1u);
}

TEST_F(LengthBuckets, OfOneBucketBatchesAreThoseWithoutBuckets) {
  std::string texts;
  for (int i = 0; i < 40; ++i) texts += "aaaaaa\t" + std::to_string(i) + "\n";
  writeFile(dir / "r.tsv", texts);
  auto source = openTrained();
  auto plain = openDataSource(config({{"kind", "labelled"}, {"path", "r.tsv"}, {"tokenizer", "byte"}, {"split", 1}}), "");
  const HeddleEntry& entry = program.entry(false);
  plain->check(program.session(), entry, false);
  for (int64_t step = 1; step <= 50; ++step) {
    ASSERT_EQ(source->trainingEntry(step), 2u);
    source->fillTraining(program.session(), entry, 5, step, 0);
    auto labels = program.ints("data.label"), ids = program.ints("data.ids");
    plain->fillTraining(program.session(), entry, 5, step, 0);
    EXPECT_EQ(program.ints("data.label"), labels);
    EXPECT_EQ(program.ints("data.ids"), ids);
  }
}

TEST_F(LengthBuckets, EvaluationIsThatOfTheLongestRows) {
  auto source = openTrained({{"split", 0.5}});
  source->check(program.session(), program.entry(true), true);
  std::set<int32_t> seen;
  ASSERT_EQ(source->evaluationBatches(program.entry(true), 0), 11);  // 45 records, whole batches of 4: no $rows
  for (int64_t batch = 0; batch < 11; ++batch) {
    source->fillEvaluation(program.session(), program.entry(true), batch, 11);
    for (int32_t label : program.ints("data.label", true)) seen.insert(label);
  }
  EXPECT_EQ(seen.size(), 44u);
}

TEST(PairBuckets, BothTextsFit) {
  TempDir dir;
  writeFile(dir / "p.tsv", "ab\tab\nabc\tab\nab\tabc\nabcd\tabcd\n");
  FedProgram program({{"data.src", HEDDLE_I32, {{"B", 1}, {"N", 5}}}, {"data.tgt", HEDDLE_I32, {{"B", 1}, {"T", 5}}}}, 0,
                     {{{"N", 3}, {"T", 3}}, {{"N", 4}, {"T", 3}}});
  json all = {{"base", dir.path}, {"data", {{"kind", "pairs"}, {"path", "p.tsv"}, {"tokenizer", "byte"}, {"split", 1}, {"buckets", 3}}}};
  auto source = openDataSource(RunConfig::parse(all.dump().c_str()), "");
  source->checkTraining(program.session(), program.session().trainingEntries());
  EXPECT_THAT(source->notes(), ElementsAre("bucket N = 3, T = 3: 1 of 4 pairs to train on", "bucket N = 4, T = 3: 1 of 4 pairs to train on",
                                           "bucket N = 5, T = 5: 2 of 4 pairs to train on"));
}

}  // namespace
}  // namespace heddle
