// heddle internal-crash HOW: crashes, so that the report of a crash can be tested. Not shown in the help.
#include "tools/heddle/CompileObserver.h"
#include "tools/heddle/InternalError.h"
#include "tools/heddle/SubCommand.h"

#include <memory>
#include <string>
#include <vector>

namespace heddle {

SubCommand addCrashCommand(CLI::App &root) {
  auto how = std::make_shared<std::string>();
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App *app = root.add_subcommand("internal-crash", "crash, to test the report of a crash")->group("");
  app->add_option("HOW", *how, "exception, segv, stack or abort")->required();
  app->add_option("FILES", *files, "programs to be in the report");
  return {app, [how, files] {
            for (const std::string &file : *files)
              noteFile(file);
            crash(*how);
            return +exitInternal;
          }};
}

} // namespace heddle
