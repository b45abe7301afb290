// A lowered program made ready to run, by either door.
#pragma once

#include "tools/heddle/Compilation.h"

#include "codegen/llvm/ObjectCache.h"
#include "runtime/Abi.h"

#include <memory>
#include <string>

namespace heddle {

/// Owns the code of a program.
class LoadedProgram {
public:
  virtual ~LoadedProgram() = default;
  virtual const HeddleProgram &program() const = 0;
};

/// The path of this command, beside which the parts of native programs stand.
std::string ownExecutable();

/// JIT-compiles the module's entries for a target class, or takes what an earlier process compiled from `cache`. Null after
/// saying what failed; `code` is then the exit code.
std::unique_ptr<LoadedProgram> loadByJit(Compilation &compilation, const TargetInfo &target, int &code,
                                         const ObjectCache &cache = ObjectCache(ObjectCache::chosenFolder()));

/// The module's plan for a target class, with no code of its kernels: for what only counts. Null after saying what failed;
/// `code` is then the exit code.
std::unique_ptr<LoadedProgram> loadPlan(Compilation &compilation, const TargetInfo &target, int &code);

/// The LLVM IR and assembly of kernels as files of --save-temps, where it is given. Returns an exit code.
int saveLlvm(const Compilation &compilation, mlir::ModuleOp kernels, const TargetInfo &target);

/// Emits C++ for a target class, compiles it and loads the result into this process. Null after saying what failed;
/// `code` is then the exit code.
std::unique_ptr<LoadedProgram> loadByCpp(Compilation &compilation, const TargetInfo &target, int &code);

/// The program as C++ for the target classes given, best first. Returns an exit code; what failed has been said.
/// `fileName` is what its file will be called, since it includes itself.
int cppOf(Compilation &compilation, const std::vector<const TargetInfo *> &classes, std::string &text,
          const std::string &fileName = "program.cpp");

/// A native program at `path`: the emitted C++, compiled and linked with the runtime. Returns an exit code.
int buildProgram(Compilation &compilation, const std::vector<const TargetInfo *> &classes, const std::string &path);

} // namespace heddle
