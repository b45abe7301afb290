// From emitted C++ to a native program, with the system's compiler.
#pragma once
#include "llvm/ADT/ArrayRef.h"
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

/// Looks in HEDDLE_HOME if it is set, else beside the command at `executable` (an installation, or a build tree). The error
/// says what is missing and where it was looked for; the command then exits with 3.
llvm::Expected<NativeParts> findNativeParts(llvm::StringRef executable);

enum class NativeKind { program, library };
/// Compiles `cppText` (of emitCpp with the file name program.cpp) to `output`: a static program, or a shared library that
/// exports heddle_program. The compiler is $CXX, else c++, started without a shell. An error holds what the compiler said.
llvm::Error buildNative(llvm::StringRef cppText, const NativeParts &parts, llvm::StringRef output,
                        NativeKind kind = NativeKind::program);

}  // namespace heddle
