// Numbers from seeds, values from ranges, programs from text.
#include "tests/random/Program.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include <cmath>

using namespace mlir;
using namespace heddle;

Random::Random(uint64_t seed, StringRef salt) {
  state = 1469598103934665603u ^ seed;  // FNV-1a
  for (unsigned char c : salt) state = (state ^ c) * 1099511628211u;
  next();
}
uint64_t Random::next() {  // splitmix64 (Steele, Lea and Flood 2014)
  uint64_t z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}
double Random::uniform() { return (next() >> 11) * 0x1p-53; }

static Array fill(Tensor type, double low, double high, double grid, uint64_t seed, StringRef salt) {
  Random random(seed, salt);
  Array result(type);
  for (double &element : result.elements) {
    double uniform = random.uniform();
    if (!type.isFloat()) element = std::floor(low + uniform * (high - low + 1));
    else if (grid > 0) element = std::round((low + uniform * (high - low)) / grid) * grid;
    else element = static_cast<float>(low + uniform * (high - low));
  }
  return result;
}

static uint64_t seedOf(ModuleOp module) {
  auto seed = module->getAttrOfType<IntegerAttr>(kSeedAttr);
  return seed ? seed.getInt() : 0;
}

Arrays heddle::inputsOf(func::FuncOp entry) {
  Arrays inputs;
  uint64_t seed = seedOf(entry->getParentOfType<ModuleOp>());
  for (BlockArgument argument : entry.getArguments()) {
    unsigned i = argument.getArgNumber();
    auto name = entry.getArgAttrOfType<StringAttr>(i, kNameAttr);
    auto number = [&](StringRef attribute, double otherwise) {
      auto known = entry.getArgAttrOfType<FloatAttr>(i, attribute);
      return known ? known.getValueAsDouble() : otherwise;
    };
    if (!name) continue;
    double low = number(kLowAttr, 1), high = number(kHighAttr, 1);  // $step, where the optimizer added it
    inputs.insert({name.str(), fill(cast<Tensor>(argument.getType()), low, high, number(kGridAttr, 0), seed,
                                    (entry.getSymName() + "." + name.getValue()).str())});
  }
  return inputs;
}

Arrays heddle::variablesOf(ModuleOp module) {
  Arrays variables;
  for (auto variable : module.getOps<VariableOp>()) {
    StringRef name = variable.getSymName();
    double low = variable.getA().convertToDouble(), high = variable.getB().convertToDouble();
    if (variable.getKind() == "optimizer") {
      bool second = name.starts_with("adam.v.") || name.starts_with("adamw.v.");
      low = second ? 0.01 : -0.1, high = 0.1;
    }
    variables.insert({name.str(), fill(cast<Tensor>(variable.getType()), low, high, 0, seedOf(module), name)});
  }
  return variables;
}

std::vector<func::FuncOp> heddle::entriesOf(ModuleOp module) {
  std::vector<func::FuncOp> entries;
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isPrivate()) entries.push_back(function);  // else it is a rule of the optimizer
  return entries;
}

OwningOpRef<ModuleOp> heddle::parseProgram(MLIRContext &context, StringRef text, std::string &error) {
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    error += (error.empty() ? "" : "; ") + diagnostic.str();
    return success();
  });
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (module && failed(verify(*module))) module = {};
  return module;
}

std::string heddle::textOf(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream);
  return text + "\n";
}
