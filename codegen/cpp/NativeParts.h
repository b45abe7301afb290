// What a native program is built from: the runtime's library, its headers, Highway's headers.
#pragma once
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace heddle {

/// Where what a native program is built from stands.
struct NativeParts {
  std::string runtimeLibrary;         // libheddle_runtime.a
  std::vector<std::string> includes;  // folders with runtime/Abi.h and, unless the compiler finds it, hwy/highway.h
};

/// One of the parts, and what is wrong with it.
struct NativePart {
  std::string name;                   // "runtime library"
  std::string found;                  // where it stands and its version
  std::vector<std::string> problems = {};  // none if it is as it should be
};

/// The folder that holds lib/heddle and include/heddle: HEDDLE_HOME if it is set, else the one above that of the command at
/// `executable`. An installation and a build folder look the same from there.
std::string nativeRoot(llvm::StringRef executable);

/// Looks at the library, the headers and Highway under nativeRoot; Highway may also stand in /usr/include or
/// /usr/local/include. Library and headers must be of this command's own version.
std::vector<NativePart> inspectNativeParts(llvm::StringRef executable);

/// The parts, or an error with all their problems and how to mend them; the command then exits with 3.
llvm::Expected<NativeParts> findNativeParts(llvm::StringRef executable);

}  // namespace heddle
