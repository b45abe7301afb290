// Text from a trained model, one token after another.
#ifndef HEDDLE_RUNTIME_SAMPLE_H
#define HEDDLE_RUNTIME_SAMPLE_H
#include "runtime/SampleOptions.h"
#include "runtime/Session.h"
#include "runtime/Tokenizer.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

/// Draws a token from `logits` [count]: softmax(logits / temperature) in double over the `topK` likeliest (the lower
/// id wins a tie), inverted at `uniform` in (0, 1). Throws RunError(kStopped) if a logit is NaN or +inf, or all -inf.
int32_t drawToken(const float* logits, int64_t count, double temperature, int64_t topK, double uniform);

/// The tokens of the prompt, or those that stand in for one. `where` names it in errors: "--prompt". Throws RunError: kUsage
/// for a prompt that is empty or that makes no token, kData for one that the vocabulary lacks.
std::vector<int32_t> firstTokens(const Tokenizer& tokenizer, const SampleOptions& options, const std::string& where);

/// Gives `emit` the prompt (if one was given) and then each token's bytes as it is drawn. The entry `sample` takes
/// data.ids i32[1, T] and gives logits f32[1, T, V]; past T tokens the last T are encoded anew. The random number of
/// token n is a function of (seed, n). It reads variables and writes the workspace alone. Throws RunError.
void sampleText(Session& session, const Tokenizer& tokenizer, const SampleOptions& options,
                const std::function<void(std::string_view)>& emit);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_SAMPLE_H
