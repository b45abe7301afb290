// What the command line says of how a program is compiled, for every sub-command that compiles one.
#pragma once

#include "passes/Pipeline.h"

#include <CLI/App.hpp>
#include <optional>
#include <string>

namespace heddle {

struct PipelineFlags {
  std::string from;                 // --from: FILE is not a program but the text of this stage
  std::string noFuse;               // --no-fuse: "all" or "attention"; empty without the flag
  bool remarks = false;             // --remarks
  std::optional<int64_t> passLimit; // --pass-limit
  std::optional<int64_t> passes;    // --passes
  std::optional<std::string> memory; // --memory: the most that training may take, as written
  double recomputeUpTo = -1;        // what it comes to (FitMemory.h)
  std::string temps;                // --save-temps: the folder; empty without the flag, "." by default
  std::string time;                 // --time: "table", or the file of a Chrome trace; empty without the flag
  std::string fail;                 // --internal-fail: PASS:HOW, or rewrite-N:damage, to test what happens then

  PipelineOptions options() const {
    PipelineOptions options;
    options.fuse = noFuse != "all";
    options.fuseAttention = noFuse.empty();
    options.passLimit = passLimit;
    options.passes = passes;
    options.recomputeUpTo = recomputeUpTo;
    return options;
  }
};
void addPipelineFlags(CLI::App &app, PipelineFlags &flags);
/// --memory, of commands whose program trains.
void addMemoryFlag(CLI::App &app, PipelineFlags &flags);

} // namespace heddle
