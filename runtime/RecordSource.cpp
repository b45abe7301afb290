// See RecordSource.h.
#include "runtime/RecordSource.h"

#include "runtime/Permutation.h"
#include "runtime/Philox.h"
#include "runtime/RunError.h"

#include <fmt/format.h>

#include <algorithm>

namespace heddle {
namespace {

constexpr uint64_t kSplitSeed = 0;  // a run's seed does not move records from one part to the other

constexpr int64_t kBucketBytes = 8;  // of a record that is divided into buckets

std::string typeText(int32_t type, const std::string& dims) { return typeName(type) + dims; }

}  // namespace

int64_t sizeOf(const std::vector<RecordAxis>& axes, std::string_view name) {
  for (const RecordAxis& axis : axes)
    if (axis.name == name) return axis.size;
  return 0;
}

RecordSource::RecordSource(const RunConfig& config, std::string path, std::string noun)
    : path(std::move(path)), noun(std::move(noun)), split(config.data.split), microBatches(config.microBatches), hasBuckets(config.data.buckets > 1) {}

void RecordSource::setFields(std::vector<Field> all) {
  fields = std::move(all);
  pointers.resize(fields.size());
}

int64_t RecordSource::trainedOf(int64_t records, double split) {
  return split >= 1 ? records : int64_t(double(records) * split);
}

void RecordSource::describeSplit(int64_t records, const DataConfig& data, DataDescription& description) {
  int64_t trained = trainedOf(records, data.split);
  if (data.buckets > 1) description.bytes += Arena::reserved(trained * kBucketBytes);
  description.facts["records"] = trained, description.facts["held_out"] = records - trained;
}

void RecordSource::setRecords(int64_t records) {
  setParts(trainedOf(records, split), records - trainedOf(records, split));
  permuted = true;
  if (hasBuckets) divided = Arena(trained * kBucketBytes, "records by their buckets");
}

void RecordSource::setParts(int64_t train, int64_t held) { trained = train, heldOut = held, permuted = false; }

const RecordSource::Field& RecordSource::fieldOf(const std::string& input) const {
  std::string list;
  for (const Field& field : fields) {
    if (input == "data." + field.name) return field;
    list += (list.empty() ? "data." : ", data.") + field.name;
  }
  throw RunError(kData, fmt::format("{}: `{}`: these data have no such field", path, input), "they have " + list);
}

RecordSource::Binding& RecordSource::checkFields(const HeddleEntry& entry, std::vector<Axis>& axes) {
  int64_t rows = 0;
  for (int i = 0; i < entry.input_count; ++i) {
    const HeddleBuffer& input = entry.inputs[i];
    std::string name = input.name;
    if (!name.starts_with("data.") && name != "$rows") continue;
    Field row{"rows", HEDDLE_BOOL, {{"batch"}}};
    const Field& field = name == "$rows" ? row : fieldOf(name);
    std::string wanted = "[";
    bool fits = input.type == field.type && size_t(input.rank) == field.axes.size();
    for (size_t d = 0; d < field.axes.size(); ++d) {
      const Axis& axis = field.axes[d];
      wanted += (d ? ", " : "") + axis.name + (axis.size ? fmt::format("={}", axis.size) : "");
      fits = fits && (!axis.size || axis.size == input.dims[d].size);
    }
    if (!fits)
      throw RunError(kData, fmt::format("{}: `{}` is {}, but these data give {}", path, name,
                                        typeText(input.type, shapeText(input.dims, input.rank)),
                                        typeText(field.type, wanted + "]")));
    if (rows && rows != input.dims[0].size)
      throw RunError(kInternal, fmt::format("entry `{}`: the fields differ in their batch", entry.name));
    rows = input.dims[0].size;
    for (size_t d = 1; d < field.axes.size(); ++d) {
      int64_t known = sizeOf(axes, field.axes[d].name);
      if (!known) axes.push_back({field.axes[d].name, input.dims[d].size});
      else if (known != input.dims[d].size)
        throw RunError(kInternal, fmt::format("entry `{}`: the fields differ in {}", entry.name, field.axes[d].name));
    }
  }
  if (!rows) throw RunError(kData, fmt::format("entry `{}` takes no data", entry.name));
  Binding& binding = bindingOf(entry);
  binding.axes = axes;
  fit(axes);
  return binding;
}

void RecordSource::check(Session&, const HeddleEntry& entry, bool evaluation) {
  const Binding& binding = checkFields(entry, sizes);
  int64_t has = evaluation ? heldOut : trained, least = evaluation && !binding.counts ? binding.rows : 1;
  if (has >= least) return;
  throw RunError(kData,
                 has == 0 ? fmt::format("{}: no {} are left for {} (split = {})", path, noun,
                                        evaluation ? "evaluation" : "training", split)
                          : fmt::format("{}: {} {} are held out for evaluation (split = {}), fewer than the batch {} = {}",
                                        path, has, noun, split, binding.batch, binding.rows),
                 "another split, more data or a smaller " + binding.batch);
}

void RecordSource::checkTraining(Session& session, const std::vector<const HeddleEntry*>& entries) {
  for (size_t k = 0; k + 1 < entries.size(); ++k) {
    std::vector<Axis> own;
    checkFields(*entries[k], own).bucket = k;
  }
  check(session, *entries.back(), false);
  bindingOf(*entries.back()).bucket = entries.size() - 1;
  if (hasBuckets != (entries.size() > 1)) throw RunError(kInternal, "the program's configuration: buckets");
  if (hasBuckets) divide(entries);
}

// Counts the records of each bucket, then puts them there, in the order of the split.
void RecordSource::divide(const std::vector<const HeddleEntry*>& entries) {
  Permutation parts(uint64_t(trained + heldOut), kSplitSeed, kSplitStream, 0);
  auto bucketOf = [&](int64_t record) {
    size_t k = 0;
    while (k + 1 < entries.size() && !holds(record, bindingOf(*entries[k]).axes)) ++k;
    return k;
  };
  buckets.assign(entries.size(), {0, 0, ""});
  for (int64_t i = 0; i < trained; ++i) ++buckets[bucketOf(int64_t(parts(uint64_t(i))))].records;
  std::vector<BucketOrder::Bucket> turns;
  for (size_t k = 0; k < buckets.size(); ++k) {
    const Binding& binding = bindingOf(*entries[k]);
    turns.push_back({buckets[k].records, binding.rows * microBatches});
    if (k) buckets[k].first = buckets[k - 1].first + buckets[k - 1].records;
    for (const Axis& axis : binding.axes) buckets[k].name += fmt::format("{}{} = {}", buckets[k].name.empty() ? "" : ", ", axis.name, axis.size);
  }
  order.emplace(std::move(turns));
  std::vector<int64_t> next;
  for (const Bucket& bucket : buckets) next.push_back(bucket.first);
  for (int64_t i = 0; i < trained; ++i) {
    int64_t record = int64_t(parts(uint64_t(i)));
    dividedRecords()[next[bucketOf(record)]++] = record;
  }
}

size_t RecordSource::trainingEntry(int64_t step) const { return order ? (*order)(step - 1).bucket : 0; }

std::vector<std::string> RecordSource::notes() const {
  std::vector<std::string> lines;
  for (const Bucket& bucket : buckets)
    lines.push_back(fmt::format("bucket {}: {} of {} {} to train on", bucket.name, bucket.records, trained, noun));
  return lines;
}

RecordSource::Binding& RecordSource::bindingOf(const HeddleEntry& entry) {
  for (Binding& binding : bindings)
    if (binding.entry == &entry) return binding;
  Binding binding;
  binding.entry = &entry;
  for (const Field& field : fields) {
    const HeddleBuffer* found = nullptr;
    for (int i = 0; i < entry.input_count; ++i)
      if (entry.inputs[i].name == "data." + field.name) found = &entry.inputs[i];
    binding.inputs.push_back(found);
    binding.stride.push_back(found ? elementCount(*found) / found->dims[0].size : 0);
    if (found) binding.rows = found->dims[0].size, binding.batch = found->dims[0].name;
  }
  for (int i = 0; i < entry.input_count; ++i)
    if (entry.inputs[i].name == std::string("$rows")) binding.counts = &entry.inputs[i], binding.rows = binding.counts->dims[0].size;
  return bindings.emplace_back(std::move(binding));
}

void RecordSource::fillRow(Session& session, const Binding& binding, int64_t row, const RowPlace& place) {
  for (size_t f = 0; f < fields.size(); ++f)
    pointers[f] = binding.inputs[f] ? static_cast<int32_t*>(session.memory(*binding.inputs[f])) + row * binding.stride[f]
                                    : nullptr;
  fillRow(place, pointers.data());
}

void RecordSource::fillTraining(Session& session, const HeddleEntry& entry, uint64_t seed, int64_t step, int32_t micro) {
  const Binding& binding = bindingOf(entry);
  BucketOrder::Turn turn = order ? (*order)(step - 1) : BucketOrder::Turn{0, step - 1};
  if (turn.bucket != binding.bucket) throw RunError(kInternal, fmt::format("step {} is not that of entry `{}`", step, entry.name));
  const int64_t* records = order ? dividedRecords() + buckets[turn.bucket].first : nullptr;
  uint64_t place = (uint64_t(turn.number) * uint64_t(microBatches) + uint64_t(micro)) * uint64_t(binding.rows);
  uint64_t count = uint64_t(order ? buckets[turn.bucket].records : trained);
  Permutation epoch(count, seed, kOrderStream, place / count), parts(uint64_t(trained + heldOut), kSplitSeed, kSplitStream, 0);
  for (int64_t row = 0; row < binding.rows; ++row, ++place) {
    if (row && place % count == 0) epoch = Permutation(count, seed, kOrderStream, place / count);
    uint64_t number = uint64_t(binding.rows) == count ? place % count : epoch(place % count);  // all: in one order
    int64_t record = records ? records[number] : int64_t(permuted ? parts(number) : number);
    fillRow(session, binding, row, {record, false, seed, place, binding.axes});
  }
  if (binding.counts) std::fill_n(static_cast<int32_t*>(session.memory(*binding.counts)), binding.rows, 1);
}

int64_t RecordSource::evaluationBatches(const HeddleEntry& entry, int64_t batches) const {
  for (const Binding& binding : bindings)
    if (binding.entry == &entry) {
      int64_t whole = binding.counts ? (heldOut + binding.rows - 1) / binding.rows : heldOut / binding.rows;
      return batches ? std::min(batches, std::max<int64_t>(1, whole)) : std::max<int64_t>(1, whole);
    }
  return std::max<int64_t>(1, batches);
}

int64_t RecordSource::heldOutRecord(int64_t place) const {
  uint64_t record = uint64_t(trained + place);
  return int64_t(permuted ? Permutation(uint64_t(trained + heldOut), kSplitSeed, kSplitStream, 0)(record) : record);
}

int64_t RecordSource::fillEvaluation(Session& session, const HeddleEntry& entry, int64_t batch, int64_t) {
  const Binding& binding = bindingOf(entry);
  int64_t first = batch * binding.rows, real = std::clamp<int64_t>(heldOut - first, 0, binding.rows);
  auto* counts = binding.counts ? static_cast<int32_t*>(session.memory(*binding.counts)) : nullptr;
  for (int64_t row = 0; row < binding.rows; ++row) {
    int64_t place = std::min(first + row, heldOut - 1);
    fillRow(session, binding, row, {heldOutRecord(place), true, 0, uint64_t(place), binding.axes});
    if (counts) counts[row] = row < real;
  }
  return real;
}

}  // namespace heddle
