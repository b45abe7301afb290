// The tensors of one safetensors file, or of the shards that an index (model.safetensors.index.json) lists.
#ifndef HEDDLE_RUNTIME_WEIGHTFILES_H
#define HEDDLE_RUNTIME_WEIGHTFILES_H
#include "runtime/Safetensors.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace heddle {

class WeightFiles {
public:
  struct Tensor {
    const SafetensorsFile* file;
    const SafetensorsEntry* entry;
  };

  /// `path` is a safetensors file or, if its name ends with ".json", an index; its shards lie beside it. Throws
  /// RunError(kData) for damaged files, and with all differences where index and shards do not agree.
  explicit WeightFiles(const std::string& path);

  const std::string& path() const { return name; }
  const std::map<std::string, Tensor>& tensors() const { return all; }
  const Tensor* find(const std::string& name) const;

private:
  void openIndex();

  std::string name;
  std::vector<std::unique_ptr<SafetensorsFile>> files;
  std::map<std::string, Tensor> all;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_WEIGHTFILES_H
