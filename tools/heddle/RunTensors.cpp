// See RunTensors.h.
#include "tools/heddle/RunTensors.h"

#include "runtime/Checkpoint.h"
#include "runtime/Initialise.h"
#include "runtime/RunError.h"
#include "runtime/ThreadPool.h"

#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace heddle {

namespace {

int32_t abiType(Tensor type) { return type.isFloat() ? HEDDLE_F32 : type.isInt() ? HEDDLE_I32 : HEDDLE_BOOL; }

std::string shapeText(llvm::ArrayRef<int64_t> sizes) {
  return fmt::format("[{}]", fmt::join(std::vector<int64_t>(sizes.begin(), sizes.end()), ", "));
}

bool sameShape(const SafetensorsEntry &entry, llvm::ArrayRef<int64_t> sizes) {
  return llvm::ArrayRef<int64_t>(entry.shape) == sizes;
}

[[noreturn]] void refuse(const std::string &path, const std::vector<std::string> &problems) {
  throw RunError(kData, fmt::format("{} does not fit:\n  {}", path, fmt::join(problems, "\n  ")));
}

} // namespace

DescribedVariable::DescribedVariable(VariableOp op) : variable{}, type(llvm::cast<Tensor>(op.getType())) {
  name = op.getSymName().str();
  for (mlir::StringAttr dim : type.getNames())
    names.push_back(dim.str());
  for (size_t i = 0; i < names.size(); ++i)
    dims.push_back({names[i].c_str(), type.getSizes()[i]});
  variable.name = name.c_str();
  variable.kind = op.getKind() == "parameter" ? HEDDLE_PARAMETER : op.getKind() == "optimizer" ? HEDDLE_OPTIMIZER
                                                                                              : HEDDLE_STATE;
  variable.type = abiType(type);
  variable.rank = static_cast<int32_t>(dims.size());
  variable.repeats = static_cast<int32_t>(op.getRepeats());
  variable.dims = dims.data();
  variable.init = op.getInit() == "constant" ? HEDDLE_CONSTANT : op.getInit() == "normal" ? HEDDLE_NORMAL : HEDDLE_UNIFORM;
  variable.a = op.getA().convertToDouble();
  variable.b = op.getB().convertToDouble();
  variable.stream = op.getStream();
}

// The bounds of ids that the frontend left to arrival: heddle.config's "ranges".
static nlohmann::json rangesOf(mlir::ModuleOp module) {
  auto config = module->getAttrOfType<mlir::StringAttr>("heddle.config");
  return config ? nlohmann::json::parse(config.str()).value("ranges", nlohmann::json::object()) : nlohmann::json::object();
}

Ports portsOf(mlir::ModuleOp module, llvm::StringRef name) {
  Ports ports;
  mlir::Operation *run = module.lookupSymbol(name);
  if (auto entry = llvm::dyn_cast<EntryOp>(run)) {
    for (auto [list, out] : {std::pair(entry.getInputs(), &ports.inputs), std::pair(entry.getOutputs(), &ports.outputs)})
      for (auto buffer : list.getAsRange<BufferAttr>())
        out->push_back({buffer.getName().str(), buffer.getType(), buffer.getRepeats()});
    return ports;
  }
  auto entry = llvm::cast<mlir::func::FuncOp>(run);
  for (unsigned i = 0; i < entry.getNumArguments(); ++i)
    ports.inputs.push_back({entry.getArgAttrOfType<mlir::StringAttr>(i, kNameAttr).str(),
                            llvm::cast<Tensor>(entry.getArgumentTypes()[i]), 0});
  for (unsigned i = 0; i < entry.getNumResults(); ++i) {
    auto repeats = entry.getResultAttrOfType<mlir::IntegerAttr>(i, kRepeatsAttr);
    ports.outputs.push_back({entry.getResultAttrOfType<mlir::StringAttr>(i, kNameAttr).str(),
                             llvm::cast<Tensor>(entry.getResultTypes()[i]), repeats ? repeats.getInt() : 0});
  }
  return ports;
}

// The words of an input that the runtime knows itself; none for another.
static std::vector<uint32_t> counterWords(const std::string &name, uint64_t seed) {
  if (name == "$seed")
    return {uint32_t(seed), uint32_t(seed >> 32)};
  if (name == "$step" || name == "$micro")
    return {name == "$step" ? 1u : 0u};
  return {};
}

std::map<std::string, HostTensor> readInputs(mlir::ModuleOp module, llvm::StringRef entry, const SafetensorsFile &file,
                                             uint64_t seed) {
  nlohmann::json ranges = rangesOf(module);
  std::map<std::string, HostTensor> inputs;
  std::vector<std::string> problems;
  for (auto &[name, type, repeats] : portsOf(module, entry).inputs) {
    const SafetensorsEntry *tensor = file.find(name);
    if (!tensor && name.rfind("data.", 0) == 0)
      tensor = file.find(name.substr(5));
    if (std::vector<uint32_t> words = counterWords(name, seed); !tensor && !words.empty()) {
      inputs.emplace(name, HostTensor{type, std::move(words)});
      continue;
    }
    if (!tensor) {
      problems.push_back(fmt::format("there is no tensor `{}`, {}", name, shapeText(type.getSizes())));
      continue;
    }
    if (!sameShape(*tensor, type.getSizes())) {
      problems.push_back(fmt::format("`{}` has shape {}, the program wants {}", tensor->name, shapeText(tensor->shape),
                                     shapeText(type.getSizes())));
      continue;
    }
    HostTensor host{type, std::vector<uint32_t>(type.getNumElements())};
    file.read(*tensor, abiType(type), host.words.data());
    if (type.isInt() && ranges.contains(name)) {
      auto below = ranges[name].get<int64_t>();
      auto bad = llvm::find_if(host.words, [&](uint32_t id) { return int64_t(int32_t(id)) < 0 || id >= below; });
      if (bad != host.words.end()) {
        problems.push_back(fmt::format("`{}` holds {} at element {}: its values must lie in [0, {})", tensor->name,
                                       int32_t(*bad), bad - host.words.begin(), below));
        continue;
      }
    }
    inputs.emplace(name, std::move(host));
  }
  if (!problems.empty())
    refuse(file.path(), problems);
  return inputs;
}

std::map<std::string, HostTensor> readVariables(mlir::ModuleOp module, const SafetensorsFile *params, uint64_t seed) {
  std::map<std::string, HostTensor> variables;
  std::vector<std::string> problems;
  ThreadPool pool(1);
  for (VariableOp op : module.getOps<VariableOp>()) {
    DescribedVariable described(op);
    HostTensor host{described.type, std::vector<uint32_t>(described.type.getNumElements())};
    std::vector<VariableLayer> layers = layersOf(described.variable);
    bool given = params && (described.variable.kind == HEDDLE_PARAMETER ||
                            llvm::any_of(layers, [&](const VariableLayer &layer) { return params->find(layer.name); }));
    if (!given) {
      initialiseVariable(described.variable, seed, host.words.data(), pool);
    } else {
      llvm::ArrayRef<int64_t> sizes = described.type.getSizes().drop_front(described.variable.repeats);
      for (const VariableLayer &layer : layers) {
        const SafetensorsEntry *tensor = params->find(layer.name);
        if (!tensor)
          problems.push_back(fmt::format("there is no tensor `{}`, {}", layer.name, shapeText(sizes)));
        else if (!sameShape(*tensor, sizes))
          problems.push_back(fmt::format("`{}` has shape {}, the program wants {}", layer.name,
                                         shapeText(tensor->shape), shapeText(sizes)));
        else
          params->read(*tensor, described.variable.type, host.words.data() + layer.offset / 4);
      }
    }
    variables.emplace(op.getSymName().str(), std::move(host));
  }
  if (!problems.empty())
    refuse(params->path(), problems);
  return variables;
}

void addResult(SafetensorsWriter &writer, const std::string &name, int64_t repeats, const HostTensor &tensor) {
  // A variable of that name and shape has the same layers.
  std::vector<HeddleDim> dims;
  for (int64_t size : tensor.type.getSizes())
    dims.push_back({"", size});
  HeddleVariable variable{};
  variable.name = name.c_str();
  variable.rank = static_cast<int32_t>(dims.size());
  variable.repeats = static_cast<int32_t>(repeats);
  variable.dims = dims.data();
  std::vector<int64_t> sizes(tensor.type.getSizes().drop_front(repeats));
  for (const VariableLayer &layer : layersOf(variable))
    writer.add(layer.name, abiType(tensor.type), sizes, tensor.words.data() + layer.offset / 4);
}

Array toArray(const HostTensor &tensor) {
  Array array(tensor.type);
  for (size_t i = 0; i < tensor.words.size(); ++i) {
    float number;
    std::memcpy(&number, &tensor.words[i], 4);
    array.elements[i] = tensor.type.isFloat() ? double(number) : double(static_cast<int32_t>(tensor.words[i]));
  }
  return array;
}

HostTensor toHost(const Array &array) {
  HostTensor tensor{array.type, std::vector<uint32_t>(array.elements.size())};
  for (size_t i = 0; i < array.elements.size(); ++i) {
    if (array.type.isFloat()) {
      float number = static_cast<float>(array.elements[i]);
      std::memcpy(&tensor.words[i], &number, 4);
    } else {
      tensor.words[i] = static_cast<uint32_t>(static_cast<int32_t>(array.elements[i]));
    }
  }
  return tensor;
}

} // namespace heddle
