// Chooses the source by its kind and its file by the rules of DataPath.h.
#include "runtime/DataSource.h"

#include "runtime/DataPath.h"

namespace heddle {

std::unique_ptr<DataSource> openDataSource(const RunConfig& config, const std::string& path) {
  if (config.data.kind.empty()) return nullptr;
  std::string file = path.empty() ? resolveDataPath(config.base, config.data.path) : path;
  return config.data.kind == "text" ? openTextSource(config, file) : openTensorSource(config, file);
}

}  // namespace heddle
