// See TextTable.h.
#include "runtime/TextTable.h"

#include "runtime/VocabularyReader.h"

#include <fmt/format.h>

#include <algorithm>

namespace heddle {

TextTable::TextTable(const RunConfig& config, const std::string& file, std::vector<TextColumn> all,
                     std::span<const SpecialTokens::Part> needed)
    : separator(config.data.separator),
      header(config.data.header || std::any_of(all.begin(), all.end(), [](auto& c) { return !c.chosen.name.empty(); })),
      columns(std::move(all)), path(file), words(readVocabulary(config)), special(words, config, needed) {
  for (const TextColumn& column : columns) textsPerRecord += column.isText;
  forEach([&](const TableReader& table, const std::vector<size_t>& at) {
    records += 1;
    for (size_t c = 0; c < columns.size(); ++c)
      if (columns[c].isText) tokens += int64_t(words.encode(table.cells()[at[c]], table.place(at[c])).size());
  });
}

void TextTable::forEach(const Visitor& f) {
  TableReader table(path, separator);
  std::vector<size_t> at;
  bool any = false;
  while (table.next()) {
    if (at.empty()) {
      if (header) table.takeHeader();
      for (const TextColumn& column : columns)
        at.push_back(findColumn(table, table.cells().size(), column.chosen.name, column.chosen.number, column.setting));
      if (header) continue;
    }
    f(table, at);
    any = true;
  }
  if (!any) throw RunError(kData, fmt::format("{}: has no records", path));
  hash = table.hash();
}

Tokenizer TextTable::readVocabulary(const RunConfig& config) {
  VocabularyReader reader(config);
  if (reader.needsTexts())
    forEach([&](const TableReader& table, const std::vector<size_t>& at) {
      for (size_t c = 0; c < columns.size(); ++c)
        if (columns[c].isText) reader.add(table.cells()[at[c]], [&] { return table.place(at[c]); });
    });
  return reader.finish(path);
}

void TextTable::revisit(const Visitor& f) {
  uint64_t before = hash;
  int64_t record = 0;
  forEach([&](const TableReader& table, const std::vector<size_t>& at) {
    if (record++ == records) throw changed();
    f(table, at);
  });
  if (record != records || hash != before) throw changed();
}

void TextTable::read(const Visitor& each) {
  texts = TokenTable(records * textsPerRecord, tokens, special.vocabulary);
  revisit([&](const TableReader& table, const std::vector<size_t>& at) {
    for (size_t c = 0; c < columns.size(); ++c)
      if (columns[c].isText && !texts.add(words.encode(table.cells()[at[c]], table.place(at[c])))) throw changed();
    each(table, at);
  });
  if (!texts.full()) throw changed();
}

RunError TextTable::changed() const {
  return RunError(kData, fmt::format("{}: changed while it was being read", path), "try again when it is complete");
}

}  // namespace heddle
