// Chooses the source by its kind and its file by the rules of DataPath.h.
#include "runtime/DataSource.h"

#include "runtime/DataPath.h"

namespace heddle {

namespace {
std::string fileOf(const RunConfig& config, const std::string& path) {
  return path.empty() ? resolveDataPath(config.base, config.data.path) : path;
}
}  // namespace

int64_t dataMemory(const RunConfig& config, const std::string& path) {
  if (config.data.kind != "text") return 0;  // tensors are read batch by batch into the workspace
  TokenizerInfo text = describe(fileOf(config, path), resolveTokenizer(config.base, config.data.tokenizer));
  return Arena::reserved(text.tokens * tokenWidth(text.vocabularySize));
}

std::unique_ptr<DataSource> openDataSource(const RunConfig& config, const std::string& path) {
  if (config.data.kind.empty()) return nullptr;
  std::string file = fileOf(config, path);
  return config.data.kind == "text" ? openTextSource(config, file) : openTensorSource(config, file);
}

}  // namespace heddle
