// The one exception of the runtime: what went wrong, how to mend it, and the exit code of the command that it ends.
// A user's mistake, a bad file or a full disk is a RunError; a broken program table (a bug in the compiler) is one
// with kInternal. Nothing in the runtime calls exit().
#ifndef HEDDLE_RUNTIME_RUNERROR_H
#define HEDDLE_RUNTIME_RUNERROR_H
#include <stdexcept>
#include <string>

namespace heddle {

enum ExitCode : int {
  kDone = 0,
  kUsage = 2,
  kData = 3,         // input, output or data
  kStopped = 4,      // training stopped: the loss is not finite
  kInternal = 70,    // a bug, not the user's
  kInterrupted = 130 // by a signal, after saving
};

class RunError : public std::runtime_error {
public:
  RunError(int exitCode, const std::string& message, std::string help = {})
      : std::runtime_error(message), exitCode(exitCode), help(std::move(help)) {}

  /// "error: MESSAGE" and, when there is a fix to offer, a second line "  help: FIX".
  std::string text() const {
    std::string s = std::string(exitCode == kInternal ? "internal error: " : "error: ") + what() + "\n";
    if (!help.empty()) s += "  help: " + help + "\n";
    return s;
  }

  int exitCode;
  std::string help;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_RUNERROR_H
