// Reads a table, CSV or TSV, record by record in constant memory.
//
// Comma-separated files are RFC 4180: a cell may stand in double quotes, then hold separators, line breaks and doubled
// quotes. Tab-separated files have no quotes (IANA text/tab-separated-values): a quote is a character, as in most files
// of sentences. Either kind of line break ends a record; empty lines are passed over, a byte order mark too.
#ifndef HEDDLE_RUNTIME_TABLEREADER_H
#define HEDDLE_RUNTIME_TABLEREADER_H
#include "runtime/FileHash.h"
#include "runtime/InputFile.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

class TableReader {
public:
  /// `separator` is one character, or empty: a tab for a file called .tsv or .tab, a comma for .csv, else a tab if the
  /// first line has one, and a comma if not. Throws RunError(kData), for an empty file too.
  TableReader(const std::string& path, const std::string& separator);

  /// Reads the next record; false at the end. Throws RunError(kData) with line and column: a quote that is not closed
  /// or stands where none can, a record of more than 16 MiB, a NUL byte, as many cells as the first record has not.
  bool next();

  /// Of the record that was read last.
  const std::vector<std::string>& cells() const { return row; }
  int64_t line() const { return firstLine; }
  /// "d.csv: line 3, column 2"; with the name from the header, if one was read.
  std::string place(size_t column) const;

  /// Takes the record that was read last for the header.
  void takeHeader() { names = row; }
  const std::vector<std::string>& header() const { return names; }

  const std::string& path() const { return file.path(); }
  uint64_t bytes() const { return file.size(); }
  /// Of all bytes, at the end of the file.
  uint64_t hash() const { return state.digest(); }

private:
  int peek();  // the next byte, -1 at the end
  void take();
  void quoted(std::string& cell, size_t column);
  std::string at(int64_t line, size_t column) const;
  void grow(std::string& cell, char c);

  InputFile file;
  FileHash state;
  char separator;
  bool quotes;
  std::string buffer;
  size_t inBuffer = 0;
  uint64_t read = 0;  // bytes of the file that came into the buffer
  std::vector<std::string> row, names;
  size_t columns = 0, used = 0;  // of the first record; bytes of this one
  int64_t nextLine = 1, firstLine = 1;
};

/// What a record of a table holds where one column is wanted: its position from 0. `number` counts from 1 and is used
/// where `name` is empty. Throws RunError(kData) if there is no such column; `what` is how the program calls it.
size_t findColumn(const TableReader& table, size_t columns, const std::string& name, int64_t number, const char* what);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TABLEREADER_H
