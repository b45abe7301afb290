// Objects are linked by ORC's LLJIT, whose memory manager maps code read-only and executable once it is written. A program
// in the cache is the keys of its kernels' objects, a line each, and the text of its plan: the module with kernels that
// have lost their bodies.
#include "codegen/llvm/Jit.h"
#include "codegen/ProgramTables.h"
#include "codegen/llvm/CompileKernels.h"
#include "codegen/llvm/CompileModule.h"
#include "codegen/llvm/LowerToLlvm.h"
#include "ir/kernel/KernelForm.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TimeProfiler.h"
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

Expected<std::unique_ptr<JitProgram>> JitProgram::link(ModuleOp plan, const CompiledKernels &kernels) {
  llvm::TimeTraceScope scope("native", "link in memory");
  initializeNativeTarget();
  auto state = std::make_unique<State>(plan);
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit) return jit.takeError();
  state->jit = std::move(*jit);
  for (const auto &[key, object] : kernels.objects)
    if (auto error = state->jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(object))) return error;
  for (auto [i, key] : llvm::enumerate(kernels.keys)) {
    auto address = state->jit->lookup(kernelSymbol(key));
    if (!address) return address.takeError();
    state->tables.setKernel(0, i, address->toPtr<HeddleKernel>());
  }
  return std::unique_ptr<JitProgram>(new JitProgram(std::move(state)));
}

/// A module of all but the bodies of kernels, which is what ProgramTables reads.
static OwningOpRef<ModuleOp> planOf(ModuleOp module) {
  OwningOpRef<ModuleOp> plan = cast<ModuleOp>(module->cloneWithoutRegions());
  plan->getBodyRegion().emplaceBlock();
  OpBuilder builder = OpBuilder::atBlockEnd(plan->getBody());
  for (Operation &op : *module.getBody()) {
    auto function = dyn_cast<func::FuncOp>(op);
    if (!function) {
      builder.clone(op);
    } else if (!isLaneFunction(function)) {
      auto kernel = cast<func::FuncOp>(builder.insert(function->cloneWithoutRegions()));
      OpBuilder inside = OpBuilder::atBlockEnd(kernel.addEntryBlock());
      func::ReturnOp::create(inside, kernel.getLoc());
    }
  }
  return plan;
}

static void keepProgram(ModuleOp module, const CompiledKernels &kernels, const ObjectCache &cache, StringRef key) {
  std::string content;
  llvm::raw_string_ostream stream(content);
  for (const std::string &kernel : kernels.keys) stream << kernel << "\n";
  planOf(module)->print(stream << "\n", OpPrintingFlags().enableDebugInfo().useLocalScope());
  llvm::consumeError(cache.store(key, content));  // that kernels could not be kept has been told
}

std::unique_ptr<JitProgram> heddle::cachedProgram(MLIRContext &context, const ObjectCache &cache, StringRef key) {
  OwningOpRef<ModuleOp> plan;
  CompiledKernels kernels;
  {
    llvm::TimeTraceScope scope("cache", [&] { return "look for the program in " + cache.path(); });
    std::optional<std::string> content = cache.load(key);
    if (!content) return nullptr;
    StringRef text = *content;
    while (!text.consume_front("\n")) {
      auto [kernel, rest] = text.split('\n');
      std::optional<std::string> object = kernel.empty() ? std::nullopt : cache.load(kernel);
      if (!object) return nullptr;
      kernels.keys.push_back(kernel.str());
      kernels.objects[kernel.str()] = std::move(*object);
      text = rest;
    }
    ScopedDiagnosticHandler silent(&context, [](Diagnostic &) { return success(); });
    plan = parseSourceString<ModuleOp>(text, ParserConfig(&context));
    if (!plan || kernelsOf(*plan).size() != kernels.keys.size()) return nullptr;
  }
  auto program = JitProgram::link(*plan, kernels);
  if (!program) return llvm::consumeError(program.takeError()), nullptr;
  llvm::TimeTraceScope scope("cache", "the program is there: nothing is compiled");
  return std::move(*program);
}

Expected<std::unique_ptr<JitProgram>> heddle::jitProgram(ModuleOp kernelStage, const TargetInfo &target, unsigned threads,
                                                         const ObjectCache &cache, StringRef key) {
  if (failed(verifyKernelForm(kernelStage, target)))
    return llvm::createStringError("the module is not in kernel form (see the messages above)");
  prepareForLlvm(*kernelStage.getContext());
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  if (!kernelStage.getContext()->isMultithreadingEnabled()) threads = 1;
  auto kernels = compileKernels(kernelStage, target, threads, cache);
  if (!kernels) return kernels.takeError();
  auto program = JitProgram::link(kernelStage, *kernels);
  if (program && cache.enabled()) {
    llvm::TimeTraceScope scope("cache", [&] { return "keep the program in " + cache.path(); });
    if (!key.empty()) keepProgram(kernelStage, *kernels, cache, key);
    cache.trim();
  }
  return program;
}

Expected<std::string> heddle::emitLlvm(ModuleOp kernelStage, const TargetInfo &target, LlvmOutput output) {
  if (failed(verifyKernelForm(kernelStage, target)))
    return llvm::createStringError("the module is not in kernel form (see the messages above)");
  prepareForLlvm(*kernelStage.getContext());
  auto machine = makeTargetMachine(target);
  if (!machine) return machine.takeError();
  llvm::LLVMContext context;
  OwningOpRef<ModuleOp> part = extractKernels(kernelStage, kernelsOf(kernelStage));
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
