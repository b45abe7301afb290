// See TokenModel.h. The positions behind the last token hold token 0: a model that generates is causal, so that they do
// not reach the logits that are read.
#include "runtime/TokenModel.h"

#include "runtime/RunError.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace heddle {
namespace {

const HeddleBuffer* generatedIds(Session& session, const HeddleEntry& entry) {
  const HeddleBuffer* ids = session.findInput(entry, "data.ids");
  return ids ? ids : session.findInput(entry, "data.tgt");
}

bool isOfType(const HeddleBuffer* buffer, int32_t type, int rank) {
  return buffer && buffer->type == type && buffer->rank == rank;
}

}  // namespace

TokenModel::TokenModel(Session& s, bool recompute)
    : session(s), all(s.entry("sample")), ids(generatedIds(s, all)), logits(s.findOutput(all, "logits")) {
  if (!isOfType(ids, HEDDLE_I32, 2) || !isOfType(logits, HEDDLE_F32, 3) || ids->dims[0].size != logits->dims[0].size ||
      ids->dims[1].size != logits->dims[1].size)
    throw RunError(kInternal, "entry `sample` wants ids i32[rows, T] and gives logits f32[rows, T, V]");
  rows = ids->dims[0].size, length = ids->dims[1].size, vocabulary = logits->dims[2].size;
  found.resize(size_t(rows));
  one = recompute ? nullptr : session.findEntry("decode");
  if (!one) return;
  id = generatedIds(session, *one), position = session.findInput(*one, "$position");
  logitsOfOne = session.findOutput(*one, "logits");
  if (!isOfType(id, HEDDLE_I32, 1) || !isOfType(position, HEDDLE_I32, 0) || !isOfType(logitsOfOne, HEDDLE_F32, 2) ||
      id->dims[0].size != rows || logitsOfOne->dims[0].size != rows || logitsOfOne->dims[1].size != vocabulary)
    throw RunError(kInternal, "entry `decode` wants ids i32[rows] and $position, and gives logits f32[rows, V]");
  std::string_view batch = ids->dims[0].name;
  for (int i = 0; i < session.program.variable_count; ++i) {
    const HeddleVariable& cache = session.program.variables[i];
    if (cache.kind != HEDDLE_CACHE) continue;
    int64_t blocks = 1, inner = 1;
    int d = 0;
    while (d < cache.rank && batch != cache.dims[d].name) blocks *= cache.dims[d++].size;
    if (d == cache.rank) continue;  // the same for all rows
    while (++d < cache.rank) inner *= cache.dims[d].size;
    caches.push_back({static_cast<char*>(session.memory(cache)), blocks, inner * 4});
  }
}

const std::vector<const float*>& TokenModel::next(const std::vector<std::vector<int32_t>>& sequences) {
  int64_t tokens = int64_t(sequences[0].size());
  bool follows = one && known > 0 && tokens == known + 1 && tokens <= length;
  follows ? computeOne(sequences) : computeAll(sequences);
  known = tokens <= length ? tokens : 0;  // of a window that moved, every position is another
  return found;
}

void TokenModel::give(const HeddleBuffer& input, std::vector<int32_t> values) {
  if (int64_t(values.size()) != elementCount(input))
    throw RunError(kInternal, fmt::format("{} has {} elements, not {}", input.name, elementCount(input), values.size()));
  std::erase_if(given, [&](auto& other) { return other.first == &input; });
  given.push_back({&input, std::move(values)});
  known = 0;
}

void TokenModel::computeAll(const std::vector<std::vector<int32_t>>& sequences) {
  for (auto& [input, values] : given)  // `decode` shares the workspace
    memcpy(session.memory(*input), values.data(), values.size() * 4);
  auto* in = static_cast<int32_t*>(session.memory(*ids));
  int64_t used = std::min<int64_t>(length, int64_t(sequences[0].size()));
  for (int64_t r = 0; r < rows; ++r) {
    const std::vector<int32_t>& sequence = sequences[size_t(r)];
    std::copy(sequence.end() - used, sequence.end(), in + r * length);
    std::fill(in + r * length + used, in + (r + 1) * length, 0);
  }
  session.setCounters(all, 0, 0);
  session.run(all);
  auto* out = static_cast<const float*>(session.memory(*logits));
  for (int64_t r = 0; r < rows; ++r) found[size_t(r)] = out + (r * length + used - 1) * vocabulary;
}

void TokenModel::computeOne(const std::vector<std::vector<int32_t>>& sequences) {
  auto* in = static_cast<int32_t*>(session.memory(*id));
  for (int64_t r = 0; r < rows; ++r) in[r] = sequences[size_t(r)].back();
  *static_cast<int32_t*>(session.memory(*position)) = int32_t(sequences[0].size() - 1);
  session.setCounters(*one, 0, 0);
  session.run(*one);
  auto* out = static_cast<const float*>(session.memory(*logitsOfOne));
  for (int64_t r = 0; r < rows; ++r) found[size_t(r)] = out + r * vocabulary;
}

void TokenModel::reorder(const std::vector<int32_t>& from) {
  for (const Place& cache : caches)
    for (int64_t block = 0; block < cache.blocks; ++block) {
      char* first = cache.first + block * rows * cache.rowBytes;
      copy.assign(first, first + rows * cache.rowBytes);
      for (int64_t r = 0; r < rows; ++r)
        if (from[size_t(r)] != r) memcpy(first + r * cache.rowBytes, copy.data() + from[size_t(r)] * cache.rowBytes, size_t(cache.rowBytes));
    }
}

}  // namespace heddle
