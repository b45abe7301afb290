// From plan ops to C tables. Everything is kept in deques, so that pointers into them stay.
#include "codegen/ProgramTables.h"
#include "codegen/SourcePlace.h"
#include "ir/graph/Heddle.h"
#include "ir/kernel/KernelForm.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace heddle;

std::vector<func::FuncOp> heddle::kernelsOf(ModuleOp module) {
  std::vector<func::FuncOp> kernels;
  for (auto function : module.getOps<func::FuncOp>())
    if (!isLaneFunction(function)) kernels.push_back(function);
  return kernels;
}

const char *ProgramTables::keep(StringRef text) { return strings.emplace_back(text.str()).c_str(); }

template <typename T>
const T *ProgramTables::keep(std::vector<T> values) {
  auto &pool = [&]() -> auto & {
    if constexpr (std::is_same_v<T, HeddleDim>) return dims;
    else if constexpr (std::is_same_v<T, HeddleArg>) return args;
    else if constexpr (std::is_same_v<T, HeddleStep>) return steps;
    else if constexpr (std::is_same_v<T, HeddleBuffer>) return buffers;
    else if constexpr (std::is_same_v<T, HeddleEntry>) return entries;
    else if constexpr (std::is_same_v<T, HeddleWork>) return works;
    else return names;
  }();
  return pool.emplace_back(std::move(values)).data();
}

static int32_t typeOf(Tensor tensor) {
  return tensor.isFloat() ? HEDDLE_F32 : tensor.isInt() ? HEDDLE_I32 : HEDDLE_BOOL;
}

const HeddleDim *ProgramTables::dimsOf(Type type) {
  auto tensor = cast<Tensor>(type);
  std::vector<HeddleDim> list;
  for (auto [name, size] : llvm::zip(tensor.getNames(), tensor.getSizes())) list.push_back({keep(name.getValue()), size});
  return keep(std::move(list));
}

ProgramTables::ProgramTables(ArrayRef<ModuleOp> classes) {
  ModuleOp first = classes.front();
  auto text = [&](StringRef name) {
    auto value = first->getAttrOfType<StringAttr>(name);
    return keep(value ? value.getValue() : "");
  };
  addVariables(first);
  for (ModuleOp module : classes) targets.push_back(targetOf(module));

  auto bytes = first->getAttrOfType<IntegerAttr>("heddle.variables_bytes");
  table.abi_version = HEDDLE_ABI_VERSION;
  table.name = text("heddle.program");
  table.hash = text("heddle.hash");
  table.config = text("heddle.config");
  table.variable_count = variables.size();
  table.variables = variables.data();
  table.variables_bytes = bytes ? bytes.getInt() : 0;
  table.target_count = targets.size();
  table.targets = targets.data();
}

void ProgramTables::addVariables(ModuleOp module) {
  for (auto op : module.getOps<VariableOp>()) {
    auto type = cast<Tensor>(op.getType());
    HeddleVariable variable = {};
    variable.name = keep(op.getSymName());
    variable.kind = llvm::StringSwitch<int32_t>(op.getKind())
                        .Case("parameter", HEDDLE_PARAMETER)
                        .Case("optimizer", HEDDLE_OPTIMIZER)
                        .Case("cache", HEDDLE_CACHE)
                        .Default(HEDDLE_STATE);
    variable.type = typeOf(type);
    variable.rank = type.getRank();
    variable.repeats = op.getRepeats();
    variable.dims = dimsOf(type);
    variable.offset = op.getOffset().value_or(0);
    variable.init = llvm::StringSwitch<int32_t>(op.getInit())
                        .Case("normal", HEDDLE_NORMAL)
                        .Case("uniform", HEDDLE_UNIFORM)
                        .Default(HEDDLE_CONSTANT);
    variable.a = op.getA().convertToDouble();
    variable.b = op.getB().convertToDouble();
    variable.stream = op.getStream();
    variable.frozen = op.getFrozen();
    variables.push_back(variable);
  }
}

HeddleTarget ProgramTables::targetOf(ModuleOp module) {
  std::vector<const char *> kernelNames;
  std::vector<HeddleWork> work;
  llvm::StringMap<int32_t> index;
  for (func::FuncOp kernel : kernelsOf(module)) {
    index[kernel.getName()] = kernelNames.size();
    kernelNames.push_back(keep(kernel.getName()));
    auto number = [&](StringRef name) {
      auto attr = kernel->getAttrOfType<IntegerAttr>(name);
      return attr ? attr.getInt() : 0;
    };
    work.push_back({number("heddle.flops"), number("heddle.bytes")});
  }
  std::vector<HeddleEntry> list;
  for (auto entry : module.getOps<EntryOp>()) list.push_back(entryOf(entry, index));

  HeddleTarget target = {};
  auto name = module->getAttrOfType<StringAttr>("heddle.target");
  target.name = keep(name ? name.getValue() : "");
  target.kernel_count = kernelNames.size();
  target.kernels = kernels.emplace_back(kernelNames.size(), nullptr).data();
  target.kernel_names = keep(std::move(kernelNames));
  target.kernel_work = keep(std::move(work));
  target.entry_count = list.size();
  target.entries = keep(std::move(list));
  return target;
}

HeddleBuffer ProgramTables::bufferOf(Attribute attribute) {
  auto buffer = cast<BufferAttr>(attribute);
  return {keep(buffer.getName()), typeOf(buffer.getType()), static_cast<int32_t>(buffer.getType().getRank()),
          static_cast<int32_t>(buffer.getRepeats()), dimsOf(buffer.getType()), buffer.getOffset()};
}

HeddleEntry ProgramTables::entryOf(Operation *op, const llvm::StringMap<int32_t> &index) {
  auto source = cast<EntryOp>(op);
  std::vector<HeddleBuffer> inputs, outputs;
  for (Attribute buffer : source.getInputs()) inputs.push_back(bufferOf(buffer));
  for (Attribute buffer : source.getOutputs()) outputs.push_back(bufferOf(buffer));
  std::vector<HeddleStep> list;
  addSteps(source.getBody(), index, list);

  HeddleEntry entry = {};
  entry.name = keep(source.getSymName());
  entry.input_count = inputs.size();
  entry.inputs = keep(std::move(inputs));
  entry.output_count = outputs.size();
  entry.outputs = keep(std::move(outputs));
  entry.step_count = list.size();
  entry.steps = keep(std::move(list));
  entry.workspace_bytes = source.getWorkspace();
  entry.scratch_bytes = source.getScratch();
  entry.flops = source.getFlops();
  return entry;
}

// Sets HeddleArg::floats of what a kernel writes, where it says so (LowerToKernels does; text by hand may not).
static void markResults(Operation *kernel, std::vector<HeddleArg> &args) {
  if (!kernel) return;
  auto types = kernel->getAttrOfType<ArrayAttr>("heddle.arg_types");
  auto results = kernel->getAttrOfType<IntegerAttr>("heddle.results");
  if (!types || !results || types.size() != args.size()) return;
  for (size_t i = args.size() - std::min<size_t>(args.size(), results.getInt()); i < args.size(); ++i) {
    auto type = cast<Tensor>(cast<TypeAttr>(types[i]).getValue());
    if (type.isFloat()) args[i].floats = type.getNumElements();
  }
}

void ProgramTables::addSteps(Region &region, const llvm::StringMap<int32_t> &index, std::vector<HeddleStep> &out) {
  for (Operation &op : region.getOps()) {
    HeddleStep step = {};
    step.where = keep(sourcePlace(op.getLoc()).text());
    if (auto loop = dyn_cast<LoopOp>(op)) {
      step.kind = loop.getReverse() ? HEDDLE_REVERSE_LOOP : HEDDLE_LOOP;
      step.count = loop.getCount();
      if (auto name = loop->getAttrOfType<StringAttr>(kNameAttr)) step.name = keep(name.getValue());
      out.push_back(step);
      addSteps(loop.getBody(), index, out);
      HeddleStep end = {};
      end.kind = HEDDLE_END;
      end.where = step.where;
      out.push_back(end);
      continue;
    }
    auto call = cast<CallOp>(op);
    std::vector<HeddleArg> list;
    for (auto source : call.getArgs().getAsRange<ArgAttr>()) {
      HeddleArg arg = {source.getSpace() == "variables" ? HEDDLE_VARIABLES : HEDDLE_WORKSPACE, source.getOffset(), {}, 0};
      llvm::copy(source.getStrides(), arg.stride);
      list.push_back(arg);
    }
    markResults(SymbolTable::lookupNearestSymbolFrom(op.getParentOp(), call.getKernelAttr()), list);
    step.kind = HEDDLE_CALL;
    step.kernel = index.lookup(call.getKernel());
    step.count = call.getTiles();
    step.arg_count = list.size();
    step.args = keep(std::move(list));
    out.push_back(step);
  }
}
