// Tokenizers, data paths and the two data sources, fed to the inputs of the hand-written program.
#include "TempDir.h"
#include "TinyProgram.h"

#include "runtime/DataPath.h"
#include "runtime/DataSource.h"
#include "runtime/InputFile.h"
#include "runtime/Safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

namespace heddle {
namespace {

using testing::HasSubstr;
using tiny::B;
using tiny::T;

TEST(Tokenizer, CharactersAreTheSortedCodePoints) {
  Tokenizer t = Tokenizer::of("char", "zé€😀a\na", "x");
  EXPECT_EQ(t.size(), 6);
  std::vector<int32_t> ids = t.encode("\naé😀", "x");
  EXPECT_EQ(ids, (std::vector<int32_t>{0, 1, 3, 5}));
  std::string back;
  for (int32_t id : ids) back += t.decode(id);
  EXPECT_EQ(back, "\naé😀");
  EXPECT_EQ(Tokenizer::fromJson(t.toJson()).encode("€", "x"), (std::vector<int32_t>{4}));
  EXPECT_EQ(t.decode(-1) + t.decode(6), "");
}

TEST(Tokenizer, BytesAreThemselves) {
  Tokenizer t = Tokenizer::of("byte", "", "x");
  EXPECT_EQ(t.size(), 256);
  EXPECT_EQ(t.encode("a\xff", "x"), (std::vector<int32_t>{97, 255}));
  EXPECT_EQ(t.decode(255), "\xff");
}

TEST(Tokenizer, ErrorsNameByteAndCharacter) {
  auto bad = [](const std::string& text) { return errorOf([&] { Tokenizer::of("char", text, "f.txt"); }); };
  EXPECT_THAT(bad("ab\xff"), HasSubstr("f.txt: byte 2: 0xff is not valid UTF-8"));
  for (const char* text : {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xc3(", "\xf0\x9f\x98"})
    EXPECT_THAT(bad(text), HasSubstr("byte 0")) << text;
  EXPECT_EQ(bad("\xef\xbb\xbf\r\n"), "");
  EXPECT_THAT(errorOf([] { Tokenizer::of("char", "abc", "x").encode("ab€", "--prompt"); }),
              HasSubstr("--prompt: byte 2: the character '€' (U+20AC) is not in the vocabulary"));
  EXPECT_THAT(errorOf([] { Tokenizer::of("bpe", "abc", "x"); }), HasSubstr("unknown tokenizer 'bpe'"));
  EXPECT_THAT(errorOf([] { Tokenizer::fromJson("{"); }), HasSubstr("damaged"));
  EXPECT_THAT(errorOf([] { Tokenizer::fromJson(R"({"kind": "char"})"); }), HasSubstr("vocabulary is empty"));
}

TEST(Tokenizer, DescribeCounts) {
  TempDir dir;
  writeFile(dir / "t", "aé€a");
  EXPECT_EQ(describe(dir / "t", "char").vocabularySize, 3);
  EXPECT_EQ(describe(dir / "t", "char").tokens, 4);
  EXPECT_EQ(describe(dir / "t", "byte").vocabularySize, 256);
  EXPECT_EQ(describe(dir / "t", "byte").tokens, 7);
  writeFile(dir / "empty", "");
  EXPECT_THAT(errorOf([&] { describe(dir / "empty", "char"); }), HasSubstr("is empty"));
}

TEST(DataPath, StaysInTheProgramsDirectory) {
  TempDir dir;
  std::filesystem::create_directories(dir / "base/sub");
  writeFile(dir / "outside", "x");
  writeFile(dir / "base/sub/in", "x");
  std::filesystem::create_symlink(dir / "outside", dir / "base/link");
  std::filesystem::create_symlink("sub/in", dir / "base/good");
  EXPECT_EQ(std::filesystem::path(resolveDataPath(dir / "base", "sub/in")).filename(), "in");
  EXPECT_EQ(std::filesystem::path(resolveDataPath(dir / "base", "good")).filename(), "in");
  auto bad = [&](const std::string& path) { return errorOf([&] { resolveDataPath(dir / "base", path); }); };
  EXPECT_THAT(bad("/etc/passwd"), HasSubstr("is absolute"));
  EXPECT_THAT(bad("../outside"), HasSubstr("by '..'"));
  EXPECT_THAT(bad("sub/../../outside"), HasSubstr("by '..'"));
  EXPECT_THAT(bad("link"), HasSubstr("out of the program's directory"));
  EXPECT_THAT(bad("absent"), HasSubstr("No such file"));
  EXPECT_THAT(bad(""), HasSubstr("is empty"));
  EXPECT_THAT(bad("absent"), HasSubstr("--data PATH"));
}

class Source : public testing::Test {
protected:
  Source() : program(tiny::make("{}")), session(program, 1), train(session.entry("train")), eval(session.entry("eval")) {}

  std::unique_ptr<DataSource> text(const std::string& contents, double split = 0.5) {
    writeFile(dir / "t", contents);
    RunConfig config;
    config.data.kind = "text", config.data.path = "t", config.data.split = split;
    config.base = dir.path;
    return openDataSource(config, "");
  }
  std::vector<int32_t> input(const char* name) {
    auto* data = static_cast<int32_t*>(session.memory(*session.findInput(train, name)));
    return {data, data + B * T};
  }
  TempDir dir;
  HeddleProgram program;
  Session session;
  const HeddleEntry &train, &eval;
};

TEST_F(Source, TextWindowsAreConsecutiveAndKeepToTheirPart) {
  std::string alphabet;  // token = position
  for (int i = 0; i < 100; ++i) alphabet += char(20 + i);
  auto source = text(alphabet, 0.6);
  source->check(session, train, false);
  source->check(session, eval, true);
  std::set<int32_t> starts;
  for (int step = 1; step <= 500; ++step) {
    source->fillTraining(session, train, 1337, step, 0);
    auto ids = input("data.ids"), next = input("data.next");
    for (int i = 0; i < B * T; ++i) {
      ASSERT_EQ(next[i], ids[i] + 1);
      ASSERT_EQ(ids[i], ids[i / T * T] + i % T);
      ASSERT_LT(next[i], 60);
    }
    for (int b = 0; b < B; ++b) starts.insert(ids[b * T]);
  }
  EXPECT_EQ(starts.size(), 60u - T);  // every place is drawn
  std::set<int32_t> seen;
  for (int batch = 0; batch < 5; ++batch) {
    source->fillEvaluation(session, eval, batch, 5);
    for (int32_t id : input("data.ids")) {
      ASSERT_GE(id, 60);
      seen.insert(id);
    }
  }
  EXPECT_TRUE(seen.count(60));
  EXPECT_GE(*seen.rbegin(), 95);
}

TEST_F(Source, BatchesDependOnSeedStepAndMicroBatchOnly) {
  auto source = text(std::string(200, 'a') + "bcdefghijklmnop" + std::string(100, 'q'), 0.9);
  auto batch = [&](uint64_t seed, int64_t step, int micro) {
    source->fillTraining(session, train, seed, step, micro);
    return input("data.ids");
  };
  auto first = batch(1, 7, 0);
  std::set<std::vector<int32_t>> different;
  for (int s = 1; s < 6; ++s) different.insert(batch(1, s, 0)), different.insert(batch(2, s, 0)), different.insert(batch(1, s, 1));
  EXPECT_GT(different.size(), 8u);
  EXPECT_EQ(batch(1, 7, 0), first);
}

TEST_F(Source, TextErrorsAreClear) {
  auto checkError = [&](const std::string& contents, double split, bool evaluation) {
    auto source = text(contents, split);
    return errorOf([&] { source->check(session, evaluation ? eval : train, evaluation); });
  };
  EXPECT_THAT(checkError("abcdefghi", 0.5, false), HasSubstr("the training part has 4 tokens (split = 0.5), fewer than 7 = T + 1"));
  EXPECT_EQ(checkError("abcdefghijklmn", 0.5, false), "");  // exactly one window
  EXPECT_THAT(checkError("abcdefghijklmn", 1, true), HasSubstr("the validation part has 0 tokens"));
  EXPECT_THAT(errorOf([&] { text(""); }), HasSubstr("is empty"));
  EXPECT_THAT(errorOf([&] { text("a\xff"); }), HasSubstr("byte 1"));
  RunConfig config;
  config.data.kind = "text", config.data.path = "t", config.data.split = 0.5;
  config.base = dir.path;
  config.binds = {{"V", "vocabulary", 65}};
  writeFile(dir / "t", "abc");
  EXPECT_THAT(errorOf([&] { openDataSource(config, ""); }), HasSubstr("its vocabulary has 3 tokens, but the program was compiled for V = 65"));
  EXPECT_THAT(errorOf([&] { openDataSource(config, dir / "no"); }), HasSubstr("No such file"));
  ASSERT_EQ(mkfifo((dir / "fifo").c_str(), 0600), 0);
  EXPECT_THAT(errorOf([&] { openDataSource(config, dir / "fifo"); }), HasSubstr("not a regular file"));
}

TEST_F(Source, UnknownFieldsAndShapesAreNamed) {
  auto source = text(std::string(50, 'a') + "bc");
  HeddleDim dims[] = {{"B", 2}};
  HeddleBuffer labels{"data.labels", HEDDLE_I32, 1, 0, dims, 0}, flat{"data.ids", HEDDLE_I32, 1, 0, dims, 0};
  HeddleEntry entry = train;
  entry.input_count = 1, entry.inputs = &labels;
  EXPECT_THAT(errorOf([&] { source->check(session, entry, false); }), HasSubstr("`data.labels`: a text has no such field"));
  entry.inputs = &flat;
  EXPECT_THAT(errorOf([&] { source->check(session, entry, false); }), HasSubstr("is i32[B=2], but a text gives i32[B, T]"));
}

TEST_F(Source, TensorsAreFedInOrderAndWrapAround) {
  std::vector<int32_t> ids(3 * B * T), next(3 * B * T);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = int32_t(i), next[i] = int32_t(i) + 1;
  SafetensorsWriter writer;
  writer.add("ids", HEDDLE_I32, {3 * B, T}, ids.data());
  writer.add("data.next", HEDDLE_I32, {3 * B, T}, next.data());
  writer.write(dir / "batches");
  RunConfig config;
  config.data.kind = "tensors", config.data.path = "batches", config.base = dir.path;
  auto source = openDataSource(config, "");
  source->check(session, train, false);
  for (int step : {1, 2, 3, 4, 6}) {
    source->fillTraining(session, train, 1, step, 0);
    EXPECT_EQ(input("data.ids")[0], (step - 1) % 3 * B * T);
    EXPECT_EQ(input("data.next")[B * T - 1], ((step - 1) % 3 + 1) * B * T);
  }
  source->fillEvaluation(session, eval, 1, 2);
  EXPECT_EQ(input("data.ids")[0], B * T);

  config.ranges["data.ids"] = 2 * B * T;
  source = openDataSource(config, "");
  source->fillTraining(session, train, 1, 2, 0);
  EXPECT_THAT(errorOf([&] { source->check(session, train, false), source->fillTraining(session, train, 1, 3, 0); }),
              testing::ContainsRegex("batches: byte [0-9]+: tensor 'ids': value 48 of element 48 is not in \\[0, 48\\)"));
}

TEST_F(Source, TensorsThatDoNotFitAreNamed) {
  std::vector<int32_t> data(8 * B * T);
  RunConfig config;
  config.data.kind = "tensors", config.data.path = "batches", config.base = dir.path;
  auto with = [&](std::vector<int64_t> ids, std::vector<int64_t> next, int32_t type = HEDDLE_I32) {
    SafetensorsWriter writer;
    writer.add("ids", type, ids, data.data());
    if (!next.empty()) writer.add("next", HEDDLE_I32, next, data.data());
    writer.write(dir / "batches");
    auto source = openDataSource(config, "");
    return errorOf([&] { source->check(session, train, false); });
  };
  EXPECT_EQ(with({2 * B, T}, {2 * B, T}), "");
  EXPECT_THAT(with({2 * B, T}, {}), HasSubstr("no tensor 'next' for the input `data.next`"));
  EXPECT_THAT(with({2 * B, T}, {}), HasSubstr("it holds: ids"));
  EXPECT_THAT(with({2 * B, T}, {B, T}), HasSubstr("tensor 'next' holds 1 batches, but 'ids' holds 2"));
  EXPECT_THAT(with({B + 1, T}, {B, T}), HasSubstr("tensor 'ids' is [5, 6], but `data.ids` takes [B=4, T=6]"));
  EXPECT_THAT(with({B, T, 1}, {B, T}), HasSubstr("is [4, 6, 1]"));
  EXPECT_THAT(with({0, T}, {B, T}), HasSubstr("is [0, 6]"));
  EXPECT_THAT(with({B, T}, {B, T}, HEDDLE_F32), HasSubstr("tensor 'ids' is F32, but i32 is wanted"));
}

// Files are read in pieces of 256 KiB: characters of four bytes lie across the seams in every way.
TEST(Tokenizer, FilesAreReadInPieces) {
  TempDir dir;
  for (size_t shift = 0; shift < 4; ++shift) {
    std::string text(shift, 'a');
    while (text.size() < (600 << 10)) text += text.size() % 7 ? "😀" : "é€";
    writeFile(dir / "t", text);
    InputFile file(dir / "t");
    int64_t count = 0;
    Tokenizer t = Tokenizer::ofFile("char", file, count);
    std::vector<int32_t> wanted = Tokenizer::of("char", text, "t").encode(text, "t"), ids;
    std::string bytes;
    t.encodeFile(file, [&](std::string_view piece, const std::vector<int32_t>& tokens) {
      bytes += piece;
      ids.insert(ids.end(), tokens.begin(), tokens.end());
    });
    EXPECT_EQ(count, int64_t(wanted.size()));
    EXPECT_TRUE(ids == wanted && bytes == text) << shift;
  }
  for (const char* wrong : {"\xff", "\xe2\x82", "\xf0\x9f\x98"}) {  // the last two are cut by the end of the file
    writeFile(dir / "t", std::string(300'000, 'a') + wrong);
    int64_t count;
    EXPECT_THAT(errorOf([&] { Tokenizer::ofFile("char", InputFile(dir / "t"), count); }), HasSubstr("byte 300000: 0x")) << wrong;
  }
}

TEST_F(Source, FilesOfAnotherKindAreNamed) {
  RunConfig config;
  config.data.kind = "tensors", config.data.path = "batches", config.base = dir.path;
  auto open = [&](const std::string& contents) {
    writeFile(dir / "batches", contents);
    return errorOf([&] { openDataSource(config, ""); });
  };
  EXPECT_THAT(open(""), HasSubstr("batches: byte 0: a safetensors file starts with 8 bytes of length, this one has 0"));
  EXPECT_THAT(open("PK\x03\x04 not safetensors at all"), HasSubstr("byte 0: the header would take"));
  // The length in the wrong byte order.
  EXPECT_THAT(open(std::string("\0\0\0\0\0\0\0\x02{}", 10)), HasSubstr("byte 0: the header would take 144115188075855872 bytes, but 2 follow"));
  EXPECT_THAT(open(std::string("\x02\0\0\0\0\0\0\0[]", 10)), HasSubstr("byte 8: the header does not start with '{'"));
  EXPECT_THAT(errorOf([&] { text("\xff\xfe" "a"); }), HasSubstr("byte 0: 0xff is not valid UTF-8"));  // UTF-16
  EXPECT_THAT(errorOf([&] { text("\xff\xfe" "a"); }), HasSubstr("convert the text to UTF-8"));
}

TEST_F(Source, ATruncationWhileRunningIsAnError) {
  std::vector<int32_t> ids(3 * B * T);
  SafetensorsWriter writer;
  for (const char* name : {"ids", "next"}) writer.add(name, HEDDLE_I32, {3 * B, T}, ids.data());
  writer.write(dir / "batches");
  RunConfig config;
  config.data.kind = "tensors", config.data.path = "batches", config.base = dir.path;
  auto source = openDataSource(config, "");
  source->check(session, train, false);
  source->fillTraining(session, train, 1, 1, 0);
  uint64_t size = std::filesystem::file_size(dir / "batches");
  std::filesystem::resize_file(dir / "batches", size - B * T * 4);
  source->fillTraining(session, train, 1, 2, 0);
  EXPECT_THAT(errorOf([&] { source->fillTraining(session, train, 1, 3, 0); }),
              testing::ContainsRegex("3: error: .*batches: byte [0-9]+: the file ends here, 96 bytes early"));
}

TEST_F(Source, FingerprintsTellOtherDataApart) {
  std::vector<int32_t> ids(4096 * T);
  RunConfig config;
  config.data.kind = "tensors", config.data.path = "batches", config.base = dir.path;
  auto fingerprint = [&] {
    SafetensorsWriter writer;
    for (const char* name : {"ids", "next"}) writer.add(name, HEDDLE_I32, {4096, T}, ids.data());
    writer.write(dir / "batches");
    return openDataSource(config, "")->fingerprint();
  };
  std::string first = fingerprint();
  EXPECT_EQ(fingerprint(), first);
  for (size_t changed : {size_t(0), size_t(12345), ids.size() - 1}) {
    ids[changed] = 1;
    EXPECT_NE(fingerprint(), first) << changed;
    ids[changed] = 0;
  }
  EXPECT_NE(text("abcabcabcabcabcabc")->fingerprint(), text("abcabcabcabcabcabb")->fingerprint());
}

}  // namespace
}  // namespace heddle
