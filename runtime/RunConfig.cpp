// Unknown keys are refused: a setting that the runtime does not know must not be ignored silently.
#include "runtime/RunConfig.h"

#include "runtime/RunError.h"
#include "runtime/Tokenizer.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

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

DataConfig parseData(const json& value) {
  DataConfig data;
  if (value.is_null()) return data;
  onlyKeys(value, "data", {"kind", "path", "tokenizer", "split"});
  if (value.value("kind", "").empty()) return data;
  data.kind = value.at("kind");
  data.path = value.at("path");
  data.tokenizer = value.value("tokenizer", "char");
  data.split = value.value("split", 0.9);
  if (data.kind != "text" && data.kind != "tensors") bad(fmt::format("data kind '{}'", data.kind));
  if (data.tokenizer != "char" && data.tokenizer != "byte" && !isTokenizerFile(data.tokenizer))
    bad(fmt::format("tokenizer '{}'", data.tokenizer));
  if (!(data.split > 0 && data.split <= 1)) bad(fmt::format("split {}", data.split));
  return data;
}

PeriodicAction parseAction(const json& value) {
  onlyKeys(value, "every", {"n", "do", "loss", "batches"});
  std::string what = value.at("do");
  if (what != "save" && what != "eval") bad(fmt::format("every: do '{}'", what));
  PeriodicAction action{value.at("n"), what == "save", value.value("loss", ""), value.value("batches", int64_t(20))};
  if (action.n < 1 || action.batches < 1) bad("every: n and batches count from 1");
  return action;
}

}  // namespace

RunConfig RunConfig::parse(const char* text) {
  RunConfig config;
  try {
    json root = json::parse(text && *text ? text : "{}");
    onlyKeys(root, "the configuration", {"program", "base", "data", "batch", "steps", "seed", "minimise", "every",
                                         "vocab", "ranges", "from"});
    config.program = root.value("program", "");
    config.base = root.value("base", "");
    config.data = parseData(root.value("data", json()));
    config.steps = root.value("steps", int64_t(0));
    config.seed = root.value("seed", uint64_t(0));
    config.from = root.value("from", "");
    config.minimise = root.value("minimise", "");
    for (const json& action : root.value("every", json::array())) config.every.push_back(parseAction(action));
    if (json vocab = root.value("vocab", json()); !vocab.is_null()) {
      config.vocabularyDim = vocab.at("dim");
      config.vocabularySize = vocab.at("size").get<int64_t>();
    }
    json ranges = root.value("ranges", json::object());
    for (auto& [name, range] : ranges.items()) config.ranges[name] = range;
  } catch (const json::exception& e) {
    bad(e.what());
  }
  if (config.steps < 0) bad("negative steps");
  return config;
}

}  // namespace heddle
