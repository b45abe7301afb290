// What `heddle doctor` looks at. A check is a function that gives findings; DoctorCommand.cpp lists and prints them.
#pragma once

#include <string>
#include <vector>

namespace heddle {

struct Finding {
  enum Health {
    ok,
    slower,  // works, but not as fast as it could
    missing, // does not work
  };
  std::string part; // "C++ compiler"
  Health health = ok;
  std::string found = {}; // what is there, or what is wrong
  std::string mend = {};  // what to do; empty if there is nothing to
  bool onlyNative = false; // training in memory does without: native programs and --aot need it
};

// DoctorChecks.cpp: what can be told by looking.
std::vector<Finding> checkCommand();
std::vector<Finding> checkNativeParts();
Finding checkTemporaryFolder();
Finding checkCache();
Finding checkProcessor();
Finding checkCores();
Finding checkMemorySize();
Finding checkHugePages();
Finding checkDenormals();

// DoctorTrials.cpp: what can only be told by doing it, with a program of a few lines whose losses are known.
Finding tryJit();
/// The compiler, a static program of its, and a native program of Heddle's.
std::vector<Finding> tryCompiler();

} // namespace heddle
