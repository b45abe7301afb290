// See Sample.h. The positions behind the last token hold token 0: a model that generates is causal, so that they do
// not reach the logits that are read.
#include "runtime/Sample.h"

#include "runtime/Philox.h"
#include "runtime/RunError.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace heddle {
std::vector<int32_t> firstTokens(const Tokenizer& tokenizer, const SampleOptions& options, const std::string& where) {
  if (options.prompt && options.prompt->empty())
    throw RunError(kUsage, fmt::format("{} is empty", where), "the model continues at least one character");
  if (options.prompt) {
    std::vector<int32_t> ids = tokenizer.encode(*options.prompt, where);
    if (ids.empty())
      throw RunError(kUsage, fmt::format("{}: the {} tokenizer makes no token of it", where, tokenizer.kind()));
    return ids;
  }
  for (int32_t token = 0; token < tokenizer.size(); ++token)
    if (tokenizer.decode(token) == "\n") return {token};
  return {0};
}

int32_t drawToken(const float* logits, int64_t count, double temperature, int64_t topK, double uniform) {
  std::vector<int32_t> ids(static_cast<size_t>(count));
  std::iota(ids.begin(), ids.end(), 0);
  auto likelier = [&](int32_t a, int32_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; };
  for (int64_t i = 0; i < count; ++i)
    if (std::isnan(logits[i]) || logits[i] == INFINITY)
      throw RunError(kStopped, fmt::format("the logit of token {} is {}", i, logits[i]));
  int32_t best = *std::min_element(ids.begin(), ids.end(), likelier);
  if (logits[best] == -INFINITY) throw RunError(kStopped, "all logits are -inf");
  if (temperature == 0) return best;
  if (topK > 0 && topK < count) {
    std::nth_element(ids.begin(), ids.begin() + topK, ids.end(), likelier);
    ids.resize(size_t(topK));
    std::sort(ids.begin(), ids.end());
  }
  std::vector<double> sums;
  double sum = 0;
  for (int32_t id : ids) sums.push_back(sum += std::exp((double(logits[id]) - logits[best]) / temperature));
  size_t chosen = size_t(std::upper_bound(sums.begin(), sums.end(), uniform * sum) - sums.begin());
  return ids[std::min(chosen, ids.size() - 1)];
}

void sampleText(Session& session, const Tokenizer& tokenizer, const SampleOptions& options,
                const std::function<void(std::string_view)>& emit) {
  const HeddleEntry& entry = session.entry("sample");
  const HeddleBuffer *input = session.findInput(entry, "data.ids"), *output = session.findOutput(entry, "logits");
  if (!input || !output || input->type != HEDDLE_I32 || output->type != HEDDLE_F32 || input->rank < 1 ||
      output->rank < 2 || input->dims[input->rank - 1].size != output->dims[output->rank - 2].size)
    throw RunError(kInternal, "entry `sample` wants data.ids i32[1, T] and logits f32[1, T, V]");
  int64_t T = input->dims[input->rank - 1].size, V = output->dims[output->rank - 1].size;
  if (tokenizer.size() > V)
    throw RunError(kData, fmt::format("the vocabulary has {} tokens, the model gives logits for {}", tokenizer.size(), V));

  std::vector<int32_t> ids = firstTokens(tokenizer, options, "--prompt");
  Tokenizer::Decoder decoder(tokenizer);
  if (options.prompt) {
    emit(*options.prompt);
    for (int32_t id : ids) decoder.next(id);  // so that the first word stands apart from the prompt, or goes on with it
  }
  auto* in = static_cast<int32_t*>(session.memory(*input));
  for (int64_t n = 0; n < options.tokens; ++n) {
    int64_t used = std::min<int64_t>(T, int64_t(ids.size()));
    std::copy(ids.end() - used, ids.end(), in);
    std::fill(in + used, in + T, 0);
    session.setCounters(entry, 0, options.seed);
    session.run(entry);
    auto* logits = static_cast<const float*>(session.memory(*output)) + (used - 1) * V;
    PhiloxWords w = philox({uint32_t(n), uint32_t(n >> 32), 0, kSampleStream}, options.seed);
    ids.push_back(drawToken(logits, tokenizer.size(), options.temperature, options.topK, uniform01(w[0], w[1])));
    emit(decoder.next(ids.back()));
  }
}

}  // namespace heddle
