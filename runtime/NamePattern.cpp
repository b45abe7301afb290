// Names of a table with indices and stars: matching and filling. A star takes as little as it can and is given more when
// the rest does not match; with one star to go back to, that is linear in name times pattern.
#include "runtime/WeightTable.h"

#include <fmt/format.h>

#include <charconv>

namespace heddle {
namespace {

// The number at the start of `text`, without leading zeros; -1 if there is none. `digits` is its length.
int64_t numberAt(std::string_view text, size_t& digits) {
  int64_t value = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  digits = size_t(end - text.data());
  bool plain = error == std::errc() && text[0] != '-' && (digits == 1 || text[0] != '0');
  return plain ? value : -1;
}

// One part other than a star at `at`; moves behind it.
bool matchPart(const NamePattern::Part& part, std::string_view name, size_t& at, TableIndices& indices) {
  if (part.index.empty()) {
    if (name.substr(at, part.text.size()) != part.text) return false;
    at += part.text.size();
    return true;
  }
  size_t digits = 0;
  int64_t value = at < name.size() ? numberAt(name.substr(at), digits) : -1;
  if (value < part.plus) return false;
  auto [known, isNew] = indices.emplace(part.index, value - part.plus);
  if (!isNew && known->second != value - part.plus) return false;
  at += digits;
  return true;
}

bool isStar(const NamePattern::Part& part) { return part.text.empty() && part.index.empty(); }

}  // namespace

bool NamePattern::match(std::string_view name, TableIndices& indices) const {
  TableIndices found = indices, atStar;
  size_t at = 0, part = 0, starPart = parts.size(), starAt = 0;
  for (;;) {
    if (part < parts.size() && isStar(parts[part])) {
      starPart = part++, starAt = at, atStar = found;
    } else if (part == parts.size() ? at == name.size() : matchPart(parts[part], name, at, found)) {
      if (part++ < parts.size()) continue;
      indices = std::move(found);
      return true;
    } else if (starPart < parts.size() && starAt < name.size()) {
      part = starPart + 1, at = ++starAt, found = atStar;
    } else {
      return false;
    }
  }
}

std::string NamePattern::fill(const TableIndices& indices) const {
  std::string name;
  for (const Part& part : parts)
    name += part.index.empty() ? part.text : std::to_string(indices.at(part.index) + part.plus);
  return name;
}

std::string NamePattern::text() const {
  std::string text;
  for (const Part& part : parts)
    if (isStar(part))
      text += '*';
    else if (part.index.empty())
      text += part.text;
    else
      text += part.plus ? fmt::format("{{{}+{}}}", part.index, part.plus) : fmt::format("{{{}}}", part.index);
  return text;
}

const NamePattern::Part* NamePattern::unbound(const TableIndices& indices) const {
  for (const Part& part : parts)
    if (!part.index.empty() && !indices.count(part.index)) return &part;
  return nullptr;
}

}  // namespace heddle
