// heddle internal-crash HOW: crashes, so that the report of a crash can be tested. Not shown in the help.
#include "codegen/llvm/SignalStack.h"
#include "tools/heddle/CompileObserver.h"
#include "tools/heddle/InternalError.h"
#include "tools/heddle/SubCommand.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace heddle {

SubCommand addCrashCommand(CLI::App &root) {
  auto how = std::make_shared<std::string>();
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App *app = root.add_subcommand("internal-crash", "crash, to test the report of a crash")->group("");
  app->add_option("HOW", *how, "exception, segv, stack, abort, or thread: stack, in a thread as kernels are compiled in")->required();
  app->add_option("FILES", *files, "programs to be in the report");
  return {app, [how, files] {
            for (const std::string &file : *files)
              noteFile(file);
            if (*how == "thread")
              std::thread([] {
                SignalStack signalStack;
                crash("stack");
              }).join();
            crash(*how);
            return +exitInternal;
          }};
}

} // namespace heddle
