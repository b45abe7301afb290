// The training loop and what it leaves behind: metrics, checkpoints, exact resumption, failures.
#include "TempDir.h"
#include "TinyProgram.h"

#include "runtime/Checkpoint.h"
#include "runtime/Commands.h"
#include "runtime/NativeMain.h"
#include "runtime/Resume.h"
#include "runtime/RunDirectory.h"
#include "runtime/Safetensors.h"
#include "runtime/TrainLoop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <functional>
#include <random>
#include <sstream>

namespace heddle {
namespace {

using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

class TrainingTest : public testing::Test {
protected:
  TrainingTest() {
    std::string text;
    std::mt19937 random(3);
    for (int i = 0; i < 600; ++i) text += "abcdefg"[i % 3 ? (i / 3) % 7 : random() % 7];
    writeFile(dir / "corpus.txt", text);
    config = {{"program", "tiny"},
              {"base", dir.path},
              {"data", {{"kind", "text"}, {"path", "corpus.txt"}, {"tokenizer", "char"}, {"split", 0.8}}},
              {"batch", {{"B", tiny::B}, {"T", tiny::T}}},
              {"steps", 40},
              {"seed", 1337},
              {"minimise", "lm"},
              {"every", {{{"n", 10}, {"do", "eval"}, {"loss", "lm"}, {"batches", 3}}, {{"n", 20}, {"do", "save"}}}},
              {"binds", {{{"dim", "V"}, {"of", "vocabulary"}, {"size", tiny::V}}}},
              {"ranges", {{"data.ids", tiny::V}, {"data.next", tiny::V}}}};
    tiny::nanFrom = tiny::signalAt = 0;
  }

  RunOptions options(const std::string& out, int threads = 1) {
    RunOptions o;
    o.out = dir / out, o.threads = threads;
    return o;
  }
  int run(const RunOptions& o) { return train(tiny::make(config.dump()), o); }
  std::string errorOfRun(const RunOptions& o) {
    return errorOf([&] { run(o); });
  }
  std::string checkpoint(const std::string& out, int step) {
    return readFile(dir / out + "/step-" + std::to_string(step) + ".safetensors");
  }
  // The lines of metrics.jsonl, without the time.
  std::vector<json> metrics(const std::string& out) {
    std::vector<json> lines;
    std::istringstream stream(readFile(dir / out + "/metrics.jsonl"));
    for (std::string line; std::getline(stream, line);) {
      lines.push_back(json::parse(line));
      EXPECT_GT(lines.back()["tokens_per_s"], 0);
      lines.back().erase("tokens_per_s");
    }
    return lines;
  }

  TempDir dir;
  json config;
};

TEST_F(TrainingTest, LearnsAndWritesALinePerStep) {
  ASSERT_EQ(run(options("a")), kDone);
  auto lines = metrics("a");
  ASSERT_EQ(lines.size(), 40u);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(lines[i]["step"], i + 1);
    EXPECT_EQ(lines[i].contains("eval"), (i + 1) % 10 == 0);
    EXPECT_TRUE(lines[i].contains("lr") && lines[i].contains("grad_norm"));
  }
  EXPECT_LT(lines[39]["eval"]["lm"].get<double>(), std::log(7.0) - 0.1);
  EXPECT_NEAR(lines[0]["loss"]["lm"].get<double>(), std::log(7.0), 0.1);
  EXPECT_EQ(lines[0]["lr"].get<float>(), 0.5f / 1.01f);  // floats survive the text
  auto found = findCheckpoints(dir / "a");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].step, 40);
}

TEST_F(TrainingTest, AnyThreadCountGivesTheSameFiles) {
  for (int threads : {1, 2, 4}) run(options("t" + std::to_string(threads), threads));
  EXPECT_EQ(metrics("t1"), metrics("t2"));
  EXPECT_EQ(metrics("t1"), metrics("t4"));
  EXPECT_EQ(checkpoint("t1", 40), checkpoint("t2", 40));
  EXPECT_EQ(checkpoint("t1", 40), checkpoint("t4", 40));
  EXPECT_FALSE(checkpoint("t1", 40).empty());
}

TEST_F(TrainingTest, SamplesChangeNothingAndResume) {
  run(options("plain"));
  config["every"].push_back({{"n", 10}, {"do", "sample"}, {"tokens", 30}, {"prompt", "abc"}, {"temperature", 0.8}});
  config["every"].push_back({{"n", 20}, {"do", "sample"}, {"seed", 5}, {"top_k", 2}});
  run(options("sampled", 2));
  EXPECT_EQ(checkpoint("sampled", 40), checkpoint("plain", 40));
  auto plain = metrics("plain"), sampled = metrics("sampled");
  for (int i = 0; i < 40; ++i) {
    bool one = (i + 1) % 10 == 0, two = (i + 1) % 20 == 0;
    ASSERT_EQ(sampled[i].contains("samples"), one) << i;
    json line = sampled[i], texts = line.value("samples", json::array());
    ASSERT_EQ(texts.size(), size_t(one) + size_t(two));
    if (one) { EXPECT_EQ(texts[0].get<std::string>().size(), 33u); }
    if (two) { EXPECT_EQ(texts[1].get<std::string>().size(), 300u); }
    line.erase("samples");
    EXPECT_EQ(line, plain[i]);
  }
  EXPECT_NE(sampled[9]["samples"][0], sampled[39]["samples"][0]);
  auto o = options("resumed");
  o.steps = 15;
  run(o);
  o.resume = true, o.steps.reset();
  run(o);
  EXPECT_EQ(metrics("resumed"), sampled);
}

TEST_F(TrainingTest, WhatCannotBeSampledIsToldBeforeTheFirstStep) {
  config["every"] = {{{"n", 10}, {"do", "sample"}, {"prompt", "aZ"}}};
  EXPECT_THAT(errorOfRun(options("a")), HasSubstr("the prompt of `sample`: byte 1: the character 'Z' (U+005A) is not in the vocabulary"));
  EXPECT_FALSE(fs::exists(dir / "a"));
  SafetensorsWriter writer;
  std::vector<int32_t> ids(tiny::B * tiny::T);
  writer.add("ids", HEDDLE_I32, {tiny::B, tiny::T}, ids.data());
  writer.add("next", HEDDLE_I32, {tiny::B, tiny::T}, ids.data());
  writer.write(dir / "batches");
  config["every"] = {{{"n", 10}, {"do", "sample"}}};
  config["data"] = {{"kind", "tensors"}, {"path", "batches"}};
  EXPECT_THAT(errorOfRun(options("a")), HasSubstr("'tiny' cannot sample: its data have no tokenizer"));
  EXPECT_FALSE(fs::exists(dir / "a"));
  for (json bad : {json{{"tokens", 0}}, json{{"temperature", -1}}, json{{"top_k", -1}}, json{{"prompt", ""}}, json{{"loss", "lm"}},
                   json{{"seed", -1}}, json{{"tokens", 1e10}}}) {
    bad["n"] = 1, bad["do"] = "sample";
    config["every"] = {bad};
    EXPECT_THAT(errorOfRun(options("a")), HasSubstr("the program's configuration:")) << bad;
  }
}

TEST_F(TrainingTest, ResumeAtRandomStepsIsExact) {
  run(options("whole"));
  auto whole = metrics("whole");
  std::string end = checkpoint("whole", 40);
  std::mt19937 random(7);
  config["every"] = json::array({config["every"][0]});
  for (int i = 0; i < 20; ++i) {
    auto o = options("part" + std::to_string(i), 1 + i % 2);
    o.steps = 1 + random() % 39;
    ASSERT_EQ(run(o), kDone);
    o.resume = true, o.steps.reset();
    ASSERT_EQ(run(o), kDone);
    EXPECT_EQ(metrics("part" + std::to_string(i)), whole);
    EXPECT_EQ(checkpoint("part" + std::to_string(i), 40), end);
  }
}

TEST_F(TrainingTest, ResumeAfterAKillWritesNoStepTwice) {
  run(options("whole"));
  auto o = options("killed");
  o.steps = 27;
  run(o);
  // As if killed in step 28, before the last checkpoint was complete: a torn line and a stale temporary.
  fs::remove(dir / "killed/step-27.safetensors");
  std::ofstream(dir / "killed/metrics.jsonl", std::ios::app) << "{\"step\":28,\"lo";
  writeFile(dir / "killed/.step-27.safetensors.123.heddle-tmp", "torn");
  o.resume = true, o.steps.reset();
  run(o);
  EXPECT_EQ(metrics("killed"), metrics("whole"));
  EXPECT_EQ(checkpoint("killed", 40), checkpoint("whole", 40));
  EXPECT_FALSE(fs::exists(dir / "killed/.step-27.safetensors.123.heddle-tmp"));
}

TEST_F(TrainingTest, EvaluationDoesNotChangeTraining) {
  run(options("with"));
  config["every"] = json::array({config["every"][1]});
  run(options("without"));
  EXPECT_EQ(checkpoint("with", 40), checkpoint("without", 40));
}

TEST_F(TrainingTest, MetricsNeedNotBeFinite) {
  HeddleProgram program = tiny::make(config.dump());
  HeddleTarget target = *program.targets;
  std::vector<HeddleEntry> entries(target.entries, target.entries + target.entry_count);
  auto eval = std::find_if(entries.begin(), entries.end(), [](auto& entry) { return entry.name == std::string("eval"); });
  HeddleBuffer metric = eval->outputs[0];
  metric.name = "metric.lm";
  eval->outputs = &metric, target.entries = entries.data(), program.targets = &target;
  tiny::nanFrom = -1;
  testing::internal::CaptureStderr();
  EXPECT_EQ(train(program, options("a")), kDone);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("step 20  validation lm nan\n"));
  auto lines = metrics("a");
  ASSERT_EQ(lines.size(), 40u);
  EXPECT_TRUE(lines[19]["eval"].contains("lm") && lines[19]["eval"]["lm"].is_null()) << lines[19];
  tiny::nanFrom = 0;
  run(options("loss"));
  EXPECT_EQ(checkpoint("a", 40), checkpoint("loss", 40));
}

TEST_F(TrainingTest, SeedsDiffer) {
  run(options("a"));
  auto o = options("b");
  o.seed = ~uint64_t(0);
  run(o);
  EXPECT_NE(metrics("a")[0]["loss"], metrics("b")[0]["loss"]);
  o.resume = true, o.seed = 5;
  EXPECT_THAT(errorOfRun(o), HasSubstr("2: error: " + dir / "b/step-40.safetensors: the run has seed 18446744073709551615, not 5"));
}

TEST_F(TrainingTest, ALossThatIsNotFiniteStopsAndKeepsTheLastCheckpoint) {
  tiny::nanFrom = 25;
  std::string error = errorOfRun(options("nan"));
  EXPECT_THAT(error, HasSubstr("4: error: training stopped: loss lm is nan at step 25"));
  EXPECT_THAT(error, HasSubstr("step-20.safetensors"));
  EXPECT_EQ(findCheckpoints(dir / "nan").size(), 1u);
  EXPECT_EQ(metrics("nan").size(), 24u);
  tiny::nanFrom = 5;
  EXPECT_THAT(errorOfRun(options("early")), HasSubstr("no checkpoint was written yet"));
}

TEST_F(TrainingTest, ASignalFinishesTheStepAndSaves) {
  run(options("whole"));
  for (int signal : {SIGINT, SIGTERM}) {
    std::string name = "sig" + std::to_string(signal);
    tiny::signalAt = 13, tiny::signalNumber = signal;
    EXPECT_EQ(run(options(name)), kInterrupted);
    EXPECT_EQ(findCheckpoints(dir / name)[0].step, 13);
    tiny::signalAt = 0;
    auto o = options(name);
    o.resume = true;
    EXPECT_EQ(run(o), kDone);
    EXPECT_EQ(metrics(name), metrics("whole"));
    EXPECT_EQ(checkpoint(name, 40), checkpoint("whole", 40));
  }
}

TEST_F(TrainingTest, ASecondSignalEndsAtOnce) {
  tiny::signalAt = 5, tiny::signalNumber = SIGINT;
  EXPECT_EXIT(
      {
        // The first one arrives before training, as if in step 4.
        config["every"] = json::array({json{{"n", 1}, {"do", "save"}}});
        HeddleProgram program = tiny::make(config.dump());
        static HeddleKernel kernels[7];
        memcpy(kernels, program.targets[0].kernels, sizeof kernels);
        kernels[5] = [](void* const* args, const int64_t*, int64_t, int64_t, void*) {
          *(int32_t*)args[0] = 0;
          static int call = 0;
          if (++call == 5) raise(SIGINT);
        };
        HeddleTarget target = program.targets[0];
        target.kernels = kernels;
        program.targets = &target;
        train(program, options("twice"));
      },
      testing::ExitedWithCode(130), "");
  EXPECT_EQ(findCheckpoints(dir / "twice")[0].step, 4);
}

TEST_F(TrainingTest, ADirectoryIsNeverOverwrittenNorSilentlyStartedAfresh) {
  run(options("a"));
  EXPECT_THAT(errorOfRun(options("a")), HasSubstr("holds a run already"));
  auto o = options("none");
  o.resume = true;
  EXPECT_THAT(errorOfRun(o), HasSubstr("there is no such run to resume"));
  fs::create_directory(dir / "none");
  EXPECT_THAT(errorOfRun(o), HasSubstr("holds no checkpoint"));
  writeFile(dir / "file", "");
  EXPECT_THAT(errorOfRun(options("file")), HasSubstr("cannot be"));
}

TEST_F(TrainingTest, ASecondWriterIsRefused) {
  RunDirectory first(dir / "a", false);
  EXPECT_THAT(errorOfRun(options("a")), HasSubstr("another process is training in it"));
}

TEST_F(TrainingTest, ResumePassesOverDamagedCheckpointsAndRefusesForeignOnes) {
  run(options("a"));
  std::string newest = dir / "a/step-40.safetensors", good = readFile(newest);
  std::string damaged = good;
  damaged[damaged.size() - 10] ^= 1;
  writeFile(newest, damaged);
  auto o = options("a");
  o.resume = true;
  testing::internal::CaptureStderr();
  EXPECT_EQ(run(o), kDone);
  std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("the checksum of tensor 'momentum.wte' is wrong"));
  EXPECT_THAT(said, HasSubstr("resumed from " + dir / "a/step-20.safetensors, step 20"));
  EXPECT_EQ(readFile(newest), good);

  EXPECT_THAT(errorOf([&] { train(tiny::make(config.dump(), "1111111111111111"), o); }),
              HasSubstr("is a checkpoint of 'tiny' (hash 00000000deadbeef), not of 'tiny' (hash 1111111111111111)"));
  for (auto& file : findCheckpoints(dir / "a")) writeFile(file.path, "junk");
  EXPECT_THAT(errorOfRun(o), HasSubstr("none of its 2 checkpoints can be read"));
}

TEST_F(TrainingTest, ChangedDataAreNoticedOnResume) {
  auto o = options("a");
  o.steps = 10;
  run(o);
  writeFile(dir / "corpus.txt", readFile(dir / "corpus.txt") + "abc");
  o.resume = true;
  EXPECT_THAT(errorOfRun(o), HasSubstr("the data are not those that the run started with"));
}

TEST_F(TrainingTest, ADirectoryDeletedMeanwhileIsMadeAgainWithAllMetrics) {
  run(options("whole"));
  HeddleProgram program = tiny::make(config.dump());
  static std::string path;
  path = dir / "gone";
  static HeddleKernel kernels[7];
  memcpy(kernels, program.targets[0].kernels, sizeof kernels);
  kernels[5] = [](void* const* args, const int64_t*, int64_t, int64_t, void*) {
    *(int32_t*)args[0] = 0;
    fs::remove_all(path);
  };
  HeddleTarget target = program.targets[0];
  target.kernels = kernels;
  program.targets = &target;
  testing::internal::CaptureStderr();
  EXPECT_EQ(train(program, options("gone")), kDone);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("warning: " + dir / "gone: was deleted or moved while training; made again, with all metrics, but "
                                            "the checkpoints before this one are gone"));
  EXPECT_EQ(metrics("gone"), metrics("whole"));
  EXPECT_EQ(checkpoint("gone", 40), checkpoint("whole", 40));
  EXPECT_EQ(findCheckpoints(dir / "gone").size(), 1u);
}

TEST_F(TrainingTest, StartsFromGivenWeights) {
  run(options("a"));
  auto weights = [&](const std::string& path) {
    SafetensorsFile file(path);
    std::vector<float> values(49);
    file.read(*file.find("wte"), HEDDLE_F32, values.data());
    return values;
  };
  auto o = options("b");
  o.steps = 1;
  config["from"] = "a";
  testing::internal::CaptureStderr();
  run(o);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("starts from " + fs::canonical(dir.path).string() + "/a/step-40.safetensors: 4 tensors"));
  EXPECT_LT(metrics("b")[0]["loss"]["lm"].get<double>(), 1.9);
  EXPECT_NE(weights(dir / "b/step-1.safetensors"), weights(dir / "a/step-40.safetensors"));

  // Another program's file: some tensors fit, some are missing, some of no use.
  std::vector<float> values(64, 0.5f);
  auto error = [&](const std::function<void(SafetensorsWriter&)>& fill, const char* out) {
    SafetensorsWriter writer;
    fill(writer);
    writer.write(dir / "w");
    config["from"] = "w";
    auto with = options(out);
    with.steps = 1;
    return errorOfRun(with);
  };
  testing::internal::CaptureStderr();
  EXPECT_EQ(error([&](auto& w) { w.add("h.1.scale", HEDDLE_F32, {5}, values.data()), w.add("x", HEDDLE_F32, {1}, values.data()); }, "c"), "");
  std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("as initialised: wte"));
  EXPECT_THAT(said, HasSubstr("not used: x"));
  EXPECT_THAT(error([&](auto& w) { w.add("wte", HEDDLE_F32, {5, 5}, values.data()); }, "d"), HasSubstr("wte is [5, 5], the program's is [7, 7]"));
  EXPECT_THAT(error([&](auto& w) { w.add("y", HEDDLE_F32, {5}, values.data()); }, "e"), HasSubstr("holds none of the program's parameters"));
}

TEST_F(TrainingTest, ConfigurationIsCheckedByTheRuntimeToo) {
  auto bad = [&](const char* key, json value) {
    json changed = config;
    changed[key] = value;
    return errorOf([&] { train(tiny::make(changed.dump()), options("x")); });
  };
  EXPECT_THAT(bad("speed", 3), HasSubstr("70: internal error: the program's configuration: unknown key 'speed'"));
  EXPECT_THAT(bad("data", {{"kind", "parquet"}, {"path", "x"}}), HasSubstr("data kind 'parquet'"));
  EXPECT_THAT(bad("every", {{{"n", 0}, {"do", "save"}}}), HasSubstr("count from 1"));
  EXPECT_THAT(bad("steps", 0), HasSubstr("does not say how many steps"));
  EXPECT_FALSE(fs::exists(dir / "x"));
}

class CheckpointTest : public TrainingTest {
protected:
  CheckpointTest() : program(tiny::make(config.dump())), session(program, 1) {
    session.initialise(1);
    saveCheckpoint(dir / "c", session, {3, 9, "{}", "", "", ""});
  }
  std::string errorOfLoad(const std::string& bytes) {
    writeFile(dir / "d", bytes);
    Session other(program, 1);
    other.initialise(2);
    std::string before(other.variables.data(), size_t(program.variables_bytes));
    std::string error = errorOf([&] { loadCheckpoint(dir / "d", other, LoadPart::kEverything); });
    if (!error.empty()) {
      EXPECT_EQ(memcmp(before.data(), other.variables.data(), before.size()), 0) << "something was loaded";
    }
    return error;
  }
  HeddleProgram program;
  Session session;
};

TEST_F(CheckpointTest, HoldsOneTensorPerLayerUnderItsName) {
  SafetensorsFile file(dir / "c");
  std::vector<std::string> names;
  for (auto& t : file.tensors()) names.push_back(t.name);
  EXPECT_THAT(names, testing::ElementsAre("wte", "h.0.scale", "h.1.scale", "h.2.scale", "momentum.wte"));
  EXPECT_EQ(file.find("h.1.scale")->shape, std::vector<int64_t>{tiny::D});
  EXPECT_EQ(file.metadata().at("heddle.step"), "3");
  EXPECT_EQ(file.metadata().at("heddle.target"), "baseline");
  EXPECT_EQ(file.metadata().at("heddle.hash"), "00000000deadbeef");
}

TEST_F(CheckpointTest, LoadsWhatWasSaved) {
  Session other(program, 2);
  CheckpointInfo info = loadCheckpoint(dir / "c", other, LoadPart::kEverything);
  EXPECT_EQ(info.step, 3);
  EXPECT_EQ(info.seed, 9u);
  EXPECT_EQ(memcmp(other.variables.data(), session.variables.data(), size_t(program.variables_bytes)), 0);
}

TEST_F(CheckpointTest, NestedLayersAreCountedOutermostFirst) {
  HeddleDim dims[] = {{"L", 2}, {"M", 3}, {"D", 4}};
  HeddleVariable v{"a.{}.b.{}.w", HEDDLE_PARAMETER, HEDDLE_F32, 3, 2, dims, 128, 0, 0, 0, 0, 0};
  auto layers = layersOf(v);
  ASSERT_EQ(layers.size(), 6u);
  EXPECT_EQ(layers[4].name, "a.1.b.1.w");
  EXPECT_EQ(layers[4].offset, 128 + 4 * 16);
}

TEST_F(CheckpointTest, EveryFlippedBitIsFound) {
  std::string good = readFile(dir / "c");
  EXPECT_EQ(errorOfLoad(good), "");
  std::mt19937 random(5);
  for (int i = 0; i < 400; ++i) {
    std::string bytes = good;
    bytes[random() % bytes.size()] ^= char(1 << random() % 8);
    EXPECT_NE(errorOfLoad(bytes), "") << i;
  }
  for (size_t size : {size_t(0), size_t(7), size_t(100), good.size() - 1}) EXPECT_NE(errorOfLoad(good.substr(0, size)), "");
  EXPECT_NE(errorOfLoad(good + "x"), "");
}

TEST_F(CheckpointTest, AllDifferencesOfTheTensorsAreListed) {
  // The same hash with other variables: as after editing a file by hand.
  HeddleDim dims[] = {{"V", 3}, {"W", 3}};
  HeddleVariable variables[2] = {program.variables[0], program.variables[1]};
  variables[0].dims = dims;
  variables[1].name = "g.{}.scale";
  HeddleProgram other = program;
  other.variable_count = 2, other.variables = variables;
  Session s(other, 1);
  std::string error = errorOf([&] { loadCheckpoint(dir / "c", s, LoadPart::kEverything); });
  EXPECT_THAT(error, HasSubstr("nothing was loaded"));
  EXPECT_THAT(error, HasSubstr("misshaped: wte is F32 [7,7], the program's is F32 [3,3]"));
  for (const char* name : {"missing: g.0.scale [5]", "missing: g.2.scale", "extra: h.1.scale", "extra: momentum.wte"})
    EXPECT_THAT(error, HasSubstr(name));
}

TEST_F(CheckpointTest, NotFiniteWeightsAreNeitherSavedNorLoaded) {
  auto* wte = static_cast<float*>(session.memory(*session.findVariable("wte")));
  std::string old = readFile(dir / "c");
  wte[3] = NAN;
  EXPECT_THAT(errorOf([&] { saveCheckpoint(dir / "c", session, {4, 9, "", "", "", ""}); }),
              HasSubstr("4: error: wte is not finite at element 3 after step 4; not saved"));
  EXPECT_EQ(readFile(dir / "c"), old);
}

TEST_F(CheckpointTest, APlainSafetensorsFileIsNotACheckpoint) {
  SafetensorsWriter writer;
  writer.write(dir / "plain");
  EXPECT_THAT(errorOfLoad(readFile(dir / "plain")), HasSubstr("is not a checkpoint of Heddle"));
}

TEST_F(CheckpointTest, EvaluationLeavesTheOptimizerOut) {
  static_cast<float*>(session.memory(*session.findVariable("momentum.wte")))[0] = 5;
  saveCheckpoint(dir / "c", session, {3, 9, "", "", "", ""});
  Session other(program, 1);
  loadCheckpoint(dir / "c", other, LoadPart::kWithoutOptimizer);
  EXPECT_EQ(static_cast<float*>(other.memory(*other.findVariable("momentum.wte")))[0], 0);
  EXPECT_NE(static_cast<float*>(other.memory(*other.findVariable("wte")))[0], 0);
}

class CommandTest : public TrainingTest {
protected:
  struct Result {
    int code;
    std::string out, err;
  };
  Result native(std::vector<std::string> args) {
    HeddleProgram program = tiny::make(config.dump());
    args.insert(args.begin(), "./tiny");
    std::vector<char*> argv;
    for (auto& a : args) argv.push_back(a.data());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    int code = nativeMain(program, int(argv.size()), argv.data());
    std::string out = testing::internal::GetCapturedStdout();
    return {code, out, testing::internal::GetCapturedStderr()};
  }
};

TEST_F(CommandTest, TrainsEvaluatesAndSamples) {
  Result trained = native({"train", "--out", dir / "run", "-j2", "--steps=30"});
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_EQ(trained.out, "");
  EXPECT_THAT(trained.err, HasSubstr("step 30/30"));
  EXPECT_EQ(trained.err.find('\r'), std::string::npos);
  EXPECT_EQ(trained.err.find('\x1b'), std::string::npos);

  Result eval = native({"eval", "--ckpt", dir / "run", "--json", "--batches", "3"});
  EXPECT_EQ(eval.code, 0) << eval.err;
  json losses = json::parse(eval.out);
  EXPECT_EQ(losses["step"], 30);
  EXPECT_NEAR(losses["loss"]["lm"].get<double>(), metrics("run")[29]["eval"]["lm"].get<double>(), 1e-12);

  std::vector<std::string> sample = {"sample", "--ckpt", dir / "run/step-30.safetensors", "--prompt", "abc", "--tokens", "50"};
  Result first = native(sample), again = native(sample);
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(first.out.size(), 3 + 50 + 1u);
  EXPECT_EQ(first.out.substr(0, 3), "abc");
  EXPECT_EQ(first.out, again.out);
  sample.insert(sample.end(), {"--seed", "2"});
  EXPECT_NE(native(sample).out, first.out);
  sample.insert(sample.end(), {"--temperature", "0"});
  std::string greedy = native(sample).out;
  sample.insert(sample.end(), {"--top-k", "1", "--json"});
  sample[sample.size() - 4] = "0.7";
  EXPECT_EQ(json::parse(native(sample).out)["text"].get<std::string>() + "\n", greedy);
}

TEST_F(CommandTest, SamplesWhileTrainingAreThoseOfTheCommand) {
  config["every"] = {{{"n", 20}, {"do", "sample"}, {"tokens", 50}, {"prompt", "abc"}, {"temperature", 0.9}, {"top_k", 5}}};
  Result trained = native({"train", "--out", dir / "run"});
  Result sample = native({"sample", "--ckpt", dir / "run", "--tokens", "50", "--prompt", "abc", "--temperature", "0.9", "--top-k", "5"});
  EXPECT_EQ(metrics("run")[39]["samples"][0].get<std::string>() + "\n", sample.out);
  EXPECT_THAT(trained.err, HasSubstr("step 40  sample " + sample.out));
}

TEST_F(CommandTest, PredictionsNeedAClassifier) {
  native({"train", "--out", dir / "run", "--steps", "2"});
  Result r = native({"predict", "--ckpt", dir / "run", "--text", "abc"});
  EXPECT_EQ(r.code, kData);
  EXPECT_THAT(r.err, HasSubstr("'tiny' has no entry `predict`"));
  EXPECT_EQ(native({"predict", "--top", "0"}).code, kUsage);
  EXPECT_EQ(native({"predict", "--text", "a", "--input", "b"}).code, kUsage);
  EXPECT_THAT(native({"predict", "--data", "b"}).err, HasSubstr("unknown option '--data'"));
}

TEST_F(CommandTest, UsageErrorsAreTwoAndSuggest) {
  auto expect = [&](std::vector<std::string> args, const char* message) {
    Result r = native(args);
    EXPECT_EQ(r.code, kUsage);
    EXPECT_THAT(r.err, HasSubstr(message));
    EXPECT_EQ(r.out, "");
  };
  expect({}, "usage: ./tiny COMMAND");
  expect({"trian"}, "unknown command 'trian'\n  help: did you mean train?");
  expect({"train", "--step", "4"}, "unknown option '--step'\n  help: did you mean --steps?");
  expect({"train", "--steps", "x"}, "--steps wants a whole number from 1 to 2147483647, not 'x'");
  expect({"train", "--steps"}, "--steps wants a value");
  expect({"train", "--resume=1"}, "--resume takes no value");
  expect({"train", "-j", "0"}, "-j wants a whole number from 1");
  expect({"train", "-j2", "--threads", "3"}, "--threads is given twice");
  expect({"train", "extra"}, "unexpected word 'extra'");
  expect({"sample", "--temperature", "nan"}, "--temperature wants a number from 0");
  expect({"sample", "--seed", "-1"}, "--seed wants a whole number from 0 to 2^64 - 1");
  setenv("HEDDLE_THREADS", "many", 1);
  expect({"train", "--out", dir / "x"}, "HEDDLE_THREADS wants a whole number");
  unsetenv("HEDDLE_THREADS");
  EXPECT_EQ(native({"--help"}).code, 0);
  EXPECT_THAT(native({"train", "-h"}).out, HasSubstr("-j, --threads N"));
}

TEST_F(CommandTest, DryRunTellsTheExactPeakAndWritesNothing) {
  Result r = native({"train", "--dry-run", "--json", "-j", "2", "--out", dir / "x"});
  EXPECT_EQ(r.code, 0) << r.err;
  json plan = json::parse(r.out);
  EXPECT_EQ(plan["parameter_count"], 49 + 15);
  EXPECT_EQ(plan["flops_per_step"], 1000);
  ASSERT_EQ(plan["parameters"].size(), 4u);
  EXPECT_EQ(plan["parameters"][2]["name"], "h.1.scale");
  EXPECT_EQ(plan["parameters"][2]["shape"], json({5}));
  EXPECT_EQ(plan["peak_bytes"], plan["variables_bytes"].get<int>() + plan["workspace_bytes"].get<int>() + plan["scratch_bytes"].get<int>() +
                                      plan["data_bytes"].get<int>());
  EXPECT_FALSE(fs::exists(dir / "x"));
  EXPECT_THAT(native({"train", "--dry-run"}).out, HasSubstr("h.(0..2).scale  f32[D=5] x 3"));
}

TEST_F(CommandTest, ProfileListsKernels) {
  Result r = native({"train", "--out", dir / "p", "--profile", "--steps", "5"});
  EXPECT_THAT(r.err, HasSubstr("ms a step over 5 steps"));
  EXPECT_THAT(r.err, HasSubstr("3.0 calls  stretch  tiny:5"));
}

TEST_F(CommandTest, SampleErrorsAreClear) {
  EXPECT_THAT(native({"sample", "--ckpt", dir / "no"}).err, HasSubstr("No such file"));
  native({"train", "--out", dir / "run", "--steps", "2"});
  EXPECT_EQ(native({"sample", "--ckpt", dir / "run", "--tokens", "9"}).out.size(), 9 + 1u);
  EXPECT_THAT(native({"sample", "--ckpt", dir / "run", "--prompt", ""}).err, HasSubstr("--prompt is empty"));
  Result r = native({"sample", "--ckpt", dir / "run", "--prompt", "aZ"});
  EXPECT_EQ(r.code, kData);
  EXPECT_THAT(r.err, HasSubstr("--prompt: byte 1: the character 'Z' (U+005A) is not in the vocabulary"));
}

TEST(DrawToken, FollowsTheDistribution) {
  float logits[] = {0, 2, 1, 2};
  EXPECT_EQ(drawToken(logits, 4, 0, 0, 0.9), 1);
  EXPECT_EQ(drawToken(logits, 4, 1, 1, 0.999), 1);
  EXPECT_EQ(drawToken(logits, 4, 1, 2, 0.999), 3);
  int counts[4] = {};
  for (int i = 0; i < 10000; ++i) counts[drawToken(logits, 4, 0.5, 0, (i + 0.5) / 10000)]++;
  double total = std::exp(-4.) + 1 + std::exp(-2.) + 1;
  EXPECT_NEAR(counts[0], 10000 * std::exp(-4.) / total, 1.5);
  EXPECT_NEAR(counts[2], 10000 * std::exp(-2.) / total, 1.5);
  float masked[] = {-INFINITY, 1, -INFINITY};
  EXPECT_EQ(drawToken(masked, 3, 100, 0, 0.0001), 1);
  EXPECT_EQ(drawToken(masked, 3, 100, 0, 0.9999), 1);
  float bad[] = {0, NAN}, none[] = {-INFINITY};
  EXPECT_THAT(errorOf([&] { drawToken(bad, 2, 1, 0, 0.5); }), HasSubstr("4: error: the logit of token 1 is nan"));
  EXPECT_THAT(errorOf([&] { drawToken(none, 1, 1, 0, 0.5); }), HasSubstr("all logits are -inf"));
}

}  // namespace
}  // namespace heddle
