// Numbers from a table (TableReader.h). The table is read twice: to count and check it, and into an arena of 4 bytes a
// number, where each record is the fields' elements one after the other.
//
// A first line without a number is a header; one with some is not, so that a hole in the data is an error, not a header. A field of one column takes the column of its name, if the
// header has one; the other fields take the columns that are left, in their order. All columns are taken: a field whose
// size is open takes what the others leave.
#include "runtime/Arena.h"
#include "runtime/RecordSource.h"
#include "runtime/RunError.h"
#include "runtime/TableReader.h"
#include "runtime/Unlabelled.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

namespace heddle {
namespace {

std::string_view trimmed(std::string_view cell) {
  while (!cell.empty() && (cell.front() == ' ' || cell.front() == '\t')) cell.remove_prefix(1);
  while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\t')) cell.remove_suffix(1);
  return cell;
}

// The number that is the whole cell. from_chars: no locale, no hexadecimal, no octal.
template <typename Number> std::errc parse(std::string_view cell, Number& value) {
  cell = trimmed(cell);
  if (cell.size() > 1 && cell[0] == '+' && cell[1] != '-') cell.remove_prefix(1);
  auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return error == std::errc() && end != cell.data() + cell.size() ? std::errc::invalid_argument : error;
}

bool isNumber(std::string_view cell) {
  double value;
  cell = trimmed(cell);
  return cell == "true" || cell == "false" || parse(cell, value) != std::errc::invalid_argument;
}

[[noreturn]] void refuse(const TableReader& table, size_t column, const std::string& problem, std::string help = {}) {
  std::string cell = table.cells()[column].substr(0, 80);
  throw RunError(kData, fmt::format("{}: '{}' {}", table.place(column), cell, problem), help);
}

float readFloat(const TableReader& table, size_t column) {
  float value = 0;
  std::string_view cell = trimmed(table.cells()[column]);
  if (cell.empty()) throw RunError(kData, fmt::format("{}: the cell is empty", table.place(column)), "every cell holds a number");
  std::errc error = parse(cell, value);
  if (error == std::errc::result_out_of_range) {  // too small is 0, too large is an error
    double wide = 0;
    if (parse(cell, wide) == std::errc() && std::fabs(wide) < 1) return 0;
    refuse(table, column, "is out of the range of f32");
  }
  if (error != std::errc() || !std::isfinite(value)) refuse(table, column, "is not a finite number");
  return value;
}

int32_t readInt(const TableReader& table, size_t column) {
  int64_t value = 0;
  std::string_view cell = trimmed(table.cells()[column]);
  if (cell.empty()) throw RunError(kData, fmt::format("{}: the cell is empty", table.place(column)), "every cell holds a number");
  std::errc error = parse(cell, value);
  if (error == std::errc::invalid_argument) refuse(table, column, "is not a whole number");
  if (error != std::errc() || value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max())
    refuse(table, column, "is out of the range of i32");
  return int32_t(value);
}

int32_t readBool(const TableReader& table, size_t column) {
  std::string_view cell = trimmed(table.cells()[column]);
  if (cell != "0" && cell != "1" && cell != "false" && cell != "true")
    refuse(table, column, "is neither true nor false", "a bool is written 0, 1, false or true");
  return cell == "1" || cell == "true";
}

// A field and the columns that it takes.
struct Columns {
  const FieldConfig* field;
  std::vector<size_t> at;
  std::vector<int64_t> sizes;  // of the dims besides the batch
  int64_t least = 0, most = 0;  // of the values of an i32 field
};

// What the first reading tells.
struct Scan {
  std::vector<Columns> fields;
  bool header = false;
  int64_t records = 0, width = 0;  // width: elements of a record
};

// The columns of each field.
std::vector<Columns> assign(const TableReader& table, size_t count, const std::vector<FieldConfig>& fields) {
  std::vector<Columns> result;
  std::vector<bool> taken(count);
  size_t left = count, wanted = 0;
  Columns* open = nullptr;
  result.reserve(fields.size());
  for (const FieldConfig& field : fields) {
    Columns& columns = result.emplace_back(Columns{&field, {}, {field.sizes.begin() + 1, field.sizes.end()}});
    if (columns.sizes.empty()) {
      auto named = std::find(table.header().begin(), table.header().end(), field.name);
      if (named != table.header().end()) {
        size_t column = size_t(named - table.header().begin());
        columns.at = {column}, taken[column] = true, left -= 1;
        continue;
      }
    }
    uint64_t size = 1;
    for (int64_t& n : columns.sizes) {
      if (n == 0 && open)
        throw RunError(kData, fmt::format("{}: the fields have two open dims besides the batch", table.path()),
                       "give all but one of them a size");
      if (n == 0) open = &columns;
      size = std::min<uint64_t>(size * uint64_t(std::max<int64_t>(n, 1)), uint64_t(1) << 40);
    }
    columns.at.resize(std::min<size_t>(size, count + 1));
    if (open != &columns) wanted += columns.at.size();
  }
  auto mismatch = [&] {
    std::vector<std::string> list;
    for (const Columns& c : result)
      list.push_back(fmt::format("`{}` {}", c.field->name, &c == open ? "the rest" : c.at.size() > count ? "more" : std::to_string(c.at.size())));
    return RunError(kData, fmt::format("{}: has {} column{}, but the fields take: {}", table.path(), count,
                                       count == 1 ? "" : "s", fmt::join(list, ", ")),
                    "every column belongs to a field; a .tsv file has tabs between them, a .csv file commas, others as "
                    "`separator` says");
  };
  if (open) {
    size_t unit = open->at.size();
    if (wanted >= left || (left - wanted) % unit != 0) throw mismatch();
    for (int64_t& n : open->sizes)
      if (n == 0) n = int64_t((left - wanted) / unit);
    open->at.resize(left - wanted);
    wanted = left;
  }
  if (wanted != left) throw mismatch();
  size_t next = 0;
  for (Columns& columns : result) {
    bool named = columns.sizes.empty() && columns.at.size() == 1 && !table.header().empty() &&
                 table.header()[columns.at[0]] == columns.field->name && taken[columns.at[0]];
    if (named) continue;
    for (size_t& column : columns.at) {
      while (taken[next]) next += 1;
      column = next, taken[next] = true;
    }
  }
  return result;
}

// Calls f(columns, position in the field, column) for every cell of a record.
template <typename F> void forEachCell(std::vector<Columns>& fields, F f) {
  for (Columns& columns : fields)
    for (size_t i = 0; i < columns.at.size(); ++i) f(columns, columns.at[i]);
}

int32_t readCell(const TableReader& table, const Columns& columns, size_t column) {
  const std::string& type = columns.field->type;
  if (type == "i32") return readInt(table, column);
  if (type == "bool") return readBool(table, column);
  float value = readFloat(table, column);
  int32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

Scan scan(TableReader& table, const RunConfig& config) {
  Scan result;
  while (table.next()) {
    if (result.fields.empty()) {
      auto& cells = table.cells();
      result.header = std::none_of(cells.begin(), cells.end(), isNumber);
      if (result.header) table.takeHeader();
      result.fields = assign(table, cells.size(), config.data.fields);
      if (result.header) continue;
    }
    forEachCell(result.fields, [&](Columns& columns, size_t column) {
      int32_t value = readCell(table, columns, column);
      if (columns.field->type != "i32") return;
      if (result.records == 0 && column == columns.at[0]) columns.least = columns.most = value;
      columns.least = std::min<int64_t>(columns.least, value), columns.most = std::max<int64_t>(columns.most, value);
    });
    result.records += 1;
  }
  if (result.records == 0) throw RunError(kData, fmt::format("{}: has no records", table.path()), "a header alone is not enough");
  for (const Columns& columns : result.fields) result.width += int64_t(columns.at.size());
  return result;
}

int64_t arenaBytes(const Scan& scan) { return scan.records * scan.width * 4; }

DataDescription describe(const Scan& scan, const RunConfig& config) {
  DataDescription description;
  description.bytes = Arena::reserved(arenaBytes(scan));
  RecordSource::describeSplit(scan.records, config.data, description);
  for (const Columns& columns : scan.fields) {
    const FieldConfig& field = *columns.field;
    if (field.type == "i32" && columns.least >= 0) description.facts["values." + field.name] = columns.most + 1;
    for (size_t d = 0; d < columns.sizes.size(); ++d)
      description.facts[fmt::format("{}.{}", field.name, field.dims[d + 1])] = columns.sizes[d];
  }
  return description;
}

class CsvSource : public RecordSource {
public:
  // Records of which to learn, or all in their order (Unlabelled.h).
  CsvSource(const RunConfig& all, const std::string& file, bool unlabelled = false)
      : RecordSource(all, file, "records"), config(all) {
    {
      TableReader table(path, config.data.separator);
      found = scan(table, config);
      hash = table.hash();
    }
    checkBinds(config, describe(found, config).facts, path);
    checkMemory(Arena::mapped() + Arena::reserved(arenaBytes(found)));
    values = Arena(arenaBytes(found), "records of the table");
    read();
    std::vector<Field> fields;
    for (const Columns& columns : found.fields) {
      const std::string& type = columns.field->type;
      Field& field = fields.emplace_back(Field{columns.field->name, type == "f32" ? HEDDLE_F32 : type == "i32" ? HEDDLE_I32 : HEDDLE_BOOL, {}});
      for (size_t d = 0; d < columns.field->dims.size(); ++d)
        field.axes.push_back({columns.field->dims[d], d ? columns.sizes[d - 1] : 0});
    }
    setFields(fields);
    unlabelled ? setParts(0, found.records) : setRecords(found.records);
  }

  std::string fingerprint() const override {
    std::vector<size_t> order;
    for (const Columns& columns : found.fields) order.insert(order.end(), columns.at.begin(), columns.at.end());
    return fmt::format(R"({{"kind":"csv","records":{},"columns":[{}],"xxh64":"{:016x}","split":{}}})", found.records,
                       fmt::join(order, ","), hash, split);
  }

private:
  void read() {
    TableReader table(path, config.data.separator);
    auto changed = [&] {
      return RunError(kData, fmt::format("{}: changed while it was being read", path), "try again when it is complete");
    };
    int64_t at = 0, end = found.records * found.width;
    if (found.header && table.next()) table.takeHeader();
    while (table.next()) {
      if (at + found.width > end || table.cells().size() != size_t(found.width)) throw changed();
      forEachCell(found.fields, [&](const Columns& columns, size_t column) {
        int32_t value = readCell(table, columns, column);
        auto range = config.ranges.find("data." + columns.field->name);
        if (columns.field->type == "i32" && range != config.ranges.end() && (value < 0 || value >= range->second))
          refuse(table, column, fmt::format("is not in [0, {}), which `{}` must be", range->second, columns.field->name));
        memcpy(values.data() + 4 * at++, &value, 4);
      });
    }
    if (at != end || table.hash() != hash) throw changed();
  }

  void fillRow(const RowPlace& place, void* const* out) override {
    const char* from = values.data() + 4 * place.record * found.width;
    for (size_t f = 0; f < found.fields.size(); ++f) {
      size_t bytes = 4 * found.fields[f].at.size();
      if (out[f]) memcpy(out[f], from, bytes);
      from += bytes;
    }
  }

  const RunConfig config;  // owns the fields that `found` points at
  Scan found;
  Arena values;
  uint64_t hash = 0;
};

}  // namespace

std::unique_ptr<DataSource> openCsvSource(const RunConfig& config, const std::string& path) {
  return std::make_unique<CsvSource>(config, path);
}

std::unique_ptr<DataSource> openUnlabelledCsv(const RunConfig& config, const std::string& path) {
  return std::make_unique<CsvSource>(config, path, true);
}

DataDescription describeCsv(const RunConfig& config, const std::string& path) {
  TableReader table(path, config.data.separator);
  return describe(scan(table, config), config);
}

}  // namespace heddle
