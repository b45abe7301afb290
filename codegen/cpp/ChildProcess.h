// A program run to its end, with what it says kept in a file.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <string>
#include <vector>

namespace heddle {

/// How a child ended: not at all (`notStarted` says why), by a signal, or with an exit code.
struct ChildEnd {
  std::string notStarted;
  int exitCode = 0;
  int signal = 0;            // that ended it, or 0
  bool interrupted = false;  // SIGINT, SIGTERM or SIGHUP came meanwhile: the child and its own children were killed
  std::string output;        // stdout and stderr together, the first 4000 bytes
  bool succeeded() const { return notStarted.empty() && !signal && !interrupted && exitCode == 0; }
};

/// Runs argv[0] (a path) with this process's environment, but with `folder` as TMPDIR and for what it says; stdin is empty.
/// A signal that would end this process ends the child instead, and is reported: the caller cleans up.
ChildEnd runChild(llvm::ArrayRef<std::string> argv, llvm::StringRef folder);

}  // namespace heddle
