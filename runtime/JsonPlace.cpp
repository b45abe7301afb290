// See JsonPlace.h. The JSON library keeps the last of duplicate keys and accepts any depth, so both are refused while it
// parses.
#include "runtime/JsonPlace.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <vector>

namespace heddle {

using nlohmann::json;

void JsonPlace::refuse(const std::string& cause, const std::string& help) const {
  throw RunError(kData, path.empty() ? fmt::format("{}: {}", where, cause) : fmt::format("{}: {}: {}", where, path, cause),
                 help);
}

void JsonPlace::unsupported() const {
  refuse(fmt::format("{} is not supported", shown()), "docs/tokenizers.md lists what is");
}

std::string JsonPlace::shown() const {
  if (value.is_object()) return value.contains("type") && value["type"].is_string() ? value["type"].dump() : "an object";
  if (value.is_array()) return fmt::format("an array of {}", value.size());
  std::string text = value.dump(-1, ' ', true);  // escaped: what a terminal would act on is shown, not sent
  return text.size() > 60 ? text.substr(0, 56) + "..." : text;
}

JsonPlace JsonPlace::at(const std::string& key) const {
  static const json null;
  auto found = value.is_object() ? value.find(key) : value.end();
  return {value.is_object() && found != value.end() ? *found : null, where, path.empty() ? key : path + "." + key};
}

JsonPlace JsonPlace::at(size_t index) const { return {value[index], where, fmt::format("{}[{}]", path, index)}; }

void JsonPlace::onlyKeys(std::initializer_list<const char*> known) const {
  if (!value.is_object()) refuse(fmt::format("{} is not an object", shown()));
  for (auto& [key, member] : value.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      refuse(fmt::format("the key {} is not supported", json(key).dump(-1, ' ', true)), "docs/tokenizers.md lists what is");
}

std::string JsonPlace::text() const {
  if (!value.is_string()) refuse(fmt::format("{} is not a string", shown()));
  return value.get<std::string>();
}

std::string JsonPlace::text(const std::string& ifMissing) const { return isNull() ? ifMissing : text(); }

bool JsonPlace::flag() const {
  if (!value.is_boolean()) refuse(fmt::format("{} is neither true nor false", shown()));
  return value.get<bool>();
}

bool JsonPlace::flag(bool ifMissing) const { return isNull() ? ifMissing : flag(); }

int64_t JsonPlace::whole(int64_t least, int64_t most) const {
  bool fits = value.is_number_unsigned() ? value.get<uint64_t>() <= uint64_t(INT64_MAX) : value.is_number_integer();
  int64_t number = fits ? value.get<int64_t>() : 0;
  if (!fits || number < least || number > most)
    refuse(fmt::format("{} is not a whole number from {} to {}", shown(), least, most));
  return number;
}

size_t JsonPlace::size() const {
  if (!value.is_array()) refuse(fmt::format("{} is not an array", shown()));
  return value.size();
}

json parseJson(const std::string& text, const std::string& where, int maxDepth) {
  std::vector<std::unordered_set<std::string>> keys;  // of the open objects
  auto onEvent = [&](int depth, json::parse_event_t event, json& value) {
    if (depth > maxDepth) throw RunError(kData, fmt::format("{}: nested deeper than {} levels", where, maxDepth));
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
      throw RunError(kData, fmt::format("{}: the key {} stands twice", where, value.dump(-1, ' ', true)));
    return true;
  };
  try {
    return json::parse(text, onEvent);
  } catch (const json::parse_error& e) {
    throw RunError(kData, fmt::format("{}: byte {}: this is not JSON", where, e.byte));
  } catch (const json::exception&) {  // a number like 1e999
    throw RunError(kData, fmt::format("{}: holds a number that is out of range", where));
  }
}

}  // namespace heddle
