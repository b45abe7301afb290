// Starting from given weights (`from = "..."`): parameters matched by name.
#ifndef HEDDLE_RUNTIME_STARTFROM_H
#define HEDDLE_RUNTIME_STARTFROM_H
#include "runtime/Safetensors.h"
#include "runtime/Session.h"

#include <string>
#include <vector>

namespace heddle {

/// Opens a safetensors file, or the newest checkpoint in a directory, of any program. Throws RunError(kData) if it is
/// damaged; checksums are verified where there are any.
SafetensorsFile openWeights(const std::string& path);

struct StartingWeights {
  std::string path;                  // the file that was read
  int64_t loaded = 0;                // tensors
  std::vector<std::string> missing;  // parameters of the program that the file lacks: they keep their values
  std::vector<std::string> unused;   // tensors of the file that are no variable of the program
};

/// Loads parameters from a safetensors file, or from the newest checkpoint in a directory, of any program: one tensor
/// per layer (h.0.attn.wq), f32 or f64. Throws RunError(kData), with nothing loaded, if the file is damaged, if tensors
/// have other shapes (all are listed) or if none fits.
StartingWeights startFrom(const std::string& path, Session& session);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_STARTFROM_H
