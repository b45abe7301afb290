// A table whose cells are texts (TableReader.h), as tokens in memory; shared by the sources of labelled texts and of
// pairs. The table is read up to three times: for the vocabulary, if the tokenizer takes it from the texts, to count
// tokens, and to keep them.
#ifndef HEDDLE_RUNTIME_TEXTTABLE_H
#define HEDDLE_RUNTIME_TEXTTABLE_H
#include "runtime/DataSource.h"
#include "runtime/RunError.h"
#include "runtime/SpecialTokens.h"
#include "runtime/TableReader.h"
#include "runtime/TokenTable.h"
#include "runtime/Tokenizer.h"

#include <cstdint>
#include <span>
#include <functional>
#include <string>
#include <vector>

namespace heddle {

/// A column of the table, as the program chooses it.
struct TextColumn {
  const char* setting;  // "text": how errors call it
  ColumnConfig chosen;
  bool isText = true;
};

class TextTable {
  // Settings of the program; first, since what follows is read by them.
  const std::string separator;
  const bool header;
  const std::vector<TextColumn> columns;

public:
  /// Reads and counts; keeps no tokens yet. `needed` are the special tokens of the source. Throws RunError(kData).
  TextTable(const RunConfig& config, const std::string& path, std::vector<TextColumn> columns,
            std::span<const SpecialTokens::Part> needed);

  /// What read() will take, as it is mapped.
  int64_t reserved() const { return TokenTable::reserved(records * textsPerRecord, tokens, special.vocabulary); }
  /// Is given the reader at a record, and each column's position.
  using Visitor = std::function<void(const TableReader& table, const std::vector<size_t>& at)>;
  /// Keeps the tokens: record r's i-th text column is text r * textsPerRecord + i. Then `each` is given the record.
  /// Throws RunError(kData).
  void read(const Visitor& each);
  /// Goes through the records. Throws RunError(kData), if there is none too.
  void forEach(const Visitor& f);
  /// Goes through those that were counted. Throws RunError(kData), if the file has changed too.
  void revisit(const Visitor& f);

  const std::string path;
  Tokenizer words;
  SpecialTokens special;
  int64_t records = 0, tokens = 0, textsPerRecord = 0;
  TokenTable texts;
  uint64_t hash = 0;

private:
  Tokenizer readVocabulary(const RunConfig& config);
  RunError changed() const;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TEXTTABLE_H
