// The oracle: runs an entry of the graph IR in double precision, one op after the other, by the ops' definitions. It is
// written for reading, shares no code with any lowering, and is what every executor and pass is compared with.
#pragma once
#include "ir/graph/interpreter/Array.h"
#include "llvm/Support/Error.h"
#include <map>
#include <string>

namespace heddle {

struct InterpretOptions {
  bool roundToFloat = false;  // round every op's f32 result to single precision: a crude model of an executor
};

/// What one step leaves behind.
struct Interpretation {
  std::map<std::string, Array> results;    // by `heddle.name`, or "result<i>" without one
  std::map<std::string, Array> variables;  // all variables that were given, after the step's writes
};

/// Runs `entry` once. `inputs` are found by the arguments' `heddle.name` ("arg<i>" without one), `variables` by symbol;
/// their dims may stand in any order, and those that the entry does not use are ignored. Writes take effect at the end.
/// An error, with the op's place, for an input or variable that is missing or of another type, and for an index out of
/// range.
llvm::Expected<Interpretation> interpret(mlir::func::FuncOp entry, const std::map<std::string, Array> &inputs,
                                         const std::map<std::string, Array> &variables = {},
                                         InterpretOptions options = {});

}  // namespace heddle
