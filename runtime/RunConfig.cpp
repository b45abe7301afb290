// Unknown keys are refused: a setting that the runtime does not know must not be ignored silently.
#include "runtime/RunConfig.h"

#include "runtime/RunError.h"
#include "runtime/Tokenizer.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace heddle {
namespace {

using nlohmann::json;

[[noreturn]] void bad(const std::string& what) {
  throw RunError(kInternal, "the program's configuration: " + what);
}

void onlyKeys(const json& object, const char* where, const std::set<std::string>& known) {
  if (!object.is_object()) bad(fmt::format("{} is not an object", where));
  for (auto& [key, value] : object.items())
    if (!known.count(key)) bad(fmt::format("unknown key '{}' in {}", key, where));
}

// The settings of each kind of source, besides kind and path. Made at its first use: what is made before main cannot report
// that there is no memory.
const std::map<std::string, std::set<std::string>>& sourceSettings() {
  static const std::map<std::string, std::set<std::string>> known = {
      {"text", {"tokenizer", "split"}},
      {"segments", {"tokenizer", "split"}},
      {"tensors", {}},
      {"csv", {"fields", "split", "separator"}},
      {"labelled", {"tokenizer", "split", "buckets", "separator", "header", "text", "label"}},
      {"pairs", {"tokenizer", "split", "buckets", "separator", "header", "source", "target"}},
      {"mlm", {"tokenizer", "split", "document", "next_sentence", "mask"}},
      {"images", {"labels", "split", "mean", "std"}},
  };
  return known;
}

ColumnConfig parseColumn(const json& data, const char* key, int64_t otherwise) {
  ColumnConfig column;
  json value = data.value(key, json(otherwise));
  if (value.is_string()) column.name = value;
  else column.number = value;
  if (column.name.empty() && column.number < 1) bad(fmt::format("column '{}' {}", key, value.dump()));
  return column;
}

FieldConfig parseField(const json& value) {
  onlyKeys(value, "a field", {"name", "type", "dims", "sizes"});
  FieldConfig field{value.at("name"), value.at("type"), value.at("dims"), value.at("sizes")};
  if (field.type != "f32" && field.type != "i32" && field.type != "bool") bad(fmt::format("type '{}'", field.type));
  if (field.dims.empty() || field.dims.size() != field.sizes.size()) bad("a field's dims and sizes");
  for (int64_t size : field.sizes)
    if (size < 0 || size > int64_t(1) << 40) bad(fmt::format("size {}", size));
  return field;
}

std::vector<double> parseNumbers(const json& data, const char* key, double otherwise) {
  json value = data.value(key, json(otherwise));
  auto numbers = value.is_array() ? value.get<std::vector<double>>() : std::vector<double>{value.get<double>()};
  for (double number : numbers)
    if (!std::isfinite(number) || (key == std::string("std") && number <= 0)) bad(fmt::format("{} {}", key, number));
  if (numbers.empty()) bad(fmt::format("{} is empty", key));
  return numbers;
}

DataConfig parseData(const json& value) {
  DataConfig data;
  if (value.is_null()) return data;
  std::string kind = value.is_object() ? value.value("kind", "") : "";
  auto settings = sourceSettings().find(kind);
  if (!kind.empty() && settings == sourceSettings().end()) bad(fmt::format("data kind '{}'", kind));
  std::set<std::string> known{"kind", "path"};
  if (settings != sourceSettings().end()) known.insert(settings->second.begin(), settings->second.end());
  onlyKeys(value, "data", known);
  if (kind.empty()) return data;
  data.kind = kind;
  data.path = value.at("path");
  data.tokenizer = value.value("tokenizer", data.tokenizer);
  data.split = value.value("split", data.split);
  if (data.tokenizer != "char" && data.tokenizer != "byte" && !isTokenizerFile(data.tokenizer))
    bad(fmt::format("tokenizer '{}'", data.tokenizer));
  if (!(data.split > 0 && data.split <= 1)) bad(fmt::format("split {}", data.split));
  data.buckets = value.value("buckets", int64_t(0));
  if (data.buckets < 0 || data.buckets == 1) bad(fmt::format("buckets {}", data.buckets));
  for (const json& field : value.value("fields", json::array())) data.fields.push_back(parseField(field));
  if (kind == "csv" && data.fields.empty()) bad("csv without fields");
  data.separator = value.value("separator", "");
  if (data.separator.size() > 1 || data.separator == "\"" || data.separator == "\n" || data.separator == "\r")
    bad(fmt::format("separator '{}'", data.separator));
  data.header = value.value("header", false);
  data.text = parseColumn(value, "text", 1), data.label = parseColumn(value, "label", 2);
  data.source = parseColumn(value, "source", 1), data.target = parseColumn(value, "target", 2);
  data.document = value.value("document", data.document);
  if (data.document.empty()) bad("an empty document separator");
  data.nextSentence = value.value("next_sentence", false);
  data.mask = value.value("mask", data.mask);
  if (!(data.mask > 0 && data.mask < 1)) bad(fmt::format("mask {}", data.mask));
  data.labels = value.value("labels", "");
  data.mean = parseNumbers(value, "mean", 0), data.std = parseNumbers(value, "std", 1);
  return data;
}

PeriodicAction parseAction(const json& value) {
  using Kind = PeriodicAction::Kind;
  static const std::map<std::string, std::pair<Kind, std::set<std::string>>> kinds = {
      {"eval", {Kind::kEvaluate, {"loss", "batches"}}},
      {"save", {Kind::kSave, {}}},
      {"sample", {Kind::kSample, {"prompt", "tokens", "temperature", "top_k", "seed"}}},
  };
  std::string what = value.at("do");
  auto kind = kinds.find(what);
  if (kind == kinds.end()) bad(fmt::format("every: do '{}'", what));
  std::set<std::string> known = kind->second.second;
  known.insert({"n", "do"});
  onlyKeys(value, "every", known);
  PeriodicAction action{value.at("n"), kind->second.first, value.value("loss", ""), value.value("batches", int64_t(0)), {}, {}};
  if (action.n < 1 || (value.contains("batches") && action.batches < 1)) bad("every: n and batches count from 1");
  if (value.contains("prompt")) action.sample.prompt = value.at("prompt").get<std::string>();
  action.sample.tokens = value.value("tokens", action.sample.tokens);
  action.sample.temperature = value.value("temperature", action.sample.temperature);
  action.sample.topK = value.value("top_k", action.sample.topK);
  if (value.contains("seed") && !value.at("seed").is_number_unsigned()) bad("every: seed");
  if (value.contains("seed")) action.seed = value.at("seed").get<uint64_t>();
  const SampleOptions& sample = action.sample;
  if (sample.tokens < 1 || sample.tokens > std::numeric_limits<int32_t>::max() || sample.topK < 0 ||
      !std::isfinite(sample.temperature) || sample.temperature < 0 || (sample.prompt && sample.prompt->empty()))
    bad("every: sample");
  return action;
}

}  // namespace

RunConfig RunConfig::parse(const char* text) {
  RunConfig config;
  try {
    json root = json::parse(text && *text ? text : "{}");
    onlyKeys(root, "the configuration", {"program", "base", "data", "batch", "steps", "seed", "minimise", "every",
                                         "binds", "ranges", "from", "accumulate", "groups"});
    config.program = root.value("program", "");
    config.base = root.value("base", "");
    config.data = parseData(root.value("data", json()));
    config.steps = root.value("steps", int64_t(0));
    config.seed = root.value("seed", uint64_t(0));
    config.from = root.value("from", "");
    config.minimise = root.value("minimise", "");
    for (const json& action : root.value("every", json::array())) config.every.push_back(parseAction(action));
    for (const json& bind : root.value("binds", json::array())) {
      onlyKeys(bind, "binds", {"dim", "of", "size"});
      config.binds.push_back({bind.at("dim"), bind.at("of"), bind.at("size")});
    }
    for (const json& group : root.value("groups", json::array())) {
      onlyKeys(group, "groups", {"settings", "parameters"});
      config.groups.push_back({group.at("settings"), group.at("parameters")});
    }
    config.microBatches = root.value("accumulate", int64_t(1));
    json ranges = root.value("ranges", json::object());
    for (auto& [name, range] : ranges.items()) config.ranges[name] = range;
  } catch (const json::exception& e) {
    bad(e.what());
  }
  if (config.steps < 0) bad("negative steps");
  if (config.microBatches < 1 || config.microBatches > 65535) bad(fmt::format("accumulate {}", config.microBatches));
  return config;
}

bool RunConfig::samples() const {
  return std::any_of(every.begin(), every.end(),
                     [](const PeriodicAction& action) { return action.kind == PeriodicAction::Kind::kSample; });
}

}  // namespace heddle
