// Kernels are compiled one by one, largest first, by as many threads as there are cores: each thread takes the next
// kernel from a queue, with an LLVMContext for each. The objects are linked by ORC's LLJIT, whose memory manager maps
// code read-only and executable once it is written.
#include "codegen/llvm/Jit.h"
#include "codegen/ProgramTables.h"
#include "codegen/llvm/CompileModule.h"
#include "codegen/llvm/LowerToLlvm.h"
#include "ir/kernel/KernelForm.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TimeProfiler.h"
#include <atomic>
#include <mutex>
#include <thread>

using namespace mlir;
using namespace heddle;
using llvm::Expected;

struct JitProgram::State {
  explicit State(ModuleOp module) : tables(ArrayRef<ModuleOp>(module)) {}
  ProgramTables tables;
  std::unique_ptr<llvm::orc::LLJIT> jit;
};
JitProgram::JitProgram(std::unique_ptr<State> state) : state(std::move(state)) {}
JitProgram::~JitProgram() = default;
const HeddleProgram &JitProgram::program() const { return state->tables.program(); }

/// A module of the kernels given and of the functions of lanes that they call.
static OwningOpRef<ModuleOp> extract(ModuleOp module, ArrayRef<func::FuncOp> kernels) {
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
/// The queue of kernels and what became of them.
class ParallelCompile {
 public:
  ParallelCompile(ModuleOp module, const TargetInfo &target) : module(module), target(target) {
    std::vector<std::pair<size_t, func::FuncOp>> sized;
    for (func::FuncOp kernel : kernelsOf(module)) {
      size_t ops = 0;
      kernel.walk([&](Operation *) { ++ops; });
      sized.push_back({ops, kernel});
    }
    llvm::stable_sort(sized, [](auto &a, auto &b) { return a.first > b.first; });
    for (auto &[ops, kernel] : sized) queue.push_back(kernel);
    objects.resize(queue.size());
  }

  Expected<std::vector<std::string>> run(unsigned threads) {
    std::vector<std::thread> helpers;
    bool timed = llvm::timeTraceProfilerEnabled();  // of this thread
    for (unsigned i = 1; i < std::min<size_t>(threads, queue.size()); ++i)
      helpers.emplace_back([this, timed] {
        if (timed) llvm::timeTraceProfilerInitialize(0, "heddle");
        work();
        if (timed) llvm::timeTraceProfilerFinishThread();
      });
    work();
    for (std::thread &helper : helpers) helper.join();
    if (failure) return std::move(failure);
    return std::move(objects);
  }

 private:
  void work() {
    auto machine = makeTargetMachine(target);
    if (!machine) return fail(machine.takeError());
    for (size_t i = next++; i < queue.size(); i = next++) {
      auto object = compile(queue[i], **machine);
      if (!object) return fail(object.takeError());
      objects[i] = std::move(*object);
    }
  }
  Expected<std::string> compile(func::FuncOp kernel, llvm::TargetMachine &machine) {
    llvm::TimeTraceScope scope("kernel", kernel.getName());
    llvm::LLVMContext context;
    OwningOpRef<ModuleOp> part = extract(module, kernel);
    auto lowered = lowerToLlvm(*part, target, context);
    if (!lowered) return lowered.takeError();
    (*lowered)->setDataLayout(machine.createDataLayout());
    (*lowered)->setTargetTriple(machine.getTargetTriple());
    optimizeKernels(**lowered, machine);
    return compileModule(**lowered, machine, llvm::CodeGenFileType::ObjectFile);
  }
  void fail(llvm::Error error) {
    std::lock_guard<std::mutex> guard(lock);
    failure = llvm::joinErrors(std::move(failure), std::move(error));
    next = queue.size();
  }

  ModuleOp module;
  const TargetInfo &target;
  std::vector<func::FuncOp> queue;
  std::vector<std::string> objects;
  std::atomic<size_t> next = 0;
  std::mutex lock;
  llvm::Error failure = llvm::Error::success();
};
}  // namespace

Expected<std::unique_ptr<JitProgram>> heddle::jitProgram(ModuleOp kernelStage, const TargetInfo &target,
                                                         unsigned threads) {
  if (failed(verifyKernelForm(kernelStage, target)))
    return llvm::createStringError("the module is not in kernel form (see the messages above)");
  prepareForLlvm(*kernelStage.getContext());
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  if (!kernelStage.getContext()->isMultithreadingEnabled()) threads = 1;
  ParallelCompile compile(kernelStage, target);
  auto objects = compile.run(threads);
  if (!objects) return objects.takeError();

  llvm::TimeTraceScope scope("native", "link in memory");
  auto state = std::make_unique<JitProgram::State>(kernelStage);
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit) return jit.takeError();
  state->jit = std::move(*jit);
  for (const std::string &object : *objects)
    if (auto error = state->jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(object))) return error;
  for (auto [i, kernel] : llvm::enumerate(kernelsOf(kernelStage))) {
    auto address = state->jit->lookup(kernelSymbol(kernel.getName()));
    if (!address) return address.takeError();
    state->tables.setKernel(0, i, address->toPtr<HeddleKernel>());
  }
  return std::unique_ptr<JitProgram>(new JitProgram(std::move(state)));
}

Expected<std::string> heddle::emitLlvm(ModuleOp kernelStage, const TargetInfo &target, LlvmOutput output) {
  if (failed(verifyKernelForm(kernelStage, target)))
    return llvm::createStringError("the module is not in kernel form (see the messages above)");
  prepareForLlvm(*kernelStage.getContext());
  auto machine = makeTargetMachine(target);
  if (!machine) return machine.takeError();
  llvm::LLVMContext context;
  OwningOpRef<ModuleOp> part = extract(kernelStage, kernelsOf(kernelStage));
  auto lowered = lowerToLlvm(*part, target, context);
  if (!lowered) return lowered.takeError();
  (*lowered)->setDataLayout((*machine)->createDataLayout());
  (*lowered)->setTargetTriple((*machine)->getTargetTriple());
  optimizeKernels(**lowered, **machine);
  if (output == LlvmOutput::ir) {
    std::string text;
    llvm::raw_string_ostream(text) << **lowered;
    return text;
  }
  return compileModule(**lowered, **machine,
                       output == LlvmOutput::object ? llvm::CodeGenFileType::ObjectFile
                                                    : llvm::CodeGenFileType::AssemblyFile);
}
