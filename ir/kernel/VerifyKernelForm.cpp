// Checks a module against the table of KernelForm.cpp and the rules at the top of KernelForm.h. MLIR's own verifier has
// run before; what it ensures (operands of one op agree in type) is not checked again.
#include "ir/graph/Heddle.h"
#include "ir/kernel/KernelForm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace heddle;

/// The letter of a type as AdmittedOp::types spells it; 0 if no value of kernel form has it.
static char letterOf(Type type) {
  if (type.isF32()) return 'f';
  if (type.isInteger(32)) return 'i';
  if (type.isInteger(1)) return 'b';
  if (type.isIndex()) return 'x';
  if (auto memref = dyn_cast<MemRefType>(type)) {
    bool plain = memref.hasStaticShape() && memref.getLayout().isIdentity() && !memref.getMemorySpace();
    if (!plain) return 0;
    return memref.getElementType().isF32() ? 'm' : memref.getElementType().isInteger(32) ? 'n' : 0;
  }
  auto vector = dyn_cast<VectorType>(type);
  if (!vector || vector.getRank() != 1 || !vector.isScalable()) return 0;
  char element = letterOf(vector.getElementType());
  if (vector.getDimSize(0) == 4) return element ? llvm::toUpper(element) : 0;
  if (vector.getDimSize(0) == 8) return element == 'f' ? 'G' : element == 'i' ? 'J' : 0;
  return 0;
}

namespace {
class KernelFormVerifier {
 public:
  KernelFormVerifier(ModuleOp module, const TargetInfo &target) : module(module), target(target) {}

  LogicalResult run() {
    for (Operation &op : *module.getBody()) {
      if (auto function = dyn_cast<func::FuncOp>(op)) {
        verifyFunction(function);
        if (isLaneFunction(function)) laneFunctions.insert(function.getName());
      } else if (auto entry = dyn_cast<EntryOp>(op)) {
        verifySteps(entry.getBody(), 0);
      } else if (!isa<VariableOp>(op)) {
        report(&op) << "a module holds functions, variables and entries only";
      }
    }
    return failure(failed);
  }

 private:
  InFlightDiagnostic report(Operation *op) {
    failed = true;
    return op->emitError("kernel form: ");
  }

  void verifyFunction(func::FuncOp function) {
    if (function.isDeclaration()) return void(report(function) << "a function has a body");
    FunctionType type = function.getFunctionType();
    for (Type t : llvm::concat<const Type>(type.getInputs(), type.getResults()))
      if (!letterOf(t)) return void(report(function) << "no value has the type " << t);
    if (isLaneFunction(function)) {
      for (Type t : llvm::concat<const Type>(type.getInputs(), type.getResults()))
        if (isa<MemRefType>(t)) return void(report(function) << "a function of lanes has no memrefs");
      if (type.getNumResults() != 1) return void(report(function) << "a function of lanes has one result");
    } else {
      verifyKernelSignature(function, type);
    }
    for (StringRef name : {"heddle.arg_names", "heddle.arg_types"})
      if (auto list = function->getAttrOfType<ArrayAttr>(name))
        if (list.size() != memrefs(type)) report(function) << name << " has one element for each memref";
    for (StringRef name : {"heddle.flops", "heddle.bytes"})
      if (Attribute attr = function->getAttr(name)) {
        auto count = dyn_cast<IntegerAttr>(attr);
        if (!count || !count.getType().isSignlessInteger(64) || count.getInt() < 0) report(function) << name << " is an i64, not negative";
      }
    function.walk([&](Operation *op) {
      if (op != function) verifyOp(op);
    });
  }

  static size_t memrefs(FunctionType type) {
    auto inputs = type.getInputs();
    size_t count = llvm::count_if(inputs, [](Type t) { return isa<MemRefType>(t); });
    return count ? count - 1 : 0;  // scratch is no argument of the call
  }

  void verifyKernelSignature(func::FuncOp function, FunctionType type) {
    auto inputs = type.getInputs();
    size_t buffers = memrefs(type);
    bool shaped = inputs.size() >= buffers + 3 && type.getNumResults() == 0;
    for (size_t i = 0; shaped && i + 1 < inputs.size(); ++i)
      shaped = i < buffers ? isa<MemRefType>(inputs[i]) : inputs[i].isIndex();
    if (shaped) {
      auto scratch = dyn_cast<MemRefType>(inputs.back());
      shaped = scratch && scratch.getRank() == 1 && scratch.getElementType().isF32();
    }
    if (!shaped)
      report(function) << "a kernel is (memrefs..., loops: index..., begin: index, end: index, scratch: memref<Nxf32>)";
  }

  void verifyOp(Operation *op) {
    const AdmittedOp *row = findAdmittedOp(op->getName().getStringRef());
    if (!row) return void(report(op) << "op '" << op->getName() << "' is not admitted");
    for (Type type : op->getResultTypes())
      if (!letterOf(type)) return void(report(op) << "no value has the type " << type);
    if (row->types != "*" && !matches(op, row->types)) {
      Type from = op->getNumOperands() ? op->getOperand(0).getType() : op->getResult(0).getType();
      InFlightDiagnostic error = report(op) << "'" << op->getName() << "' is not admitted for " << from;
      if (op->getNumResults() && op->getNumOperands()) error << " to " << op->getResult(0).getType();
      return;
    }
    verifyFlags(op);
    verifyRules(op);
  }

  static bool matches(Operation *op, StringRef forms) {
    char result = op->getNumResults() ? letterOf(op->getResult(0).getType()) : 0;
    char first = op->getNumOperands() ? letterOf(op->getOperand(0).getType()) : result;
    SmallVector<StringRef> list;
    forms.split(list, ' ');
    return llvm::any_of(list, [&](StringRef form) {
      if (form.size() == 3) return form[0] == first && form[2] == result;
      return form[0] == first && (result == 0 || result == first);
    });
  }

  void verifyFlags(Operation *op) {
    if (auto flags = dyn_cast<arith::ArithFastMathInterface>(op))
      if (flags.getFastMathFlagsAttr() && flags.getFastMathFlagsAttr().getValue() != arith::FastMathFlags::none)
        report(op) << "no op carries fast-math flags";
    if (auto flags = dyn_cast<arith::ArithIntegerOverflowFlagsInterface>(op))
      if (flags.getOverflowAttr() && flags.getOverflowAttr().getValue() != arith::IntegerOverflowFlags::none)
        report(op) << "no op carries overflow flags";
    if (op->hasAttr("roundingmode")) report(op) << "no op carries a rounding mode";
  }

  void verifyRules(Operation *op) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) verifyConstant(constant);
    if (isa<arith::ShLIOp, arith::ShRSIOp, arith::ShRUIOp>(op)) verifyShift(op);
    if (auto compare = dyn_cast<arith::CmpFOp>(op)) {
      using P = arith::CmpFPredicate;
      if (!llvm::is_contained({P::OEQ, P::OLT, P::OLE, P::OGT, P::OGE, P::UNE}, compare.getPredicate()))
        report(op) << "cmpf is oeq, olt, ole, ogt, oge or une";
    }
    if (isa<vector::FMAOp>(op) || op->getName().getStringRef() == "math.fma")
      if (!target.fma) report(op) << "fma on the class '" << target.name << "', which has none";
    if (auto reduction = dyn_cast<vector::ReductionOp>(op)) verifyReduction(reduction);
    if (isa<vector::StepOp>(op)) {
      for (Operation *user : op->getUsers())
        if (!isa<arith::IndexCastOp>(user)) report(op) << "vector.step is used by arith.index_cast only";
    }
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      if (!loop.getInductionVar().getType().isIndex()) report(op) << "loops are over index";
      APInt step;
      if (matchPattern(loop.getStep(), m_ConstantInt(&step)) && !step.isStrictlyPositive())
        report(op) << "the step of a loop is positive";
    }
    if (auto gather = dyn_cast<vector::GatherOp>(op))
      if (letterOf(gather.getIndices().getType()) != 'I') report(op) << "the indices of a gather are i32";
    if (auto prefetch = dyn_cast<memref::PrefetchOp>(op))
      if (prefetch.getIsWrite() || prefetch.getLocalityHint() != 2 || !prefetch.getIsDataCache())
        report(op) << "a prefetch is `read, locality<2>, data`";
    if (auto call = dyn_cast<func::CallOp>(op))
      if (!laneFunctions.contains(call.getCallee())) report(op) << "a call is to a private function that stands before";
  }

  void verifyConstant(arith::ConstantOp constant) {
    Attribute value = constant.getValue();
    if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
      if (!dense.isSplat()) return void(report(constant) << "a constant has the same value in every lane");
      value = dense.getSplatValue<Attribute>();
    }
    if (auto number = dyn_cast<FloatAttr>(value))
      if (number.getValue().isDenormal()) report(constant) << "no constant is subnormal";
  }

  void verifyShift(Operation *op) {
    APInt amount;
    bool known = matchPattern(op->getOperand(1), m_ConstantInt(&amount));
    if (known && amount.uge(32)) report(op) << "a shift amount is in [0, 31]";
    if (!known && isa<VectorType>(op->getOperand(1).getType())) report(op) << "vectors are shifted by a constant";
  }

  void verifyReduction(vector::ReductionOp op) {
    using K = vector::CombiningKind;
    bool isFloat = op.getVector().getType().getElementType().isF32();
    bool admitted = isFloat ? llvm::is_contained({K::ADD, K::MAXNUMF, K::MINNUMF}, op.getKind())
                            : llvm::is_contained({K::ADD, K::MAXSI, K::MINSI}, op.getKind());
    if (!admitted) report(op) << "a reduction is add, maxnumf, minnumf, maxsi or minsi";
    if (op.getAcc()) report(op) << "a reduction has no accumulator";
  }

  void verifySteps(Region &steps, size_t depth) {
    for (Operation &op : steps.getOps()) {
      if (auto loop = dyn_cast<LoopOp>(op)) {
        verifySteps(loop.getBody(), depth + 1);
      } else if (auto call = dyn_cast<CallOp>(op)) {
        auto kernel = module.lookupSymbol<func::FuncOp>(call.getKernel());
        if (!kernel || isLaneFunction(kernel)) {
          report(call) << "no kernel " << call.getKernelAttr();
          continue;
        }
        FunctionType type = kernel.getFunctionType();
        if (call.getArgs().size() != memrefs(type)) report(call) << "the kernel has " << memrefs(type) << " buffers";
        size_t loops = type.getNumInputs() - memrefs(type) - 3;
        if (loops != depth) report(call) << "the kernel takes " << loops << " loop indices, at depth " << depth;
        for (auto arg : call.getArgs().getAsRange<ArgAttr>()) {
          if (arg.getStrides().size() > depth) report(call) << "an argument has a stride for each enclosing loop";
          if (arg.getSpace() != "variables" && arg.getSpace() != "workspace")
            report(call) << "a space is variables or workspace";
        }
      } else {
        report(&op) << "an entry holds calls and loops";
      }
    }
  }

  ModuleOp module;
  const TargetInfo &target;
  llvm::StringSet<> laneFunctions;
  bool failed = false;
};
}  // namespace

LogicalResult heddle::verifyKernelForm(ModuleOp module, const TargetInfo &target) {
  return KernelFormVerifier(module, target).run();
}
