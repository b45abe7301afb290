// The table of the sources; which file a source reads, by the rules of DataPath.h; dims that got their size from data.
#include "runtime/DataSource.h"

#include "runtime/DataPath.h"
#include "runtime/RunError.h"

#include <fmt/format.h>

namespace heddle {
namespace {

using Files = std::vector<std::string>;

struct SourceKind {
  const char* name;
  std::unique_ptr<DataSource> (*open)(const RunConfig& config, const Files& files);
  DataDescription (*describe)(const RunConfig& config, const Files& files);
};

// Those of a source that reads one file.
template <std::unique_ptr<DataSource> (*open)(const RunConfig&, const std::string&)>
std::unique_ptr<DataSource> openOne(const RunConfig& config, const Files& files) {
  return open(config, files[0]);
}
template <DataDescription (*describe)(const RunConfig&, const std::string&)>
DataDescription describeOne(const RunConfig& config, const Files& files) {
  return describe(config, files[0]);
}

// Tensors are read batch by batch into the workspace, and tell nothing.
DataDescription describeNothing(const RunConfig&, const Files&) { return {}; }

constexpr SourceKind kKinds[] = {
    {"text", openOne<openTextSource>, describeOne<describeText>},
    {"segments", openOne<openSegmentSource>, describeOne<describeText>},
    {"tensors", openOne<openTensorSource>, describeNothing},
    {"csv", openOne<openCsvSource>, describeOne<describeCsv>},
    {"labelled", openOne<openLabelledSource>, describeOne<describeLabelled>},
    {"pairs", openOne<openPairSource>, describeOne<describePairs>},
    {"mlm", openOne<openMaskedTextSource>, describeOne<describeMaskedText>},
    {"images", openImageSource, describeImages},
};

const SourceKind& kindOf(const RunConfig& config) {
  for (const SourceKind& kind : kKinds)
    if (config.data.kind == kind.name) return kind;
  throw RunError(kInternal, fmt::format("the program's configuration: data kind '{}'", config.data.kind));
}

// "its vocabulary has 3 tokens"
std::string tell(const std::string& fact, int64_t size) {
  if (fact == "vocabulary") return fmt::format("its vocabulary has {} tokens", size);
  if (fact == "classes") return fmt::format("it has {} classes", size);
  if (fact == "records") return fmt::format("it has {} records to train on", size);
  if (fact.starts_with("values.")) return fmt::format("`{}` has {} values", fact.substr(7), size);
  return fmt::format("`{}` is {}", fact, size);
}

}  // namespace

void DataSource::checkTraining(Session& session, const std::vector<const HeddleEntry*>& entries) {
  if (entries.size() != 1) throw RunError(kInternal, "data without lengths cannot be divided into buckets");
  check(session, *entries[0], false);
}

std::vector<std::string> dataFiles(const RunConfig& config, const std::string& path) {
  const DataConfig& data = config.data;
  if (data.kind.empty()) return {};
  auto find = [&](const std::string& name) {
    if (path.empty()) return resolveDataPath(config.base, name);
    return data.labels.empty() ? path : path + "/" + name.substr(name.rfind('/') + 1);
  };
  if (data.labels.empty()) return {find(data.path)};
  return {find(data.path), find(data.labels)};
}

DataDescription describeData(const RunConfig& config, const std::string& path) {
  if (config.data.kind.empty()) return {};
  return kindOf(config).describe(config, dataFiles(config, path));
}

std::unique_ptr<DataSource> openDataSource(const RunConfig& config, const std::string& path) {
  if (config.data.kind.empty()) return nullptr;
  return kindOf(config).open(config, dataFiles(config, path));
}

void checkBinds(const RunConfig& config, const std::map<std::string, int64_t>& facts, const std::string& path) {
  for (const DataBind& bind : config.binds) {
    auto fact = facts.find(bind.fact);
    if (fact == facts.end() || fact->second == bind.size) continue;
    throw RunError(kData,
                   fmt::format("{}: {}, but the program was compiled for {} = {}", path, tell(bind.fact, fact->second),
                               bind.dim, bind.size),
                   "compile the program for these data");
  }
}

}  // namespace heddle
