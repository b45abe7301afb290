// Pairs of texts, source and target, from a table: what a model that translates learns from (Vaswani et al. 2017).
//
//   src   the source, then <end>         N tokens
//   tgt   <begin>, then the target       T tokens: what the decoder reads
//   next  the target, then <end>         T tokens: what it shall say
// each padded. A text that is longer is cut: a source before its <end>, a target without one.
#include "runtime/RecordSource.h"
#include "runtime/RunError.h"
#include "runtime/TextTable.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace heddle {
namespace {

std::vector<TextColumn> columnsOf(const RunConfig& config) {
  return {{"source", config.data.source}, {"target", config.data.target}};
}

DataDescription describeTable(const TextTable& table, const RunConfig& config) {
  DataDescription result;
  result.facts = {{"vocabulary", table.special.vocabulary}};
  result.bytes = table.reserved();
  RecordSource::describeSplit(table.records, config.data, result);
  return result;
}

class PairSource : public RecordSource {
public:
  PairSource(const RunConfig& config, const std::string& file)
      : RecordSource(config, file, "pairs"), table(config, file, columnsOf(config), SpecialTokens::kOfPairs) {
    DataDescription description = describeTable(table, config);
    checkBinds(config, description.facts, path);
    for (const char* name : {"data.src", "data.tgt", "data.next"})
      if (auto range = config.ranges.find(name); range != config.ranges.end() && table.special.vocabulary > range->second)
        throw RunError(kData, fmt::format("{}: its vocabulary has {} tokens, but the program was compiled for the range of {} = {}",
                                          path, table.special.vocabulary, name, range->second),
                       "compile the program for these data");
    checkMemory(Arena::mapped() + description.bytes);
    table.read([](auto&, auto&) {});
    setFields({{"src", HEDDLE_I32, {{"B"}, {"N"}}}, {"src_valid", HEDDLE_BOOL, {{"B"}, {"N"}}},
               {"tgt", HEDDLE_I32, {{"B"}, {"T"}}}, {"next", HEDDLE_I32, {{"B"}, {"T"}}},
               {"tgt_valid", HEDDLE_BOOL, {{"B"}, {"T"}}}});
    setRecords(table.records);
  }

  std::string fingerprint() const override {
    return fmt::format(R"({{"kind":"pairs","pairs":{},"xxh64":"{:016x}","tokenizer":"{}","split":{}}})", table.records,
                       table.hash, table.words.fingerprint(), split);
  }
  const Tokenizer* tokenizer() const override { return &table.words; }
  std::optional<std::vector<TextPair>> heldOutPairs(int64_t most) override {
    std::vector<TextPair> pairs(size_t(std::min(most, heldOutRecords())));
    std::map<int64_t, TextPair*> wanted;  // by record
    for (size_t place = 0; place < pairs.size(); ++place) wanted[heldOutRecord(int64_t(place))] = &pairs[place];
    int64_t record = 0;
    table.revisit([&](const TableReader& reader, const std::vector<size_t>& at) {
      if (auto pair = wanted.find(record++); pair != wanted.end())
        *pair->second = {reader.cells()[at[0]], reader.cells()[at[1]], reader.place(at[0])};
    });
    return pairs;
  }
  std::vector<std::string> notes() const override {
    std::vector<std::string> lines = RecordSource::notes();
    if (cutSources)
      lines.push_back(fmt::format("note: {}: {} of {} sources have more than {} tokens, and are cut there", path, cutSources,
                                  table.records, sourceLength - 1));
    if (cutTargets)
      lines.push_back(fmt::format("note: {}: {} of {} targets have more than {} tokens, and are cut there", path, cutTargets,
                                  table.records, targetLength - 1));
    return lines;
  }

private:
  void fit(const std::vector<Axis>& axes) override {
    sourceLength = sizeOf(axes, "N"), targetLength = sizeOf(axes, "T");
    cutSources = cutTargets = 0;
    for (int64_t pair = 0; pair < table.records; ++pair) {
      cutSources += sourceLength && table.texts.length(2 * pair) > sourceLength - 1;
      cutTargets += targetLength && table.texts.length(2 * pair + 1) > targetLength - 1;
    }
  }

  // An axis that the program does not take holds what there is.
  bool holds(int64_t pair, const std::vector<Axis>& axes) const override {
    int64_t sources = sizeOf(axes, "N"), targets = sizeOf(axes, "T");
    return (!sources || table.texts.length(2 * pair) < sources) && (!targets || table.texts.length(2 * pair + 1) < targets);
  }

  void fillRow(const RowPlace& place, void* const* out) override {
    const SpecialTokens& special = table.special;
    const int64_t sources = sizeOf(place.axes, "N"), targets = sizeOf(place.axes, "T");
    int64_t source = 2 * place.record, target = source + 1;
    int64_t words = std::min(table.texts.length(source), sources - 1);
    if (auto* ids = static_cast<int32_t*>(out[0])) {
      table.texts.copy(source, 0, words, ids);
      ids[words] = special.end;
      std::fill(ids + words + 1, ids + sources, special.pad);
    }
    if (auto* valid = static_cast<int32_t*>(out[1]))
      for (int64_t n = 0; n < sources; ++n) valid[n] = n <= words;
    words = table.texts.length(target);
    int64_t read = std::min(words, targets - 1), said = std::min(words, targets);
    if (auto* ids = static_cast<int32_t*>(out[2])) {
      ids[0] = special.begin;
      table.texts.copy(target, 0, read, ids + 1);
      std::fill(ids + read + 1, ids + targets, special.pad);
    }
    if (auto* ids = static_cast<int32_t*>(out[3])) {
      table.texts.copy(target, 0, said, ids);
      if (said < targets) ids[said] = special.end;
      std::fill(ids + std::min(said + 1, targets), ids + targets, special.pad);
    }
    if (auto* valid = static_cast<int32_t*>(out[4]))
      for (int64_t t = 0; t < targets; ++t) valid[t] = t <= words;
  }

  TextTable table;
  int64_t sourceLength = 0, targetLength = 0;  // of the longest rows
  int64_t cutSources = 0, cutTargets = 0;
};

}  // namespace

std::unique_ptr<DataSource> openPairSource(const RunConfig& config, const std::string& path) {
  return std::make_unique<PairSource>(config, path);
}

DataDescription describePairs(const RunConfig& config, const std::string& path) {
  return describeTable(TextTable(config, path, columnsOf(config), SpecialTokens::kOfPairs), config);
}

}  // namespace heddle
