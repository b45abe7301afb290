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

std::string typeText(int32_t type, const std::string& dims) { return typeName(type) + dims; }

}  // namespace

RecordSource::RecordSource(const RunConfig& config, std::string path, std::string noun)
    : path(std::move(path)), noun(std::move(noun)), split(config.data.split), microBatches(config.microBatches) {}

void RecordSource::setFields(std::vector<Field> all) {
  fields = std::move(all);
  pointers.resize(fields.size());
}

int64_t RecordSource::trainedOf(int64_t records, double split) {
  return split >= 1 ? records : int64_t(double(records) * split);
}

void RecordSource::describeSplit(int64_t records, double split, DataDescription& description) {
  int64_t trained = trainedOf(records, split);
  description.facts["records"] = trained, description.facts["held_out"] = records - trained;
}

void RecordSource::setRecords(int64_t records) {
  setParts(trainedOf(records, split), records - trainedOf(records, split));
  permuted = true;
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

void RecordSource::check(Session&, const HeddleEntry& entry, bool evaluation) {
  int64_t rows = 0;
  std::string batch;
  bool counts = false;
  for (int i = 0; i < entry.input_count; ++i) {
    const HeddleBuffer& input = entry.inputs[i];
    std::string name = input.name;
    if (!name.starts_with("data.") && name != "$rows") continue;
    Field row{"rows", HEDDLE_BOOL, {{"batch"}}};
    counts |= name == "$rows";
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
    rows = input.dims[0].size, batch = input.dims[0].name;
    for (size_t d = 1; d < field.axes.size(); ++d) {
      auto known = std::find_if(sizes.begin(), sizes.end(), [&](auto& axis) { return axis.name == field.axes[d].name; });
      if (known == sizes.end()) sizes.push_back({field.axes[d].name, input.dims[d].size});
      else if (known->size != input.dims[d].size)
        throw RunError(kInternal, fmt::format("entry `{}`: the fields differ in {}", entry.name, known->name));
    }
  }
  if (!rows) throw RunError(kData, fmt::format("entry `{}` takes no data", entry.name));
  fit(sizes);
  int64_t has = evaluation ? heldOut : trained, least = evaluation && !counts ? rows : 1;
  if (has < least)
    throw RunError(kData,
                   has == 0 ? fmt::format("{}: no {} are left for {} (split = {})", path, noun,
                                          evaluation ? "evaluation" : "training", split)
                            : fmt::format("{}: {} {} are held out for evaluation (split = {}), fewer than the batch {} = {}",
                                          path, has, noun, split, batch, rows),
                   "another split, more data or a smaller " + batch);
  bindingOf(entry);
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
    if (found) binding.rows = found->dims[0].size;
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
  uint64_t place = (uint64_t(step - 1) * uint64_t(microBatches) + uint64_t(micro)) * uint64_t(binding.rows);
  uint64_t count = uint64_t(trained);
  Permutation order(count, seed, kOrderStream, place / count), parts(count + uint64_t(heldOut), kSplitSeed, kSplitStream, 0);
  for (int64_t row = 0; row < binding.rows; ++row, ++place) {
    if (row && place % count == 0) order = Permutation(count, seed, kOrderStream, place / count);
    uint64_t record = uint64_t(binding.rows) == count ? place % count : order(place % count);  // all: in one order
    fillRow(session, binding, row, {int64_t(permuted ? parts(record) : record), false, seed, place});
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
    fillRow(session, binding, row, {heldOutRecord(place), true, 0, uint64_t(place)});
    if (counts) counts[row] = row < real;
  }
  return real;
}

}  // namespace heddle
