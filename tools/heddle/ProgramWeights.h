// The parameters of a program as `heddle import` and `heddle export` see them: those of its graph, in memory, without any
// code for it.
#pragma once

#include "runtime/WeightPlan.h"
#include "tools/heddle/RunTensors.h"

#include <memory>
#include <string>
#include <vector>

namespace heddle {

class ProgramWeights {
public:
  /// With the values of `file`, by name, or with initial values from the seed where it is null. Throws RunError(kData) that
  /// lists what the file lacks, and what is misshaped.
  ProgramWeights(mlir::ModuleOp module, const SafetensorsFile *file, uint64_t seed);

  const Parameters &parameters() const { return *view; }

  /// Writes them under their names, one tensor a layer, as `heddle run --params` and `from = "..."` take them.
  void write(const std::string &path) const;

private:
  std::vector<std::unique_ptr<DescribedVariable>> described;
  std::vector<float> values;
  std::unique_ptr<Parameters> view;
};

} // namespace heddle
