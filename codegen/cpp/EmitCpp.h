// The C++ door: a whole program as one readable C++ file.
#pragma once
#include "codegen/cpp/KernelPrinter.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <string>

namespace heddle {

struct CppOptions {
  /// What the file will be called: it includes itself, once for each target class. Letters, digits, '.', '_' and '-'.
  std::string fileName = "program.cpp";
  /// Lines of the source, for comments. May be empty.
  SourceLine sourceLine;
};

/// The C++ of modules in kernel form, one for each target class (best first, of one program). Compile it with the flags of
/// cppFlags() and link it with libheddle_runtime.a; with -DHEDDLE_AS_LIBRARY it has no main and exports
/// `extern "C" const HeddleProgram* heddle_program()` instead. An error is a bug of the compiler.
llvm::Expected<std::string> emitCpp(llvm::ArrayRef<mlir::ModuleOp> classes, const CppOptions &options);

/// The flags that emitted C++ needs for the bits that kernel form promises.
llvm::ArrayRef<const char *> cppFlags();

}  // namespace heddle
