// See Sample.h.
#include "runtime/Sample.h"

#include "runtime/Philox.h"
#include "runtime/RunError.h"
#include "runtime/TokenModel.h"

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
  TokenModel model(session, options.recompute);
  if (model.rows != 1) throw RunError(kInternal, "entry `sample` wants one row of tokens");
  if (tokenizer.size() > model.vocabulary)
    throw RunError(kData, fmt::format("the vocabulary has {} tokens, the model gives logits for {}", tokenizer.size(), model.vocabulary));

  std::vector<std::vector<int32_t>> sequences{firstTokens(tokenizer, options, "--prompt")};
  std::vector<int32_t>& ids = sequences[0];
  Tokenizer::Decoder decoder(tokenizer);
  if (options.prompt) {
    emit(*options.prompt);
    for (int32_t id : ids) decoder.next(id);  // so that the first word stands apart from the prompt, or goes on with it
  }
  for (int64_t n = 0; n < options.tokens; ++n) {
    const float* logits = model.next(sequences)[0];
    PhiloxWords w = philox({uint32_t(n), uint32_t(n >> 32), 0, kSampleStream}, options.seed);
    ids.push_back(drawToken(logits, tokenizer.size(), options.temperature, options.topK, uniform01(w[0], w[1])));
    emit(decoder.next(ids.back()));
  }
}

}  // namespace heddle
