// See Door.h.
#include "tools/heddle/Door.h"
#include "tools/heddle/SubCommand.h"

#include "codegen/cpp/EmitCpp.h"
#include "codegen/cpp/NativeBuild.h"
#include "codegen/llvm/Jit.h"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace heddle {

namespace {

class JitLoaded : public LoadedProgram {
public:
  explicit JitLoaded(std::unique_ptr<JitProgram> jit) : jit(std::move(jit)) {}
  const HeddleProgram &program() const override { return jit->program(); }

private:
  std::unique_ptr<JitProgram> jit;
};

class LibraryLoaded : public LoadedProgram {
public:
  explicit LibraryLoaded(const HeddleProgram *loaded) : loaded(loaded) {}
  const HeddleProgram &program() const override { return *loaded; }

private:
  const HeddleProgram *loaded;
};

// A folder of its own under TMPDIR, removed with what is in it.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::error_code error;
    std::string pattern = (std::filesystem::temp_directory_path(error) / "heddle-XXXXXX").string();
    if (mkdtemp(pattern.data()))
      path = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path.empty())
      std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

// What is wrong at run time with the machine or its compiler, as the C++ door found it.
int complainOf(llvm::Error error) { return complain(exitInputOutput, llvm::toString(std::move(error))); }

llvm::Expected<NativeParts> nativeParts() {
  std::error_code error;
  return findNativeParts(std::filesystem::read_symlink("/proc/self/exe", error).string());
}

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
  std::string text;
  code = cppOf(compilation, {&target}, text);
  if (code != exitDone)
    return nullptr;
  llvm::Expected<NativeParts> parts = nativeParts();
  TemporaryFolder folder;
  std::string library = folder.path + "/program.so";
  llvm::Error error = parts ? buildNative(text, *parts, library, NativeKind::library) : parts.takeError();
  if (error) {
    code = complainOf(std::move(error));
    return nullptr;
  }
  void *handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  auto program = handle ? reinterpret_cast<const HeddleProgram *(*)()>(dlsym(handle, "heddle_program")) : nullptr;
  if (!program) {
    code = complain(exitInternal, fmt::format("the compiled program cannot be loaded: {}", dlerror()));
    return nullptr;
  }
  return std::make_unique<LibraryLoaded>(program());
}

int cppOf(Compilation &compilation, const std::vector<const TargetInfo *> &classes, std::string &text) {
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> owned;
  std::vector<mlir::ModuleOp> modules;
  for (const TargetInfo *info : classes) {
    owned.push_back(compilation.kernelsFor(*info));
    if (!owned.back())
      return exitInternal;
    modules.push_back(*owned.back());
  }
  CppOptions options;
  options.sourceLine = [&](llvm::StringRef file, unsigned line) { return compilation.sourceLine(file.str(), line); };
  llvm::Expected<std::string> emitted = emitCpp(modules, options);
  if (!emitted)
    return complain(exitInternal, fmt::format("internal error: {}", llvm::toString(emitted.takeError())));
  text = std::move(*emitted);
  return exitDone;
}

int buildProgram(Compilation &compilation, const std::vector<const TargetInfo *> &classes, const std::string &path) {
  llvm::Expected<NativeParts> parts = nativeParts();
  if (!parts)
    return complainOf(parts.takeError());
  std::string text;
  if (int code = cppOf(compilation, classes, text); code != exitDone)
    return code;
  if (llvm::Error error = buildNative(text, *parts, path))
    return complainOf(std::move(error));
  return exitDone;
}

} // namespace heddle
