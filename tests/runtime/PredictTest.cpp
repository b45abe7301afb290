// Predictions: records without labels of every kind, as they are fed; batches that are not full; what is told of each.
#include "FedSource.h"

#include "runtime/Predict.h"

#include <gmock/gmock.h>

#include <cmath>

namespace heddle {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

// Entry `eval` of a FedProgram stands for `predict`: it takes the fields without the label.
class Unlabelled : public FedSource {
protected:
  std::unique_ptr<DataSource> openFor(FedProgram& program, const json& data, const UnlabelledInput& input,
                                      const Tokenizer* words = nullptr, json more = json::object()) {
    auto source = openUnlabelled(config(data, more), program.entry(true), words, input);
    source->check(program.session(), program.entry(true), true);
    return source;
  }
  // Rows that count in each batch.
  std::vector<int64_t> rowsOf(DataSource& source, FedProgram& program) {
    std::vector<int64_t> rows;
    int64_t batches = source.evaluationBatches(program.entry(true), 0);
    for (int64_t b = 0; b < batches; ++b) rows.push_back(source.fillEvaluation(program.session(), program.entry(true), b, batches));
    return rows;
  }
  UnlabelledInput file(const std::string& name, const std::string& text) {
    writeFile(dir / name, text);
    return {{}, dir / name};
  }
};

class UnlabelledTexts : public Unlabelled {
protected:
  UnlabelledTexts()
      : program({{"data.ids", HEDDLE_I32, {{"B", 2}, {"T", 5}}},
                 {"data.valid", HEDDLE_BOOL, {{"B", 2}, {"T", 5}}},
                 {"$rows", HEDDLE_BOOL, {{"B", 2}}}}) {}
  std::string error(const UnlabelledInput& input) {
    return errorOf([&] { openFor(program, data, input, &words); });
  }
  const json data = {{"kind", "labelled"}, {"path", "r.tsv"}};
  const Tokenizer words = Tokenizer::of("char", "abc", "");  // <pad> 3 <begin> 4 ... <sep> 8
  FedProgram program;
};

TEST_F(UnlabelledTexts, LinesAreRowsInTheirOrder) {
  auto source = openFor(program, data, file("in.txt", "\xEF\xBB\xBF" "ab\r\n\nabcab"), &words);
  int64_t batches = source->evaluationBatches(program.entry(true), 0);
  ASSERT_EQ(batches, 2);
  EXPECT_EQ(source->fillEvaluation(program.session(), program.entry(true), 0, batches), 2);
  EXPECT_THAT(program.ints("data.ids", true), ElementsAre(4, 0, 1, 8, 3, 4, 8, 3, 3, 3));
  EXPECT_THAT(program.ints("data.valid", true), ElementsAre(1, 1, 1, 1, 0, 1, 1, 0, 0, 0));
  EXPECT_THAT(program.ints("$rows", true), ElementsAre(1, 1));
  EXPECT_EQ(source->fillEvaluation(program.session(), program.entry(true), 1, batches), 1);
  EXPECT_THAT(program.ints("data.ids", true), ElementsAre(4, 0, 1, 2, 8, 4, 0, 1, 2, 8));
  EXPECT_THAT(program.ints("$rows", true), ElementsAre(1, 0));
  EXPECT_THAT(source->notes(), ElementsAre(HasSubstr("in.txt: 1 of 3 texts have more than 3 tokens, and are cut there")));
}

TEST_F(UnlabelledTexts, OneTextMayHaveLineBreaks) {
  Tokenizer more = Tokenizer::of("char", "a\n", "");
  auto source = openFor(program, data, {"a\na", ""}, &more);
  EXPECT_THAT(rowsOf(*source, program), ElementsAre(1));
  EXPECT_THAT(source->notes(), ElementsAre());
}

TEST_F(UnlabelledTexts, WhatCannotBeReadIsRefused) {
  EXPECT_THAT(error(file("in.txt", "ab\nabX\n")), HasSubstr("in.txt: line 2: byte 2: the character 'X' (U+0058) is not in the vocabulary"));
  EXPECT_THAT(error(file("in.txt", "ab\xff\n")), HasSubstr("in.txt: line 1: byte 2: 0xff is not valid UTF-8"));
  EXPECT_THAT(error({"aX", ""}), HasSubstr("--text: byte 1: the character 'X' (U+0058)"));
  EXPECT_THAT(error(file("in.txt", "")), HasSubstr("in.txt: holds no text\n  help: a text is a line"));
  EXPECT_THAT(error({{}, dir / "none"}), HasSubstr("none: cannot be read"));
  EXPECT_THAT(error({{}, dir.path}), HasSubstr("is a directory"));
  EXPECT_THAT(errorOf([&] { openFor(program, data, {"a", ""}); }), HasSubstr("the checkpoint has no tokenizer"));
}

TEST_F(Unlabelled, TablesHaveTheColumnsOfWhatIsTaken) {
  FedProgram program({{"data.x", HEDDLE_F32, {{"N", 2}, {"I", 2}}}, {"$rows", HEDDLE_BOOL, {{"N", 2}}}});
  json data = {{"kind", "csv"}, {"path", "p.csv"},
               {"fields", {{{"name", "x"}, {"type", "f32"}, {"dims", {"N", "I"}}, {"sizes", {2, 0}}},
                           {{"name", "label"}, {"type", "i32"}, {"dims", {"N"}}, {"sizes", {2}}}}}};
  // What the program knows of its own data does not bind these: the number of records and of classes.
  json more = {{"binds", {{{"dim", "N"}, {"of", "records"}, {"size", 99}}, {{"dim", "C"}, {"of", "values.label"}, {"size", 4}},
                          {{"dim", "I"}, {"of", "x.I"}, {"size", 2}}}}};
  auto source = openFor(program, data, file("in.csv", "a,b\n1,2\n3,4\n5,6\n"), nullptr, more);
  ASSERT_EQ(source->fillEvaluation(program.session(), program.entry(true), 0, 2), 2);
  EXPECT_THAT(program.floats("data.x", true), ElementsAre(1, 2, 3, 4));
  ASSERT_EQ(source->fillEvaluation(program.session(), program.entry(true), 1, 2), 1);
  EXPECT_THAT(program.floats("data.x", true), ElementsAre(5, 6, 5, 6));
  auto error = [&](const UnlabelledInput& input) { return errorOf([&] { openFor(program, data, input, nullptr, more); }); };
  EXPECT_THAT(error(file("in.csv", "1,2,0\n3,4,1\n")), HasSubstr("`x.I` is 3, but the program was compiled for I = 2"));
  EXPECT_THAT(error(file("in.csv", "1,2\n3,x\n")), HasSubstr("in.csv: line 2, column 2: 'x' is not a finite number"));
  EXPECT_THAT(error(file("in.csv", "a,b\n")), HasSubstr("in.csv: has no records"));
  EXPECT_THAT(error({"1,2", ""}), HasSubstr("--text: the records of this model are lines of a table"));
  EXPECT_THAT(error({}), HasSubstr("lines of a table, which are not read from standard input\n  help: --input names a file"));
}

TEST_F(Unlabelled, ImagesNeedNoFileOfLabels) {
  FedProgram program({{"data.img", HEDDLE_F32, {{"B", 2}, {"CH", 1}, {"Y", 1}, {"X", 2}}}, {"$rows", HEDDLE_BOOL, {{"B", 2}}}});
  json data = {{"kind", "images"}, {"path", "i.idx"}, {"labels", "l.idx"}, {"std", 0.2}};
  auto idx = [&](std::vector<uint8_t> sizes, const std::string& pixels) {
    std::string text{0, 0, 8, char(sizes.size())};
    for (uint8_t size : sizes) text += std::string{0, 0, 0, char(size)};
    return file("in.idx", text + pixels);
  };
  auto source = openFor(program, data, idx({3, 1, 2}, std::string("\0\x33\xff\0\x66\x66", 6)));
  ASSERT_EQ(source->fillEvaluation(program.session(), program.entry(true), 0, 2), 2);
  EXPECT_THAT(program.floats("data.img", true), ElementsAre(0, testing::FloatEq(1), testing::FloatEq(5), 0));
  EXPECT_THAT(rowsOf(*source, program), ElementsAre(2, 1));
  EXPECT_THAT(errorOf([&] { openFor(program, data, idx({3}, "abc")); }), HasSubstr("1 dims, but images are [n, Y, X]"));
  EXPECT_THAT(errorOf([&] { openFor(program, data, idx({3, 2, 1}, "abcdef")); }), HasSubstr("`data.img` is f32[B=2, CH=1, Y=1, X=2]"));
}

// A program whose classes are as likely as the numbers of a record say.
class Told : public FedSource {
protected:
  static void copy(void* const* args, const int64_t*, int64_t begin, int64_t end, void*) {
    for (int64_t i = begin; i < end; ++i) static_cast<float*>(args[1])[i] = static_cast<const float*>(args[0])[i];
  }
  Told() {
    static const HeddleDim x[] = {{"B", 2}, {"I", 3}}, p[] = {{"B", 2}, {"C", 3}}, rows[] = {{"B", 2}};
    static const HeddleBuffer inputs[] = {{"data.x", HEDDLE_F32, 2, 0, x, 0}, {"$rows", HEDDLE_BOOL, 1, 0, rows, 64}};
    static const HeddleBuffer outputs[] = {{"probabilities", HEDDLE_F32, 2, 0, p, 128}};
    static const HeddleArg args[] = {{HEDDLE_WORKSPACE, 0, {}, 0}, {HEDDLE_WORKSPACE, 128, {}, 6}};
    static const HeddleStep steps[] = {{HEDDLE_CALL, 0, 6, 2, args, "told:1", nullptr}};
    static const HeddleKernel kernels[] = {copy};
    static const char* const names[] = {"copy"};
    static const HeddleEntry entries[] = {{"predict", 2, inputs, 1, outputs, 1, steps, 192, 0, 0}};
    target = {"baseline", 1, kernels, names, 1, entries, nullptr};
    program = {HEDDLE_ABI_VERSION, "told", "0", "{}", 0, nullptr, 0, 1, &target};
    session = std::make_unique<Session>(program, 1);
  }
  std::vector<std::string> predict(const std::string& table, int64_t top, bool asJson = false) {
    writeFile(dir / "in.csv", table);
    json data = {{"kind", "csv"}, {"path", "p.csv"},
                 {"fields", {{{"name", "x"}, {"type", "f32"}, {"dims", {"B", "I"}}, {"sizes", {2, 3}}}}}};
    auto source = openUnlabelled(config(data), predictEntry(*session), nullptr, {{}, dir / "in.csv"});
    source->check(*session, predictEntry(*session), true);
    std::vector<std::string> lines;
    predictRecords(*session, *source, top, [&](auto& found) {
      lines.push_back(asJson ? predictionJson(found, names) : predictionLine(found, names));
    });
    return lines;
  }
  HeddleTarget target;
  HeddleProgram program;
  std::unique_ptr<Session> session;
  std::vector<std::string> names = {"up", "a\tb\\c\n"};
};

TEST_F(Told, ALineForEachRecordAndNoneForWhatFillsABatch) {
  EXPECT_THAT(predict("0.7,0.2,0.1\n0.25,0.5,0.25\n0,0,1\n", 1),
              ElementsAre("up\t0.700000\n", "a\\tb\\\\c\\n\t0.500000\n", "2\t1.000000\n"));
  EXPECT_THAT(predict("0.25,0.25,0.5\n", 2), ElementsAre("2\t0.500000\tup\t0.250000\n"));  // the lower class first
  EXPECT_THAT(predict("0.25,0.25,0.5\n", 9), ElementsAre(HasSubstr("\tup\t0.250000\ta\\tb")));
  EXPECT_THAT(predict("0.1,0.2,0.7\n", 1, true),
              ElementsAre(R"({"label":"2","probability":0.7,"top":[{"label":"2","probability":0.7}]})" "\n"));
  EXPECT_EQ(json::parse(predict("0.1,0.7,0.2\n", 3, true)[0])["top"][0]["label"], names[1]);
}

TEST_F(Told, WhatIsNotFiniteStops) {
  float values[] = {0.5f, NAN};
  EXPECT_THAT(errorOf([&] { likeliest(values, 2, 1, 7); }), HasSubstr("record 7: the probability of class 1 is nan"));
}

TEST_F(Told, AProgramWithoutTheEntrySaysWhatIsMissing) {
  FedProgram other({{"data.x", HEDDLE_F32, {{"N", 2}}}});
  EXPECT_THAT(errorOf([&] { predictEntry(other.session()); }),
              HasSubstr("'fed' has no entry `predict`: it is no classifier of records\n  help: a classifier has a loss"));
}

TEST(Classes, AreKeptAsAList) {
  std::vector<std::string> names = {"a,b", "\"", "\xff"};
  EXPECT_THAT(classesFromJson(classesToJson(&names), "c"), ElementsAre("a,b", "\"", "\uFFFD"));
  EXPECT_EQ(classesToJson(nullptr), "");
  EXPECT_THAT(classesFromJson("", "c"), ElementsAre());
  for (const char* bad : {"{", "{}", "[1]", "[[]]", "\"a\""})
    EXPECT_THAT(errorOf([&] { classesFromJson(bad, "c.safetensors"); }), HasSubstr("c.safetensors: byte 8: heddle.classes is no list of names"));
}

}  // namespace
}  // namespace heddle
