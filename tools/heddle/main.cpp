// The command `heddle`: reads the command line, chooses the sub-command and turns its outcome into an exit code.
//
// CLI11 parses the flags; what it finds wrong is told here in our own words, with a suggestion for a mistyped word,
// and ends with exit code 2. An exception that reaches this file is a bug of Heddle and ends with 70.
#include "tools/heddle/SubCommand.h"

#include "frontend/DidYouMean.h"
#include "runtime/Abi.h"
#include "runtime/RunError.h"
#include "tools/heddle/InternalError.h"
#include "tools/heddle/StackLimit.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <fmt/format.h>
#include <initializer_list>
#include <sstream>
#include <unistd.h>

namespace heddle {
namespace {

std::vector<std::string> commandNames(const CLI::App &root) {
  std::vector<std::string> names;
  for (const CLI::App *command : root.get_subcommands([](const CLI::App *) { return true; }))
    names.push_back(command->get_name());
  return names;
}

std::vector<std::string> flagNames(const CLI::App &app) {
  std::vector<std::string> names;
  for (const CLI::Option *option : app.get_options()) {
    for (const std::string &name : option->get_lnames())
      names.push_back("--" + name);
    for (const std::string &name : option->get_snames())
      names.push_back("-" + name);
  }
  return names;
}

int usageError(const std::string &message, const std::string &suggestion, const std::string &helpCommand) {
  complain(exitUsage, message + (suggestion.empty() ? "" : "; " + suggestion));
  fmt::print(stderr, "try: {} --help\n", helpCommand);
  return exitUsage;
}

/// What CLI11 could not read, in a sentence.
int explainParseError(const CLI::App &root, const CLI::ParseError &error) {
  const CLI::App *chosen = &root;
  std::string helpCommand = "heddle";
  while (!chosen->get_subcommands().empty()) {
    chosen = chosen->get_subcommands().front();
    helpCommand += " " + chosen->get_name();
  }
  std::vector<std::string> extras = root.remaining(true);
  if (dynamic_cast<const CLI::ExtrasError *>(&error) && !extras.empty()) {
    const std::string &word = extras.front();
    std::string flag = word.substr(0, word.find('='));
    if (flag.size() > 1 && flag[0] == '-')
      return usageError(fmt::format("there is no flag `{}`", flag), didYouMean(flag, flagNames(*chosen)), helpCommand);
    if (std::vector<std::string> names = commandNames(*chosen); !names.empty())
      return usageError(fmt::format("there is no command `{}`", word), didYouMean(word, names), helpCommand);
    return usageError(fmt::format("`{}` is one argument too many", word), "", helpCommand);
  }
  return usageError(error.what(), "", helpCommand);
}

/// Interrupted while it compiles in memory, the command leaves nothing behind; where it would (a compiler at work, a run
/// to save), other handlers stand in. Ignored signals stay ignored, as `nohup` and scripts want it.
void endWhenInterrupted() {
  struct sigaction action {};
  action.sa_handler = [](int) {
    constexpr std::string_view message = "heddle: interrupted\n";
    [[maybe_unused]] ssize_t written = write(STDERR_FILENO, message.data(), message.size());
    _exit(exitInterrupted);
  };
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction old;
    sigaction(signal, nullptr, &old);
    if (old.sa_handler != SIG_IGN)
      sigaction(signal, &action, nullptr);
  }
}

// A file that is opened while a standard stream is closed would get its number, and messages would be written into it.
// Opened the wrong way round, the number is taken, and using the stream still fails.
void holdStandardStreams() {
  for (int fd : {0, 1, 2})
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
      open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

int run(int argc, char **argv) {
  CLI::App root("Heddle: a compiler for transformers.", "heddle");
  root.set_version_flag("--version", "heddle " HEDDLE_VERSION);
  root.set_help_flag("-h,--help", "print this help");
  root.require_subcommand(0, 1); // a second one is a value: a run's directory may be called `run`
  std::vector<SubCommand> commands = {
      addCheckCommand(root),
      addCompileCommand(root),
      addTrainCommand(root),
      addEvalCommand(root),
      addSampleCommand(root),
      addPredictCommand(root),
      addBenchCommand(root),
      addRunCommand(root),
      addImportCommand(root),
      addExportCommand(root),
      addExplainCommand(root),
      addTokCommand(root),
      addDoctorCommand(root),
      addReplayCommand(root),
      addCrashCommand(root),
  };
  try {
    root.parse(argc, argv);
  } catch (const CLI::Success &asked) { // --help, --version
    std::ostringstream text;
    root.exit(asked, text, text);
    return writeOutput("", text.str());
  } catch (const CLI::ParseError &error) {
    return explainParseError(root, error);
  } catch (const RunError &problem) { // a value that the runtime's options refuse
    return complain(problem);
  }
  for (const SubCommand &command : commands)
    if (*command.app)
      return command.run();
  fmt::print(stderr, "{}", root.help());
  return complain(exitUsage, "which command?");
}

} // namespace
} // namespace heddle

int main(int argc, char **argv) {
  heddle::holdStandardStreams();
  heddle::reportInternalErrors(argc, argv);
  if (int code = heddle::ensureStack(); code != heddle::exitDone)
    return code;
  heddle::endWhenInterrupted();
  std::signal(SIGXFSZ, SIG_IGN); // a file at the size limit (ulimit -f) is an error of the write
  try {
    return heddle::run(argc, argv);
  } catch (const std::exception &error) {
    heddle::internalError(error.what());
  }
}
