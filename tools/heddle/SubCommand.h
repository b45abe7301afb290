// What every sub-command of `heddle` shares. To add one: a file tools/heddle/XyzCommand.cpp with `addXyzCommand`, its
// declaration here, its row in main.cpp and in CMakeLists.txt.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

class RunError;

/// The exit codes of every command, as its users' scripts see them.
enum : int {
  exitDone = 0,
  exitProgramErrors = 1, // the .heddle program has errors, which were printed
  exitUsage = 2,         // the command line makes no sense
  exitInputOutput = 3,   // a file, a stream or data
  exitStopped = 4,       // training stopped: the loss is not a number
  exitInternal = 70,     // a bug of Heddle
  exitInterrupted = 130, // by the user, after saving
};

/// A sub-command: the parser of its flags, and what runs when it is the one chosen; `run` returns one of these.
struct SubCommand {
  CLI::App *app = nullptr;
  std::function<int()> run;
};

SubCommand addCheckCommand(CLI::App &root);
SubCommand addCompileCommand(CLI::App &root);
SubCommand addTrainCommand(CLI::App &root);
SubCommand addEvalCommand(CLI::App &root);
SubCommand addSampleCommand(CLI::App &root);
SubCommand addPredictCommand(CLI::App &root);
SubCommand addBenchCommand(CLI::App &root);
SubCommand addRunCommand(CLI::App &root);
SubCommand addImportCommand(CLI::App &root);
SubCommand addExportCommand(CLI::App &root);
SubCommand addExplainCommand(CLI::App &root);
SubCommand addTokCommand(CLI::App &root);
SubCommand addDoctorCommand(CLI::App &root);
SubCommand addReplayCommand(CLI::App &root);
SubCommand addCrashCommand(CLI::App &root);

/// Prints "heddle: MESSAGE" to stderr and returns the code, so that a command can `return complain(...)`.
int complain(int code, std::string_view message);
/// The same for what the runtime found wrong, with its help line. An internal error does not return.
int complain(const RunError &problem);

/// Sees, before any work is done, whether a file can be written: not one of `inputs` under this or another name, no
/// directory, in a directory that is there and may be written. Nothing is left behind. Returns exitDone, or says what is
/// wrong and returns exitUsage (an input) or exitInputOutput. "" and "-" are stdout, which is not looked at.
int checkOutput(const std::string &path, const std::vector<std::string> &inputs);

/// Writes to a file, or to stdout for "" and "-". Returns exitDone, or says what failed and returns exitInputOutput.
int writeOutput(const std::string &path, std::string_view text);

} // namespace heddle
