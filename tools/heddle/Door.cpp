// See Door.h.
#include "tools/heddle/Door.h"
#include "tools/heddle/CompileObserver.h"
#include "tools/heddle/InternalError.h"
#include "tools/heddle/SubCommand.h"

#include "codegen/ProgramTables.h"
#include "codegen/cpp/CppCompiler.h"
#include "codegen/cpp/EmitCpp.h"
#include "codegen/cpp/NativeBuild.h"
#include "codegen/cpp/TemporaryFolder.h"
#include "codegen/llvm/Jit.h"
#include "llvm/Support/TimeProfiler.h"

#include <llvm/Support/ThreadPool.h>

#include <dlfcn.h>
#include <filesystem>
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

/// Runs what MLIR would give to other threads at once.
class InlinePool : public llvm::ThreadPoolInterface {
public:
  void wait() override {}
  void wait(llvm::ThreadPoolTaskGroup &) override {}
  unsigned getMaxConcurrency() const override { return 1; }

private:
  void asyncEnqueue(llvm::unique_function<void()> task, llvm::ThreadPoolTaskGroup *) override { task(); }
};

class PlanLoaded : public LoadedProgram {
public:
  explicit PlanLoaded(mlir::ModuleOp kernels) : tables(kernels) {}
  const HeddleProgram &program() const override { return tables.program(); }

private:
  ProgramTables tables;
};

class LibraryLoaded : public LoadedProgram {
public:
  explicit LibraryLoaded(const HeddleProgram *loaded) : loaded(loaded) {}
  const HeddleProgram &program() const override { return *loaded; }

private:
  const HeddleProgram *loaded;
};

/// The key of the whole program in the cache: what it is compiled from, with the places that a run tells. Empty if the way
/// to its kernels is to be seen, or is another one.
std::string programKey(const Compilation &compilation, const TargetInfo &target) {
  const PipelineFlags &flags = compilation.pipeline;
  if (flags.remarks || flags.passLimit || flags.passes || !flags.temps.empty() || !flags.fail.empty())
    return "";
  llvm::TimeTraceScope timed("cache", "make the key of the program");
  return ObjectCache::keyOf(fmt::format("program for {} from {}, no-fuse {}, recompute up to {}\n{}", target.name.str(),
                                        stageName(compilation.stage).str(), flags.noFuse, flags.recomputeUpTo,
                                        stageText(*compilation.module, true)));
}

// What is wrong at run time with the machine or its compiler, as the C++ door found it.
int complainOf(llvm::Error error) {
  int code = error.isA<CompilerInterrupted>() ? exitInterrupted : exitInputOutput;
  return complain(code, llvm::toString(std::move(error)));
}

/// The emitted C++ as a library in `folder`, loaded into this process. Null after saying what failed.
const HeddleProgram *buildAndLoad(const std::string &text, const TemporaryFolder &folder, int &code) {
  code = exitInputOutput;
  if (!folder.allowsCode()) {
    complain(code, fmt::format("the file system of `{}` does not let code be loaded from it (it is mounted noexec); set "
                               "TMPDIR to another folder, or leave --aot out", temporaryPlace()));
    return nullptr;
  }
  llvm::Expected<NativeParts> parts = findNativeParts(ownExecutable());
  std::string library = folder.file("program.so");
  if (llvm::Error error = parts ? buildNative(text, *parts, library, NativeKind::library) : parts.takeError()) {
    code = complainOf(std::move(error));
    return nullptr;
  }
  void *handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    complain(code, fmt::format("the compiled program cannot be loaded: {}", dlerror()));
    return nullptr;
  }
  auto program = reinterpret_cast<const HeddleProgram *(*)()>(dlsym(handle, "heddle_program"));
  if (!program)
    internalError(fmt::format("the compiled program has no entry: {}", dlerror()));
  code = exitDone;
  return program();
}

} // namespace

std::string ownExecutable() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

std::unique_ptr<LoadedProgram> loadByJit(Compilation &compilation, const TargetInfo &target, int &code,
                                         const ObjectCache &cache) {
  std::string key = cache.enabled() ? programKey(compilation, target) : "";
  if (!key.empty())
    if (std::unique_ptr<JitProgram> jit = cachedProgram(compilation.context, cache, key))
      return std::make_unique<JitLoaded>(std::move(jit));
  mlir::OwningOpRef<mlir::ModuleOp> kernels = compilation.kernelsFor(target, code);
  if (!kernels)
    return nullptr;
  code = saveLlvm(compilation, *kernels, target);
  if (code != exitDone)
    return nullptr;
  // Kernels are compiled side by side; MLIR takes no threads of its own, which would end the process where the system has none.
  static auto *pool = new InlinePool;
  if (!compilation.context.isMultithreadingEnabled())
    compilation.context.setThreadPool(*pool);
  llvm::Expected<std::unique_ptr<JitProgram>> jit = jitProgram(*kernels, target, 0, cache, key);
  if (!jit)
    internalError(llvm::toString(jit.takeError()));
  return std::make_unique<JitLoaded>(std::move(*jit));
}

std::unique_ptr<LoadedProgram> loadPlan(Compilation &compilation, const TargetInfo &target, int &code) {
  mlir::OwningOpRef<mlir::ModuleOp> kernels = compilation.kernelsFor(target, code);
  return kernels ? std::make_unique<PlanLoaded>(*kernels) : nullptr;
}

int saveLlvm(const Compilation &compilation, mlir::ModuleOp kernels, const TargetInfo &target) {
  if (compilation.pipeline.temps.empty())
    return exitDone;
  for (auto [output, suffix] : {std::pair(LlvmOutput::ir, "7-{}.ll"), std::pair(LlvmOutput::assembly, "8-{}.s")}) {
    llvm::Expected<std::string> text = emitLlvm(kernels, target, output);
    if (!text)
      internalError(llvm::toString(text.takeError()));
    std::string name = fmt::format(fmt::runtime(suffix), target.name.str());
    if (int code = compilation.saveTemp(name, *text); code != exitDone)
      return code;
  }
  return exitDone;
}

std::unique_ptr<LoadedProgram> loadByCpp(Compilation &compilation, const TargetInfo &target, int &code) {
  std::string text;
  code = cppOf(compilation, {&target}, text);
  if (code != exitDone)
    return nullptr;
  llvm::Expected<TemporaryFolder> folder = TemporaryFolder::make();
  if (!folder) {
    code = complainOf(folder.takeError());
    return nullptr;
  }
  const HeddleProgram *loaded = buildAndLoad(text, *folder, code);
  return loaded ? std::make_unique<LibraryLoaded>(loaded) : nullptr;
}

int cppOf(Compilation &compilation, const std::vector<const TargetInfo *> &classes, std::string &text,
          const std::string &fileName) {
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> owned;
  std::vector<mlir::ModuleOp> modules;
  for (const TargetInfo *info : classes) {
    int code = exitDone;
    owned.push_back(compilation.kernelsFor(*info, code));
    if (!owned.back())
      return code;
    modules.push_back(*owned.back());
  }
  CppOptions options;
  options.fileName = fileName;
  options.sourceLine = [&](llvm::StringRef file, unsigned line) { return compilation.sourceLine(file.str(), line); };
  llvm::Expected<std::string> emitted = emitCpp(modules, options);
  if (!emitted)
    internalError(llvm::toString(emitted.takeError()));
  text = std::move(*emitted);
  return compilation.saveTemp("6.cpp", text);
}

int buildProgram(Compilation &compilation, const std::vector<const TargetInfo *> &classes, const std::string &path) {
  llvm::Expected<NativeParts> parts = findNativeParts(ownExecutable());
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
