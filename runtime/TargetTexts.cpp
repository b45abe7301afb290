// See TargetTexts.h. Special tokens of a target are left out of its text, as `heddle tok decode --skip-special` does. The
// scores compare with the texts that the data have, not with what the tokenizer makes of them: one that drops capitals
// cannot give them back, and an exact match says so.
#include "runtime/TargetTexts.h"

#include "runtime/RunError.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

namespace heddle {
namespace {

Session& thatTranslates(Session& session, const RunConfig& config) {
  requirePairs(config);
  if (!session.findEntry("sample"))
    throw RunError(kData, fmt::format("'{}' gives no logits of a target's next token", session.program.name),
                   "its loss is to be a `cross_entropy` against `data.next`, of logits that are made of data.src, data.src_valid, "
                   "data.tgt and data.tgt_valid alone");
  return session;
}

}  // namespace

void requirePairs(const RunConfig& config) {
  if (config.data.kind != "pairs")
    throw RunError(kUsage, fmt::format("'{}' learns no targets of sources", config.program), "its data are to be `pairs`");
}

TargetTexts::TargetTexts(Session& session, const RunConfig& config, const Tokenizer& tokenizer, const SearchOptions& options)
    : words(tokenizer), special(words, config, SpecialTokens::kOfPairs),
      search(thatTranslates(session, config), special, options) {
  // The checkpoint is the word of a file: its tokens are not to reach beyond the program's tables.
  const HeddleBuffer* logits = session.findOutput(session.entry("sample"), "logits");
  int64_t room = logits->dims[2].size;
  for (const char* name : {"data.src", "data.tgt"})
    if (auto range = config.ranges.find(name); range != config.ranges.end()) room = std::min(room, range->second);
  if (special.vocabulary > room)
    throw RunError(kData, fmt::format("the checkpoint's tokenizer has {} tokens, special ones included, but the program was compiled for {}",
                                      special.vocabulary, room));
}

std::vector<TargetText> TargetTexts::of(const std::vector<std::string>& texts, const std::function<std::string(size_t)>& place) {
  std::vector<std::vector<int32_t>> ids;
  for (size_t i = 0; i < texts.size(); ++i) ids.push_back(words.encode(texts[i], place(i)));
  std::vector<TargetText> targets;
  for (const FoundTarget& found : search.search(ids)) {
    targets.push_back({textOf(found), found.logProbability, found.ended});
    unended += !found.ended;
  }
  sources += int64_t(texts.size());
  return targets;
}

std::string TargetTexts::textOf(const FoundTarget& target) const {
  std::string text;
  Tokenizer::Decoder decoder(words);
  for (int32_t token : target.ids)
    if (!special.contains(token)) text += decoder.next(token);
  return text;
}

std::vector<std::string> TargetTexts::notes() const {
  std::vector<std::string> lines;
  if (cut())
    lines.push_back(fmt::format("note: {} of {} sources have more than {} tokens, and are cut there", cut(), sources, search.sourceLength - 1));
  if (unended)
    lines.push_back(fmt::format("note: {} of {} targets are as long as targets may be, and have not ended there", unended, sources));
  return lines;
}

TargetEvaluation::TargetEvaluation(Session& session, const RunConfig& config, const std::string& tokenizer,
                                   const SearchOptions& options, DataSource& source, int64_t most)
    : beams(options.beams) {
  requirePairs(config);
  if (tokenizer.empty()) throw RunError(kData, "the checkpoint has no tokenizer, by which texts are read");
  Tokenizer words = Tokenizer::fromJson(tokenizer);
  TargetTexts writer(session, config, words, options);
  pairs = source.heldOutPairs(most ? most : std::numeric_limits<int64_t>::max()).value();
  std::vector<std::string> sources;
  for (const TextPair& pair : pairs) sources.push_back(pair.source);
  targets = writer.of(sources, [&](size_t i) { return pairs[i].place; });
  for (size_t i = 0; i < pairs.size(); ++i) measured.add(targets[i].text, pairs[i].target);
  cut = writer.cut(), notes = writer.notes();
}

std::vector<std::pair<std::string, double>> TargetEvaluation::scores() const {
  return {{"exact", measured.exact()}, {"bleu", measured.bleu()}, {"rouge1", measured.rouge1()}};
}

std::string TargetEvaluation::json() const {
  nlohmann::ordered_json all = {{"pairs", pairs.size()}, {"beams", beams}, {"cut", cut}};
  for (auto& [name, score] : scores()) all[name] = score;
  for (size_t i = 0; i < pairs.size(); ++i)
    all["targets"].push_back({{"source", pairs[i].source}, {"wanted", pairs[i].target}, {"generated", targets[i].text}});
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace heddle
