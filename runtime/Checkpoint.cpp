// See Checkpoint.h. The header's own checksum is taken over its bytes with that checksum's digits as zeros.
#include "runtime/Checkpoint.h"

#include "runtime/Initialise.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <set>

namespace heddle {
namespace {

constexpr char kVersion[] = "1";
constexpr char kNoDigits[] = "0000000000000000";
constexpr char kHeaderKey[] = "\"heddle.header_xxh64\":\"";

std::string digits(const void* data, uint64_t bytes) { return fmt::format("{:016x}", uint64_t(XXH64(data, bytes, 0))); }

// Puts the checksum of a header into it (its digits are zeros before), or returns what they should have been.
std::string headerChecksum(std::string header, size_t* place) {
  size_t at = header.find(kHeaderKey);
  if (at == std::string::npos) return {};
  *place = at + strlen(kHeaderKey);
  if (*place + 16 > header.size()) return {};
  header.replace(*place, 16, kNoDigits);
  return digits(header.data(), header.size());
}

std::vector<int64_t> layerShape(const HeddleVariable& v) {
  std::vector<int64_t> shape;
  for (int d = v.repeats; d < v.rank; ++d) shape.push_back(v.dims[d].size);
  return shape;
}

void forEachLayer(const HeddleProgram& program, const std::function<void(const HeddleVariable&, const VariableLayer&)>& f) {
  for (int i = 0; i < program.variable_count; ++i)
    for (const VariableLayer& layer : layersOf(program.variables[i])) f(program.variables[i], layer);
}

// The first element of a tensor that is NaN or infinite, or -1: all bits of the exponent are set.
int64_t firstNotFinite(const HeddleVariable& v, const void* data, int64_t elements) {
  if (v.type != HEDDLE_F32) return -1;
  auto* words = static_cast<const uint32_t*>(data);
  for (int64_t i = 0; i < elements; ++i)
    if ((words[i] & 0x7F800000u) == 0x7F800000u) return i;
  return -1;
}

std::string dump(const std::vector<int64_t>& shape) { return nlohmann::json(shape).dump(); }

// Every difference between the tensors of the file and those of the program, a line each.
std::string tensorDifferences(const SafetensorsFile& file, const HeddleProgram& program) {
  std::string differences;
  std::set<std::string> known;
  forEachLayer(program, [&](const HeddleVariable& v, const VariableLayer& layer) {
    known.insert(layer.name);
    auto* tensor = file.find(layer.name);
    std::vector<int64_t> shape = layerShape(v);
    const char* dtype = v.type == HEDDLE_F32 ? "F32" : v.type == HEDDLE_I32 ? "I32" : "BOOL";
    if (!tensor)
      differences += fmt::format("\n  missing: {} {}", layer.name, dump(shape));
    else if (tensor->shape != shape || tensor->dtype != dtype)
      differences += fmt::format("\n  misshaped: {} is {} {}, the program's is {} {}", layer.name, tensor->dtype,
                                 dump(tensor->shape), dtype, dump(shape));
  });
  for (auto& tensor : file.tensors())
    if (!known.count(tensor.name)) differences += fmt::format("\n  extra: {} {}", tensor.name, dump(tensor.shape));
  return differences;
}

std::string metadataOf(const SafetensorsFile& file, const std::string& key) {
  auto found = file.metadata().find(key);
  if (found == file.metadata().end())
    throw RunError(kData, fmt::format("{}: byte 8: is not a checkpoint of Heddle: no {}", file.path(), key));
  return found->second;
}

// The header's checksum stands at the same place in every version, so that a damaged file is not taken for a newer one.
void checkHeader(const SafetensorsFile& file) {
  metadataOf(file, "heddle.header_xxh64");
  size_t place = 0;
  std::string expected = headerChecksum(file.header(), &place);
  if (expected.empty() || file.header().substr(place, 16) != expected)
    throw RunError(kData, fmt::format("{}: byte 8: the header's checksum is wrong: the file is damaged", file.path()));
  if (std::string version = metadataOf(file, "heddle.version"); version != kVersion)
    throw CheckpointMismatch(kData, fmt::format("{}: is of checkpoint version {}; this program reads version {}",
                                                file.path(), version, kVersion),
                             "it was written by another version of Heddle: resume with that one");
}

void checkFits(const SafetensorsFile& file, const HeddleProgram& program) {
  std::string hash = metadataOf(file, "heddle.hash"), differences = tensorDifferences(file, program);
  if (hash != program.hash)
    throw CheckpointMismatch(
        kData, fmt::format("{}: is a checkpoint of '{}' (hash {}), not of '{}' (hash {}); {}{}", file.path(),
                           metadataOf(file, "heddle.program"), hash, program.name, program.hash,
                           differences.empty() ? "they have the same tensors" : "nothing was loaded:", differences),
        "the program's text or settings have changed since");
  if (!differences.empty())
    throw CheckpointMismatch(kData, fmt::format("{}: does not fit '{}'; nothing was loaded:{}", file.path(),
                                                program.name, differences));
}

// Reads tensors of a checkpoint in pieces, so that nothing but their place in memory is needed for them, and compares
// them with their checksums.
class CheckedReader {
public:
  explicit CheckedReader(const SafetensorsFile& file)
      : file(file), known(nlohmann::json::parse(metadataOf(file, "heddle.xxh64"), nullptr, false)),
        hash(XXH64_createState(), XXH64_freeState), piece(size_t(kPiece)) {
    if (!hash) throw std::bad_alloc();
  }

  /// `take(element, values, count)` gets the pieces in their order, 4 bytes an element.
  template <typename Take> void read(const SafetensorsEntry& tensor, int32_t type, Take take) {
    XXH64_reset(hash.get(), 0);
    int64_t elements = tensor.elements();
    for (int64_t done = 0; done < elements; done += kPiece) {
      int64_t count = std::min(kPiece, elements - done);
      file.read(tensor, done, count, type, piece.data());
      XXH64_update(hash.get(), piece.data(), size_t(count) * 4);
      take(done, piece.data(), count);
    }
    auto found = known.is_object() ? known.find(tensor.name) : known.end();
    if (!known.is_object() || found == known.end() || *found != fmt::format("{:016x}", uint64_t(XXH64_digest(hash.get()))))
      throw RunError(kData, fmt::format("{}: byte {}: the checksum of tensor '{}' is wrong: the file is damaged",
                                        file.path(), tensor.begin, tensor.name));
  }

private:
  static constexpr int64_t kPiece = 1 << 16;  // elements
  const SafetensorsFile& file;
  nlohmann::json known;
  std::unique_ptr<XXH64_state_t, decltype(&XXH64_freeState)> hash;
  std::vector<uint32_t> piece;
};

template <typename T> T number(const SafetensorsFile& file, const std::string& key, const std::string& text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < T(0))
    throw RunError(kData, fmt::format("{}: byte 8: {} is '{}'", file.path(), key, text));
  return value;
}

}  // namespace

std::vector<VariableLayer> layersOf(const HeddleVariable& v) {
  std::vector<VariableLayer> layers;
  int64_t count = layerCount(v), bytes = layerElements(v) * 4;
  for (int64_t i = 0; i < count; ++i) {
    std::string name = v.name;
    int64_t inner = count, rest = i;
    for (int d = 0; d < v.repeats; ++d) {
      inner /= v.dims[d].size;
      name.replace(name.find("{}"), 2, std::to_string(rest / inner));
      rest %= inner;
    }
    layers.push_back({std::move(name), v.offset + i * bytes});
  }
  return layers;
}

void saveCheckpoint(const std::string& path, Session& session, const CheckpointInfo& info) {
  const HeddleProgram& program = session.program;
  SafetensorsWriter writer;
  nlohmann::ordered_json checksums = nlohmann::ordered_json::object();
  forEachLayer(program, [&](const HeddleVariable& v, const VariableLayer& layer) {
    const char* data = session.variables.data() + layer.offset;
    int64_t elements = layerElements(v);
    if (int64_t bad = firstNotFinite(v, data, elements); bad >= 0)
      throw RunError(kStopped, fmt::format("{} is not finite at element {} after step {}; not saved", layer.name, bad,
                                           info.step));
    checksums[layer.name] = digits(data, uint64_t(elements) * 4);
    writer.add(layer.name, v.type, layerShape(v), data);
  });
  writer.metadata = {{"heddle.version", kVersion},
                     {"heddle.program", program.name},
                     {"heddle.hash", program.hash},
                     {"heddle.target", session.target.name},
                     {"heddle.step", std::to_string(info.step)},
                     {"heddle.seed", std::to_string(info.seed)},
                     {"heddle.data", info.data},
                     {"heddle.tokenizer", info.tokenizer},
                     {"heddle.classes", info.classes},
                     {"heddle.xxh64", checksums.dump()},
                     {"heddle.header_xxh64", kNoDigits}};
  std::string header = writer.header();
  size_t place;
  std::string checksum = headerChecksum(header, &place);
  header.replace(place, 16, checksum);
  writer.write(path, header);
}

namespace {

// Reads a checkpoint through. With `variables`, the arena of a session, what is read goes there.
CheckpointInfo readThrough(const std::string& path, const Session& session, LoadPart part, char* variables) {
  const HeddleProgram& program = session.program;
  SafetensorsFile file(path);
  checkHeader(file);
  checkFits(file, program);
  CheckedReader reader(file);
  forEachLayer(program, [&](const HeddleVariable& v, const VariableLayer& layer) {
    if (part == LoadPart::kWithoutOptimizer && v.kind == HEDDLE_OPTIMIZER) return;
    auto* tensor = file.find(layer.name);
    int64_t bad = -1;
    reader.read(*tensor, v.type, [&](int64_t first, const void* data, int64_t count) {
      int64_t at = bad < 0 ? firstNotFinite(v, data, count) : -1;
      if (at >= 0) bad = first + at;
      if (variables) memcpy(variables + layer.offset + first * 4, data, size_t(count) * 4);
    });
    if (bad >= 0)
      throw RunError(kData, fmt::format("{}: byte {}: tensor '{}': element {} is not finite", path,
                                        tensor->begin + uint64_t(bad) * 4, layer.name, bad));
  });
  CheckpointInfo info;
  info.step = number<int64_t>(file, "heddle.step", metadataOf(file, "heddle.step"));
  info.seed = number<uint64_t>(file, "heddle.seed", metadataOf(file, "heddle.seed"));
  info.data = metadataOf(file, "heddle.data");
  info.tokenizer = metadataOf(file, "heddle.tokenizer");
  auto classes = file.metadata().find("heddle.classes");  // older checkpoints have none
  if (classes != file.metadata().end()) info.classes = classes->second;
  info.target = metadataOf(file, "heddle.target");
  return info;
}

}  // namespace

CheckpointInfo verifyCheckpoint(const std::string& path, const Session& session, LoadPart part) {
  return readThrough(path, session, part, nullptr);
}

CheckpointInfo loadCheckpoint(const std::string& path, Session& session, LoadPart part) {
  verifyCheckpoint(path, session, part);
  return readThrough(path, session, part, session.variables.data());
}

void verifyChecksums(const SafetensorsFile& file) {
  checkHeader(file);
  CheckedReader reader(file);
  for (const SafetensorsEntry& tensor : file.tensors())
    reader.read(tensor, tensor.dtype == "F32" ? HEDDLE_F32 : tensor.dtype == "I32" ? HEDDLE_I32 : HEDDLE_BOOL,
                [](int64_t, const void*, int64_t) {});
}

}  // namespace heddle
