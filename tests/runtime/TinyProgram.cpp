// See TinyProgram.h. Kernels follow the rules of generated ones: outputs of tiles are disjoint, sums have one order.
#include "TinyProgram.h"

#include "runtime/Philox.h"

#include <cmath>
#include <csignal>
#include <limits>

namespace heddle::tiny {

int nanFrom = 0, signalAt = 0, signalNumber = 0;

namespace {

// Offsets in the variables' arena and in the workspace; all multiples of 64.
constexpr int64_t kWte = 0, kMomentum = 256, kScale = 512, kVariables = 1024;
constexpr int64_t kIds = 0, kNext = 128, kStep = 256, kSeed = 320, kLoss = 384, kLr = 448, kNorm = 512, kLosses = 576,
                  kGrads = 704, kLogits = kGrads + 768, kOrder = kLogits + 192, kWorkspace = kOrder + 64;
static_assert(B * T * V * 4 <= 768 && T * V * 4 <= 192 && V * V * 4 <= 256);

// Losses of the rows and their gradient; a tile is a row b. args: wte, ids, next, losses, grads.
void softmaxRows(void* const* args, const int64_t*, int64_t begin, int64_t end, void* scratch) {
  auto* wte = (const float*)args[0];
  auto *ids = (const int32_t*)args[1], *next = (const int32_t*)args[2];
  auto *losses = (float*)args[3], *grads = (float*)args[4], *p = (float*)scratch;
  for (int64_t i = begin * T; i < end * T; ++i) {
    const float* row = wte + ids[i] * V;
    float most = row[0], sum = 0;
    for (int v = 1; v < V; ++v) most = row[v] > most ? row[v] : most;
    for (int v = 0; v < V; ++v) sum += p[v] = std::exp(row[v] - most);
    for (int v = 0; v < V; ++v) grads[i * V + v] = p[v] / sum - (v == next[i] ? 1.f : 0.f);
    losses[i] = std::log(sum) + most - row[next[i]];
  }
}

// args: losses, loss, lr, norm, step.
void meanLoss(void* const* args, const int64_t*, int64_t, int64_t, void*) {
  auto* losses = (const float*)args[0];
  float sum = 0;
  for (int i = 0; i < B * T; ++i) sum += losses[i];
  *(float*)args[1] = sum / (B * T);
  int32_t step = *(const int32_t*)args[4];
  if ((nanFrom > 0 && step >= nanFrom) || (nanFrom < 0 && step == 0)) *(float*)args[1] = -std::numeric_limits<float>::quiet_NaN();
  if (signalAt && step == signalAt) raise(signalNumber);
  *(float*)args[2] = 0.5f / (1 + 0.01f * step);
  *(float*)args[3] = sum;
}

// Gradient of row v of the table and its update; a tile is a row. args: wte, momentum, ids, grads, lr, step, seed.
void updateRows(void* const* args, const int64_t*, int64_t begin, int64_t end, void*) {
  auto *wte = (float*)args[0], *momentum = (float*)args[1];
  auto* ids = (const int32_t*)args[2];
  auto* grads = (const float*)args[3];
  float lr = *(const float*)args[4];
  auto* seed = (const uint32_t*)args[6];
  for (int64_t v = begin; v < end; ++v) {
    auto noise = philox({uint32_t(v), *(const uint32_t*)args[5], 7, 7}, seed[0] | uint64_t(seed[1]) << 32);
    float factor = 0.5f + float(noise[0]) * 0x1p-32f;
    for (int w = 0; w < V; ++w) {
      float g = 0;
      for (int i = 0; i < B * T; ++i)
        if (ids[i] == v) g += grads[i * V + w];
      float& m = momentum[v * V + w];
      m = 0.9f * m + g * factor / (B * T);
      wte[v * V + w] -= lr * m;
    }
  }
}

// Layer l: scale[l] += (l + 1) * loss / 1000. args: scale (of this layer), loss.
void stretch(void* const* args, const int64_t* loops, int64_t begin, int64_t end, void*) {
  for (int64_t d = begin; d < end; ++d) ((float*)args[0])[d] += float(loops[0] + 1) * *(const float*)args[1] * 1e-3f;
}

// Writes down the order in which a reverse loop passes. args: order.
void note(void* const* args, const int64_t* loops, int64_t, int64_t, void*) {
  auto* order = (int32_t*)args[0];
  order[0] += 1;
  order[order[0]] = int32_t(loops[0]);
}
void clear(void* const* args, const int64_t*, int64_t, int64_t, void*) { *(int32_t*)args[0] = 0; }

// args: wte, ids, logits.
void logits(void* const* args, const int64_t*, int64_t begin, int64_t end, void*) {
  for (int64_t t = begin; t < end; ++t)
    for (int v = 0; v < V; ++v)
      ((float*)args[2])[t * V + v] = ((const float*)args[0])[((const int32_t*)args[1])[t] * V + v];
}

const HeddleDim kBT[] = {{"B", B}, {"T", T}}, kOneT[] = {{"B", 1}, {"T", T}}, kVV[] = {{"V", V}, {"W", V}},
                kLD[] = {{"L", L}, {"D", D}}, kTwo[] = {{"W", 2}}, kTV[] = {{"B", 1}, {"T", T}, {"V", V}},
                kFour[] = {{"N", 1 + L}};

HeddleArg at(int32_t space, int64_t offset, int64_t stride = 0) { return {space, offset, {stride}, 0}; }
HeddleArg written(int32_t space, int64_t offset, int64_t floats) { return {space, offset, {}, floats}; }

}  // namespace

HeddleProgram make(const std::string& config, const std::string& hash, const std::string& targetClass) {
  static std::string configText, hashText, targetText;
  configText = config, hashText = hash, targetText = targetClass;
  static const HeddleVariable variables[] = {
      {"wte", HEDDLE_PARAMETER, HEDDLE_F32, 2, 0, kVV, kWte, HEDDLE_NORMAL, 0, 0.02, 1, 0},
      {"h.{}.scale", HEDDLE_PARAMETER, HEDDLE_F32, 2, 1, kLD, kScale, HEDDLE_UNIFORM, -1, 1, 2, 0},
      {"momentum.wte", HEDDLE_OPTIMIZER, HEDDLE_F32, 2, 0, kVV, kMomentum, HEDDLE_CONSTANT, 0, 0, 0, 0}};
  static const HeddleKernel kernels[] = {softmaxRows, meanLoss, updateRows, stretch, note, clear, logits};
  static const HeddleWork work[] = {{1000, 400}, {}, {}, {}, {}, {}, {}};
  static const char* const names[] = {"softmax_rows", "mean_loss", "update_rows", "stretch", "note", "clear", "logits"};

  constexpr int32_t kVar = HEDDLE_VARIABLES, kWork = HEDDLE_WORKSPACE;
  static const HeddleArg softmaxArgs[] = {at(kVar, kWte), at(kWork, kIds), at(kWork, kNext), at(kWork, kLosses),
                                          at(kWork, kGrads)};
  static const HeddleArg meanArgs[] = {at(kWork, kLosses), written(kWork, kLoss, 1), written(kWork, kLr, 1), written(kWork, kNorm, 1),
                                       at(kWork, kStep)};
  static const HeddleArg updateArgs[] = {at(kVar, kWte), at(kVar, kMomentum), at(kWork, kIds), at(kWork, kGrads),
                                         at(kWork, kLr), at(kWork, kStep), at(kWork, kSeed)};
  static const HeddleArg stretchArgs[] = {at(kVar, kScale, D * 4), at(kWork, kLoss)};
  static const HeddleArg orderArgs[] = {at(kWork, kOrder)};
  static const HeddleArg logitsArgs[] = {at(kVar, kWte), at(kWork, kIds), at(kWork, kLogits)};
  static const HeddleStep trainSteps[] = {{HEDDLE_CALL, 5, 1, 1, orderArgs, "tiny:1", nullptr},
                                          {HEDDLE_CALL, 0, B, 5, softmaxArgs, "tiny:2", nullptr},
                                          {HEDDLE_CALL, 1, 1, 5, meanArgs, "tiny:3", nullptr},
                                          {HEDDLE_LOOP, 0, L, 0, nullptr, "tiny:4", "h"},
                                          {HEDDLE_CALL, 3, D, 2, stretchArgs, "tiny:5", nullptr},
                                          {HEDDLE_END, 0, 0, 0, nullptr, "tiny:6", nullptr},
                                          {HEDDLE_REVERSE_LOOP, 0, L, 0, nullptr, "tiny:7", "h"},
                                          {HEDDLE_CALL, 4, 1, 1, orderArgs, "tiny:8", nullptr},
                                          {HEDDLE_END, 0, 0, 0, nullptr, "tiny:9", nullptr},
                                          {HEDDLE_CALL, 2, V, 7, updateArgs, "tiny:10", nullptr}};
  static const HeddleStep sampleSteps[] = {{HEDDLE_CALL, 6, T, 3, logitsArgs, "tiny:11", nullptr}};
  static const HeddleBuffer inputs[] = {{"data.ids", HEDDLE_I32, 2, 0, kBT, kIds},
                                        {"data.next", HEDDLE_I32, 2, 0, kBT, kNext},
                                        {"$step", HEDDLE_I32, 0, 0, nullptr, kStep},
                                        {"$seed", HEDDLE_I32, 1, 0, kTwo, kSeed}};
  static const HeddleBuffer outputs[] = {{"loss.lm", HEDDLE_F32, 0, 0, nullptr, kLoss},
                                         {"lr", HEDDLE_F32, 0, 0, nullptr, kLr},
                                         {"grad_norm", HEDDLE_F32, 0, 0, nullptr, kNorm},
                                         {"order", HEDDLE_I32, 1, 0, kFour, kOrder}};
  static const HeddleBuffer sampleInputs[] = {{"data.ids", HEDDLE_I32, 2, 0, kOneT, kIds}};
  static const HeddleBuffer sampleOutputs[] = {{"logits", HEDDLE_F32, 3, 0, kTV, kLogits}};
  static const HeddleEntry entries[] = {
      {"train", 4, inputs, 4, outputs, 10, trainSteps, kWorkspace, V * 4, 1000},
      // Evaluation is the forward part: the same first three steps.
      {"eval", 4, inputs, 1, outputs, 3, trainSteps, kWorkspace, V * 4, 500},
      {"sample", 1, sampleInputs, 1, sampleOutputs, 1, sampleSteps, kWorkspace, 0, 0}};
  static HeddleTarget target;
  target = {targetText.c_str(), 7, kernels, names, 3, entries, work};
  return {HEDDLE_ABI_VERSION, "tiny", hashText.c_str(), configText.c_str(), 3, variables, kVariables, 1, &target};
}

}  // namespace heddle::tiny
