// See StageForm.h. One class walks a module; what differs between stages is asked where it differs. The tables of plan
// and kernel (offsets, calls) are checked in PlanForm.cpp.
#include "passes/StageForm.h"
#include "ir/graph/Heddle.h"
#include "passes/IndexRange.h"
#include "passes/PlanForm.h"
#include "passes/TensorSize.h"
#include "passes/graph/AccumulateGradients.h"
#include "passes/graph/ApplyOptimizer.h"
#include "passes/graph/DeriveBackward.h"
#include "passes/graph/PlanMemory.h"
#include "passes/graph/Views.h"
#include "passes/lower/FusedProduct.h"
#include "passes/lower/Lowering.h"
#include "passes/lower/NestShape.h"
#include "runtime/Abi.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace heddle;

static bool isName(StringRef name) {
  return !name.empty() && llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || StringRef("_.{}$-").contains(c); });
}

namespace {
class StageVerifier {
public:
  StageVerifier(ModuleOp module, Stage stage) : module(module), stage(stage) {}

  LogicalResult run() {
    verifyModule();
    for (Operation &op : *module.getBody()) {
      if (auto variable = dyn_cast<VariableOp>(op)) verifyVariable(variable);
      else if (auto entry = dyn_cast<func::FuncOp>(op); entry && stage != Stage::kernel) {
        if (stage != Stage::graph || !entry.isPrivate()) verifyEntry(entry);
        else if (!entry.getBody().hasOneBlock()) report(entry) << "a rule of the optimizer has a body of one block";
      }
      else if (stage != Stage::kernel || !isa<EntryOp, func::FuncOp>(op))
        report(&op) << "a module holds variables and entries, not '" << op.getName() << "'";
    }
    if (failed) return failure();  // the tables are read by what stands above
    if (stage != Stage::kernel && mlir::failed(verifyIndices(module))) return failure();
    if (stage == Stage::graph && mlir::failed(verifyOptimizer(module))) return failure();
    if (stage == Stage::plan) return verifyPlanForm(module);
    return stage == Stage::kernel ? verifyCallForm(module) : success();
  }

private:
  // The first few violations are reported: of a text that is of another stage everything is wrong.
  InFlightDiagnostic report(Operation *op) {
    failed = true;
    InFlightDiagnostic diagnostic = op->emitError();
    if (++reports > 5) diagnostic.abandon();
    diagnostic << "stage " << stageName(stage) << ": ";
    return diagnostic;
  }

  void verifyAttributes(Operation *op, ArrayRef<StringRef> allowed) {
    for (NamedAttribute attribute : op->getDiscardableAttrs())
      if (attribute.getName().strref().starts_with("heddle.") && !llvm::is_contained(allowed, attribute.getName().strref()))
        report(op) << "attribute " << attribute.getName() << " does not belong here";
  }
  template <typename Attr>
  void require(Operation *op, StringRef name, StringRef what) {
    if (!op->getAttrOfType<Attr>(name)) report(op) << "attribute " << name << ", " << what << ", is missing";
  }

  void verifyModule() {
    SmallVector<StringRef> allowed = {"heddle.program", "heddle.config", "heddle.hash", kCommentsAttr};
    if (stage == Stage::graph) allowed.push_back(kOptimizerAttr);
    if (stage >= Stage::plan) allowed.push_back(kVariablesAttr);
    if (stage == Stage::kernel) allowed.push_back("heddle.target");
    verifyAttributes(module, allowed);
    if (Attribute comments = module->getAttr(kCommentsAttr)) {
      auto lines = dyn_cast<ArrayAttr>(comments);
      auto isLine = [](Attribute line) {
        return isa<StringAttr>(line) && llvm::none_of(cast<StringAttr>(line).getValue(), isControl);
      };
      if (!lines || !llvm::all_of(lines, isLine)) report(module) << kCommentsAttr << " are no lines of text";
    }
    require<StringAttr>(module, "heddle.program", "the program's name");
    require<StringAttr>(module, "heddle.config", "the runtime's settings as JSON");
    if (stage >= Stage::plan) require<IntegerAttr>(module, kVariablesAttr, "the bytes of all variables");
    if (stage == Stage::kernel) require<StringAttr>(module, "heddle.target", "the target class");
    bool entries = stage == Stage::kernel ? !module.getOps<EntryOp>().empty() : !module.getOps<func::FuncOp>().empty();
    if (!entries) report(module) << "there is no entry";
  }

  void verifyTensor(Operation *op, Type type) {
    if (auto tensor = dyn_cast<Tensor>(type); tensor && isTooLarge(tensor))
      report(op) << tensor << " has more than 2^40 elements";
  }

  void verifyVariable(VariableOp variable) {
    // A layer's tensor is named by its number, so no other variable may be.
    SmallVector<StringRef> words;
    variable.getSymName().split(words, '.');
    bool numbered = llvm::any_of(words, [](StringRef word) { return llvm::all_of(word, llvm::isDigit); });
    if (!isName(variable.getSymName()) || numbered) report(variable) << "'" << variable.getSymName() << "' is no name of a variable";
    verifyTensor(variable, variable.getType());
    verifyAttributes(variable, {});
    if (variable.getKind() == "optimizer" && stage == Stage::graph)
      report(variable) << "variables of the optimizer are added by apply-optimizer";
    if (bool(variable.getOffsetAttr()) != (stage >= Stage::plan))
      report(variable) << (stage >= Stage::plan ? "a variable has an offset" : "a variable has no offset yet");
  }

  void verifyEntry(func::FuncOp entry) {
    SmallVector<StringRef> allowed;
    if (stage == Stage::graph) allowed = {kMinimiseAttr, kInputGradientsAttr, kAccumulateAttr};
    if (stage == Stage::plan) allowed = {kWorkspaceAttr};
    verifyAttributes(entry, allowed);
    if (entry.isDeclaration() || !entry.isPublic() || !entry.getBody().hasOneBlock())
      return void(report(entry) << "an entry is public and has a body of one block");
    if (stage == Stage::plan) require<IntegerAttr>(entry, kWorkspaceAttr, "the bytes of its workspace");
    if (!isName(entry.getSymName())) report(entry) << "'" << entry.getSymName() << "' is no name of an entry";
    llvm::StringMap<Tensor> inputs, outputs;
    for (unsigned i = 0; i < entry.getNumArguments(); ++i)
      verifyPort(entry, "argument", entry.getArgumentTypes()[i], entry.getArgAttrDict(i), inputs);
    for (unsigned i = 0; i < entry.getNumResults(); ++i)
      verifyPort(entry, "result", entry.getResultTypes()[i], entry.getResultAttrDict(i), outputs);
    if (failed) return;
    auto input = [&](StringRef name) { return inputs.lookup(name); };
    auto output = [&](StringRef name) { return outputs.lookup(name); };
    if (std::string wrong = wrongEntry(entry.getSymName(), input, output); !wrong.empty()) report(entry) << wrong;
    if (auto minimise = entry->getAttrOfType<StringAttr>(kMinimiseAttr)) {
      bool found = outputs.contains(minimise.getValue()) || outputs.contains(("loss." + minimise.getValue()).str());
      if (!found) report(entry) << "no result is named " << minimise << " or \"loss." << minimise.getValue() << "\"";
    } else if (entry->hasAttr(kMinimiseAttr)) {
      report(entry) << "attribute " << kMinimiseAttr << " is the name of a result";
    }
    if (stage == Stage::graph)
      for (auto &name : outputs)
        if (name.getKey().starts_with("grad.")) report(entry) << "gradients are added by derive-backward";
    written.clear();
    verifyBlock(entry.getBody().front(), 0);
  }

  // An argument or result of an entry, and what the runtime takes for granted of those that it knows by name.
  void verifyPort(func::FuncOp entry, StringRef role, Type type, DictionaryAttr attributes, llvm::StringMap<Tensor> &names) {
    auto name = attributes ? attributes.getAs<StringAttr>(kNameAttr) : StringAttr();
    auto tensor = dyn_cast<Tensor>(type);
    if (!tensor) return void(report(entry) << "every argument and result of an entry is a tensor, not " << type);
    verifyTensor(entry, type);
    if (!name || !isName(name.getValue())) return void(report(entry) << "every " << role << " has a " << kNameAttr);
    if (!names.try_emplace(name.getValue(), tensor).second) return void(report(entry) << "two of its " << role << "s are named " << name);
    if (stage == Stage::plan && !attributes.getAs<IntegerAttr>(kOffsetAttr))
      return void(report(entry) << role << " " << name << " lacks " << kOffsetAttr);
    for (NamedAttribute attribute : attributes) {
      StringRef key = attribute.getName().strref();
      bool known = key == kNameAttr || (key == kRepeatsAttr && role == "result") || (key == kOffsetAttr && stage == Stage::plan);
      if (key.starts_with("heddle.") && !known)
        report(entry) << "attribute " << attribute.getName() << " of " << role << " " << name << " does not belong here";
    }
    if (auto repeats = attributes.get(kRepeatsAttr)) {
      auto number = dyn_cast<IntegerAttr>(repeats);
      if (!number || number.getInt() < 0 || number.getInt() > tensor.getRank() ||
          int64_t(name.getValue().count("{}")) != number.getInt())
        report(entry) << kRepeatsAttr << " of " << name << " is the number of {} in its name, and not above its rank";
    } else if (name.getValue().contains("{}")) {
      if (role == "result") report(entry) << name << " lacks " << kRepeatsAttr;
      else report(entry) << "argument " << name << " has no {} in its name: what is repeated is a variable";
    }
    verifyKnownPort(entry, role, name.getValue(), tensor);
  }
  void verifyKnownPort(Operation *entry, StringRef role, StringRef name, Tensor tensor) {
    bool scalar = tensor.getRank() == 0;
    if (role == "argument") {
      if (name == "$seed" && (!tensor.isInt() || tensor.getNumElements() != 2))
        report(entry) << "$seed is two i32, not " << tensor;
      if ((name == "$step" || name == "$micro" || name == "$position") && (!tensor.isInt() || !scalar))
        report(entry) << name << " is an i32 scalar, not " << tensor;
    } else if (name.starts_with("loss.") || name == "lr" || name == "grad_norm") {
      if (!tensor.isFloat() || !scalar) report(entry) << name << " is an f32 scalar, not " << tensor;
    }
  }

  bool admits(Operation *op) {
    if (isa<ReadOp, WriteOp, RepeatOp, RenameOp, RegroupOp, ContractOp, ScatterAddOp>(op)) return true;
    if (auto backward = dyn_cast<AttentionBackwardOp>(op); backward && backward.getParts()) return stage >= Stage::fused;
    if (isa<AttentionOp, AttentionBackwardOp>(op)) return stage != Stage::graph;
    if (stage >= Stage::fused) return isa<FusedOp>(op);
    return isa_and_nonnull<HeddleDialect>(op->getDialect()) &&
           !isa<FusedOp, EntryOp, CallOp, LoopOp, VariableOp, YieldOp>(op);
  }

  void verifyBlock(Block &block, int depth) {
    for (Operation &op : block.without_terminator()) {
      if (!admits(&op)) {
        report(&op) << "'" << op.getName() << "' does not belong here";
        continue;
      }
      bool kernel = isa<FusedOp, ContractOp, ScatterAddOp, AttentionOp, AttentionBackwardOp>(op);
      verifyAttributes(&op, kernel && stage == Stage::plan ? ArrayRef<StringRef>{kArgsAttr} : ArrayRef<StringRef>{});
      for (Type type : op.getResultTypes()) verifyTensor(&op, type);
      auto contract = dyn_cast<ContractOp>(op);
      auto scatter = dyn_cast<ScatterAddOp>(op);
      if (stage < Stage::fused && ((contract && !contract.getOnto().empty()) || (scatter && scatter.getOnto())))
        report(&op) << "'onto' belongs to stage fused and what follows";
      if (isa<ReadOp, WriteOp>(op) && depth > 0) report(&op) << "reads and writes stand at the top of an entry";
      if (auto write = dyn_cast<WriteOp>(op); write && !written.insert(write.getVariable()).second)
        report(&op) << "variable @" << write.getVariable() << " is written twice";
      if (stage >= Stage::fused) verifyKernelOp(&op);
      if (auto repeat = dyn_cast<RepeatOp>(op)) {
        if (repeat.getCount() > INT32_MAX) report(&op) << "a repeat has at most 2147483647 iterations";
        if (depth == HEDDLE_MAX_LOOPS) report(&op) << "repeats nest at most " << HEDDLE_MAX_LOOPS << " deep";
        else verifyBlock(repeat.getBody().front(), depth + 1);
        if (stage == Stage::graph) verifyAxisIsOwn(repeat);
      }
    }
  }
  // What a body makes may be saved for the backward pass, stacked over the repeat's axis.
  void verifyAxisIsOwn(RepeatOp repeat) {
    StringAttr axis = repeat.getAxisAttr();
    repeat.getBody().walk([&](Operation *op) {
      auto inner = dyn_cast<RepeatOp>(op);
      bool clash = inner && inner.getAxisAttr() == axis;
      for (Type type : op->getResultTypes())
        if (auto tensor = dyn_cast<Tensor>(type)) clash |= tensor.has(axis);
      if (clash) report(op) << "what stands in a repeat over " << axis << " neither has that axis nor repeats over it";
    });
  }

  // Of fused and plan: what the lowerings require.
  void verifyKernelOp(Operation *op) {
    if (auto fused = dyn_cast<FusedOp>(op)) {
      FusedProduct product = productOf(fused);
      if (!product) return void(report(op) << "this is not one product: " << product.refusal);
      if (product.contract) {
        for (Operation &inner : fused.getBody().front().without_terminator()) verifyNestOp(&inner);
        if (fused.getNumResults() == 0) report(op) << "a product has a result";
        return verifyContraction(product.contract);
      }
      NestShape shape = shapeOfNest(fused);
      if (!shape) return void(report(op) << "this is not one loop nest: " << shape.refusal);
      if (shape.elements() > kMostElements || shape.elements() < 1) report(op) << "the nest has more than 2^40 elements";
      if (fused.getNumResults() == 0) report(op) << "a nest has a result";
      for (Operation &inner : fused.getBody().front().without_terminator()) verifyNestOp(&inner);
      return;
    }
    if (auto regroup = dyn_cast<RegroupOp>(op); regroup && !isView(regroup))
      report(op) << "a regroup moves nothing: its dims lie side by side in their order, and the new ones in their place";
    if (auto contract = dyn_cast<ContractOp>(op)) verifyContraction(contract);
    if (isa<AttentionOp, AttentionBackwardOp>(op)) {
      op->walk([&](BernoulliOp mask) {
        if (!isa<BlockArgument>(mask.getSeed())) report(op) << "the seed of a mask is an operand of the attention";
      });
      if (failed) return;
      if (std::string reason = whyNotBlocked(op); !reason.empty()) report(op) << "this is not computed by blocks: " << reason;
      return;
    }
    if (isa<RepeatOp>(op) && stage == Stage::fused) return;  // plan-memory copies an index that is carried on
    for (OpOperand &operand : op->getOpOperands()) {
      bool known = isa<ScatterAddOp>(op) && operand.getOperandNumber() == 1;
      if (repeatIndexDepth(operand.get()) >= 0 && !known)
        report(op) << "the index of a repeat is read by heddle.fused, and is the index of heddle.scatter_add";
    }
  }
  void verifyContraction(ContractOp op) {
    auto x = cast<Tensor>(op.getX().getType()), y = cast<Tensor>(op.getY().getType());
    auto result = cast<Tensor>(op.getResult().getType());
    auto isBatch = [&](StringAttr name) { return x.has(name) && y.has(name); };
    bool product = false, batchLast = false;  // of the dims longer than 1
    for (auto [name, size] : llvm::zip(result.getNames(), result.getSizes()))
      if (size > 1) product |= !isBatch(name), batchLast = isBatch(name);
    if (llvm::all_of(result.getNames(), isBatch) || (product && batchLast))
      report(op) << "of the dims of a contraction's result longer than 1, the last is one that only one operand has";
  }
  void verifyNestOp(Operation *op) {
    verifyAttributes(op, {});
    auto isStored = [](Value value) {
      while (auto rename = value.getDefiningOp<RenameOp>()) value = rename.getX();
      return isa<BlockArgument>(value);
    };
    if (auto mask = dyn_cast<BernoulliOp>(op); mask && !isa<BlockArgument>(mask.getSeed()))
      report(op) << "the seed of a mask is an operand of the nest";
    if (isa<GatherOp, RenameOp>(op) && !isStored(op->getOperand(0)))
      report(op) << "what it reads is an operand of the nest";
    for (Type type : op->getResultTypes()) verifyTensor(op, type);
  }

  ModuleOp module;
  Stage stage;
  llvm::StringSet<> written;
  bool failed = false;
  int reports = 0;
};
}  // namespace

LogicalResult heddle::verifyStage(ModuleOp module, Stage stage) { return StageVerifier(module, stage).run(); }

Stage heddle::likelyStage(ModuleOp module) {
  if (module->hasAttr("heddle.target") || !module.getOps<EntryOp>().empty()) return Stage::kernel;
  if (module->hasAttr(kVariablesAttr)) return Stage::plan;
  bool fused = false, minimised = module->hasAttr(kOptimizerAttr);
  module.walk([&](Operation *op) {
    fused |= isa<FusedOp>(op);
    minimised |= op->hasAttr(kMinimiseAttr);
  });
  return fused ? Stage::fused : minimised ? Stage::graph : Stage::grad;
}
