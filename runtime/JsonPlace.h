// A value of a JSON text together with where it stands ("model.merges[12]"): errors name the place, and an object may be
// asked which of its keys nobody has read, so that no setting is ignored silently.
#ifndef HEDDLE_RUNTIME_JSONPLACE_H
#define HEDDLE_RUNTIME_JSONPLACE_H
#include "runtime/RunError.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

namespace heddle {

class JsonPlace {
public:
  JsonPlace(const nlohmann::json& value, std::string where, std::string path = "")
      : value(value), where(std::move(where)), path(std::move(path)) {}

  const std::string& name() const { return where; }
  const nlohmann::json& raw() const { return value; }
  bool isNull() const { return value.is_null(); }

  /// Throws RunError(kData): WHERE: PATH: CAUSE.
  [[noreturn]] void refuse(const std::string& cause, const std::string& help = "") const;
  /// The same for a value that is right, but that Heddle does not have: "VALUE is not supported".
  [[noreturn]] void unsupported() const;

  /// The member `key` of an object; null where it is missing.
  JsonPlace at(const std::string& key) const;
  JsonPlace at(size_t index) const;
  /// Refuses what is not an object, and keys that are none of these.
  void onlyKeys(std::initializer_list<const char*> known) const;

  std::string text() const;                              // of a string
  std::string text(const std::string& ifMissing) const;  // or `ifMissing` for null
  bool flag() const;
  bool flag(bool ifMissing) const;
  int64_t whole(int64_t least, int64_t most) const;
  size_t size() const;  // of an array

  /// The value as it would be shown in a message: short.
  std::string shown() const;

private:
  const nlohmann::json& value;
  std::string where, path;
};

/// Parses a text that may be hostile: bounded depth, no key twice in an object. Throws RunError(kData) with the byte.
nlohmann::json parseJson(const std::string& text, const std::string& where, int maxDepth);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_JSONPLACE_H
