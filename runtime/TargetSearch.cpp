// See TargetSearch.h. Rows of the model are beams: source s of those that are searched for together has rows s * beams and on.
// All rows have as many tokens; those of a search that is over, and beams that there are not yet, repeat another.
#include "runtime/TargetSearch.h"

#include "runtime/RunError.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace heddle {

TargetSearch::TargetSearch(Session& session, const SpecialTokens& s, const SearchOptions& o)
    : special(s), options(o), model(session, o.recompute), source(model.findGiven("data.src")),
      sourceValid(model.findGiven("data.src_valid")) {
  if (!source || source->type != HEDDLE_I32 || source->rank != 2 || source->dims[0].size != model.rows)
    throw RunError(kData, fmt::format("'{}' has no source of which it tells a target", session.program.name));
  if (options.beams < 1 || options.beams > model.rows)
    throw RunError(kUsage, fmt::format("--beams wants a whole number from 1 to {}, not {}", model.rows, options.beams));
  sourceLength = source->dims[1].size;
  together = model.rows / options.beams;
}

void TargetSearch::give(const std::vector<std::vector<int32_t>>& sources, size_t first) {
  std::vector<int32_t> ids(size_t(model.rows * sourceLength), special.pad), valid(ids.size(), 0);
  for (int64_t row = 0; row < model.rows; ++row) {
    // Rows that are left over have the last source again.
    const std::vector<int32_t>& text = sources[std::min(first + size_t(std::min(row / options.beams, together - 1)), sources.size() - 1)];
    size_t begin = size_t(row * sourceLength), words = std::min(text.size(), size_t(sourceLength - 1));
    std::copy_n(text.begin(), words, ids.begin() + int64_t(begin));
    ids[begin + words] = special.end;
    std::fill_n(valid.begin() + int64_t(begin), words + 1, 1);
  }
  model.give(*source, std::move(ids));
  if (sourceValid) model.give(*sourceValid, std::move(valid));
}

std::vector<FoundTarget> TargetSearch::search(const std::vector<std::vector<int32_t>>& sources) {
  std::vector<FoundTarget> found;
  for (auto& text : sources) cut += int64_t(text.size()) > sourceLength - 1;
  for (size_t first = 0; first < sources.size(); first += size_t(together)) searchSome(sources, first, found);
  return found;
}

void TargetSearch::searchSome(const std::vector<std::vector<int32_t>>& sources, size_t first, std::vector<FoundTarget>& found) {
  size_t count = std::min(size_t(together), sources.size() - first), width = size_t(options.beams);
  give(sources, first);
  std::vector<Search> searches(count);
  for (Search& search : searches) search.beams = {{{special.begin}, 0}};
  std::vector<std::vector<int32_t>> rows(size_t(model.rows), {special.begin});
  // A target of `length` positions says `length` tokens: the first is said at <begin>.
  for (int64_t said = 0; said < model.length; ++said) {
    const std::vector<const float*>& logits = model.next(rows);
    std::vector<int32_t> from(rows.size());
    for (size_t r = 0; r < from.size(); ++r) from[r] = int32_t(r);
    bool going = false;
    for (size_t s = 0; s < count; ++s) {
      if (searches[s].beams.empty()) continue;
      extend(searches[s], logits, s * width, from);
      going |= !searches[s].beams.empty();
    }
    if (!going || said + 1 == model.length) break;
    model.reorder(from);
    std::vector<std::vector<int32_t>> next;
    for (size_t r = 0; r < rows.size(); ++r) {
      size_t s = r / width;
      const std::vector<Beam>* beams = s < count ? &searches[s].beams : nullptr;
      if (beams && !beams->empty()) {
        next.push_back((*beams)[std::min(r % width, beams->size() - 1)].ids);
      } else {  // as long as the others, and without effect
        next.push_back(rows[size_t(from[r])]);
        next.back().push_back(special.pad);
      }
    }
    rows = std::move(next);
  }
  for (Search& search : searches) {
    for (const Beam& beam : search.beams) finish(search, beam, beam.logProbability, false);
    found.push_back(std::move(search.best));
  }
}

// The likeliest continuations of all beams of a source: those that end are candidates for the result, the others the new
// beams. `from` is told which row each beam goes on from.
void TargetSearch::extend(Search& search, const std::vector<const float*>& logits, size_t row, std::vector<int32_t>& from) {
  struct Step {
    double logProbability;
    size_t beam;
    int32_t token;
  };
  std::vector<Step> steps;
  auto likelier = [](const Step& a, const Step& b) {
    if (a.logProbability != b.logProbability) return a.logProbability > b.logProbability;
    return a.beam != b.beam ? a.beam < b.beam : a.token < b.token;
  };
  size_t width = size_t(options.beams), wanted = 2 * width;  // of which at most one a beam ends
  for (size_t b = 0; b < search.beams.size(); ++b) {
    const float* scores = logits[row + b];
    double most = -INFINITY, sum = 0;
    for (int64_t v = 0; v < special.vocabulary; ++v) {
      if (std::isnan(scores[v]) || scores[v] == INFINITY)
        throw RunError(kStopped, fmt::format("the logit of token {} is {}", v, scores[v]));
      most = std::max(most, double(scores[v]));
    }
    if (most == -INFINITY) throw RunError(kStopped, "all logits are -inf");
    for (int64_t v = 0; v < special.vocabulary; ++v) sum += std::exp(scores[v] - most);
    double base = search.beams[b].logProbability - most - std::log(sum);
    for (int64_t v = 0; v < special.vocabulary; ++v) {
      if (v == special.pad || v == special.begin) continue;  // no text has them
      Step step{base + scores[v], b, int32_t(v)};
      if (steps.size() == wanted && !likelier(step, steps.back())) continue;
      steps.insert(std::upper_bound(steps.begin(), steps.end(), step, likelier), step);
      if (steps.size() > wanted) steps.pop_back();
    }
  }
  std::vector<Beam> next;
  for (const Step& step : steps) {
    if (next.size() == width) break;
    const Beam& beam = search.beams[step.beam];
    if (step.token == special.end) {
      finish(search, beam, step.logProbability, true);
      continue;
    }
    from[row + next.size()] = int32_t(row + step.beam);
    next.push_back(beam);
    next.back().ids.push_back(step.token);
    next.back().logProbability = step.logProbability;
  }
  for (size_t r = next.size(); r < width; ++r) from[row + r] = from[row + (next.empty() ? 0 : next.size() - 1)];
  // A longer target is less likely; with a penalty it counts at best as if it had all tokens at this probability.
  size_t longest = options.lengthPenalty > 0 ? size_t(model.length) : search.beams[0].ids.size();
  bool over = search.finished >= options.beams;
  over |= search.finished && !next.empty() && search.bestScore >= score(next[0].logProbability, longest);
  if (over) next.clear();
  search.beams = std::move(next);
}

void TargetSearch::finish(Search& search, const Beam& beam, double logProbability, bool ended) const {
  std::vector<int32_t> ids(beam.ids.begin() + 1, beam.ids.end());
  double value = score(logProbability, ids.size() + 1);
  bool found = search.finished++ > 0;
  if (found && (search.best.ended > ended || (search.best.ended == ended && search.bestScore >= value))) return;
  search.best = {std::move(ids), logProbability, ended};
  search.bestScore = value;
}

double TargetSearch::score(double logProbability, size_t tokens) const {
  return logProbability / std::pow((5 + double(tokens)) / 6, options.lengthPenalty);
}

}  // namespace heddle
