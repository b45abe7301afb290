// The frame of a program: its dims, variables and entries, the loss, what comes out and what is written.
#include "tests/random/Generator.h"
#include "tests/numeric/OptimizerText.h"
#include "passes/graph/DeriveBackward.h"
#include "mlir/AsmParser/AsmParser.h"

using namespace mlir;
using namespace heddle;

OwningOpRef<ModuleOp> heddle::generateProgram(MLIRContext &context, uint64_t seed, GeneratorOptions options) {
  return Generator(context, seed, options).run();
}

Generator::Generator(MLIRContext &context, uint64_t seed, GeneratorOptions options)
    : context(context), builder(&context), random(seed, "program"), seed(seed), options(options) {}

//===------------------------------------------------------------------------------------------------- types
Type Generator::element(char letter) {
  return letter == 'f' ? Type(builder.getF32Type()) : builder.getIntegerType(letter == 'i' ? 32 : 1);
}
int64_t Generator::sizeOf(StringRef name) const {
  for (auto &[known, size] : dims)
    if (known == name) return size;
  for (const Layer &layer : layers)
    if (layer.axis == name) return layer.count;
  return 2;  // `word`, of the seed
}
Tensor Generator::type(const Names &names, char letter) {
  SmallVector<StringAttr> attributes;
  SmallVector<int64_t> sizes;
  for (const std::string &name : names) attributes.push_back(builder.getStringAttr(name)), sizes.push_back(sizeOf(name));
  return Tensor::get(attributes, sizes, element(letter));
}
// The same dims, in another order now and then.
Tensor Generator::shuffled(Tensor type) {
  if (!random.chance(0.2)) return type;
  Names names;
  for (StringAttr name : type.getNames()) names.push_back(name.str());
  random.shuffle(names);
  return this->type(names, type.isFloat() ? 'f' : type.isInt() ? 'i' : 'b');
}

void Generator::chooseDims() {
  // 1, primes, the lanes of all classes (4, 8, 16) and their multiples with one more and less.
  static const std::vector<int64_t> small{1, 2, 3, 4, 5, 7, 8}, medium{9, 11, 13, 15, 16, 17, 19, 31, 32, 33},
      large{47, 63, 64, 65, 67, 127, 129, 257};
  for (const char *name : {"A", "B", "C", "D", "E"}) {
    const auto &sizes = random.chance(0.5) ? small : random.chance(0.8) ? medium : large;
    dims.push_back({name, random.of(sizes)});
  }
  for (const char *name : {"A2", "B2"}) dims.push_back({name, sizeOf(std::string(name, 1))});  // what renames lead to
  addRegroupedDims();
  for (const char *name : {"L", "M", "N", "P"}) layers.push_back({name, 1 + random.below(4), {}});
  random.shuffle(layers);
}

// Up to `most` dims whose product stays small.
Generator::Names Generator::someDims(int most) {
  Names all, names;
  for (auto &[name, size] : dims) all.push_back(name);
  random.shuffle(all);
  int64_t elements = 1, rank = random.below(most + 1);
  for (const std::string &name : all)
    if (static_cast<int64_t>(names.size()) < rank && elements * sizeOf(name) <= options.mostElements)
      names.push_back(name), elements *= sizeOf(name);
  return names;
}

//===------------------------------------------------------------------------------------------------- variables, inputs
void Generator::makeVariables() {
  auto add = [&](const std::string &name, Tensor type, const char *kind, double low, double high, int repeats = 0,
                 bool frozen = false) {
    OpBuilder top = OpBuilder::atBlockEnd(module->getBody());
    variables.push_back(VariableOp::create(
        top, top.getUnknownLoc(), top.getStringAttr(name), TypeAttr::get(type), top.getStringAttr(kind),
        top.getI64IntegerAttr(repeats), top.getStringAttr("uniform"), top.getF64FloatAttr(low),
        top.getF64FloatAttr(high), top.getI64IntegerAttr(variables.size()), frozen ? top.getUnitAttr() : UnitAttr(),
        IntegerAttr()));
  };
  int count = 1 + random.below(3);
  for (int i = 0; i < count; ++i)
    add("w" + std::to_string(i), type(someDims(3), 'f'), "parameter", -1, 1, 0, i > 0 && random.chance(0.15));
  for (int i = 0, stacks = random.below(3); i < stacks; ++i) {
    int repeats = 1 + (random.chance(0.25) ? 1 : 0);
    std::string name = "h";
    Names names;
    for (int k = 0; k < repeats; ++k) name += ".{}", names.push_back(layers[k].axis);
    for (const std::string &dim : someDims(2)) names.push_back(dim);
    add(name + ".s" + std::to_string(i), type(names, 'f'), "parameter", -1, 1, repeats);
  }
  if (random.chance(0.4)) add("state", type(someDims(2), 'f'), "state", -1, 1);
  if (random.chance(0.3)) add("counter", type(someDims(1), 'i'), "state", 0, 6);
  if (random.chance(0.15)) add("flags", type(someDims(1), 'b'), "state", 0, 1);
}

Item Generator::argument(const std::string &name, Tensor type, double low, double high, double grid) {
  SmallVector<NamedAttribute> attributes{builder.getNamedAttr(kNameAttr, builder.getStringAttr(name)),
                                         builder.getNamedAttr(kLowAttr, builder.getF64FloatAttr(low)),
                                         builder.getNamedAttr(kHighAttr, builder.getF64FloatAttr(high))};
  if (grid > 0) attributes.push_back(builder.getNamedAttr(kGridAttr, builder.getF64FloatAttr(grid)));
  unsigned at = entry.getNumArguments();
  if (failed(entry.insertArgument(at, type, builder.getDictionaryAttr(attributes), builder.getUnknownLoc()))) return {};
  return {entry.getArgument(at), low, high};
}

Item Generator::readVariable(Operation *op) {
  auto variable = llvm::cast<VariableOp>(op);
  auto type = llvm::cast<Tensor>(variable.getType());
  Value value = ReadOp::create(builder, builder.getUnknownLoc(), type, variable.getSymName());
  bool trained = variable.getKind() == "parameter" && !variable.getFrozen();
  return {value, variable.getA().convertToDouble(), variable.getB().convertToDouble(), trained};
}

//===------------------------------------------------------------------------------------------------- entries
// A sum of means of what the parameters reach.
Item Generator::makeLoss(Pool &pool) {
  std::vector<Item> parts;
  for (size_t i = pool.size(); i-- > 0 && parts.size() < 4;)
    if (pool[i].active && !pool[i].mayBeInf && (parts.empty() || random.chance(0.5))) parts.push_back(pool[i]);
  Item loss;
  for (Item part : parts) {
    Names over;
    for (StringAttr name : part.type().getNames()) over.push_back(name.str());
    if (random.chance(0.3)) part = tamed(binary("mul", part, part));
    if (!over.empty()) part = reduce("sum", part, over);
    part = tamed(part, 4);
    loss = loss.value ? binary("add", loss, part) : part;
  }
  return loss;
}

void Generator::makeResults(Pool &pool, std::vector<Value> &results, std::vector<Attribute> &attributes) {
  int count = random.below(5);
  for (int i = 0; i < count; ++i) {
    // Later values hang together with more of the program.
    size_t at = random.chance(0.7) ? pool.size() - 1 - random.below((pool.size() + 1) / 2) : random.below(pool.size());
    auto name = builder.getNamedAttr(kNameAttr, builder.getStringAttr("out" + std::to_string(i)));
    results.push_back(pool[at].value);
    attributes.push_back(builder.getDictionaryAttr(name));
  }
}

void Generator::writeState(Pool &pool) {
  for (Operation *op : variables) {
    auto variable = llvm::cast<VariableOp>(op);
    if (variable.getKind() != "state" || random.chance(0.25)) continue;
    auto type = llvm::cast<Tensor>(variable.getType());
    Value value;
    if (type.isFloat()) {
      auto source = pick(pool, 'f');
      value = as(*source, type, 1).value;
    } else if (type.isInt()) {
      Item next = binary("add", readVariable(variable), integer(1 + random.below(5)));
      value = binary("mod", next, integer(7)).value;
    } else {
      value = unary("not", readVariable(variable)).value;
    }
    WriteOp::create(builder, builder.getUnknownLoc(), value, variable.getSymName());
  }
}

void Generator::makeEntry(const std::string &name) {
  OpBuilder top = OpBuilder::atBlockEnd(module->getBody());
  entry = func::FuncOp::create(top, top.getUnknownLoc(), name, top.getFunctionType({}, {}));
  Block *body = entry.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  inputs = 0;
  seedInput = argument("$seed", type({"word"}, 'i'), -2147483648.0, 2147483647);
  stepInput = argument("$step", type({}, 'i'), 1, 1000);

  Pool pool;
  bool train = name == "train";
  for (Operation *variable : variables) {
    auto type = llvm::cast<Tensor>(llvm::cast<VariableOp>(variable).getType());
    if (variable == variables[0] || random.chance(type.isFloat() ? 0.7 : 0.5)) add(pool, readVariable(variable));
  }
  for (int i = 0, count = 1 + random.below(3); i < count; ++i) {
    double grid = random.chance(0.15) ? 0.25 : 0;
    add(pool, argument("x" + std::to_string(inputs++), type(someDims(3), 'f'), -2, 2, grid));
  }
  budget = options.leastOps + random.below((train ? options.mostOps : options.mostOps / 2) - options.leastOps + 1);
  while (budget > 0) grow(pool, 1);

  std::vector<Value> results;
  std::vector<Attribute> attributes;
  if (train) {
    Item loss = makeLoss(pool);
    results.push_back(loss.value);
    attributes.push_back(builder.getDictionaryAttr(builder.getNamedAttr(kNameAttr, builder.getStringAttr("loss.main"))));
    entry->setAttr(kMinimiseAttr, builder.getStringAttr("main"));
  }
  makeResults(pool, results, attributes);
  if (results.empty()) {
    results.push_back(pool.back().value);
    attributes.push_back(builder.getDictionaryAttr(builder.getNamedAttr(kNameAttr, builder.getStringAttr("out0"))));
  }
  writeState(pool);
  func::ReturnOp::create(builder, builder.getUnknownLoc(), results);
  entry.setFunctionType(builder.getFunctionType(entry.getArgumentTypes(), ValueRange(results).getTypes()));
  entry.setAllResultAttrs(attributes);
}

std::string Generator::optimizer() {
  static const std::vector<const char *> kinds{"sgd(", "momentum(", "momentum(nesterov = true, ",
                                               "adam(beta = (0.9, 0.95), eps = 1e-3, ",
                                               "adamw(beta = (0.9, 0.99), eps = 1e-3, "};
  static const std::vector<const char *> rates{"1e-2", "linear(1e-2, 1e-3)", "warmup(100) then cosine(1e-2, 1e-3)"};
  std::string text = std::string("optim = ") + random.of(kinds) + "lr = " + random.of(rates);
  if (random.chance(0.4)) text += ", decay = 0.1";
  if (random.chance(0.4)) text += ", clip = 0.5";
  return text + ")";
}

OwningOpRef<ModuleOp> Generator::run() {
  module = ModuleOp::create(builder.getUnknownLoc());
  (*module)->setAttr(kSeedAttr, builder.getI64IntegerAttr(static_cast<int64_t>(seed)));
  chooseDims();
  makeVariables();
  makeEntry("train");
  if (random.chance(0.45)) makeEntry("eval");
  if (random.chance(0.15)) makeEntry("sample");
  func::FuncOp train = *module->getOps<func::FuncOp>().begin();
  // The update takes the place of the gradients among the results; those of inputs are wanted without it only.
  if (random.chance(0.3)) {
    std::string errors = addOptimizer(*module, optimizer(), 2000);
    if (!errors.empty()) llvm::report_fatal_error(llvm::StringRef(errors));
  }
  else if (random.chance(0.7)) train->setAttr(kInputGradientsAttr, builder.getUnitAttr());
  return std::move(module);
}
