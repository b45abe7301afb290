// See CheckpointBytes.h. Works on the text, so that everything else of the header stays as the mutation made it.
#include "CheckpointBytes.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace heddle::fuzz {
namespace {

std::string digits(const void *data, size_t bytes) { return fmt::format("{:016x}", uint64_t(XXH64(data, bytes, 0))); }

// One behind the brace that closes the one at 8, or 0. Braces within strings do not count.
size_t headerEnd(const std::string &bytes) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 8; i < bytes.size(); ++i) {
    char c = bytes[i];
    if (quoted && c == '\\')
      ++i;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && c == '{')
      ++depth;
    else if (!quoted && c == '}' && --depth == 0) {
      while (i + 1 < bytes.size() && bytes[i + 1] == ' ')
        ++i; // padding
      return i + 1;
    }
  }
  return 0;
}

// Writes `value` over the 16 digits behind `key`, in the header; false if it is not there.
bool setDigits(std::string &bytes, size_t end, const std::string &key, const std::string &value) {
  size_t at = bytes.find(key, 8);
  if (at == std::string::npos || at + key.size() + 16 > end)
    return false;
  bytes.replace(at + key.size(), 16, value);
  return true;
}

} // namespace

void repairCheckpoint(std::string &bytes) {
  if (bytes.size() < 10)
    return;
  size_t end = headerEnd(bytes);
  if (end == 0)
    return;
  uint64_t length = end - 8;
  std::memcpy(bytes.data(), &length, 8);
  auto header = nlohmann::json::parse(bytes.begin() + 8, bytes.begin() + long(end), nullptr, false);
  if (!header.is_object())
    return;
  for (auto &[name, entry] : header.items()) {
    if (!entry.is_object() || !entry.contains("data_offsets"))
      continue;
    auto &offsets = entry["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned())
      continue;
    uint64_t from = offsets[0], to = offsets[1];
    if (from <= to && to <= bytes.size() - end)
      setDigits(bytes, end, "\\\"" + name + "\\\":\\\"", digits(bytes.data() + end + from, to - from));
  }
  const std::string key = "\"heddle.header_xxh64\":\"";
  if (setDigits(bytes, end, key, std::string(16, '0')))
    setDigits(bytes, end, key, digits(bytes.data() + 8, length));
}

} // namespace heddle::fuzz
