// How training ends when a value is not finite: what is named, and what is kept.
#include "TempDir.h"
#include "TinyProgram.h"

#include "runtime/FindNotFinite.h"
#include "runtime/TrainLoop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace heddle {
namespace {

using testing::HasSubstr;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

// Three layers that copy 4 floats to a stack, then one kernel that copies them all.
void copyLayer(void* const* args, const int64_t*, int64_t, int64_t, void*) {
  for (int i = 0; i < 4; ++i) ((float*)args[1])[i] = ((const float*)args[0])[i];
}
void copyStack(void* const* args, const int64_t*, int64_t, int64_t, void*) {
  for (int i = 0; i < 12; ++i) ((float*)args[1])[i] = ((const float*)args[0])[i];
}

class FindNotFinite : public testing::Test {
protected:
  float* input() { return (float*)session.memory(inputs[0]); }
  std::string found() { return findNotFinite(session, session.entry("run")); }

  const HeddleDim flat[2] = {{"L", 3}, {"D", 4}}, scalar[1] = {{"N", 4}};
  const HeddleVariable variables[1] = {{"w", HEDDLE_PARAMETER, HEDDLE_F32, 1, 0, scalar, 0, HEDDLE_CONSTANT, 0, 0, 0, 0}};
  // The input is i32 for the runtime, so that only kernels are looked at.
  const HeddleBuffer inputs[1] = {{"x", HEDDLE_I32, 2, 0, flat, 0}}, outputs[1] = {{"y", HEDDLE_F32, 2, 0, flat, 128}};
  const HeddleArg layer[2] = {{HEDDLE_WORKSPACE, 0, {16}, 0}, {HEDDLE_WORKSPACE, 64, {16}, 4}};
  const HeddleArg all[2] = {{HEDDLE_WORKSPACE, 64, {}, 0}, {HEDDLE_WORKSPACE, 128, {}, 12}};
  const HeddleStep steps[4] = {{HEDDLE_REVERSE_LOOP, 0, 3, 0, nullptr, "m.heddle:7", "h"},
                               {HEDDLE_CALL, 0, 1, 2, layer, "m.heddle:8", nullptr},
                               {HEDDLE_END, 0, 0, 0, nullptr, "", nullptr},
                               {HEDDLE_CALL, 1, 1, 2, all, "m.heddle:9", nullptr}};
  const HeddleKernel kernels[2] = {copyLayer, copyStack};
  const char* const names[2] = {"copy_layer", "copy_stack"};
  const HeddleEntry entry = {"run", 1, inputs, 1, outputs, 4, steps, 192, 0, 0};
  const HeddleTarget target = {"baseline", 2, kernels, names, 1, &entry, nullptr};
  const HeddleProgram program = {HEDDLE_ABI_VERSION, "copy", "0123456789abcdef", "{}", 1, variables, 64, 1, &target};
  Session session{program, 1};
};

TEST_F(FindNotFinite, NamesPlaceLayerAndElement) {
  EXPECT_EQ(found(), "");
  input()[4 + 3] = kNaN;  // of layer 1
  input()[2] = kInf;      // of layer 0, which runs last
  EXPECT_EQ(found(), "the first result that is not finite comes from m.heddle:8 in h.1 (kernel copy_layer): element 3 is nan");
  input()[4 + 3] = 0;
  EXPECT_EQ(found(), "the first result that is not finite comes from m.heddle:8 in h.0 (kernel copy_layer): element 2 is inf");
}

TEST_F(FindNotFinite, MasksAreNamedBesides) {
  input()[8 + 1] = -kInf;
  EXPECT_EQ(found(), "the first -inf comes from m.heddle:8 in h.2 (kernel copy_layer): element 1");
  input()[0] = kNaN;
  EXPECT_EQ(found(), "the first result that is not finite comes from m.heddle:8 in h.0 (kernel copy_layer): element 0 is nan; "
                     "before it, as a mask would, -inf comes from m.heddle:8 in h.2 (kernel copy_layer): element 1");
}

TEST_F(FindNotFinite, NamesAVariableThatWasSoBefore) {
  ((float*)session.memory(variables[0]))[3] = -kInf;
  EXPECT_EQ(found(), "w held -inf at element 3 before the step: the update of the step before made it so");
}

class StoppedTraining : public testing::Test {
protected:
  void SetUp() override { writeFile(dir / "corpus.txt", "abcdefg abcdefg gfedcba bacdgef fedcbag abcdefg gfedcba"); }
  void TearDown() override { tiny::nanFrom = 0; }
  std::string train(const std::string& every, int64_t steps, bool resume = false) {
    HeddleProgram program = tiny::make(R"({"program": "t", "base": ")" + dir.path + R"(", "data": {"kind": "text", "path": "corpus.txt",
        "tokenizer": "char", "split": 0.5}, "steps": 50, "seed": 7, "minimise": "lm", "every": [)" + every + "]}");
    RunOptions options;
    options.out = dir / "out", options.threads = 2, options.steps = steps, options.resume = resume;
    return errorOf([&] { heddle::train(program, options); });
  }

  TempDir dir;
};

TEST_F(StoppedTraining, NamesTheStepTheOpAndTheLastCheckpoint) {
  tiny::nanFrom = 8;
  std::string error = train(R"({"n": 3, "do": "save"})", 20);
  EXPECT_THAT(error, HasSubstr("4: error: training stopped: loss lm is nan at step 8\n"));
  EXPECT_THAT(error, HasSubstr("the first result that is not finite comes from tiny:3 (kernel mean_loss): element 0 is nan"));
  EXPECT_THAT(error, HasSubstr("the last checkpoint is " + (dir / "out/step-6.safetensors")));
  // Which is good: the run goes on from it, once its cause is gone.
  tiny::nanFrom = 0;
  EXPECT_EQ(train(R"({"n": 3, "do": "save"})", 20, true), "");
}

TEST_F(StoppedTraining, FromTheStartWhereNothingWasSaved) {
  tiny::nanFrom = 1;
  std::string error = train("", 20);
  EXPECT_THAT(error, HasSubstr("loss lm is nan at step 1\n  the first result"));
  EXPECT_THAT(error, HasSubstr("no checkpoint was written yet"));
}

TEST_F(StoppedTraining, InAnEvaluation) {
  tiny::nanFrom = -1;  // in evaluations alone, which are step 0
  std::string error = train(R"({"n": 2, "do": "eval", "loss": "lm", "batches": 2})", 20);
  EXPECT_THAT(error, HasSubstr("validation loss lm is nan at step 2\n  the first result that is not finite comes from tiny:3"));
}

}  // namespace
}  // namespace heddle
