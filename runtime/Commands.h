// `train`, `eval`, `sample`, `predict` and `bench`, from options to exit code: what the `heddle` command and native programs share.
#ifndef HEDDLE_RUNTIME_COMMANDS_H
#define HEDDLE_RUNTIME_COMMANDS_H
#include "runtime/Abi.h"
#include "runtime/Options.h"

namespace heddle {

/// Runs the command on `program` and returns the process's exit code. Results go to stdout, messages and errors to
/// stderr; throws nothing.
int runCommand(const HeddleProgram& program, const RunOptions& options);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_COMMANDS_H
