// Entries become lists of calls, and each of their ops a kernel. An entry of the plan stage says where every buffer
// lies (heddle.args); what is added here is the code. Kernels that are the same but for their name exist once: the
// forward of `eval` is mostly that of `train`.
#include "passes/Passes.h"
#include "passes/Work.h"
#include "passes/graph/PlanMemory.h"
#include "passes/lower/FusedProduct.h"
#include "passes/lower/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <map>
#include <set>

namespace heddle {
#define GEN_PASS_DEF_LOWERTOKERNELS
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;

namespace {

// What the user called a value: the name in its location, the variable, the data field; else `value`.
std::string nameOf(Value value) {
  if (auto read = value.getDefiningOp<ReadOp>()) return read.getVariable().str();
  if (auto arg = dyn_cast<BlockArgument>(value))
    if (auto entry = dyn_cast<func::FuncOp>(arg.getOwner()->getParentOp()))
      if (auto name = entry.getArgAttrOfType<StringAttr>(arg.getArgNumber(), kNameAttr)) return name.str();
  if (auto name = value.getLoc()->findInstanceOf<NameLoc>()) return name.getName().str();
  return "value";
}

// A symbol of letters, digits and underscores.
std::string symbolOf(StringRef name) {
  std::string symbol;
  for (char c : name) {
    if (llvm::isAlnum(c)) symbol += c;
    else if (!symbol.empty() && symbol.back() != '_') symbol += '_';
  }
  while (!symbol.empty() && symbol.back() == '_') symbol.pop_back();
  if (symbol.empty() || llvm::isDigit(symbol[0])) symbol = "k" + symbol;
  return symbol;
}

class ProgramLowering {
public:
  ProgramLowering(ModuleOp module, const TargetInfo &target) : module(module), target(target) {}

  void lowerEntry(func::FuncOp entry) {
    OpBuilder builder(entry);
    auto planned = EntryOp::create(builder, entry.getLoc(), entry.getSymName(), buffers(entry, true),
                                   buffers(entry, false), entry->getAttrOfType<IntegerAttr>(kWorkspaceAttr).getInt(),
                                   0, 0);
    scratch = flops = 0;
    prefix = entry.getSymName();
    builder.createBlock(&planned.getBody());
    lowerBlock(&entry.getBody().front(), builder, 1);
    planned.setScratch(scratch);
    planned.setFlops(flops);
    entry.erase();
  }

private:
  // The inputs or outputs of an entry.
  ArrayAttr buffers(func::FuncOp entry, bool inputs) {
    SmallVector<Attribute> attrs;
    unsigned count = inputs ? entry.getNumArguments() : entry.getNumResults();
    for (unsigned i = 0; i < count; ++i) {
      auto attr = [&](StringRef name) { return inputs ? entry.getArgAttr(i, name) : entry.getResultAttr(i, name); };
      auto name = dyn_cast_or_null<StringAttr>(attr(kNameAttr));
      auto repeats = dyn_cast_or_null<IntegerAttr>(attr(kRepeatsAttr));
      Type type = inputs ? entry.getArgumentTypes()[i] : entry.getResultTypes()[i];
      attrs.push_back(BufferAttr::get(entry.getContext(), name ? name.getValue() : "", cast<Tensor>(type),
                                      repeats ? repeats.getInt() : 0, cast<IntegerAttr>(attr(kOffsetAttr)).getInt()));
    }
    return ArrayAttr::get(entry.getContext(), attrs);
  }

  void lowerBlock(Block *block, OpBuilder &builder, int64_t times) {
    for (Operation &op : *block) {
      if (auto repeat = dyn_cast<RepeatOp>(op)) {
        auto loop = LoopOp::create(builder, op.getLoc(), repeat.getCount(), repeat.getReverse());
        loop->setAttr(kNameAttr, repeat.getNameAttr());
        OpBuilder::InsertionGuard guard(builder);
        builder.createBlock(&loop.getBody());
        lowerBlock(&repeat.getBody().front(), builder, multiplyWork(times, int64_t(repeat.getCount())));
      } else if (isa<FusedOp, ContractOp, ScatterAddOp, AttentionOp, AttentionBackwardOp>(op)) {
        LoweredKernel kernel = lowerOp(&op);
        flops = addWork(flops, multiplyWork(times, kernel.flops));
        scratch = std::max(scratch, kernel.scratchBytes);
        CallOp::create(builder, op.getLoc(), FlatSymbolRefAttr::get(kernel.function.getSymNameAttr()),
                       builder.getI64IntegerAttr(kernel.tiles),
                       op.getAttrOfType<ArrayAttr>(kArgsAttr));
      }
    }
  }

  LoweredKernel lowerOp(Operation *op) {
    std::string name = symbolOf(prefix + "_" + nameOf(op->getResult(0)));
    LoweredKernel kernel;
    auto fused = dyn_cast<FusedOp>(op);
    if (isa<ContractOp>(op) || (fused && holdsProduct(fused))) kernel = lowerContract(op, "kernel", target, module);
    else if (fused) kernel = lowerFused(fused, "kernel", target, module);
    else if (auto scatter = dyn_cast<ScatterAddOp>(op)) kernel = lowerScatterAdd(scatter, "kernel", target, module);
    else kernel = lowerAttention(op, "kernel", target, module);
    describe(kernel, op);
    std::string text;
    llvm::raw_string_ostream stream(text);
    kernel.function.print(stream, OpPrintingFlags().useLocalScope());
    auto [known, isNew] = kernels.try_emplace(text, kernel.function);
    if (!isNew) {
      kernel.function.erase();
      kernel.function = known->second;
      return kernel;
    }
    // A value may be called what the second of another name is called: q_2.
    std::string symbol = name;
    for (int i = 2; !taken.insert(symbol).second; ++i) symbol = name + "_" + std::to_string(i);
    kernel.function.setSymName(symbol);
    return kernel;
  }

  // What a reader of the emitted code, and the search for the first value that is not finite, want to know of a
  // kernel's arguments, and `heddle bench` of its work.
  void describe(const LoweredKernel &kernel, Operation *op) {
    func::FuncOp function = kernel.function;
    Builder builder(op->getContext());
    SmallVector<Attribute> argNames, argTypes;
    auto add = [&](Value value) {
      argNames.push_back(builder.getStringAttr(nameOf(value)));
      argTypes.push_back(TypeAttr::get(value.getType()));
    };
    for (Value operand : op->getOperands())
      if (repeatIndexDepth(operand) < 0) add(operand);
    for (Value result : op->getResults()) add(result);
    function->setAttr("heddle.arg_names", builder.getArrayAttr(argNames));
    function->setAttr("heddle.arg_types", builder.getArrayAttr(argTypes));
    function->setAttr("heddle.results", builder.getI64IntegerAttr(op->getNumResults()));  // the last of the arguments
    function->setAttr("heddle.flops", builder.getI64IntegerAttr(kernel.flops));
    function->setAttr("heddle.bytes", builder.getI64IntegerAttr(bytesOf(op)));
  }

  ModuleOp module;
  const TargetInfo &target;
  int64_t scratch = 0, flops = 0;
  std::string prefix;
  std::map<std::string, func::FuncOp> kernels;  // by text
  std::set<std::string> taken;  // names of kernels
};

struct LowerToKernels : heddle::impl::LowerToKernelsBase<LowerToKernels> {
  using LowerToKernelsBase::LowerToKernelsBase;
  void runOnOperation() override {
    const TargetInfo *info = findTargetClass(target);
    if (!info) {
      getOperation().emitError() << "no target class '" << target << "'";
      return signalPassFailure();
    }
    ProgramLowering lowering(getOperation(), *info);
    for (func::FuncOp entry : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (entry->hasAttr(kWorkspaceAttr)) lowering.lowerEntry(entry);
    getOperation()->setAttr("heddle.target", StringAttr::get(&getContext(), info->name));
  }
};

}  // namespace
