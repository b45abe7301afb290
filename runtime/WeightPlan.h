// A table (WeightTable) applied to the parameters of one program: which element of which tensor of the file is which
// element of which parameter. Both directions of the mapping walk the same pieces.
#ifndef HEDDLE_RUNTIME_WEIGHTPLAN_H
#define HEDDLE_RUNTIME_WEIGHTPLAN_H
#include "runtime/Abi.h"
#include "runtime/WeightTable.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace heddle {

/// A parameter as a checkpoint has it: one layer of a stack, row-major.
struct ParameterTensor {
  std::string name;  // h.0.attn.wq
  std::vector<std::pair<std::string, int64_t>> dims;
  float* values;
};

/// The f32 parameters of a program whose variables lie at `arena`, and the sizes of all dims by which a table may compute.
struct Parameters {
  std::vector<ParameterTensor> tensors;
  std::map<std::string, int64_t> dims;  // -1 for a name that stands for several sizes
  std::vector<std::string> patterns;    // h.{i}.attn.wq: for suggestions

  /// Throws RunError(kData) for a parameter that is not f32.
  Parameters(const HeddleVariable* variables, int32_t count, void* arena);
};

/// A part of a parameter, and what it is: part of a tensor of the file, or a constant. Both are walked by the same loops,
/// from their first elements on.
struct WeightPiece {
  struct Loop {
    int64_t size, parameterStride, fileStride;  // in elements
  };
  size_t parameter = 0;  // of Parameters::tensors
  int64_t parameterStart = 0, fileStart = 0;
  std::vector<Loop> loops;  // the one whose file elements lie closest is last
  float constant = 0;
  TablePlace place;

  /// Calls body(element of the parameter, element of the file) for all of them.
  template <typename Body> void forEach(Body body) const {
    std::vector<int64_t> index(loops.size(), 0);
    int64_t p = parameterStart, f = fileStart;
    for (;;) {
      body(p, f);
      size_t d = loops.size();
      for (; d > 0; --d) {
        const Loop& loop = loops[d - 1];
        p += loop.parameterStride, f += loop.fileStride;
        if (++index[d - 1] < loop.size) break;
        p -= loop.parameterStride * loop.size, f -= loop.fileStride * loop.size;
        index[d - 1] = 0;
      }
      if (d == 0) return;
    }
  }
  int64_t elements() const;
};

/// A tensor of the file.
struct PlannedTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::string layout;  // [D=16, (0 of 3, H=2, K=8)], for messages
  TablePlace place;
  std::vector<WeightPiece> pieces;
};

/// A tensor that a table makes.
struct MadeTensor {
  std::string name, dtype;
  std::vector<int64_t> shape;
  double value;
  int64_t positions;  // values count along this axis; -1: all are `value`
};

struct WeightPlan {
  std::vector<PlannedTensor> tensors;                   // by name, each wholly covered, each element once
  std::vector<WeightPiece> constants;                   // parts of parameters that no file has
  std::vector<size_t> initial;                          // parameters that keep their values
  std::vector<std::pair<std::string, size_t>> aliases;  // other names of tensors
  std::vector<MadeTensor> made;

  const PlannedTensor* find(const std::string& name) const;

  /// Throws RunError(kData) that lists everything that is wrong: names, dims and indices that are not there, parameters
  /// without a rule, elements of a parameter or of a tensor that no rule or more than one gives.
  WeightPlan(const WeightTable& table, const Parameters& parameters);
};

/// "[2, 3]"
std::string shapeText(const std::vector<int64_t>& shape);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_WEIGHTPLAN_H
