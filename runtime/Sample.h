// Text from a trained model, one token after another.
#ifndef HEDDLE_RUNTIME_SAMPLE_H
#define HEDDLE_RUNTIME_SAMPLE_H
#include "runtime/Session.h"
#include "runtime/Tokenizer.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace heddle {

struct SampleOptions {
  std::optional<std::string> prompt;  // a new line by default, or token 0 where the vocabulary has none
  int64_t tokens = 300;    // to add to the prompt
  double temperature = 1;  // 0: always the likeliest token
  int64_t topK = 0;        // draw among the K likeliest only; 0: all
  uint64_t seed = 0;
  bool recompute = false;  // all positions for every token
};

/// Draws a token from `logits` [count]: softmax(logits / temperature) in double over the `topK` likeliest (the lower
/// id wins a tie), inverted at `uniform` in (0, 1). Throws RunError(kStopped) if a logit is NaN or +inf, or all -inf.
int32_t drawToken(const float* logits, int64_t count, double temperature, int64_t topK, double uniform);

/// Gives `emit` the prompt (if one was given) and then each token's bytes as it is drawn. The entry `sample` takes
/// data.ids i32[1, T] and gives logits f32[1, T, V]; past T tokens the last T are encoded anew. The random number of
/// token n is a function of (seed, n). Throws RunError.
void sampleText(Session& session, const Tokenizer& tokenizer, const SampleOptions& options,
                const std::function<void(std::string_view)>& emit);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_SAMPLE_H
