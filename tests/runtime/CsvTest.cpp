// Tables of numbers: which columns a field takes, the order of records, the split, partial batches, and what is refused.
#include "FedSource.h"

#include "runtime/Permutation.h"
#include "runtime/Philox.h"
#include "runtime/TableReader.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace heddle {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Permutation, IsOneForEveryCountAndDiffersByEpochAndSeed) {
  for (uint64_t count : {1, 2, 3, 4, 5, 7, 8, 9, 31, 64, 100, 1000, 4097}) {
    std::set<uint64_t> seen;
    Permutation p(count, 7, kOrderStream, 3);
    for (uint64_t i = 0; i < count; ++i) seen.insert(p(i));
    EXPECT_EQ(seen.size(), count);
    EXPECT_EQ(*seen.rbegin(), count - 1);
  }
  auto first = [](uint64_t seed, uint64_t epoch) {
    Permutation p(1000, seed, kOrderStream, epoch);
    std::vector<uint64_t> order(50);
    for (uint64_t i = 0; i < 50; ++i) order[i] = p(i);
    return order;
  };
  EXPECT_EQ(first(1, 2), first(1, 2));
  EXPECT_NE(first(1, 2), first(1, 3));
  EXPECT_NE(first(1, 2), first(2, 2));
}

// Every record stands at every place equally often, and no two neighbours stay together, within 5 standard deviations.
TEST(Permutation, IsUniform) {
  for (uint64_t count : {3, 6, 16, 23}) {
    constexpr int kEpochs = 20000;
    std::vector<std::vector<int>> at(count, std::vector<int>(count)), follows = at;
    for (int epoch = 0; epoch < kEpochs; ++epoch) {
      Permutation p(count, 42, kOrderStream, uint64_t(epoch));
      std::vector<uint64_t> order(count);
      for (uint64_t i = 0; i < count; ++i) order[i] = p(i), at[i][order[i]] += 1;
      for (uint64_t i = 1; i < count; ++i) follows[order[i - 1]][order[i]] += 1;
    }
    double mean = double(kEpochs) / double(count), bound = 5 * std::sqrt(mean);
    for (uint64_t i = 0; i < count; ++i)
      for (uint64_t k = 0; k < count; ++k) {
        EXPECT_NEAR(at[i][k], mean, bound) << count;
        if (i != k) { EXPECT_NEAR(follows[i][k], mean, bound) << count; }
      }
  }
}

using Rows = std::vector<std::vector<std::string>>;

class Table : public FedSource {
protected:
  Rows read(const std::string& name, const std::string& text, const std::string& separator = "") {
    writeFile(dir / name, text);
    TableReader table(dir / name, separator);
    Rows rows;
    while (table.next()) rows.push_back(table.cells());
    return rows;
  }
  std::string error(const std::string& name, const std::string& text) { return errorOf([&] { read(name, text); }); }
};

TEST_F(Table, CsvIsRfc4180) {
  EXPECT_EQ(read("t.csv", "a,\"b,\"\"c\"\"\r\nd\",\r\n\n,x y,\"\""), (Rows{{"a", "b,\"c\"\r\nd", ""}, {"", "x y", ""}}));
  EXPECT_EQ(read("t.csv", "\xEF\xBB\xBF" "a;b\n", ";"), (Rows{{"a", "b"}}));
  EXPECT_EQ(read("t.tsv", "say \"hi\"\t\"x\n1,2\t3\r\n"), (Rows{{"say \"hi\"", "\"x"}, {"1,2", "3"}}));
  EXPECT_EQ(read("t.txt", "a\tb,c\n"), (Rows{{"a", "b,c"}}));
  EXPECT_EQ(read("t.txt", "a b,c\n"), (Rows{{"a b", "c"}}));
  EXPECT_EQ(read("t.csv", "a\rb\r"), (Rows{{"a"}, {"b"}}));
}

TEST_F(Table, LongFilesComeInPieces) {
  std::string text, cell(1000, 'x');
  for (int i = 0; i < 3000; ++i) text += std::to_string(i) + ",\"" + cell + "\"\"\n\"," + cell + "\r\n";
  Rows rows = read("t.csv", text);
  ASSERT_EQ(rows.size(), 3000u);
  for (int i = 0; i < 3000; ++i) ASSERT_EQ(rows[size_t(i)], (std::vector<std::string>{std::to_string(i), cell + "\"\n", cell}));
}

TEST_F(Table, DamagedTablesAreRefusedWithLineAndColumn) {
  EXPECT_THAT(error("t.csv", ""), HasSubstr("t.csv: is empty"));
  EXPECT_THAT(error("t.csv", "a,b\n1,2\n3\n"), HasSubstr("t.csv: line 3: 1 column, but the first line has 2"));
  EXPECT_THAT(error("t.csv", "a,b\n\"x\ny\",2\n3,4,5\n"), HasSubstr("line 4: 3 columns"));
  EXPECT_THAT(error("t.csv", "a,b\n1,\"2\n3,4\n"), HasSubstr("line 2, column 2: the quote that opens here is not closed"));
  EXPECT_THAT(error("t.csv", "a,\"b\"c\n"), HasSubstr("line 1, column 2: 'c' stands behind a closing quote"));
  EXPECT_THAT(error("t.csv", std::string("a,b\n1,\0\n", 8)), HasSubstr("line 2, column 2: a NUL byte"));
  EXPECT_THAT(error("t.csv", "a\n\"" + std::string(17 << 20, 'x')), HasSubstr("line 2: the record that starts here has more than 16 MiB"));
  EXPECT_THAT(errorOf([&] { TableReader(dir / "absent.csv", ""); }), HasSubstr("No such file"));
  EXPECT_THAT(errorOf([&] { TableReader(dir.path, ""); }), HasSubstr("is a directory"));
}

class Csv : public FedSource {
protected:
  Csv() : program({{"data.x", HEDDLE_F32, {{"N", 4}, {"I", 2}}}, {"data.label", HEDDLE_I32, {{"N", 4}}}}) {}
  json source(double split = 0.5) {
    return {{"kind", "csv"}, {"path", "d.csv"}, {"split", split},
            {"fields", {{{"name", "x"}, {"type", "f32"}, {"dims", {"N", "I"}}, {"sizes", {4, 0}}},
                        {{"name", "label"}, {"type", "i32"}, {"dims", {"N"}}, {"sizes", {4}}}}}};
  }
  // Record i is x = (i, i + 0.5), label i.
  void writeRecords(int count, const std::string& header = "") {
    std::string text = header;
    for (int i = 0; i < count; ++i) text += std::to_string(i) + "," + std::to_string(i) + ".5," + std::to_string(i) + "\n";
    writeFile(dir / "d.csv", text);
  }
  std::string errorFor(const std::string& text, json more = json::object()) {
    writeFile(dir / "d.csv", text);
    return openError(source(1), program, false, more);
  }
  FedProgram program;
};

TEST_F(Csv, EveryEpochHasEveryTrainingRecordOnce) {
  writeRecords(30);
  auto data = open(source(), program);
  std::vector<int32_t> labels;
  for (int step = 1; step <= 15; ++step) {
    data->fillTraining(program.session(), program.entry(false), 5, step, 0);
    auto x = program.floats("data.x");
    auto y = program.ints("data.label");
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(x[2 * i], float(y[i]));
      EXPECT_EQ(x[2 * i + 1], float(y[i]) + 0.5f);
    }
    labels.insert(labels.end(), y.begin(), y.end());
  }
  // 60 rows are 4 epochs of 15 records; batches of 4 run on from one epoch into the next.
  std::set<int32_t> training(labels.begin(), labels.begin() + 15);
  EXPECT_EQ(training.size(), 15u);
  std::set<std::vector<int32_t>> orders;
  for (auto at = labels.begin(); at != labels.end(); at += 15) {
    EXPECT_EQ(std::set<int32_t>(at, at + 15), training);
    orders.insert({at, at + 15});
  }
  EXPECT_EQ(orders.size(), 4u);
  EXPECT_FALSE(std::is_sorted(labels.begin(), labels.begin() + 15));
  // The rest is held out, whatever the seed is; whole batches alone without $rows.
  EXPECT_EQ(data->evaluationBatches(program.entry(true), 20), 3);
  std::set<int32_t> held;
  for (int batch = 0; batch < 3; ++batch) {
    EXPECT_EQ(data->fillEvaluation(program.session(), program.entry(true), batch, 3), 4);
    for (int32_t label : program.ints("data.label", true)) {
      EXPECT_FALSE(training.count(label));
      EXPECT_TRUE(held.insert(label).second);
    }
  }
}

TEST_F(Csv, ABatchIsAFunctionOfSeedStepAndMicroBatch) {
  writeRecords(100);
  json accumulate = {{"accumulate", 2}};
  auto batch = [&](DataSource& data, uint64_t seed, int64_t step, int micro) {
    data.fillTraining(program.session(), program.entry(false), seed, step, micro);
    return program.ints("data.label");
  };
  auto data = open(source(), program), again = open(source(), program), halves = open(source(), program, true, accumulate);
  std::vector<std::vector<int32_t>> forward;
  for (int64_t step = 1; step <= 20; ++step) forward.push_back(batch(*data, 3, step, 0));
  for (int64_t step = 20; step >= 1; --step) EXPECT_EQ(batch(*again, 3, step, 0), forward[size_t(step - 1)]);
  EXPECT_NE(batch(*again, 4, 1, 0), forward[0]);
  for (int64_t step = 1; step <= 10; ++step)
    for (int micro : {0, 1}) EXPECT_EQ(batch(*halves, 3, step, micro), forward[size_t(2 * step - 2 + micro)]);
  EXPECT_EQ(batch(*data, ~uint64_t(0), 2147483647, 0).size(), 4u);
}

TEST_F(Csv, EvaluationIsCompleteWithRowsThatCount) {
  writeRecords(22);
  FedProgram counted({{"data.label", HEDDLE_I32, {{"N", 4}}}, {"$rows", HEDDLE_BOOL, {{"N", 4}}}});
  auto data = open(source(), counted);
  ASSERT_EQ(data->evaluationBatches(counted.entry(true), 20), 3);
  EXPECT_EQ(data->evaluationBatches(counted.entry(true), 2), 2);
  std::set<int32_t> seen;
  int64_t rows = 0;
  for (int batch = 0; batch < 3; ++batch) {
    rows += data->fillEvaluation(counted.session(), counted.entry(true), batch, 3);
    auto row = counted.ints("$rows", true), label = counted.ints("data.label", true);
    for (size_t i = 0; i < 4; ++i)
      if (row[i]) { EXPECT_TRUE(seen.insert(label[i]).second); }
    if (batch == 2) {
      EXPECT_THAT(row, ElementsAre(1, 1, 1, 0));
      EXPECT_EQ(label[3], label[2]);
    }
  }
  EXPECT_EQ(rows, 11);
  EXPECT_EQ(seen.size(), 11u);
  data->fillTraining(counted.session(), counted.entry(false), 1, 1, 0);
  EXPECT_THAT(counted.ints("$rows"), ElementsAre(1, 1, 1, 1));
  writeRecords(300);  // what is not asked for is all: 150 records
  EXPECT_EQ(open(source(), counted)->evaluationBatches(counted.entry(true), 0), 38);
}

TEST_F(Csv, FieldsTakeColumnsByNameOrInOrder) {
  auto first = [&](const std::string& text) {
    writeFile(dir / "d.csv", text);
    open(source(1), program, false)->fillTraining(program.session(), program.entry(false), 1, 1, 0);
    auto x = program.floats("data.x");
    return std::vector<float>{x[0], x[1], float(program.ints("data.label")[0])};
  };
  EXPECT_THAT(first("1,2,3\n"), ElementsAre(1, 2, 3));
  EXPECT_THAT(first("a,b,c\n1,2,3\n"), ElementsAre(1, 2, 3));
  EXPECT_THAT(first("label,b,c\n1,2,3\n"), ElementsAre(2, 3, 1));
  EXPECT_THAT(first("b,label,c\n+1.5e0, -2 ,3\n"), ElementsAre(1.5, 3, -2));
  auto facts = describeData(config(source(1)), "").facts;
  EXPECT_EQ(facts["x.I"], 2);
  EXPECT_EQ(facts.count("values.label"), 0u);  // one is below 0
  writeRecords(10, "a,b,label\n");
  facts = describeData(config(source()), "").facts;
  EXPECT_EQ(facts["values.label"], 10);
  EXPECT_EQ(facts["records"], 5);
  EXPECT_EQ(facts["held_out"], 5);
}

TEST_F(Csv, AWideFieldIsRowMajor) {
  FedProgram images({{"data.img", HEDDLE_F32, {{"B", 1}, {"Y", 2}, {"X", 3}}}, {"data.on", HEDDLE_BOOL, {{"B", 1}}}});
  writeFile(dir / "d.csv", "1,2,3,4,5,6,true\n");
  json data = {{"kind", "csv"}, {"path", "d.csv"}, {"split", 1},
               {"fields", {{{"name", "img"}, {"type", "f32"}, {"dims", {"B", "Y", "X"}}, {"sizes", {1, 2, 0}}},
                           {{"name", "on"}, {"type", "bool"}, {"dims", {"B"}}, {"sizes", {0}}}}}};
  open(data, images, false)->fillTraining(images.session(), images.entry(false), 1, 1, 0);
  EXPECT_THAT(images.floats("data.img"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(images.ints("data.on"), ElementsAre(1));
  data["fields"][0]["sizes"] = {1, 4, 0};
  EXPECT_THAT(openError(data, images), HasSubstr("d.csv: has 7 columns, but the fields take: `img` the rest, `on` 1"));
  data["fields"][0]["sizes"] = {1, 0, 0};
  EXPECT_THAT(openError(data, images), HasSubstr("two open dims besides the batch"));
}

TEST_F(Csv, WrongCellsAreRefusedWithLineColumnAndValue) {
  EXPECT_THAT(errorFor("a,b,label\n1,2,3\n1,x,3\n"), HasSubstr("d.csv: line 3, column 2 (b): 'x' is not a finite number"));
  EXPECT_THAT(errorFor("1,2,3\n1,,3\n"), HasSubstr("line 2, column 2: the cell is empty"));
  EXPECT_THAT(errorFor("1,2,3\nnan,2,3\n"), HasSubstr("'nan' is not a finite number"));
  EXPECT_THAT(errorFor("1,2,3\n1e39,2,3\n"), HasSubstr("line 2, column 1: '1e39' is out of the range of f32"));
  EXPECT_THAT(errorFor("1,2,3\n0x10,2,3\n"), HasSubstr("'0x10' is not a finite number"));
  EXPECT_THAT(errorFor("1,2,3\n1,2,3.5\n"), HasSubstr("line 2, column 3: '3.5' is not a whole number"));
  EXPECT_THAT(errorFor("1,2,3\n1,2,2147483648\n"), HasSubstr("'2147483648' is out of the range of i32"));
  EXPECT_THAT(errorFor("1,2,3\n1,2,99999999999999999999\n"), HasSubstr("is out of the range of i32"));
  EXPECT_THAT(errorFor("1,2,3\n\n1,2,7\n", {{"ranges", {{"data.label", 5}}}}),
              HasSubstr("line 3, column 3: '7' is not in [0, 5), which `label` must be"));
  EXPECT_THAT(errorFor("1,2,-1\n", {{"ranges", {{"data.label", 5}}}}), HasSubstr("'-1' is not in [0, 5)"));
  EXPECT_EQ(errorFor("1,1e-60,2\n"), "");  // 0, as everywhere
  EXPECT_THAT(errorFor("a,b,c\n"), HasSubstr("d.csv: has no records"));
  EXPECT_THAT(errorFor("1,,3\n1,2,3\n"), HasSubstr("d.csv: line 1, column 2: the cell is empty"));  // no header
  EXPECT_THAT(errorFor("2019,b,3\n1,2,3\n"), HasSubstr("d.csv: line 1, column 2: 'b' is not a finite number"));
  EXPECT_THAT(errorFor("1\n2\n"), HasSubstr("has 1 column, but the fields take: `x` the rest, `label` 1"));
  EXPECT_THAT(errorFor("1,2,3,4\n"), HasSubstr("`data.x` is f32[N=4, I=2], but these data give f32[N, I=3]"));
  EXPECT_THAT(errorFor("1,2,3,4\n", {{"binds", {{{"dim", "I"}, {"of", "x.I"}, {"size", 2}}}}}),
              HasSubstr("`x.I` is 3, but the program was compiled for I = 2"));
}

TEST_F(Csv, TooFewRecordsAreTold) {
  writeRecords(6);
  EXPECT_THAT(openError(source(), program, true), HasSubstr("3 records are held out for evaluation (split = 0.5), fewer than the batch N = 4"));
  EXPECT_THAT(openError(source(1), program, true), HasSubstr("no records are left for evaluation (split = 1)"));
  writeRecords(1);
  EXPECT_THAT(openError(source(), program), HasSubstr("no records are left for training"));
  writeRecords(3);  // fewer than a batch: it has some twice
  auto data = open(source(1), program, false);
  data->fillTraining(program.session(), program.entry(false), 1, 1, 0);
  auto labels = program.ints("data.label");
  EXPECT_EQ(std::set<int32_t>(labels.begin(), labels.begin() + 3), (std::set<int32_t>{0, 1, 2}));
}

TEST_F(Csv, UnknownFieldsAreNamed) {
  writeRecords(10);
  FedProgram other({{"data.y", HEDDLE_F32, {{"N", 4}}}}), flat({{"data.x", HEDDLE_I32, {{"N", 4}, {"I", 2}}}});
  EXPECT_THAT(openError(source(), other), HasSubstr("`data.y`: these data have no such field\n  help: they have data.x, data.label"));
  EXPECT_THAT(openError(source(), flat), HasSubstr("`data.x` is i32[N=4, I=2], but these data give f32[N, I=2]"));
}

TEST_F(Csv, FingerprintsAndMemory) {
  writeRecords(100);
  std::string first = open(source(), program)->fingerprint();
  EXPECT_EQ(open(source(), program)->fingerprint(), first);
  EXPECT_NE(open(source(0.6), program)->fingerprint(), first);
  expectPlannedMemory(source());
  writeRecords(101);
  EXPECT_NE(open(source(), program)->fingerprint(), first);
  writeRecords(400'000);
  expectPlannedMemory(source());
}

}  // namespace
}  // namespace heddle
