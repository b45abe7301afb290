// Each thread takes the next kernel from a queue, with an LLVMContext for each; where the system gives no more threads,
// fewer do it. A kernel's key is made of its text in kernel form, which says all that its code depends on but the target
// and the compiler.
#include "codegen/llvm/CompileKernels.h"
#include "codegen/ProgramTables.h"
#include "codegen/llvm/CompileModule.h"
#include "codegen/llvm/LowerToLlvm.h"
#include "codegen/llvm/SignalStack.h"
#include "ir/kernel/KernelForm.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/TimeProfiler.h"
#include <atomic>
#include <mutex>
#include <pthread.h>

using namespace mlir;
using namespace heddle;
using llvm::Expected;

OwningOpRef<ModuleOp> heddle::extractKernels(ModuleOp module, ArrayRef<func::FuncOp> kernels) {
  llvm::DenseSet<Operation *> needed(kernels.begin(), kernels.end());
  SmallVector<Operation *> work(kernels.begin(), kernels.end());
  while (!work.empty())
    work.pop_back_val()->walk([&](func::CallOp call) {
      Operation *callee = module.lookupSymbol(call.getCallee());
      if (needed.insert(callee).second) work.push_back(callee);
    });
  OwningOpRef<ModuleOp> part = ModuleOp::create(module.getLoc());
  OpBuilder builder = OpBuilder::atBlockEnd(part->getBody());
  for (auto function : module.getOps<func::FuncOp>())
    if (needed.contains(function)) builder.clone(*function);
  return part;
}

namespace {
class ParallelCompile {
 public:
  ParallelCompile(ModuleOp module, const TargetInfo &target, const ObjectCache &cache)
      : module(module), target(target), cache(cache) {
    for (auto [i, kernel] : llvm::enumerate(kernelsOf(module))) {
      size_t ops = 0;
      kernel.walk([&](Operation *) { ++ops; });
      queue.push_back({ops, i, kernel});
    }
    llvm::stable_sort(queue, [](const Item &a, const Item &b) { return a.ops > b.ops; });
    compiled.keys.resize(queue.size());
  }

  Expected<CompiledKernels> run(unsigned threads) {
    timed = llvm::timeTraceProfilerEnabled();  // of this thread
    std::vector<pthread_t> helpers;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStack);
    for (pthread_t helper; helpers.size() + 1 < std::min<size_t>(threads, queue.size()); helpers.push_back(helper))
      if (pthread_create(&helper, &attributes, help, this) != 0) break;
    pthread_attr_destroy(&attributes);
    work();
    for (pthread_t helper : helpers) pthread_join(helper, nullptr);
    if (failure) return std::move(failure);
    std::string unkept = notKept.empty() ? "" : "; nothing can be kept: " + notKept;
    llvm::TimeTraceScope said("cache", [&] {
      return llvm::formatv("{0} kernels compiled, {1} taken from the cache, {2} the same as others{3}", fresh,
                           compiled.objects.size() - fresh, queue.size() - compiled.objects.size(), unkept).str();
    });
    return std::move(compiled);
  }

 private:
  static constexpr size_t kStack = size_t(8) << 20;  // of a thread: what the main thread has, whatever `ulimit -s` says
  struct Item {
    size_t ops, index;
    func::FuncOp kernel;
  };

  static void *help(void *self) {
    auto &compile = *static_cast<ParallelCompile *>(self);
    SignalStack signalStack;
    if (compile.timed) llvm::timeTraceProfilerInitialize(0, "heddle");
    compile.work();
    if (compile.timed) llvm::timeTraceProfilerFinishThread();
    return nullptr;
  }

  void work() {
    std::unique_ptr<llvm::TargetMachine> machine;
    for (size_t i = next++; i < queue.size(); i = next++) {
      OwningOpRef<ModuleOp> part = extractKernels(module, queue[i].kernel);
      std::string key = keyOf(*part);
      compiled.keys[queue[i].index] = key;
      if (!take(key)) continue;
      std::optional<std::string> object = cache.load(key);
      if (!object) {
        auto made = compile(*part, queue[i].kernel.getName(), machine);
        if (!made) return fail(made.takeError());
        object = std::move(*made);
        keep(key, *object);
      }
      std::lock_guard<std::mutex> guard(lock);
      compiled.objects[key] = std::move(*object);
    }
  }

  // Names the kernel by its key, so that kernels with the same key are the same object.
  std::string keyOf(ModuleOp part) {
    func::FuncOp kernel = kernelsOf(part).front();
    kernel.setName("kernel");
    for (StringRef name : {"heddle.arg_names", "heddle.arg_types", "heddle.results", "heddle.flops", "heddle.bytes"})
      kernel->removeAttr(name);
    std::string source =
        llvm::formatv("kernel of {0}, {1}, {2}, {3} lanes\n", target.name, target.cpu, target.features, target.lanes());
    llvm::raw_string_ostream stream(source);
    part.print(stream);
    std::string key = ObjectCache::keyOf(source);
    kernel.setName(key);
    return key;
  }

  // Is this thread the first to meet the key?
  bool take(const std::string &key) {
    std::lock_guard<std::mutex> guard(lock);
    return compiled.objects.try_emplace(key).second;
  }

  Expected<std::string> compile(ModuleOp part, StringRef name, std::unique_ptr<llvm::TargetMachine> &machine) {
    llvm::TimeTraceScope scope("kernel", name);
    if (!machine) {
      auto made = makeTargetMachine(target);
      if (!made) return made.takeError();
      machine = std::move(*made);
    }
    llvm::LLVMContext context;
    auto lowered = lowerToLlvm(part, target, context);
    if (!lowered) return lowered.takeError();
    (*lowered)->setDataLayout(machine->createDataLayout());
    (*lowered)->setTargetTriple(machine->getTargetTriple());
    optimizeKernels(**lowered, *machine);
    return compileModule(**lowered, *machine, llvm::CodeGenFileType::ObjectFile);
  }

  void keep(const std::string &key, const std::string &object) {
    llvm::Error error = cache.store(key, object);
    std::lock_guard<std::mutex> guard(lock);
    ++fresh;
    if (error) notKept = llvm::toString(std::move(error));
  }

  void fail(llvm::Error error) {
    std::lock_guard<std::mutex> guard(lock);
    failure = llvm::joinErrors(std::move(failure), std::move(error));
    next = queue.size();
  }

  ModuleOp module;
  const TargetInfo &target;
  const ObjectCache &cache;
  std::vector<Item> queue;
  std::atomic<size_t> next = 0;
  std::mutex lock;
  CompiledKernels compiled;
  size_t fresh = 0;
  bool timed = false;
  std::string notKept;
  llvm::Error failure = llvm::Error::success();
};
}  // namespace

Expected<CompiledKernels> heddle::compileKernels(ModuleOp module, const TargetInfo &target, unsigned threads,
                                                 const ObjectCache &cache) {
  return ParallelCompile(module, target, cache).run(threads);
}
