// What `bench` counts and measures, without a compiler.
#include "runtime/Bench.h"
#include "runtime/RunError.h"
#include "runtime/Session.h"
#include "runtime/TargetClass.h"

#include "TempDir.h"
#include "TinyProgram.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>

namespace heddle {
namespace {

using tiny::D, tiny::L, tiny::V;

TEST(CountWork, CountsThroughLoops) {
  HeddleProgram program = tiny::make("{}");
  std::vector<KernelWork> kernels = countWork(program.targets[0], program.targets[0].entries[0]);
  std::vector<std::string> names;
  for (auto& k : kernels) names.push_back(k.kernel);
  EXPECT_EQ(names, (std::vector<std::string>{"clear", "softmax_rows", "mean_loss", "stretch", "note", "update_rows"}));
  EXPECT_EQ(kernels[1].calls, 1);
  EXPECT_EQ(kernels[1].flops, 1000);
  EXPECT_EQ(kernels[1].bytes, 400);
  EXPECT_EQ(kernels[3].calls, L);
  EXPECT_EQ(kernels[3].where, "tiny:5");
}

TEST(CountWork, ALimitIsTheLongerOfArithmeticAndMemory) {
  KernelWork work{"k", "", 3, 1000, 400};
  EXPECT_DOUBLE_EQ(work.limit({1000, 800}), 3);
  EXPECT_DOUBLE_EQ(work.limit({1000, 200}), 6);
}

TEST(OptimizerBytes, AreOfWhatIsTrained) {
  HeddleProgram program = tiny::make("{}");
  EXPECT_EQ(optimizerBytes(program), 12 * (V * V + L * D) + 8 * V * V);
  std::vector<HeddleVariable> variables(program.variables, program.variables + program.variable_count);
  variables[1].frozen = 1;
  program.variables = variables.data();
  EXPECT_EQ(optimizerBytes(program), 12 * V * V + 8 * V * V);
}

TEST(Roofs, OfEveryClassThatRuns) {
  ThreadPool pool(2);
  for (const std::string& targetClass : runnableTargetClasses()) {
    Roofs roofs = RoofMeter(pool, targetClass).measure();
    EXPECT_TRUE(std::isfinite(roofs.flops) && roofs.flops > 0) << targetClass;
    EXPECT_TRUE(std::isfinite(roofs.bytes) && roofs.bytes > 0) << targetClass;
  }
}

TEST(Bench, RunsStepsAndWritesNothing) {
  TempDir dir;
  std::string corpus = dir.path + "/corpus.txt";
  std::ofstream(corpus) << std::string(200, 'a') + "bcdefg" + std::string(200, 'b');
  RunOptions options;
  options.command = Command::kBench, options.json = true, options.steps = 4, options.data = corpus, options.threads = 2;
  auto before = std::distance(std::filesystem::directory_iterator(dir.path), {});
  auto found = nlohmann::json::parse(bench(tiny::make(tiny::kSaveEveryStep), options));
  EXPECT_EQ(found["steps"], 4);
  EXPECT_EQ(found["threads"], 2);
  EXPECT_EQ(found["flops"], 1000);
  EXPECT_EQ(found["kernels"].size(), 6u);
  EXPECT_GT(found["step_ms"], 0);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path), {}), before);
}

TEST(Bench, ADryRunNeedsNoData) {
  RunOptions options;
  options.command = Command::kBench, options.dryRun = options.json = true, options.data = "/there/is/none";
  auto found = nlohmann::json::parse(bench(tiny::make(tiny::kSaveEveryStep), options));
  EXPECT_EQ(found["entries"]["train"]["flops"], 1000);
  EXPECT_EQ(found["entries"]["train"]["kernels"].size(), 6u);
  options.dryRun = false;
  EXPECT_THROW(bench(tiny::make(tiny::kSaveEveryStep), options), RunError);
}

}  // namespace
}  // namespace heddle
