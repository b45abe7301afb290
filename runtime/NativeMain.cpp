// See NativeMain.h.
#include "runtime/NativeMain.h"

#include "runtime/Commands.h"
#include "runtime/RunError.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <new>
#include <string>
#include <vector>

namespace heddle {
namespace {

struct CommandName {
  const char* name;
  Command command;
  const char* help;
};
constexpr CommandName kCommands[] = {{"train", Command::kTrain, "train the model and keep checkpoints"},
                                     {"eval", Command::kEval, "losses of a checkpoint on the validation data"},
                                     {"sample", Command::kSample, "text from a checkpoint"},
                                     {"predict", Command::kPredict, "the classes of records that have no label"},
                                     {"bench", Command::kBench, "where the time of a training step goes"}};

std::string usage(const std::string& program, const HeddleProgram& p) {
  std::string text = fmt::format("{}: the model '{}', compiled by Heddle\n\nusage: {} COMMAND [OPTIONS]\n\n", program,
                                 p.name, program);
  for (auto& c : kCommands) text += fmt::format("  {:8}{}\n", c.name, c.help);
  return text + fmt::format("\n`{} COMMAND --help` lists a command's options.\n", program);
}

int runNamed(const CommandName& named, const HeddleProgram& program, const std::string& self,
             const std::vector<std::string>& args) {
  RunOptions options;
  auto specs = runOptionSpecs(named.command, options);
  bool help = false;
  auto words = parseOptions(specs, args, help);
  if (help) {
    fputs(fmt::format("usage: {} {} [OPTIONS]\n{}\n\n{}", self, named.name, named.help, optionsHelp(specs)).c_str(), stdout);
    return kDone;
  }
  if (!words.empty()) throw RunError(kUsage, fmt::format("unexpected word '{}'", words[0]));
  return runCommand(program, options);
}

int dispatch(const HeddleProgram& program, int argc, char** argv) {
  std::string self = argc > 0 && argv[0] ? argv[0] : program.name;
  std::vector<std::string> args(argv + (argc > 0), argv + argc), names;
  try {
    if (args.empty() || args[0] == "--help" || args[0] == "-h") {
      fputs(usage(self, program).c_str(), args.empty() ? stderr : stdout);
      return args.empty() ? kUsage : kDone;
    }
    for (auto& c : kCommands) {
      if (args[0] == c.name) return runNamed(c, program, self, {args.begin() + 1, args.end()});
      names.push_back(c.name);
    }
    throw RunError(kUsage, fmt::format("unknown command '{}'", args[0]), didYouMean(args[0], names));
  } catch (const RunError& e) {
    fputs(e.text().c_str(), stderr);
    return e.exitCode;
  }
}

}  // namespace

int nativeMain(const HeddleProgram& program, int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // a closed pipe is then an error of the write
  try {
    return dispatch(program, argc, argv);
  } catch (const std::bad_alloc&) {
    fputs("error: out of memory\n", stderr);
    return kData;
  }
}

}  // namespace heddle
