// --time: where the time of compiling goes, by pass and by kernel.
#pragma once

#include <string>

namespace heddle {

/// Records the scopes that passes, doors and LLVM mark with llvm::TimeTraceScope, from here to finish().
class CompileTime {
public:
  /// `wish` is PipelineFlags::time: "" records nothing, "table" prints to stderr, all else is the file of a Chrome trace.
  explicit CompileTime(std::string wish);
  ~CompileTime();
  CompileTime(const CompileTime &) = delete;

  /// Prints the table or writes the file. Returns exitDone, or says what is wrong and returns exitInputOutput.
  int finish();

private:
  std::string wish;
  bool running = false;
};

} // namespace heddle
