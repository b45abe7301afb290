// From emitted C++ to a native program, with the system's compiler.
#pragma once
#include "codegen/cpp/NativeParts.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace heddle {

enum class NativeKind { program, library };
/// Compiles `cppText` (of emitCpp with the file name program.cpp) to `output`: a static program, or a shared library that
/// exports heddle_program. The compiler is $CXX, else c++, started without a shell; HEDDLE_CXXFLAGS are more flags for it,
/// for developers (sanitizers, which a static program cannot have: with -fsanitize the program is a dynamic one). An error
/// holds what the compiler said, or is CompilerInterrupted. `output` appears whole or not at all: what stood there stays
/// until then.
llvm::Error buildNative(llvm::StringRef cppText, const NativeParts &parts, llvm::StringRef output,
                        NativeKind kind = NativeKind::program);

}  // namespace heddle
