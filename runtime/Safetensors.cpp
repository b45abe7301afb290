// The reader. The JSON library keeps the last of duplicate keys and would accept any depth, so both are refused in
// its callback, as the text goes by.
#include "runtime/Safetensors.h"

#include "runtime/Abi.h"
#include "runtime/RunError.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <set>

namespace heddle {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxHeader = 100'000'000;  // bytes; the limit of the reference implementation

[[noreturn]] void bad(const std::string& path, uint64_t byte, const std::string& cause) {
  throw RunError(kData, fmt::format("{}: byte {}: {}", path, byte, cause), "the file is damaged or not a safetensors file");
}

std::string readHeader(const InputFile& file) {
  if (file.size() < 8)
    bad(file.path(), 0, fmt::format("a safetensors file starts with 8 bytes of length, this one has {}", file.size()));
  unsigned char bytes[8];
  file.read(0, bytes, 8);
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | bytes[i];
  if (length > file.size() - 8)
    bad(file.path(), 0, fmt::format("the header would take {} bytes, but {} follow", length, file.size() - 8));
  if (length > kMaxHeader) bad(file.path(), 0, fmt::format("a header of {} bytes; at most {}", length, kMaxHeader));
  std::string text(length, '\0');
  file.read(8, text.data(), length);
  if (text.empty() || text[0] != '{') bad(file.path(), 8, "the header does not start with '{'");
  return text;
}

json parseHeader(const std::string& path, const std::string& text) {
  std::vector<std::set<std::string>> keys;  // of the open objects
  auto onEvent = [&](int depth, json::parse_event_t event, json& value) {
    if (depth > 4) bad(path, 8, "the header is nested too deep");
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
      bad(path, 8, fmt::format("the key '{}' stands twice", value.get<std::string>()));
    return true;
  };
  try {
    return json::parse(text, onEvent);
  } catch (const json::parse_error& e) {
    bad(path, 8 + e.byte, "the header is not JSON");
  } catch (const json::exception&) {  // a number like 1e999
    bad(path, 8, "the header holds a number that is out of range");
  }
}

// One "name": {..}. `dataStart` and `dataBytes` place the data part in the file.
SafetensorsEntry parseEntry(const std::string& path, const std::string& name, const json& value, uint64_t dataStart,
                            uint64_t dataBytes) {
  auto refuse = [&](const std::string& cause) { bad(path, 8, fmt::format("tensor '{}': {}", name, cause)); };
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets"))
    refuse("wants exactly dtype, shape and data_offsets");
  const json &dtype = value["dtype"], &shape = value["shape"], &offsets = value["data_offsets"];
  if (!dtype.is_string() || safetensorsWidth(dtype) == 0) refuse(fmt::format("unknown dtype {}", dtype.dump()));
  if (!shape.is_array() || shape.size() > 64) refuse("shape wants a list of at most 64 sizes");
  SafetensorsEntry entry{name, dtype, {}, 0, 0};
  uint64_t bytes = safetensorsWidth(entry.dtype);
  bool overflow = false, empty = false;
  for (const json& size : shape) {
    if (!size.is_number_unsigned() || size.get<uint64_t>() > uint64_t(std::numeric_limits<int64_t>::max()))
      refuse(fmt::format("size {} in its shape", size.dump()));
    entry.shape.push_back(size.get<int64_t>());
    empty |= entry.shape.back() == 0;
    overflow |= __builtin_mul_overflow(bytes, size.get<uint64_t>(), &bytes);
  }
  if (overflow && !empty) refuse("its shape is more than 2^64 bytes");
  if (empty) bytes = 0;
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    refuse(fmt::format("data_offsets {} are not two numbers from 0", offsets.dump()));
  uint64_t begin = offsets[0], end = offsets[1];
  if (begin > end) refuse(fmt::format("data_offsets [{}, {}] are reversed", begin, end));
  if (end > dataBytes) refuse(fmt::format("its data ends at {}, but there are {} bytes of data", end, dataBytes));
  if (end - begin != bytes) refuse(fmt::format("{} bytes of data for a shape of {} bytes", end - begin, bytes));
  entry.begin = dataStart + begin, entry.end = dataStart + end;
  return entry;
}

}  // namespace

uint64_t safetensorsWidth(const std::string& dtype) {
  static const std::map<std::string, uint64_t> sizes = {
      {"F32", 4}, {"F64", 8}, {"I32", 4}, {"I64", 8}, {"U8", 1},      {"BOOL", 1},   {"F16", 2}, {"BF16", 2},
      {"I8", 1},  {"I16", 2}, {"U16", 2}, {"U32", 4}, {"U64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};
  auto found = sizes.find(dtype);
  return found == sizes.end() ? 0 : found->second;
}

int64_t SafetensorsEntry::elements() const {
  int64_t n = 1;
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;  // before a product that may overflow
  for (int64_t size : shape) n *= size;
  return n;
}

SafetensorsFile::SafetensorsFile(const std::string& path) : file(path), text(readHeader(file)) {
  uint64_t dataStart = 8 + text.size(), dataBytes = file.size() - dataStart;
  json root = parseHeader(path, text);
  for (auto& [name, value] : root.items()) {
    if (name != "__metadata__") {
      entries.push_back(parseEntry(path, name, value, dataStart, dataBytes));
      continue;
    }
    if (!value.is_object()) bad(path, 8, "__metadata__ is not an object");
    for (auto& [key, word] : value.items()) {
      if (!word.is_string()) bad(path, 8, fmt::format("__metadata__: '{}' is not a string", key));
      meta[key] = word;
    }
  }
  std::sort(entries.begin(), entries.end(), [](auto& a, auto& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  uint64_t at = dataStart;
  for (const SafetensorsEntry& e : entries) {
    if (e.begin != at)
      bad(path, std::min(e.begin, at),
          fmt::format("tensor '{}' {}", e.name, e.begin < at ? "overlaps another" : "follows a hole"));
    at = e.end;
  }
  if (at != file.size()) bad(path, at, fmt::format("{} bytes that belong to no tensor", file.size() - at));
}

const SafetensorsEntry* SafetensorsFile::find(std::string_view name) const {
  for (const SafetensorsEntry& e : entries)
    if (e.name == name) return &e;
  return nullptr;
}

namespace {

// Turns `count` values at `from`, of the file's type, into 4-byte ones. Returns the first that does not fit, or -1.
template <typename From, typename Fits, typename Convert>
int64_t convert(const char* from, int64_t count, void* out, Fits fits, Convert to) {
  for (int64_t i = 0; i < count; ++i) {
    From value;
    memcpy(&value, from + i * int64_t(sizeof(From)), sizeof(From));
    if (!fits(value)) return i;
    auto result = to(value);
    static_assert(sizeof result == 4);
    memcpy(static_cast<char*>(out) + i * 4, &result, 4);
  }
  return -1;
}

// IEEE binary16 to binary32: exact, subnormal numbers too. A NaN keeps its sign and the upper bits of its payload.
float fromHalf(uint16_t half) {
  uint32_t sign = uint32_t(half & 0x8000) << 16, exponent = half >> 10 & 0x1F, fraction = half & 0x3FF;
  if (exponent == 0) return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(float(fraction) * 0x1p-24f));
  return std::bit_cast<float>(sign | (exponent == 31 ? 0xFFu : exponent + 112) << 23 | fraction << 13);
}

int64_t convert(const std::string& dtype, int32_t type, const char* from, int64_t count, void* out, bool& known) {
  auto any = [](auto) { return true; };
  auto zeroOrOne = [](auto v) { return v == 0 || v == 1; };
  auto narrow = [](auto v) { return int32_t(v); };
  known = true;
  if (type == HEDDLE_F32 && dtype == "F64")
    return convert<double>(
        from, count, out, [](double v) { return !std::isfinite(v) || std::isfinite(float(v)); },
        [](double v) { return float(v); });
  if (type == HEDDLE_F32 && dtype == "F16") return convert<uint16_t>(from, count, out, any, fromHalf);
  if (type == HEDDLE_F32 && dtype == "BF16")
    return convert<uint16_t>(from, count, out, any, [](uint16_t v) { return uint32_t(v) << 16; });
  if (type == HEDDLE_I32 && dtype == "I64")
    return convert<int64_t>(from, count, out, [](int64_t v) { return v == int32_t(v); }, narrow);
  if (type == HEDDLE_I32 && dtype == "U8") return convert<uint8_t>(from, count, out, any, narrow);
  if (type == HEDDLE_BOOL && (dtype == "BOOL" || dtype == "U8"))
    return convert<uint8_t>(from, count, out, zeroOrOne, narrow);
  known = false;
  return -1;
}

}  // namespace

void SafetensorsFile::read(const SafetensorsEntry& t, int64_t first, int64_t count, int32_t type, void* out) const {
  static const char* names[] = {"f32", "i32", "bool"};
  uint64_t width = safetensorsWidth(t.dtype), at = t.begin + uint64_t(first) * width;
  if ((type == HEDDLE_F32 && t.dtype == "F32") || (type == HEDDLE_I32 && t.dtype == "I32"))
    return file.read(at, out, uint64_t(count) * 4);
  constexpr int64_t kChunk = 2048;  // elements converted at a time, on the stack: batches are read without the heap
  char raw[kChunk * 8];
  for (int64_t done = 0; done < count || done == 0; done += kChunk) {
    int64_t n = std::min(count - done, kChunk);
    file.read(at + uint64_t(done) * width, raw, uint64_t(n) * width);
    bool known;
    int64_t wrong = convert(t.dtype, type, raw, n, static_cast<char*>(out) + done * 4, known);
    if (!known)
      throw RunError(kData, fmt::format("{}: tensor '{}' is {}, but {} is wanted", path(), t.name, t.dtype, names[type]));
    if (wrong >= 0)
      throw RunError(kData, fmt::format("{}: byte {}: tensor '{}': element {} does not fit {}", path(),
                                        at + uint64_t(done + wrong) * width, t.name, first + done + wrong, names[type]));
  }
}

}  // namespace heddle
