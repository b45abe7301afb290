// Segments of a text as streams that go on from step to step; images of IDX files.
#include "FedSource.h"

#include <gmock/gmock.h>

#include <set>

namespace heddle {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class Segments : public FedSource {
protected:
  Segments()
      : program({{"data.ids", HEDDLE_I32, {{"B", 2}, {"T", 4}}},
                 {"data.next", HEDDLE_I32, {{"B", 2}, {"T", 4}}},
                 {"data.first", HEDDLE_BOOL, {{"B", 2}}}}) {
    std::string text;
    for (int i = 0; i < 60; ++i) text += char(i);
    writeFile(dir / "c.txt", text);
  }
  json source = {{"kind", "segments"}, {"path", "c.txt"}, {"tokenizer", "byte"}, {"split", 0.5}};
  FedProgram program;
};

TEST_F(Segments, EveryStreamGoesOnWhereItWas) {
  auto data = open(source, program);
  // 30 tokens to train on: streams at 0 and 15, 3 segments of 4 in each.
  for (int step = 1; step <= 7; ++step) {
    data->fillTraining(program.session(), program.entry(false), 1, step, 0);
    int first = (step - 1) % 3 * 4;
    EXPECT_THAT(program.ints("data.ids"), ElementsAre(first, first + 1, first + 2, first + 3, first + 15, first + 16, first + 17, first + 18));
    EXPECT_THAT(program.ints("data.next"), ElementsAre(first + 1, first + 2, first + 3, first + 4, first + 16, first + 17, first + 18, first + 19));
    EXPECT_THAT(program.ints("data.first"), ElementsAre(first == 0, first == 0));
  }
  EXPECT_EQ(data->evaluationBatches(program.entry(true), 10), 3);
  EXPECT_EQ(data->fillEvaluation(program.session(), program.entry(true), 1, 3), 2);
  EXPECT_THAT(program.ints("data.ids", true), ElementsAre(34, 35, 36, 37, 49, 50, 51, 52));
  EXPECT_THAT(program.ints("data.first", true), ElementsAre(0, 0));
}

TEST_F(Segments, ErrorsAndMemory) {
  source["split"] = 0.15;
  EXPECT_THAT(openError(source, program),
              HasSubstr("the training part has 9 tokens (split = 0.15), too few for B = 2 streams of one segment each, 4 tokens and one more"));
  source["split"] = 1;
  EXPECT_THAT(openError(source, program, true), HasSubstr("the validation part has 0 tokens"));
  FedProgram other({{"data.doc", HEDDLE_I32, {{"B", 2}, {"T", 4}}}}), wrong({{"data.first", HEDDLE_I32, {{"B", 2}}}});
  EXPECT_THAT(openError(source, other), HasSubstr("`data.doc`: segments of a text have no such field"));
  EXPECT_THAT(openError(source, wrong), HasSubstr("`data.first` is i32[B=2], but segments of a text give bool[B]"));
  expectPlannedMemory(source);
}

class Images : public FedSource {
protected:
  Images() : program(inputs(1)) {
    writeImages(6, 1);
    writeLabels({0, 1, 2, 3, 4, 5});
  }
  static std::vector<FedInput> inputs(int64_t channels) {
    return {{"data.img", HEDDLE_F32, {{"B", 2}, {"CH", channels}, {"Y", 2}, {"X", 3}}}, {"data.label", HEDDLE_I32, {{"B", 2}}}};
  }
  static std::string word(int64_t n) { return {char(n >> 24), char(n >> 16), char(n >> 8), char(n)}; }
  // Pixel p of image i is 10 i + p.
  void writeImages(int count, int channels) {
    std::string text = channels == 1 ? std::string("\0\0\x08\x03", 4) + word(count) : std::string("\0\0\x08\x04", 4) + word(count) + word(channels);
    text += word(2) + word(3);
    for (int i = 0; i < count; ++i)
      for (int p = 0; p < 6 * channels; ++p) text += char(10 * i + p);
    writeFile(dir / "i.idx", text);
  }
  void writeLabels(const std::vector<int>& labels) {
    std::string text = std::string("\0\0\x08\x01", 4) + word(int64_t(labels.size()));
    for (int label : labels) text += char(label);
    writeFile(dir / "l.idx", text);
  }
  std::string errorFor(const std::string& images) {
    writeFile(dir / "i.idx", images);
    return openError(source, program);
  }
  json source = {{"kind", "images"}, {"path", "i.idx"}, {"labels", "l.idx"}, {"split", 0.5}, {"mean", 0.5}, {"std", 0.25}};
  FedProgram program;
};

TEST_F(Images, PixelsAreScaled) {
  auto data = open(source, program);
  std::multiset<int32_t> seen;
  for (int step = 1; step <= 3; ++step) {
    data->fillTraining(program.session(), program.entry(false), 1, step, 0);
    auto img = program.floats("data.img");
    auto label = program.ints("data.label");
    for (int b = 0; b < 2; ++b)
      for (int p = 0; p < 6; ++p)
        EXPECT_FLOAT_EQ(img[size_t(6 * b + p)], float(((10 * label[size_t(b)] + p) / 255.0 - 0.5) / 0.25));
    seen.insert(label.begin(), label.end());
  }
  EXPECT_EQ(seen.size(), 6u);
  EXPECT_EQ(std::set<int32_t>(seen.begin(), seen.end()).size(), 3u);
  auto facts = describeData(config(source), "").facts;
  EXPECT_EQ(facts["classes"], 6);
  EXPECT_EQ(facts["img.Y"], 2);
  EXPECT_EQ(facts["img.X"], 3);
  EXPECT_EQ(facts["img.CH"], 1);
  expectPlannedMemory(source);
  // --data names the folder of both.
  EXPECT_EQ(dataFiles(config(source), "/other"), (std::vector<std::string>{"/other/i.idx", "/other/l.idx"}));
}

TEST_F(Images, ChannelsHaveTheirOwnScale) {
  FedProgram coloured(inputs(3));
  writeImages(6, 3);
  source["mean"] = {0.0, 0.5, 1.0}, source["std"] = {1.0, 0.5, 2.0};
  auto data = open(source, coloured);
  data->fillTraining(coloured.session(), coloured.entry(false), 1, 1, 0);
  auto img = coloured.floats("data.img");
  double first = 10 * coloured.ints("data.label")[0];
  EXPECT_FLOAT_EQ(img[0], float(first / 255));
  EXPECT_FLOAT_EQ(img[6], float(((first + 6) / 255 - 0.5) / 0.5));
  EXPECT_FLOAT_EQ(img[12], float(((first + 12) / 255 - 1) / 2));
  source["mean"] = {0.0, 0.5};
  EXPECT_THAT(openError(source, coloured), HasSubstr("has 3 channels, but `mean` has 2 numbers"));
  EXPECT_THAT(openError({{"kind", "images"}, {"path", "i.idx"}, {"labels", "l.idx"}, {"split", 0.5}}, program),
              HasSubstr("`data.img` is f32[B=2, CH=1, Y=2, X=3], but these data give f32[B, CH=3, Y=2, X=3]"));
}

TEST_F(Images, DamagedFilesAreRefusedWithTheByte) {
  std::string head = std::string("\0\0\x08\x03", 4), sizes = word(6) + word(2) + word(3);
  EXPECT_THAT(errorFor(""), HasSubstr("i.idx: byte 0: 0x00 0x00 is not the start of an IDX file"));
  EXPECT_THAT(errorFor("\x1f\x8b\x08"), HasSubstr("byte 0: the file is compressed\n  help: unpack it"));
  EXPECT_THAT(errorFor(std::string("\x03\x08\0\0", 4) + sizes), HasSubstr("byte 0: 0x03 0x08 is not the start"));  // little-endian
  EXPECT_THAT(errorFor(std::string("\0\0\x0D\x03", 4) + sizes), HasSubstr("byte 2: elements of type 0x0d"));
  EXPECT_THAT(errorFor(std::string("\0\0\x08\x09", 4) + sizes), HasSubstr("byte 3: 9 dims"));
  EXPECT_THAT(errorFor(head + word(6) + word(2)), HasSubstr("byte 4: the file ends within its 3 sizes"));
  EXPECT_THAT(errorFor(head + sizes + std::string(35, 'x')), HasSubstr("byte 16: [6, 2, 3] elements are 36 bytes, but 35 follow"));
  EXPECT_THAT(errorFor(head + sizes + std::string(37, 'x')), HasSubstr("36 bytes, but 37 follow"));
  EXPECT_THAT(errorFor(head + word(6) + word(0) + word(3)), HasSubstr("byte 8: a size of 0"));
  EXPECT_THAT(errorFor(head + word(0xFFFFFFFF) + word(0xFFFFFFFF) + word(0xFFFFFFFF)), HasSubstr("byte 12: the sizes overflow"));
  EXPECT_THAT(errorFor(std::string("\0\0\x08\x01", 4) + word(1) + "x"), HasSubstr("i.idx: byte 3: 1 dims, but images are [n, Y, X]"));
  writeImages(6, 1);
  writeLabels({1, 2});
  EXPECT_THAT(openError(source, program), testing::ContainsRegex("i.idx has 6 images, but .*l.idx has 2 labels"));
  writeLabels({0, 1, 2, 3, 4, 9});
  EXPECT_THAT(openError(source, program, false, {{"ranges", {{"data.label", 5}}}}), HasSubstr("l.idx: byte 13: label 9 of image 5 is not in [0, 5)"));
}

TEST_F(Images, ATruncationWhileRunningIsAnError) {
  auto data = open(source, program);
  std::filesystem::resize_file(dir / "i.idx", 17);
  EXPECT_THAT(errorOf([&] { for (int step = 1; step < 5; ++step) data->fillTraining(program.session(), program.entry(false), 1, step, 0); }),
              testing::ContainsRegex("i.idx: byte [0-9]+: the file ends here"));
}

}  // namespace
}  // namespace heddle
