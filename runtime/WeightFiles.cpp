// See WeightFiles.h. An index is {"weight_map": {TENSOR: SHARD, ..}, "metadata": ..}. A shard is a name without folders: an
// index must not lead to files elsewhere.
#include "runtime/WeightFiles.h"

#include "runtime/JsonPlace.h"
#include "runtime/RunError.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace heddle {
namespace {

constexpr uint64_t kMaxIndex = 100'000'000;  // bytes, as of a header
constexpr size_t kMaxShards = 1000;          // each is an open file

}  // namespace

WeightFiles::WeightFiles(const std::string& path) : name(path) {
  if (path.ends_with(".json")) {
    openIndex();
    return;
  }
  files.push_back(std::make_unique<SafetensorsFile>(path));
  for (const SafetensorsEntry& entry : files[0]->tensors()) all[entry.name] = {files[0].get(), &entry};
}

const WeightFiles::Tensor* WeightFiles::find(const std::string& name) const {
  auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

void WeightFiles::openIndex() {
  InputFile file(name);
  if (file.size() > kMaxIndex)
    throw RunError(kData, fmt::format("{}: an index of {} bytes; at most {}", name, file.size(), kMaxIndex));
  nlohmann::json root = parseJson(file.readAll(), name, 4);
  if (!root.is_object() || !root.contains("weight_map") || !root["weight_map"].is_object())
    throw RunError(kData, fmt::format("{}: has no weight_map, a shard for each tensor", name),
                   "give a .safetensors file, or its model.safetensors.index.json");
  std::string folder = name.substr(0, name.rfind('/') + 1);
  std::map<std::string, const SafetensorsFile*> shards;
  std::map<std::string, std::string> shardOf;
  for (auto& [tensor, shard] : root["weight_map"].items()) {
    std::string word = shard.is_string() ? shard.get<std::string>() : "";
    if (word.empty() || word.find('/') != std::string::npos || word.find('\0') != std::string::npos)
      throw RunError(kData, fmt::format("{}: weight_map: the shard of '{}' is {}: it must be the name of a file beside the "
                                        "index", name, tensor, shard.dump()));
    shardOf[tensor] = word;
    if (shards.count(word)) continue;
    if (shards.size() == kMaxShards) throw RunError(kData, fmt::format("{}: more than {} shards", name, kMaxShards));
    files.push_back(std::make_unique<SafetensorsFile>(folder + word));
    shards[word] = files.back().get();
  }
  std::vector<std::string> problems;
  for (auto& [word, shard] : shards)
    for (const SafetensorsEntry& entry : shard->tensors()) {
      auto listed = shardOf.find(entry.name);
      if (listed == shardOf.end())
        problems.push_back(fmt::format("{} holds '{}', which the index does not list", word, entry.name));
      else if (listed->second != word)
        problems.push_back(fmt::format("{} holds '{}', which the index seeks in {}", word, entry.name, listed->second));
      else
        all[entry.name] = {shard, &entry};
    }
  for (auto& [tensor, word] : shardOf)
    if (!all.count(tensor)) problems.push_back(fmt::format("'{}' is not in {}", tensor, word));
  if (!problems.empty())
    throw RunError(kData, fmt::format("{}: index and shards do not agree:\n  {}", name, fmt::join(problems, "\n  ")),
                   "the shards may be of another download");
}

}  // namespace heddle
