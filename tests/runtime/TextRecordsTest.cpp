// Labelled texts and pairs of texts: special tokens, padding, cuts, classes, columns, and what is refused.
#include "FedSource.h"

#include <gmock/gmock.h>

#include <map>

namespace heddle {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class Labelled : public FedSource {
protected:
  Labelled()
      : program({{"data.ids", HEDDLE_I32, {{"B", 3}, {"T", 6}}},
                 {"data.valid", HEDDLE_BOOL, {{"B", 3}, {"T", 6}}},
                 {"data.label", HEDDLE_I32, {{"B", 3}}}}) {}
  json source(json more = json::object()) {
    json data = {{"kind", "labelled"}, {"path", "r.tsv"}, {"split", 1}};
    data.update(more);
    return data;
  }
  std::string errorFor(const std::string& text, json more = json::object()) {
    writeFile(dir / "r.tsv", text);
    return openError(source(more), program);
  }
  // The rows of one batch as text of ids and valid, by their label.
  std::map<int32_t, std::pair<std::vector<int32_t>, std::vector<int32_t>>> batch(DataSource& data) {
    data.fillTraining(program.session(), program.entry(false), 1, 1, 0);
    auto ids = program.ints("data.ids"), valid = program.ints("data.valid"), label = program.ints("data.label");
    std::map<int32_t, std::pair<std::vector<int32_t>, std::vector<int32_t>>> rows;
    for (int b = 0; b < 3; ++b)
      rows[label[size_t(b)]] = {{ids.begin() + 6 * b, ids.begin() + 6 * b + 6}, {valid.begin() + 6 * b, valid.begin() + 6 * b + 6}};
    return rows;
  }
  FedProgram program;
};

TEST_F(Labelled, RowsAreFramedPaddedAndCut) {
  writeFile(dir / "r.tsv", "ab\tpos\nabcabc\tneg\n\"\tmeh\n");
  auto data = open(source(), program, false);
  // Characters sort as " a b c: 0 to 3; behind them <pad> 4 <begin> 5 <end> 6 <unk> 7 <mask> 8 <sep> 9.
  auto rows = batch(*data);
  EXPECT_THAT(*data->classes(), ElementsAre("meh", "neg", "pos"));
  EXPECT_THAT(rows[2].first, ElementsAre(5, 1, 2, 9, 4, 4));
  EXPECT_THAT(rows[2].second, ElementsAre(1, 1, 1, 1, 0, 0));
  EXPECT_THAT(rows[1].first, ElementsAre(5, 1, 2, 3, 1, 9));
  EXPECT_THAT(rows[1].second, ElementsAre(1, 1, 1, 1, 1, 1));
  EXPECT_THAT(rows[0].first, ElementsAre(5, 0, 9, 4, 4, 4));
  EXPECT_THAT(data->notes(), ElementsAre(HasSubstr("1 of 3 texts have more than 4 tokens, and are cut there")));
  EXPECT_EQ(data->tokenizer()->size(), 4);
  auto facts = describeData(config(source()), "").facts;
  EXPECT_EQ(facts["vocabulary"], 10);
  EXPECT_EQ(facts["classes"], 3);
  expectPlannedMemory(source());
}

TEST_F(Labelled, WholeNumbersAreClassesThemselves) {
  writeFile(dir / "r.tsv", "a\t3\nb\t0\nc\t1\n");
  EXPECT_THAT(*open(source(), program, false)->classes(), ElementsAre("0", "1", "2", "3"));
  writeFile(dir / "r.tsv", "a\t1\nb\t-1\nc\t10\n");
  EXPECT_THAT(*open(source(), program, false)->classes(), ElementsAre("-1", "1", "10"));
  writeFile(dir / "r.tsv", "a\t01\nb\t1\nc\t1\n");  // names: "01" is another one
  auto data = open(source(), program, false);
  EXPECT_EQ(data->classes()->size(), 2u);
}

TEST_F(Labelled, ColumnsAreChosenByNameOrNumber) {
  writeFile(dir / "r.tsv", "id\tstars\treview\n7\t2\tab\n8\t0\tba\n9\t1\tb\n");
  auto rows = batch(*open(source({{"text", "review"}, {"label", "stars"}}), program, false));
  EXPECT_THAT(rows[1].first, ElementsAre(3, 1, 7, 2, 2, 2));  // of a, b: the header is no text
  rows = batch(*open(source({{"text", 3}, {"label", 2}, {"header", true}}), program, false));
  EXPECT_THAT(rows[1].first, ElementsAre(3, 1, 7, 2, 2, 2));
  EXPECT_THAT(openError(source({{"text", "reviews"}, {"label", "stars"}}), program),
              HasSubstr("r.tsv: line 1: the header has no column \"reviews\" for `text`\n  help: it has: id, stars, review"));
  EXPECT_THAT(openError(source({{"text", 4}}), program), HasSubstr("r.tsv: has 3 columns, so `text` cannot be column 4"));
}

TEST_F(Labelled, WrongTextsAreRefusedWithLineAndColumn) {
  EXPECT_THAT(errorFor("a\t0\nb\xff\t1\n"), HasSubstr("r.tsv: line 2, column 1: byte 1: 0xff is not valid UTF-8"));
  EXPECT_THAT(errorFor("a\xe2\x82\t0\n\xac\t1\n"), HasSubstr("r.tsv: line 1, column 1: byte 1: 0xe2 is not valid UTF-8"));
  EXPECT_EQ(errorFor("a\xff\t0\n", {{"tokenizer", "byte"}}), "");
  EXPECT_THAT(errorFor("a\t0\nb\t\n"), HasSubstr("r.tsv: line 2, column 2: the label is empty"));
  EXPECT_THAT(errorFor("a\nb\n"), HasSubstr("r.tsv: has 1 column, so `label` cannot be column 2"));
  EXPECT_THAT(errorFor("\t0\n\t1\n"), HasSubstr("r.tsv: its texts are empty"));
  EXPECT_THAT(errorFor("a\t0\n", {{"header", true}}), HasSubstr("r.tsv: has no records"));
  EXPECT_THAT(errorFor(""), HasSubstr("r.tsv: is empty"));
  writeFile(dir / "r.tsv", "abc\t0\nb\t5\n");
  EXPECT_THAT(openError(source(), program, false, {{"ranges", {{"data.label", 2}}}}),
              HasSubstr("`data.label` has 6 values, but the program was compiled for 2"));
  EXPECT_THAT(openError(source(), program, false, {{"ranges", {{"data.ids", 8}}}}), HasSubstr("`data.ids` has 9 values"));
  EXPECT_THAT(openError(source(), program, false, {{"binds", {{{"dim", "C"}, {"of", "classes"}, {"size", 2}}}}}),
              HasSubstr("it has 6 classes, but the program was compiled for C = 2"));
}

class Pairs : public FedSource {
protected:
  Pairs()
      : program({{"data.src", HEDDLE_I32, {{"B", 1}, {"N", 4}}},
                 {"data.src_valid", HEDDLE_BOOL, {{"B", 1}, {"N", 4}}},
                 {"data.tgt", HEDDLE_I32, {{"B", 1}, {"T", 3}}},
                 {"data.next", HEDDLE_I32, {{"B", 1}, {"T", 3}}},
                 {"data.tgt_valid", HEDDLE_BOOL, {{"B", 1}, {"T", 3}}}}) {}
  // Opens the one pair and feeds it.
  void feed(const std::string& pair) {
    writeFile(dir / "p.tsv", pair);
    data = open({{"kind", "pairs"}, {"path", "p.tsv"}, {"split", 1}, {"tokenizer", "byte"}}, program, false);
    data->fillTraining(program.session(), program.entry(false), 1, 1, 0);
  }
  FedProgram program;
  std::unique_ptr<DataSource> data;
};

constexpr int32_t kPad = 256, kBegin = 257, kEnd = 258;

TEST_F(Pairs, SourceEndsAndTargetIsShifted) {
  feed("xy\ta\n");
  EXPECT_THAT(program.ints("data.src"), ElementsAre('x', 'y', kEnd, kPad));
  EXPECT_THAT(program.ints("data.src_valid"), ElementsAre(1, 1, 1, 0));
  EXPECT_THAT(program.ints("data.tgt"), ElementsAre(kBegin, 'a', kPad));
  EXPECT_THAT(program.ints("data.next"), ElementsAre('a', kEnd, kPad));
  EXPECT_THAT(program.ints("data.tgt_valid"), ElementsAre(1, 1, 0));
  EXPECT_TRUE(data->notes().empty());
}

TEST_F(Pairs, LengthsAtTheEdges) {
  feed("xyz\tab\n");  // both fit just so
  EXPECT_THAT(program.ints("data.src"), ElementsAre('x', 'y', 'z', kEnd));
  EXPECT_THAT(program.ints("data.tgt"), ElementsAre(kBegin, 'a', 'b'));
  EXPECT_THAT(program.ints("data.next"), ElementsAre('a', 'b', kEnd));
  EXPECT_THAT(program.ints("data.tgt_valid"), ElementsAre(1, 1, 1));
  EXPECT_TRUE(data->notes().empty());
  feed("wxyz\tabcd\n");  // both are cut; the target then does not say that it ends
  EXPECT_THAT(program.ints("data.src"), ElementsAre('w', 'x', 'y', kEnd));
  EXPECT_THAT(program.ints("data.src_valid"), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(program.ints("data.tgt"), ElementsAre(kBegin, 'a', 'b'));
  EXPECT_THAT(program.ints("data.next"), ElementsAre('a', 'b', 'c'));
  EXPECT_THAT(program.ints("data.tgt_valid"), ElementsAre(1, 1, 1));
  EXPECT_THAT(data->notes(), ElementsAre(HasSubstr("1 of 1 sources have more than 3 tokens"), HasSubstr("1 of 1 targets have more than 2 tokens")));
  feed("\t\n");  // empty texts: their ends are real
  EXPECT_THAT(program.ints("data.src_valid"), ElementsAre(1, 0, 0, 0));
  EXPECT_THAT(program.ints("data.next"), ElementsAre(kEnd, kPad, kPad));
  EXPECT_THAT(program.ints("data.tgt_valid"), ElementsAre(1, 0, 0));
}

TEST_F(Pairs, ErrorsMemoryAndFingerprints) {
  json source = {{"kind", "pairs"}, {"path", "p.tsv"}, {"split", 1}};
  writeFile(dir / "p.tsv", "a\tb\nc\n");
  EXPECT_THAT(openError(source, program), HasSubstr("p.tsv: line 2: 1 column, but the first line has 2"));
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "source é " + std::to_string(i) + "\ttarget " + std::to_string(i * i) + "\n";
  writeFile(dir / "p.tsv", text);
  expectPlannedMemory(source);
  EXPECT_EQ(describeData(config(source), "").facts["records"], 3000);
  std::string first = open(source, program, false)->fingerprint();
  text[3] = 'X';
  writeFile(dir / "p.tsv", text);
  EXPECT_NE(open(source, program, false)->fingerprint(), first);
  EXPECT_THAT(openError(source, program, false, {{"ranges", {{"data.next", 3}}}}), HasSubstr("compiled for the range of data.next = 3"));
}

TEST_F(Pairs, HeldOutPairsAreThoseOfEvaluation) {
  std::string text = "was,\"is\"\n";
  for (char c = 'a'; c <= 'i'; ++c) text += std::string(1, c) + ",\"" + char(c + 1) + "\"\n";
  writeFile(dir / "p.csv", text);
  data = open({{"kind", "pairs"}, {"path", "p.csv"}, {"split", 0.5}, {"tokenizer", "byte"}, {"source", "was"}, {"target", "is"}}, program);
  std::vector<TextPair> pairs = data->heldOutPairs(100).value();
  ASSERT_EQ(pairs.size(), 5u);
  for (size_t place = 0; place < pairs.size(); ++place) {
    data->fillEvaluation(program.session(), program.entry(true), int64_t(place), 5);
    EXPECT_EQ(pairs[place].source, std::string(1, char(program.ints("data.src", true)[0])));
    EXPECT_EQ(pairs[place].target, std::string(1, char(program.ints("data.next", true)[0])));
    EXPECT_THAT(pairs[place].place, HasSubstr("p.csv: line " + std::to_string(pairs[place].source[0] - 'a' + 2) + ", column 1"));
  }
  std::vector<TextPair> some = data->heldOutPairs(2).value();
  ASSERT_EQ(some.size(), 2u);
  EXPECT_EQ(some[1].source, pairs[1].source);
  writeFile(dir / "p.csv", text + "j,k\n");
  try {
    data->heldOutPairs(2);
    FAIL() << "a file that has changed";
  } catch (const RunError& e) {
    EXPECT_THAT(e.what(), HasSubstr("p.csv: changed while it was being read"));
  }
}

TEST_F(Labelled, AreNoPairs) {
  writeFile(dir / "r.tsv", "ab\t0\nba\t1\n");
  EXPECT_EQ(open(source(), program, false)->heldOutPairs(1), std::nullopt);
}

}  // namespace
}  // namespace heddle
