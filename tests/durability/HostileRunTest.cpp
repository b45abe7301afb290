// Run directories as nobody should leave them: foreign and damaged checkpoints, links and pipes where files belong,
// directories that vanish or change hands. Each is told with place, cause and, where there is one, fix; nothing is lost.
#include "TempDir.h"
#include "TinyProgram.h"

#include "runtime/Commands.h"
#include "runtime/DurableFile.h"
#include "runtime/Resume.h"
#include "runtime/RunDirectory.h"
#include "runtime/StartFrom.h"
#include "runtime/TrainLoop.h"

#define XXH_INLINE_ALL
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <xxhash.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <functional>

namespace heddle {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

std::string hex(const std::string& bytes) {
  char text[17];
  snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(XXH64(bytes.data(), bytes.size(), 0)));
  return text;
}

class HostileRun : public testing::Test {
protected:
  HostileRun() {
    std::string text;
    for (int i = 0; i < 600; ++i) text += "abcdefg"[i * i % 97 % 7];
    writeFile(dir / "corpus.txt", text);
    config = json::parse(tiny::kSaveEveryStep);
    config["base"] = dir.path, config["steps"] = 4;
    tiny::nanFrom = tiny::signalAt = 0;
    EXPECT_EQ(start("a"), kDone);
  }
  RunOptions options(const std::string& out, bool resume = false) {
    RunOptions o;
    o.out = dir / out, o.threads = 1, o.resume = resume;
    return o;
  }
  int start(const std::string& out) { return train(tiny::make(config.dump()), options(out)); }
  std::string step(const std::string& out, int n) { return dir / (out + "/step-" + std::to_string(n) + ".safetensors"); }

  // Resumes `out`. Returns "CODE: " and what it said.
  std::string resume(const std::string& out, const std::string& hash = "00000000deadbeef") {
    testing::internal::CaptureStderr();
    int code = runCommand(tiny::make(config.dump(), hash), options(out, true));
    return std::to_string(code) + ": " + testing::internal::GetCapturedStderr();
  }
  // Runs from the start and does something in each step, before its kernels.
  std::string startWith(const std::string& out, std::function<void(int)> each) {
    static std::function<void(int)> action;
    static int count;
    action = std::move(each), count = 0;
    HeddleProgram program = tiny::make(config.dump());
    HeddleKernel kernels[7];
    memcpy(kernels, program.targets[0].kernels, sizeof kernels);
    kernels[5] = [](void* const* args, const int64_t*, int64_t, int64_t, void*) {
      *(int32_t*)args[0] = 0;
      action(++count);
    };
    HeddleTarget target = program.targets[0];
    target.kernels = kernels;
    program.targets = &target;
    testing::internal::CaptureStderr();
    int code = runCommand(program, options(out));
    return std::to_string(code) + ": " + testing::internal::GetCapturedStderr();
  }
  // Changes a checkpoint and makes its header's checksum right again.
  void forge(const std::string& path, const std::function<void(std::string&)>& change) {
    std::string bytes = readFile(path);
    change(bytes);
    uint64_t length;
    memcpy(&length, bytes.data(), 8);
    const std::string key = "\"heddle.header_xxh64\":\"";
    size_t at = bytes.find(key) + key.size();
    bytes.replace(at, 16, "0000000000000000");
    bytes.replace(at, 16, hex(bytes.substr(8, length)));
    writeFile(path, bytes);
  }
  static void replace(std::string& text, const std::string& from, const std::string& to) {
    size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    ASSERT_EQ(from.size(), to.size());
    text.replace(at, from.size(), to);
  }
  void damage(const std::string& path) {
    std::string bytes = readFile(path);
    uint64_t length;
    memcpy(&length, bytes.data(), 8);
    bytes[8 + length] ^= 1;  // of wte, the first tensor
    writeFile(path, bytes);
  }
  // The run is the one that nothing befell, from `from` on.
  void expectWhole(const std::string& out, int from = 1) {
    for (int n = from; n <= 4; ++n) EXPECT_EQ(readFile(step(out, n)), readFile(step("a", n))) << n;
    std::string text = readFile(dir / out + "/metrics.jsonl");
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
  }
  void copyRun(const std::string& to) { fs::copy(dir / "a", dir / to); }

  TempDir dir;
  json config;
};

TEST_F(HostileRun, ANewerVersionIsRefusedAndNotPassedOver) {
  copyRun("b");
  forge(step("b", 4), [](auto& bytes) { replace(bytes, "\"heddle.version\":\"1\"", "\"heddle.version\":\"2\""); });
  std::string before = readFile(step("b", 4)), said = resume("b");
  EXPECT_THAT(said, HasSubstr("3: error: " + step("b", 4) + ": is of checkpoint version 2; this program reads version 1"));
  EXPECT_THAT(said, HasSubstr("besides:\n  step-3.safetensors is good; 2 older ones were not looked at"));
  EXPECT_THAT(said, HasSubstr("help: it was written by another version of Heddle"));
  EXPECT_EQ(readFile(step("b", 4)), before);
}

TEST_F(HostileRun, AFlippedBitOfTheVersionIsDamage) {
  copyRun("b");
  std::string bytes = readFile(step("b", 4));
  replace(bytes, "\"heddle.version\":\"1\"", "\"heddle.version\":\"3\"");
  writeFile(step("b", 4), bytes);
  std::string said = resume("b");
  EXPECT_THAT(said, HasSubstr("the header's checksum is wrong: the file is damaged; passed over"));
  EXPECT_THAT(said, HasSubstr("resumed from " + step("b", 3)));
  expectWhole("b");
}

TEST_F(HostileRun, EveryCandidateIsNamedWithTheReason) {
  copyRun("b");
  damage(step("b", 4));
  forge(step("b", 3), [](auto& bytes) { replace(bytes, "00000000deadbeef", "1111111111111111"); });
  damage(step("b", 2));
  std::string said = resume("b");
  EXPECT_THAT(said, HasSubstr("3: warning: " + step("b", 4) + ": byte "));
  EXPECT_THAT(said, HasSubstr("error: " + step("b", 3) + ": is a checkpoint of 'tiny' (hash 1111111111111111), not of "
                              "'tiny' (hash 00000000deadbeef); they have the same tensors"));
  EXPECT_THAT(said, HasSubstr("besides:\n  " + step("b", 2) + ": byte "));
  EXPECT_THAT(said, HasSubstr("\n  step-1.safetensors is good"));

  for (int n = 1; n <= 4; ++n) writeFile(step("b", n), "");
  said = resume("b");
  EXPECT_THAT(said, HasSubstr("error: " + dir / "b: none of its 4 checkpoints can be read:\n  " + step("b", 4) + ": byte 0"));
  EXPECT_THAT(said, HasSubstr("\n  " + step("b", 1) + ": byte 0"));
}

TEST_F(HostileRun, AnotherModelsShapesAreListed) {
  HeddleDim dims[] = {{"V", 3}, {"W", 3}};
  HeddleProgram program = tiny::make(config.dump(), "2222222222222222");
  HeddleVariable variables[3] = {program.variables[0], program.variables[1], program.variables[2]};
  variables[0].dims = dims, variables[2].name = "velocity.wte";
  program.variables = variables;
  Session session(program, 1);
  std::string error = errorOf([&] { loadNewest(dir / "a", session, LoadPart::kEverything, [](auto&) {}); });
  EXPECT_THAT(error, HasSubstr("(hash 2222222222222222); nothing was loaded:\n"));
  EXPECT_THAT(error, HasSubstr("misshaped: wte is F32 [7,7], the program's is F32 [3,3]"));
  EXPECT_THAT(error, HasSubstr("missing: velocity.wte"));
  EXPECT_THAT(error, HasSubstr("extra: momentum.wte"));
}

TEST_F(HostileRun, NaNWeightsArePassedOver) {
  copyRun("b");
  forge(step("b", 4), [](auto& bytes) {
    std::string tensor = bytes.substr(bytes.size() - 196), nan = tensor;  // momentum.wte, the last
    float value = NAN;
    memcpy(nan.data(), &value, 4);
    bytes.replace(bytes.size() - 196, 196, nan);
    replace(bytes, hex(tensor), hex(nan));
  });
  std::string said = resume("b");
  EXPECT_THAT(said, HasSubstr("tensor 'momentum.wte': element 0 is not finite; passed over"));
  expectWhole("b");
}

TEST_F(HostileRun, WhatIsNoFileIsPassedOver) {
  copyRun("b");
  for (int n = 1; n <= 4; ++n) fs::remove(step("b", n));
  fs::copy(step("a", 1), step("b", 1));
  fs::create_symlink(dir / "nowhere", step("b", 2));
  fs::create_directory(step("b", 3));
  ASSERT_EQ(mkfifo(step("b", 4).c_str(), 0600), 0);
  fs::create_symlink("/dev/zero", step("b", 5));
  std::string said = resume("b");
  for (const char* cause : {"step-2.safetensors: cannot be read: No such file", "step-3.safetensors: is a directory",
                            "step-4.safetensors: is not a regular file", "step-5.safetensors: is not a regular file"})
    EXPECT_THAT(said, HasSubstr(cause));
  EXPECT_THAT(said, HasSubstr("resumed from " + step("b", 1)));
  // Nor is it overwritten: the save of that step fails, and the last one is an error.
  EXPECT_THAT(said, HasSubstr("warning: " + step("b", 2) + ": is there and not a regular file; it is not overwritten"));
  EXPECT_THAT(said, HasSubstr("error: " + step("b", 4) + ": is there and not a regular file"));
  EXPECT_EQ(said[0], '3');
  EXPECT_TRUE(fs::is_symlink(step("b", 2)));
}

TEST_F(HostileRun, LinksAndPipesInPlaceOfItsOwnFilesAreRefused) {
  for (const char* name : {"/.lock", "/metrics.jsonl"}) {
    fs::create_directory(dir / "b");
    fs::create_symlink(dir / "victim", dir / "b" + name);
    EXPECT_THAT(errorOf([&] { start("b"); }), HasSubstr(std::string(name) + ": is a symbolic link; it is not followed"));
    EXPECT_FALSE(fs::exists(dir / "victim"));
    fs::remove(dir / "b" + name);
    ASSERT_EQ(mkfifo((dir / "b" + name).c_str(), 0600), 0);
    EXPECT_THAT(errorOf([&] { start("b"); }), HasSubstr(std::string(name) + ": is not a regular file"));
    fs::remove_all(dir / "b");
  }
}

TEST_F(HostileRun, ASecondWriterIsRefusedByAnyPath) {
  fs::create_symlink(dir / "b", dir / "link");
  RunDirectory first(dir / "b", false);
  for (const char* path : {"b", "link", "./b", "a/../b"})
    EXPECT_THAT(errorOf([&] { RunDirectory(dir / path, true); }), HasSubstr("another process is training in it"));
}

TEST_F(HostileRun, ADirectoryThatIsAnotherRunsByNowIsLeftAlone) {
  std::string said = startWith("b", [&](int n) {
    if (n != 3) return;
    fs::rename(dir / "b", dir / "moved");
    RunDirectory other(dir / "b", false);
  });
  EXPECT_THAT(said, HasSubstr("error: " + dir / "b: was deleted or moved while training, and is another run's now"));
  EXPECT_EQ(said[0], '3');
  EXPECT_TRUE(findCheckpoints(dir / "b").empty());
  EXPECT_EQ(fs::file_size(dir / "b/metrics.jsonl"), 0u);
  EXPECT_EQ(findCheckpoints(dir / "moved").size(), 2u);
}

TEST_F(HostileRun, WhatIsDeletedMeanwhileIsWrittenAgain) {
  std::string said = startWith("b", [&](int n) {
    if (n == 3) fs::remove(dir / "b/metrics.jsonl");
  });
  EXPECT_THAT(said, HasSubstr("warning: " + dir / "b/metrics.jsonl: was deleted or replaced while training; written again"));
  EXPECT_EQ(said[0], '0');
  expectWhole("b");

  said = startWith("c", [&](int n) {
    if (n == 3) fs::remove(dir / "c/.lock");
  });
  EXPECT_THAT(said, HasSubstr("warning: " + dir / "c: its .lock was deleted while training; made again, with all metrics, and locked"));
  EXPECT_EQ(said[0], '0');
  expectWhole("c");

  said = startWith("deep/d", [&](int n) {
    if (n == 3) fs::remove_all(dir / "deep");
  });
  EXPECT_THAT(said, HasSubstr("but the checkpoints before this one are gone"));
  expectWhole("deep/d", 3);
}

TEST_F(HostileRun, TheLastGoodCheckpointIsNamed) {
  copyRun("b");
  damage(step("b", 4));
  damage(step("b", 3));
  RunOptions eval;
  eval.command = Command::kEval, eval.checkpoint = step("b", 4), eval.threads = 1;
  testing::internal::CaptureStderr();
  EXPECT_EQ(runCommand(tiny::make(config.dump()), eval), kData);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("the file is damaged\n  help: the last good checkpoint beside it is " + step("b", 2)));
  config["from"] = "b";
  EXPECT_THAT(errorOf([&] { start("c"); }), HasSubstr("the last good checkpoint beside it is"));
  // Another program's checkpoint, and another version's, serve as weights.
  fs::remove(step("b", 4)), fs::remove(step("b", 3));
  forge(step("b", 2), [](auto& bytes) { replace(bytes, "\"heddle.version\":\"1\"", "\"heddle.version\":\"2\""); });
  EXPECT_EQ(start("d"), kDone);
}

TEST_F(HostileRun, MissingMetricsAreTold) {
  copyRun("b");
  for (int n : {3, 4}) fs::remove(step("b", n));
  std::string text = readFile(dir / "b/metrics.jsonl");
  size_t first = text.find('\n') + 1;
  writeFile(dir / "b/metrics.jsonl", text.substr(first));
  EXPECT_THAT(resume("b"), HasSubstr("note: " + dir / "b/metrics.jsonl holds lines of 1 of these steps"));
}

TEST_F(HostileRun, AnUnfinishedRunWithoutCheckpointSaysWhatToDo) {
  fs::create_directory(dir / "b");
  writeFile(dir / "b/metrics.jsonl", "{\"step\":1}\n");
  EXPECT_THAT(errorOf([&] { start("b"); }), HasSubstr("it ended before its first checkpoint: remove it, or give another --out"));
  EXPECT_THAT(resume("b"), HasSubstr("holds no checkpoint"));
}

TEST_F(HostileRun, PathsOfAnyLengthAreAnswered) {
  std::string deep = dir.path;
  for (int i = 0; i < 50000; ++i) deep += "/a";
  EXPECT_THAT(errorOf([&] { createDurableDirectory(deep); }), HasSubstr("File name too long"));
  EXPECT_THAT(errorOf([&] { createDurableDirectory(dir / std::string(300, 'a')); }), HasSubstr("File name too long"));
  EXPECT_THAT(errorOf([&] { createDurableDirectory(dir / "corpus.txt/x"); }), HasSubstr("corpus.txt: cannot be created: File exists"));
  createDurableDirectory(dir / "x/y//z/");
  EXPECT_TRUE(fs::is_directory(dir / "x/y/z"));
}

TEST_F(HostileRun, SignalsThatAreIgnoredStayIgnored) {
  for (int signal : {SIGHUP, SIGINT, SIGTERM}) {
    auto raiseAt2 = [&](int n) {
      if (n == 2) raise(signal);
    };
    std::string name = std::to_string(signal);
    ::signal(signal, SIG_IGN);
    EXPECT_EQ(startWith("ignored" + name, raiseAt2)[0], '0');
    ::signal(signal, SIG_DFL);
    EXPECT_THAT(startWith("b" + name, raiseAt2), HasSubstr("interrupted after step 2; saved"));
    EXPECT_THAT(resume("b" + name), HasSubstr("0: resumed from"));
    expectWhole("b" + name);
  }
}

}  // namespace
}  // namespace heddle
