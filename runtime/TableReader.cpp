// See TableReader.h. Cells keep their memory from record to record.
#include "runtime/TableReader.h"

#include "runtime/RunError.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace heddle {
namespace {

constexpr size_t kPiece = size_t(1) << 18;       // bytes read at a time
constexpr size_t kLongest = size_t(16) << 20;    // of a record: more is a quote that was not closed
constexpr size_t kMostColumns = size_t(1) << 20;

bool endsWith(const std::string& path, std::string_view end) {
  if (path.size() < end.size()) return false;
  return std::equal(end.begin(), end.end(), path.end() - std::ptrdiff_t(end.size()),
                    [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b); });
}

}  // namespace

TableReader::TableReader(const std::string& path, const std::string& given) : file(path) {
  if (file.size() == 0) throw RunError(kData, fmt::format("{}: is empty", path));
  peek();
  if (std::string_view(buffer).starts_with("\xEF\xBB\xBF")) inBuffer = 3;
  if (!given.empty()) {
    separator = given[0];
  } else if (endsWith(path, ".tsv") || endsWith(path, ".tab")) {
    separator = '\t';
  } else if (endsWith(path, ".csv")) {
    separator = ',';
  } else {
    separator = std::string_view(buffer).substr(0, buffer.find('\n')).find('\t') != std::string_view::npos ? '\t' : ',';
  }
  quotes = separator != '\t';
}

int TableReader::peek() {
  if (inBuffer == buffer.size()) {
    size_t n = size_t(std::min<uint64_t>(kPiece, file.size() - read));
    buffer.resize(n);
    file.read(read, buffer.data(), n);
    state.add(buffer);
    read += n, inBuffer = 0;
  }
  return inBuffer < buffer.size() ? uint8_t(buffer[inBuffer]) : -1;
}

void TableReader::take() {
  if (buffer[inBuffer++] == '\n') nextLine += 1;
}

std::string TableReader::at(int64_t line, size_t column) const {
  std::string name = column < names.size() ? fmt::format(" ({})", names[column].substr(0, 80)) : "";
  return fmt::format("{}: line {}, column {}{}", file.path(), line, column + 1, name);
}
std::string TableReader::place(size_t column) const { return at(firstLine, column); }

void TableReader::grow(std::string& cell, char c) {
  if (++used > kLongest)
    throw RunError(kData, fmt::format("{}: line {}: the record that starts here has more than 16 MiB", file.path(), firstLine),
                   quotes ? "perhaps a quote in it is not closed" : "a record ends with its line");
  cell += c;
}

void TableReader::quoted(std::string& cell, size_t column) {
  int64_t opened = nextLine;
  take();
  while (true) {
    int c = peek();
    if (c < 0)
      throw RunError(kData, fmt::format("{}: the quote that opens here is not closed", at(opened, column)),
                     "a quote within quotes is written twice");
    take();
    if (c != '"') {
      grow(cell, char(c));
    } else if (peek() == '"') {
      take();
      grow(cell, '"');
    } else {
      break;
    }
  }
  int c = peek();
  if (c >= 0 && c != separator && c != '\n' && c != '\r')
    throw RunError(kData, fmt::format("{}: '{}' stands behind a closing quote", at(nextLine, column), char(c)),
                   "quotes enclose a whole cell, and a quote within them is written twice");
}

bool TableReader::next() {
  while (peek() == '\n' || peek() == '\r') take();  // empty lines
  if (peek() < 0) return false;
  firstLine = nextLine, used = 0;
  size_t count = 0;
  for (bool more = true; more;) {
    if (count == row.size()) {
      if (count == kMostColumns) throw RunError(kData, fmt::format("{}: line {}: more than {} columns", file.path(), firstLine, kMostColumns));
      row.emplace_back();
    }
    std::string& cell = row[count];
    cell.clear();
    if (quotes && peek() == '"') quoted(cell, count);
    while (true) {
      int c = peek();
      if (c == 0) throw RunError(kData, fmt::format("{}: a NUL byte", at(nextLine, count)), "a table is text");
      if (c == '\r') {  // ends the record with the line feed behind it, or by itself
        take();
        if (peek() != '\n') nextLine += 1;
        else take();
        more = false;
        break;
      }
      if (c < 0 || c == '\n') {
        if (c == '\n') take();
        more = false;
        break;
      }
      take();
      if (c == separator) break;
      grow(cell, char(c));
    }
    count += 1;
  }
  row.resize(count);
  if (!columns) columns = count;
  if (count != columns)
    throw RunError(kData, fmt::format("{}: line {}: {} column{}, but the first line has {}", file.path(), firstLine, count,
                                      count == 1 ? "" : "s", columns),
                   separator == ',' && quotes ? "a cell with a comma stands in quotes; `separator = \";\"` names another separator"
                                              : "every line has the same columns");
  return true;
}

size_t findColumn(const TableReader& table, size_t columns, const std::string& name, int64_t number, const char* what) {
  if (name.empty()) {
    if (uint64_t(number) <= columns) return size_t(number - 1);
    throw RunError(kData, fmt::format("{}: has {} column{}, so `{}` cannot be column {}", table.path(), columns,
                                      columns == 1 ? "" : "s", what, number),
                   "columns are separated by tabs in a .tsv file, by commas in a .csv file, else as `separator` says");
  }
  auto found = std::find(table.header().begin(), table.header().end(), name);
  if (found != table.header().end()) return size_t(found - table.header().begin());
  throw RunError(kData, fmt::format("{}: line {}: the header has no column \"{}\" for `{}`", table.path(), table.line(), name, what),
                 fmt::format("it has: {}", fmt::join(table.header(), ", ")));
}

}  // namespace heddle
