// Files with which somebody meant harm, or which a fuzzer has found: consistent in their checksums, wrong in the rest.
#include "TempDir.h"
#include "TinyProgram.h"

#include "runtime/Checkpoint.h"
#include "runtime/Resume.h"
#include "runtime/RunDirectory.h"
#include "runtime/Safetensors.h"
#include "runtime/StartFrom.h"
#include "runtime/Tokenizer.h"
#include "tests/fuzz/CheckpointBytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

namespace heddle {
namespace {

using testing::HasSubstr;

class UntrustedFiles : public testing::Test {
protected:
  UntrustedFiles() : program(tiny::make("{}")), session(program, 1) {
    session.initialise(1);
    saveCheckpoint(dir / "good", session, {3, 9, "{}", R"({"kind":"byte"})", "", ""});
    good = readFile(dir / "good");
  }
  // The checkpoint with `from` replaced by `to`, all checksums right.
  std::string changed(const std::string& from, const std::string& to) {
    std::string bytes = good;
    size_t at = bytes.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    bytes.replace(at, from.size(), to);
    fuzz::repairCheckpoint(bytes);
    return bytes;
  }
  std::string errorOfLoad(const std::string& bytes) {
    writeFile(dir / "x", bytes);
    Session other(program, 1);
    return errorOf([&] { loadCheckpoint(dir / "x", other, LoadPart::kEverything); });
  }
  TempDir dir;
  HeddleProgram program;
  Session session;
  std::string good;
};

TEST_F(UntrustedFiles, RepairedChecksumsAreRight) {
  std::string bytes = good;
  bytes[bytes.size() - 1] ^= 1;
  EXPECT_THAT(errorOfLoad(bytes), HasSubstr("checksum"));
  fuzz::repairCheckpoint(bytes);
  EXPECT_EQ(errorOfLoad(bytes), "");
}

TEST_F(UntrustedFiles, NumbersBeyondADoubleAreAnErrorOfTheFile) {
  EXPECT_THAT(errorOfLoad(changed("\"shape\":[7,7]", "\"shape\":[7,1e999]")),
              HasSubstr("3: error: " + dir / "x: byte 8: the header holds a number that is out of range"));
}

TEST_F(UntrustedFiles, WeightsThatAreNotFiniteAreNotLoaded) {
  for (float value : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    std::string bytes = good;
    memcpy(bytes.data() + bytes.size() - 4, &value, 4);  // the last element of momentum.wte
    fuzz::repairCheckpoint(bytes);
    EXPECT_THAT(errorOfLoad(bytes), HasSubstr("tensor 'momentum.wte': element 48 is not finite"));
  }
  std::string bytes = good;
  float nan = std::numeric_limits<float>::quiet_NaN();
  uint64_t header;
  memcpy(&header, bytes.data(), 8);
  memcpy(bytes.data() + 8 + header, &nan, 4);  // the first of wte
  fuzz::repairCheckpoint(bytes);
  writeFile(dir / "x", bytes);
  Session other(program, 1);
  EXPECT_THAT(errorOf([&] { startFrom(dir / "x", other); }), HasSubstr("tensor 'wte': element 0 is nan"));
}

TEST_F(UntrustedFiles, OddMetadataIsAnErrorOfTheFile) {
  EXPECT_THAT(errorOfLoad(changed("\"heddle.step\":\"3\"", "\"heddle.step\":\"-3\"")), HasSubstr("heddle.step is '-3'"));
  EXPECT_THAT(errorOfLoad(changed("\"heddle.step\":\"3\"", "\"heddle.step\":\"3 \"")), HasSubstr("heddle.step is '3 '"));
  EXPECT_THAT(errorOfLoad(changed("\"heddle.step\":\"3\"", "\"heddle.step\":\"9223372036854775808\"")),
              HasSubstr("heddle.step is '9223372036854775808'"));
  EXPECT_THAT(errorOfLoad(changed("\"heddle.version\":\"1\"", "\"heddle.version\":\"2\"")),
              HasSubstr("is of checkpoint version 2; this program reads version 1"));
}

TEST_F(UntrustedFiles, DeepJsonInMetadataIsAnErrorOfTheFile) {
  std::string deep(100000, '[');
  EXPECT_THAT(errorOf([&] { Tokenizer::fromJson(deep); }), HasSubstr("3: error: the checkpoint's tokenizer is damaged"));
  std::string bytes = good;
  size_t at = bytes.find("\"heddle.xxh64\":\"") + strlen("\"heddle.xxh64\":\""), end = bytes.find("}\"", at) + 1;
  bytes.replace(at, end - at, deep);
  fuzz::repairCheckpoint(bytes);
  EXPECT_THAT(errorOfLoad(bytes), HasSubstr("the checksum of tensor 'wte' is wrong"));
}

// By its name it would be the newest for ever, whatever is saved after it.
TEST_F(UntrustedFiles, ARenamedCheckpointIsPassedOver) {
  std::filesystem::create_directory(dir / "run");
  writeFile(dir / "run/step-3.safetensors", good);
  writeFile(dir / "run/step-9000.safetensors", good);
  std::string said;
  Session other(program, 1);
  LoadedCheckpoint loaded = loadNewest(dir / "run", other, LoadPart::kEverything, [&](const std::string& text) { said += text; });
  EXPECT_EQ(loaded.path, dir / "run/step-3.safetensors");
  EXPECT_THAT(said, HasSubstr("step-9000.safetensors: holds step 3: it was renamed; passed over"));
}

TEST_F(UntrustedFiles, MetricsAreCutAtTheFirstLineOutOfOrder) {
  std::filesystem::create_directory(dir / "run");
  std::string before = "{\"step\":1}\n{\"step\":2}\n";
  for (const char* wrong : {"{\"step\":2}\n", "{\"step\":1}\n", "{\"step\":-7}\n", "{\"step\":99999999999999999999}\n", "\n", "\xff\n",
                            "{\"step\":3}"}) {
    writeFile(dir / "run/metrics.jsonl", before + wrong + "{\"step\":3}\n");
    RunDirectory run(dir / "run", true);
    run.truncateMetrics(3);
    EXPECT_EQ(readFile(dir / "run/metrics.jsonl"), before + (wrong == std::string("{\"step\":3}") ? "{\"step\":3}{\"step\":3}\n" : "")) << wrong;
  }
}

}  // namespace
}  // namespace heddle
