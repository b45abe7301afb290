// The targets that a trained encoder and decoder tells of texts: tokens of the checkpoint's tokenizer, the search for the best
// target, and text again.
#ifndef HEDDLE_RUNTIME_TARGETTEXTS_H
#define HEDDLE_RUNTIME_TARGETTEXTS_H
#include "runtime/DataSource.h"
#include "runtime/TargetSearch.h"
#include "runtime/TextScores.h"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace heddle {

struct TargetText {
  std::string text;           // without special tokens
  double logProbability = 0;  // natural logarithm, that of the end included
  bool ended = false;         // else it is as long as targets may be
};

class TargetTexts {
public:
  /// For a program whose data are pairs of texts. `words` is the tokenizer of its checkpoint, and outlives this. Throws
  /// RunError: kUsage for other data and for more beams than the program computes side by side, kData for a program without
  /// logits of the next token and for a tokenizer that is not of this program.
  TargetTexts(Session& session, const RunConfig& config, const Tokenizer& words, const SearchOptions& options);

  /// How many sources are best given at once.
  int64_t together() const { return search.together; }

  /// The target of each source, in their order; `place(i)` names source i in errors. Throws RunError(kData) for characters
  /// that the tokenizer does not have.
  std::vector<TargetText> of(const std::vector<std::string>& sources, const std::function<std::string(size_t)>& place);

  int64_t sources = 0, unended = 0;  // that were given so far; whose targets have not ended
  int64_t cut() const { return search.cut; }  // sources that were cut
  /// What the user should know of these, a line each.
  std::vector<std::string> notes() const;

private:
  std::string textOf(const FoundTarget& target) const;

  const Tokenizer& words;
  SpecialTokens special;
  TargetSearch search;
};

/// Throws RunError(kUsage) unless the program's data are pairs of texts.
void requirePairs(const RunConfig& config);

/// The targets of held-out pairs, and how near they are to those that the data have.
class TargetEvaluation {
public:
  /// Of the first `most` held-out pairs of the source, or of all if it is 0. `tokenizer` is that of the checkpoint, as
  /// Tokenizer::toJson() gives it. Throws RunError as TargetTexts does, and kData for a checkpoint without tokenizer.
  TargetEvaluation(Session& session, const RunConfig& config, const std::string& tokenizer, const SearchOptions& options,
                   DataSource& source, int64_t most);

  std::vector<TextPair> pairs;
  std::vector<TargetText> targets;  // of the pairs, in their order
  std::vector<std::string> notes;   // what the user should know, a line each
  /// "exact", "bleu" and "rouge1", from 0 to 1 (TextScores.h).
  std::vector<std::pair<std::string, double>> scores() const;
  /// {"pairs":N,"beams":W,"cut":n,"exact":x,"bleu":x,"rouge1":x,"targets":[{"source":s,"wanted":s,"generated":s}, ...]}. Bytes
  /// that are no UTF-8 are replaced by U+FFFD.
  std::string json() const;

private:
  int64_t beams, cut;
  TextScores measured;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TARGETTEXTS_H
