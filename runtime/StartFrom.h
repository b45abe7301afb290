// Starting from given weights (`from = "..."`): parameters matched by name.
#ifndef HEDDLE_RUNTIME_STARTFROM_H
#define HEDDLE_RUNTIME_STARTFROM_H
#include "runtime/Session.h"

#include <string>
#include <vector>

namespace heddle {

struct StartingWeights {
  std::string path;                  // the file that was read
  int64_t loaded = 0;                // tensors
  std::vector<std::string> missing;  // parameters of the program that the file lacks: they keep their values
  std::vector<std::string> unused;   // tensors of the file that are no variable of the program
};

/// Loads parameters from a safetensors file, or from the newest checkpoint in a directory, of any program: one tensor
/// per layer (h.0.attn.wq), f32 or f64. Throws RunError(kData), with nothing loaded, if the file is damaged, if tensors
/// have other shapes (all are listed) or if none fits. Checksums are verified where there are any.
StartingWeights startFrom(const std::string& path, Session& session);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_STARTFROM_H
