// The best target for a source, by an encoder and decoder: beam search over the logits of the next token (Sutskever et al.
// 2014, section 3.2), until as many targets as there are beams have ended or no other can be better. One beam is the greedy
// choice.
#ifndef HEDDLE_RUNTIME_TARGETSEARCH_H
#define HEDDLE_RUNTIME_TARGETSEARCH_H
#include "runtime/SpecialTokens.h"
#include "runtime/TokenModel.h"

#include <cstdint>
#include <vector>

namespace heddle {

struct SearchOptions {
  int64_t beams = 1;  // at most TokenModel::rows
  /// A finished target of n tokens counts log p / ((5 + n) / 6)^penalty (Wu et al. 2016, equation 14): 0 prefers short ones.
  double lengthPenalty = 0.6;
  bool recompute = false;  // all positions for every token
};

struct FoundTarget {
  std::vector<int32_t> ids;  // without <begin> and <end>
  double logProbability = 0;  // natural logarithm, <end> included
  bool ended = false;         // else it is as long as targets may be
};

class TargetSearch {
public:
  /// For a program whose entry `sample` takes data.src i32[B, N], perhaps data.src_valid bool[B, N], and data.tgt. Throws
  /// RunError(kUsage) for more beams than there are rows, RunError(kData) if the program has no source.
  TargetSearch(Session& session, const SpecialTokens& special, const SearchOptions& options);

  int64_t sourceLength = 0, cut = 0;  // N; how many sources were longer than N - 1 tokens, and cut there
  int64_t together;                   // sources that are searched for at once

  /// The best target of each source, in their order. Equal scores: the lower token, the earlier beam.
  std::vector<FoundTarget> search(const std::vector<std::vector<int32_t>>& sources);

private:
  struct Beam {
    std::vector<int32_t> ids;  // with <begin>
    double logProbability;
  };
  struct Search {
    std::vector<Beam> beams;  // the likeliest first; empty when it is over
    FoundTarget best;
    double bestScore = 0;
    int64_t finished = 0;       // targets that were compared with the best
  };
  void give(const std::vector<std::vector<int32_t>>& sources, size_t first);
  void searchSome(const std::vector<std::vector<int32_t>>& sources, size_t first, std::vector<FoundTarget>& found);
  void extend(Search& search, const std::vector<const float*>& logits, size_t row, std::vector<int32_t>& from);
  void finish(Search& search, const Beam& beam, double logProbability, bool ended) const;
  double score(double logProbability, size_t tokens) const;

  SpecialTokens special;
  SearchOptions options;
  TokenModel model;
  const HeddleBuffer *source, *sourceValid;
  std::vector<double> logSums;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TARGETSEARCH_H
