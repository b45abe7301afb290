// Weights of other programs, both ways: from the tensors of a safetensors file to parameters, and back, by one table.
#ifndef HEDDLE_RUNTIME_MAPWEIGHTS_H
#define HEDDLE_RUNTIME_MAPWEIGHTS_H
#include "runtime/WeightFiles.h"
#include "runtime/WeightPlan.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace heddle {

struct ImportedWeights {
  int64_t tensors = 0;                       // of the file, that parameters were taken from
  std::map<std::string, int64_t> converted;  // how many of each dtype other than F32 were converted to f32
  std::vector<std::string> ignored;          // tensors of the file that the table says to ignore
  std::vector<std::string> initial;          // parameters that keep their values
};

/// Fills the parameters from the file. Before anything is changed, every tensor that is missing, extra or misshaped and
/// every error of the table is listed in one RunError(kData). A value that is NaN or infinite, or a tie that does not hold,
/// throws RunError(kData) too, and leaves the parameters undefined.
ImportedWeights importWeights(const WeightTable& table, const WeightFiles& files, const Parameters& parameters);

struct ExportedWeights {
  int64_t tensors = 0;
  std::vector<std::string> left;  // parameters that the table keeps out of the file (`init`)
};

/// Writes the file `path` durably, of the parameters; `dtype` is F32, F16 or BF16 (rounded to nearest, ties to even).
/// Throws RunError(kData), with nothing written, for errors of the table, for a parameter that is not the constant that
/// the table says, and for a value that is out of range of F16.
ExportedWeights exportWeights(const WeightTable& table, const Parameters& parameters, const std::string& path,
                              const std::string& dtype);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_MAPWEIGHTS_H
