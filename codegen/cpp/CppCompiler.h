// The system's C++ compiler: which one it is, and whether it will do.
#pragma once
#include "codegen/cpp/ChildProcess.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace heddle {

class TemporaryFolder;

struct CppCompiler {
  std::vector<std::string> command;  // a path, and what $CXX says behind it: a launcher's compiler, flags
  std::string version;               // "GCC 12.2"
};

/// $CXX (a path, or words of which the first may be a launcher), else c++, found on PATH and asked for its version. The
/// error says that there is none, that it cannot be run, or that it is older than GCC 11 and Clang 12, the first that know
/// -march=x86-64-v2.
llvm::Expected<CppCompiler> findCppCompiler(const TemporaryFolder &folder);

/// Interrupted by a signal: nothing was made, and nothing is wrong. The command then exits with 130.
class CompilerInterrupted : public llvm::ErrorInfo<CompilerInterrupted> {
 public:
  static char ID;
  void log(llvm::raw_ostream &stream) const override { stream << "interrupted while compiling"; }
  std::error_code convertToErrorCode() const override { return std::make_error_code(std::errc::interrupted); }
};

/// Runs `compiler` with `arguments`. What went wrong is an error: what the compiler said, or which signal ended it.
llvm::Error runCompiler(const CppCompiler &compiler, llvm::ArrayRef<std::string> arguments,
                        const TemporaryFolder &folder);

}  // namespace heddle
