// See PlanForm.h. All sizes are below 2^42 bytes here, so that products with the number of iterations (2^31) are checked
// for overflow and sums are not.
#include "passes/PlanForm.h"
#include "ir/graph/Heddle.h"
#include "ir/kernel/KernelForm.h"
#include "passes/graph/PlanMemory.h"
#include "passes/lower/Lowering.h"
#include "runtime/Abi.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace heddle;

static constexpr int64_t kMostBytes = int64_t(1) << 46;  // of an arena: 64 TiB

namespace {
class TableVerifier {
public:
  explicit TableVerifier(ModuleOp module, StringRef stage) : module(module), stage(stage) {
    variables = module->getAttrOfType<IntegerAttr>(kVariablesAttr).getInt();
  }
  bool failed = false;

  InFlightDiagnostic report(Operation *op) {
    failed = true;
    return op->emitError() << "stage " << stage << ": ";
  }
  void verifyVariables() {
    verifySize(module, variables, "the variables' arena");
    for (auto variable : module.getOps<VariableOp>())
      verifyPlace(variable, "it", *variable.getOffset(), bytesOf(variable.getType()), variables);
  }
  void verifySize(Operation *op, int64_t bytes, StringRef what) {
    if (bytes < 0 || bytes > kMostBytes) report(op) << what << " has " << bytes << " bytes";
  }
  void verifyPlace(Operation *op, const Twine &what, int64_t offset, int64_t bytes, int64_t arena) {
    if (offset < 0 || offset % HEDDLE_ALIGNMENT || bytes > arena || offset > arena - bytes)
      report(op) << what << " has " << bytes << " bytes at offset " << offset << " of an arena of " << arena
                 << "; offsets are multiples of " << HEDDLE_ALIGNMENT;
  }
  // An argument of a kernel, at every iteration of the loops around it.
  void verifyArg(Operation *op, size_t number, ArgAttr arg, int64_t bytes, ArrayRef<int64_t> counts, int64_t workspace) {
    bool known = arg.getSpace() == "variables" || arg.getSpace() == "workspace";
    if (!known) return void(report(op) << "argument " << number << " lies in variables or workspace, not in '" << arg.getSpace() << "'");
    if (arg.getStrides().size() != counts.size())
      return void(report(op) << "argument " << number << " has a stride for each of " << counts.size() << " loops");
    int64_t arena = arg.getSpace() == "variables" ? variables : workspace, low = arg.getOffset(), high = low;
    bool fits = low >= 0 && low % 4 == 0 && low <= kMostBytes;
    for (auto [stride, count] : llvm::zip(arg.getStrides(), counts)) {
      int64_t way;
      fits &= stride % 4 == 0 && !llvm::MulOverflow(stride, count - 1, way) && std::abs(way) <= kMostBytes;
      if (fits) (way < 0 ? low : high) += way;
    }
    if (!fits || low < 0 || bytes > arena || high > arena - bytes)
      report(op) << "argument " << number << ", " << bytes << " bytes at " << arg << ", leaves its arena of " << arena;
  }

  void verifyPlannedEntry(func::FuncOp entry) {
    int64_t workspace = entry->getAttrOfType<IntegerAttr>(kWorkspaceAttr).getInt();
    verifySize(entry, workspace, "the workspace");
    for (unsigned i = 0; i < entry.getNumArguments(); ++i)
      verifyPlace(entry, "argument " + Twine(i), entry.getArgAttrOfType<IntegerAttr>(i, kOffsetAttr).getInt(),
                  bytesOf(entry.getArgumentTypes()[i]), workspace);
    for (unsigned i = 0; i < entry.getNumResults(); ++i)
      verifyPlace(entry, "result " + Twine(i), entry.getResultAttrOfType<IntegerAttr>(i, kOffsetAttr).getInt(),
                  bytesOf(entry.getResultTypes()[i]), workspace);
    entry->walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isa<FusedOp, ContractOp, ScatterAddOp, AttentionOp, AttentionBackwardOp>(op)) return WalkResult::advance();
      SmallVector<int64_t> counts;
      for (auto repeat = op->getParentOfType<RepeatOp>(); repeat; repeat = repeat->getParentOfType<RepeatOp>())
        counts.insert(counts.begin(), repeat.getCount());
      SmallVector<Type> buffers;
      for (Value operand : op->getOperands())
        if (repeatIndexDepth(operand) < 0) buffers.push_back(operand.getType());
      llvm::append_range(buffers, op->getResultTypes());
      auto args = op->getAttrOfType<ArrayAttr>(kArgsAttr);
      bool complete = args && args.size() == buffers.size() && llvm::all_of(args, llvm::IsaPred<ArgAttr>);
      if (!complete) report(op) << kArgsAttr << " has an #heddle.arg for each of " << buffers.size() << " buffers";
      for (size_t i = 0; complete && i < buffers.size(); ++i)
        verifyArg(op, i, cast<ArgAttr>(args[i]), bytesOf(buffers[i]), counts, workspace);
      if (auto scatter = dyn_cast<ScatterAddOp>(op); complete && scatter && scatter.getOnto() && args[args.size() - 2] != args[args.size() - 1])
        report(op) << "the sum lies where that lies which it is added onto";
      return WalkResult::skip();
    });
  }

  // The lists of entries and calls hold what their readers cast to.
  void verifyLists() {
    module.walk([&](Operation *op) {
      if (auto entry = dyn_cast<EntryOp>(op)) {
        if (!llvm::all_of(entry.getInputs(), llvm::IsaPred<BufferAttr>) || !llvm::all_of(entry.getOutputs(), llvm::IsaPred<BufferAttr>))
          report(op) << "inputs and outputs are lists of #heddle.buffer";
      } else if (auto call = dyn_cast<CallOp>(op)) {
        if (!llvm::all_of(call.getArgs(), llvm::IsaPred<ArgAttr>)) report(op) << "arguments are a list of #heddle.arg";
      }
    });
  }

  void verifyCalledEntry(EntryOp entry) {
    verifySize(entry, entry.getWorkspace(), "the workspace");
    verifySize(entry, entry.getScratch(), "the scratch memory");
    if (int64_t(entry.getFlops()) < 0) report(entry) << "flops are not negative";
    for (ArrayAttr list : {entry.getInputs(), entry.getOutputs()}) {
      llvm::StringSet<> names;
      for (auto buffer : list.getAsRange<BufferAttr>()) {
        verifyPlace(entry, "buffer " + buffer.getName(), buffer.getOffset(), bytesOf(buffer.getType()), entry.getWorkspace());
        if (buffer.getName().empty() || !names.insert(buffer.getName()).second)
          report(entry) << "its inputs and its outputs have names, unlike each other";
        bool stacked = buffer.getRepeats() >= 0 && buffer.getRepeats() <= buffer.getType().getRank() &&
                       int64_t(buffer.getName().count("{}")) == buffer.getRepeats();
        if (!stacked) report(entry) << "buffer " << buffer.getName() << " has as many {} in its name as repeats";
        verifyKnownBuffer(entry, buffer, list == entry.getInputs());
      }
    }
    auto named = [](ArrayAttr list, StringRef name) {
      for (auto buffer : list.getAsRange<BufferAttr>())
        if (buffer.getName() == name) return buffer.getType();
      return Tensor();
    };
    auto input = [&](StringRef name) { return named(entry.getInputs(), name); };
    auto output = [&](StringRef name) { return named(entry.getOutputs(), name); };
    if (std::string wrong = wrongEntry(entry.getSymName(), input, output); !wrong.empty()) report(entry) << wrong;
    SmallVector<int64_t> counts;
    verifySteps(entry, entry.getBody(), counts);
  }
  void verifyKnownBuffer(EntryOp entry, BufferAttr buffer, bool input) {
    StringRef name = buffer.getName();
    Tensor type = buffer.getType();
    bool intScalar = type.isInt() && type.getRank() == 0, floatScalar = type.isFloat() && type.getRank() == 0;
    bool wrong = input ? (name == "$seed" && !(type.isInt() && type.getNumElements() == 2)) ||
                             ((name == "$step" || name == "$micro" || name == "$position") && !intScalar)
                       : (name.starts_with("loss.") || name == "lr" || name == "grad_norm") && !floatScalar;
    if (wrong) report(entry) << "buffer " << name << " cannot be " << type;
  }

  void verifySteps(EntryOp entry, Region &steps, SmallVectorImpl<int64_t> &counts) {
    for (Operation &op : steps.getOps()) {
      if (auto loop = dyn_cast<LoopOp>(op)) {
        int64_t count = loop.getCount();
        if (count < 1 || count > INT32_MAX || counts.size() == HEDDLE_MAX_LOOPS) {
          report(loop) << "a loop has 1 to 2147483647 iterations, and loops nest at most " << HEDDLE_MAX_LOOPS << " deep";
          continue;
        }
        counts.push_back(count);
        verifySteps(entry, loop.getBody(), counts);
        counts.pop_back();
        continue;
      }
      auto call = cast<CallOp>(op);
      auto kernel = module.lookupSymbol<func::FuncOp>(call.getKernel());
      SmallVector<int64_t> bytes;  // of the buffers, then of the scratch memory
      for (Type type : kernel.getArgumentTypes())
        if (auto memref = dyn_cast<MemRefType>(type)) bytes.push_back(memref.getNumElements() * 4);
      if (int64_t(call.getTiles()) < 0 || int64_t(call.getTiles()) > kMostBytes) report(call) << "tiles are not negative";
      if (bytes.back() > 4 && bytes.back() > int64_t(entry.getScratch()))
        report(call) << "the kernel wants " << bytes.back() << " bytes of scratch memory";
      for (auto [i, arg] : llvm::enumerate(call.getArgs().getAsRange<ArgAttr>()))
        verifyArg(call, i, arg, bytes[i], counts, entry.getWorkspace());
    }
  }

private:
  ModuleOp module;
  StringRef stage;
  int64_t variables;
};
}  // namespace

std::string heddle::wrongEntry(StringRef entry, function_ref<Tensor(StringRef)> input, function_ref<Tensor(StringRef)> output) {
  if (entry == "predict") {
    Tensor rows = input("$rows"), probabilities = output("probabilities");
    bool fits = rows && probabilities && rows.isBool() && probabilities.isFloat() && rows.getRank() == 1 &&
                probabilities.getRank() == 2 && rows.getSizes()[0] == probabilities.getSizes()[0];
    return fits ? "" : "entry @predict has $rows bool[B] and probabilities f32[B, C]";
  }
  bool sample = entry == "sample";
  if (!sample && entry != "decode") return "";
  Tensor ids = input("data.ids"), logits = output("logits");
  if (!ids) ids = input("data.tgt");
  int64_t rank = sample ? 2 : 1;
  bool fits = ids && logits && ids.isInt() && logits.isFloat() && ids.getRank() == rank && logits.getRank() == rank + 1 &&
              ids.getSizes() == logits.getSizes().drop_back();
  if (!fits)
    return sample ? "entry @sample has data.ids (or data.tgt) i32[B, T] and logits f32[B, T, V]"
                  : "entry @decode has data.ids (or data.tgt) i32[B] and logits f32[B, V]";
  return sample || input("$position") ? "" : "entry @decode has $position";
}

LogicalResult heddle::verifyPlanForm(ModuleOp module) {
  TableVerifier tables(module, "plan");
  tables.verifyVariables();
  for (auto entry : module.getOps<func::FuncOp>()) tables.verifyPlannedEntry(entry);
  return failure(tables.failed);
}

LogicalResult heddle::verifyCallForm(ModuleOp module) {
  TableVerifier tables(module, "kernel");
  const TargetInfo *target = findTargetClass(module->getAttrOfType<StringAttr>("heddle.target").getValue());
  if (!target) return tables.report(module) << "heddle.target names no target class", failure();
  tables.verifyLists();
  if (tables.failed || failed(verifyKernelForm(module, *target))) return failure();
  tables.verifyVariables();
  for (auto entry : module.getOps<EntryOp>()) tables.verifyCalledEntry(entry);
  return failure(tables.failed);
}
