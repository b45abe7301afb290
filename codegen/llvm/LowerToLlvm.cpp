// Fix lengths, expand, convert, translate, and wrap each kernel in the C signature. No pass manager: the steps are plain
// functions over one module, so that several threads may lower modules of one context at a time.
#include "codegen/llvm/LowerToLlvm.h"
#include "codegen/ProgramTables.h"
#include "codegen/llvm/ExpandKernels.h"
#include "codegen/llvm/FixVectorLength.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/DialectConversion.h"
#include "llvm/IR/IRBuilder.h"

using namespace mlir;

void heddle::prepareForLlvm(MLIRContext &context) {
  registerBuiltinDialectTranslation(context);
  registerLLVMDialectTranslation(context);
  context.loadDialect<LLVM::LLVMDialect, cf::ControlFlowDialect, math::MathDialect, ub::UBDialect>();
}

std::string heddle::kernelSymbol(StringRef kernel) { return ("heddle_" + kernel).str(); }

static LogicalResult convertLoops(ModuleOp module) {
  RewritePatternSet patterns(module.getContext());
  populateSCFToControlFlowConversionPatterns(patterns);
  ConversionTarget target(*module.getContext());
  target.addIllegalDialect<scf::SCFDialect>();
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  return applyPartialConversion(module, target, std::move(patterns));
}

static LogicalResult convertOps(ModuleOp module) {
  MLIRContext *context = module.getContext();
  LLVMTypeConverter converter(context);
  RewritePatternSet patterns(context);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  populateFuncToLLVMConversionPatterns(converter, patterns);
  populateMathToLLVMConversionPatterns(converter, patterns);
  populateVectorToLLVMConversionPatterns(converter, patterns);
  LLVMConversionTarget target(*context);
  target.addLegalOp<ModuleOp>();
  return applyFullConversion(module, target, std::move(patterns));
}

/// Adds `symbol`(args, loops, begin, end, scratch), which unpacks its arguments and calls `body`.
static void wrapKernel(llvm::Function &body, StringRef symbol, size_t buffers) {
  llvm::Module &module = *body.getParent();
  llvm::LLVMContext &context = module.getContext();
  llvm::Type *pointer = llvm::PointerType::get(context, 0), *i64 = llvm::Type::getInt64Ty(context);
  auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer, pointer, i64, i64, pointer}, false);
  auto *wrapper = llvm::Function::Create(type, llvm::Function::ExternalLinkage, symbol, module);
  llvm::IRBuilder<> b(llvm::BasicBlock::Create(context, "entry", wrapper));
  llvm::SmallVector<llvm::Value *> args;
  size_t loops = body.arg_size() - buffers - 3;
  for (size_t i = 0; i < buffers; ++i)
    args.push_back(b.CreateLoad(pointer, b.CreateConstInBoundsGEP1_64(pointer, wrapper->getArg(0), i)));
  for (size_t i = 0; i < loops; ++i)
    args.push_back(b.CreateLoad(i64, b.CreateConstInBoundsGEP1_64(i64, wrapper->getArg(1), i)));
  for (unsigned i = 2; i < 5; ++i) args.push_back(wrapper->getArg(i));
  b.CreateCall(&body, args);
  b.CreateRetVoid();
}

llvm::Expected<std::unique_ptr<llvm::Module>> heddle::lowerToLlvm(ModuleOp module, const TargetInfo &target,
                                                                  llvm::LLVMContext &context) {
  struct Kernel {
    std::string name;
    size_t buffers;
  };
  std::vector<Kernel> kernels;
  for (func::FuncOp kernel : kernelsOf(module)) {
    size_t memrefs = llvm::count_if(kernel.getArgumentTypes(), [](Type type) { return isa<MemRefType>(type); });
    kernels.push_back({kernel.getName().str(), memrefs - 1});
  }
  auto internalError = [](const char *step) {
    return llvm::createStringError("%s (see the messages above)", step);
  };
  fixVectorLength(module, target);
  expandKernels(module, target);
  if (failed(convertLoops(module))) return internalError("loops of a kernel do not convert to branches");
  if (failed(convertOps(module))) return internalError("a kernel does not convert to the LLVM dialect");
  std::unique_ptr<llvm::Module> result = translateModuleToLLVMIR(module, context);
  if (!result) return internalError("a kernel does not translate to LLVM IR");

  for (llvm::Function &function : *result) {
    if (function.isDeclaration()) continue;
    function.setLinkage(llvm::Function::InternalLinkage);
    function.addFnAttr(llvm::Attribute::AlwaysInline);
    function.setName("body." + function.getName());
  }
  for (const Kernel &kernel : kernels)
    wrapKernel(*result->getFunction("body." + kernel.name), kernelSymbol(kernel.name), kernel.buffers);
  for (llvm::Function &function : *result) {
    if (function.isDeclaration()) continue;
    function.addFnAttr(llvm::Attribute::NoUnwind);
    function.addFnAttr("no-builtins");  // no loop becomes a call of memset or memcpy
    if (target.vscale == 4) function.addFnAttr("prefer-vector-width", "512");
  }
  return result;
}
