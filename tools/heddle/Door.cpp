// See Door.h.
#include "tools/heddle/Door.h"
#include "tools/heddle/SubCommand.h"

#include "codegen/llvm/Jit.h"

#include <fmt/format.h>

namespace heddle {

namespace {

class JitLoaded : public LoadedProgram {
public:
  explicit JitLoaded(std::unique_ptr<JitProgram> jit) : jit(std::move(jit)) {}
  const HeddleProgram &program() const override { return jit->program(); }

private:
  std::unique_ptr<JitProgram> jit;
};

} // namespace

std::unique_ptr<LoadedProgram> loadByJit(Compilation &compilation, const TargetInfo &target) {
  mlir::OwningOpRef<mlir::ModuleOp> kernels = compilation.kernelsFor(target);
  if (!kernels)
    return nullptr;
  llvm::Expected<std::unique_ptr<JitProgram>> jit = jitProgram(*kernels, target);
  if (!jit) {
    complain(exitInternal, fmt::format("internal error: {}", llvm::toString(jit.takeError())));
    return nullptr;
  }
  return std::make_unique<JitLoaded>(std::move(*jit));
}

std::unique_ptr<LoadedProgram> loadByCpp(Compilation &compilation, const TargetInfo &target, int &code) {
  code = complain(exitInternal, "aot: to be wired");
  return nullptr;
}

int emitCpp(Compilation &compilation, const std::vector<const TargetInfo *> &classes, std::string &text) {
  return complain(exitInternal, "C++ door: to be wired");
}

int buildNative(Compilation &compilation, const std::vector<const TargetInfo *> &classes, const std::string &path) {
  return complain(exitInternal, "C++ door: to be wired");
}

} // namespace heddle
