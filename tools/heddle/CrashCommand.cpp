// heddle internal-crash HOW: crashes, so that the report of a crash can be tested. Not shown in the help.
#include "tools/heddle/SubCommand.h"

#include <csignal>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace heddle {
namespace {

int overflow(int depth) {
  volatile char fill[4096];
  fill[0] = static_cast<char>(depth);
  return depth < 1 << 30 ? overflow(depth + 1) + fill[0] : 0;
}

int run(const std::string &how) {
  if (how == "exception")
    throw std::runtime_error("thrown on demand");
  if (how == "segv")
    std::raise(SIGSEGV);
  if (how == "stack")
    return overflow(0);
  std::abort();
}

} // namespace

SubCommand addCrashCommand(CLI::App &root) {
  auto how = std::make_shared<std::string>();
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App *app = root.add_subcommand("internal-crash", "crash, to test the report of a crash")->group("");
  app->add_option("HOW", *how, "exception, segv, stack or abort")->required();
  app->add_option("FILES", *files, "programs to be in the report");
  return {app, [how, files] { return run(*how); }};
}

} // namespace heddle
