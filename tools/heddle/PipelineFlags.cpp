// See PipelineFlags.h. Flags whose value may be left out take it with `=` only, so that they never eat the FILE.
#include "tools/heddle/PipelineFlags.h"

namespace heddle {

void addPipelineFlags(CLI::App &app, PipelineFlags &flags) {
  app.add_option("--from", flags.from, "FILE is the text of a stage: graph, grad, fused, plan or kernel");
  app.add_flag("--no-fuse{all}", flags.noFuse,
               "every elementwise op, reduction and gather is a kernel of its own; --no-fuse=attention: all is fused but attention")
      ->check(CLI::IsMember({"all", "attention"}));
  app.add_flag("--remarks", flags.remarks, "say of every softmax whether it became fused attention, of generation what it keeps, and why not");
  app.add_option("--pass-limit", flags.passLimit, "stop optional rewrites after the N-th, to bisect a miscompile")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--passes", flags.passes, "run so many passes and stop there, to print or interpret what is between stages")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--save-temps{.}", flags.temps, "write the text of every stage to a folder: --save-temps=DIR (.)");
  app.add_flag("--time{table}", flags.time,
               "a table of how long each pass and kernel took to compile; --time=FILE.json: a Chrome trace");
  app.add_option("--internal-fail", flags.fail, "PASS:HOW makes a pass fail: refuse, break, damage, exception, segv, stack or abort; rewrite-N:damage")
      ->group("");
}

void addMemoryFlag(CLI::App &app, PipelineFlags &flags) {
  app.add_option("--memory", flags.memory, "fit training in SIZE (bytes; 900M, 2.5G) by computing values again in backward")
      ->type_name("SIZE");
}

} // namespace heddle
