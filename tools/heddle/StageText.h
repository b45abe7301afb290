// The text of a stage as a file that anybody may have written: what must hold before MLIR's parser sees it, which
// recurses without a limit and takes shapes whose product overflows.
#pragma once

#include "mlir/IR/BuiltinOps.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heddle {

struct StageTextProblem {
  uint32_t line, column; // from 1
  std::string message;
};

/// Brackets nest at most 200 deep, a shape has at most 2^40 elements, a number at most 64 digits; there are no NUL bytes
/// and no affine maps (whose parser recurses too). Null if all that holds.
std::optional<StageTextProblem> checkStageText(std::string_view text);

/// Reads a regular file, or stdin for `-`, of at most 64 MiB. Throws RunError.
std::string readStageText(const std::string &path);

/// What is wrong with the places in a module that was parsed, or "": names and files reach comments of emitted code, so they
/// have no control characters; and a place has at most 1,000 parts, all repetitions counted.
std::string wrongLocation(mlir::ModuleOp module);

} // namespace heddle
