// Texts with a label each, from a table, as rows of TextRows.
//
// Labels that are all whole numbers from 0 count classes themselves; other labels are names, and a class is the place of
// its name among all in the order of their bytes.
#include "runtime/Arena.h"
#include "runtime/RecordSource.h"
#include "runtime/RunError.h"
#include "runtime/TextRows.h"
#include "runtime/TextTable.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace heddle {
namespace {

constexpr int64_t kMostClasses = 1 << 20;

std::vector<TextColumn> columnsOf(const RunConfig& config) {
  return {{"text", config.data.text}, {"label", config.data.label, false}};
}

// The whole number that a label is, as it is commonly written, or -1.
int64_t classNumber(const std::string& label) {
  int64_t value = -1;
  auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), value);
  bool whole = error == std::errc() && value >= 0 && value < kMostClasses && label == std::to_string(value);
  return whole ? value : -1;
}

// The names of the classes.
class Classes {
public:
  void add(const TableReader& table, size_t column) {
    const std::string& label = table.cells()[column];
    if (label.empty()) throw RunError(kData, fmt::format("{}: the label is empty", table.place(column)), "every text has a label");
    int64_t number = classNumber(label);
    numbers = numbers && number >= 0;
    most = std::max(most, number);
    if (!names.insert(label).second || int64_t(names.size()) <= kMostClasses) return;
    throw RunError(kData, fmt::format("{}: more than {} different labels", table.place(column), kMostClasses),
                   "is this the column of the labels? `label = 2` chooses one by its number");
  }
  std::vector<std::string> list() const {
    if (!numbers) return {names.begin(), names.end()};
    std::vector<std::string> all;
    for (int64_t i = 0; i <= most; ++i) all.push_back(std::to_string(i));
    return all;
  }

private:
  std::set<std::string> names;
  bool numbers = true;
  int64_t most = 0;
};

// Both readings of a table.
struct Labelled {
  Labelled(const RunConfig& config, const std::string& path) : table(config, path, columnsOf(config), TextRows::kSpecial) {
    Classes found;
    table.forEach([&](const TableReader& reader, const std::vector<size_t>& at) { found.add(reader, at[1]); });
    classes = found.list();
  }
  DataDescription describe(const RunConfig& config) const {
    DataDescription result;
    result.facts = {{"vocabulary", table.special.vocabulary}, {"classes", int64_t(classes.size())}};
    result.bytes = table.reserved() + Arena::reserved(table.records * 4);
    RecordSource::describeSplit(table.records, config.data, result);
    return result;
  }
  int32_t classOf(const std::string& label) const {
    int64_t number = classNumber(label);
    if (number >= 0 && number < int64_t(classes.size()) && classes[size_t(number)] == label) return int32_t(number);
    auto at = std::lower_bound(classes.begin(), classes.end(), label);
    return at != classes.end() && *at == label ? int32_t(at - classes.begin()) : -1;
  }

  TextTable table;
  std::vector<std::string> classes;
};

class LabelledSource : public RecordSource {
public:
  LabelledSource(const RunConfig& config, const std::string& file) : RecordSource(config, file, "texts"), data(config, file),
                                                                  rows(path, data.table.texts, data.table.special) {
    DataDescription description = data.describe(config);
    checkBinds(config, description.facts, path);
    checkRanges(config);
    checkMemory(Arena::mapped() + description.bytes);
    labels = Arena(data.table.records * 4, "labels");
    int64_t record = 0;
    data.table.read([&](const TableReader& table, const std::vector<size_t>& at) {
      int32_t label = data.classOf(table.cells()[at[1]]);
      if (label < 0) throw RunError(kData, fmt::format("{}: changed while it was being read", path));
      reinterpret_cast<int32_t*>(labels.data())[record++] = label;
    });
    setFields({{"ids", HEDDLE_I32, {{"B"}, {"T"}}}, {"valid", HEDDLE_BOOL, {{"B"}, {"T"}}}, {"label", HEDDLE_I32, {{"B"}}}});
    setRecords(data.table.records);
  }

  std::string fingerprint() const override {
    return fmt::format(R"({{"kind":"labelled","texts":{},"xxh64":"{:016x}","tokenizer":"{}","classes":{},"split":{}}})",
                       data.table.records, data.table.hash, data.table.words.fingerprint(), data.classes.size(), split);
  }
  const Tokenizer* tokenizer() const override { return &data.table.words; }
  const std::vector<std::string>* classes() const override { return &data.classes; }
  std::vector<std::string> notes() const override {
    std::vector<std::string> lines = rows.notes(), buckets = RecordSource::notes();
    lines.insert(lines.end(), buckets.begin(), buckets.end());
    return lines;
  }

private:
  void checkRanges(const RunConfig& config) {
    for (auto& [name, size] : {std::pair{"data.ids", data.table.special.vocabulary}, {"data.label", int64_t(data.classes.size())}}) {
      auto range = config.ranges.find(name);
      if (range != config.ranges.end() && size > range->second)
        throw RunError(kData, fmt::format("{}: `{}` has {} values, but the program was compiled for {}", path, name, size, range->second),
                       "compile the program for these data");
    }
  }

  void fit(const std::vector<Axis>& axes) override {
    rows.fit(sizeOf(axes, "T"));
  }
  bool holds(int64_t record, const std::vector<Axis>& axes) const override { return rows.holds(record, sizeOf(axes, "T")); }

  void fillRow(const RowPlace& place, void* const* out) override {
    rows.fill(place.record, sizeOf(place.axes, "T"), static_cast<int32_t*>(out[0]), static_cast<int32_t*>(out[1]));
    if (out[2]) *static_cast<int32_t*>(out[2]) = reinterpret_cast<const int32_t*>(labels.data())[place.record];
  }

  Labelled data;
  Arena labels;
  TextRows rows;
};

}  // namespace

std::unique_ptr<DataSource> openLabelledSource(const RunConfig& config, const std::string& path) {
  return std::make_unique<LabelledSource>(config, path);
}

DataDescription describeLabelled(const RunConfig& config, const std::string& path) {
  return Labelled(config, path).describe(config);
}

}  // namespace heddle
