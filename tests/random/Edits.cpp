// Edits are numbered ops and results of a clone: the module that an edit was listed for and the one that it is applied to
// have the same ops in the same order.
#include "tests/random/Edits.h"
#include "passes/graph/ApplyOptimizer.h"
#include "passes/graph/DeriveBackward.h"
#include "mlir/IR/Builders.h"
#include <regex>
#include <set>

using namespace mlir;
using namespace heddle;

namespace {
std::vector<Operation *> opsOf(ModuleOp module) {
  std::vector<Operation *> ops;
  module.walk([&](Operation *op) {
    auto entry = op->getParentOfType<func::FuncOp>();
    if (op->getNumResults() && entry && !entry.isPrivate()) ops.push_back(op);
  });
  return ops;
}

//===------------------------------------------------------------------------------------------------- unused things
bool trimResults(RepeatOp repeat) {
  size_t carried = repeat.getCarried().size();
  auto yield = cast<YieldOp>(repeat.getYield());
  std::vector<bool> keepResult(repeat.getNumResults(), true), keepArg(repeat.getBody().getNumArguments(), true);
  bool changed = false;
  for (size_t i = 0; i < carried; ++i) {
    BlockArgument arg = repeat.getCarriedArgs()[i];
    bool onlySelf = llvm::all_of(arg.getUses(), [&](OpOperand &use) {
      return use.getOwner() == yield.getOperation() && use.getOperandNumber() == i;
    });
    if (repeat.getResult(i).use_empty() && onlySelf) keepResult[i] = keepArg[1 + i] = false, changed = true;
  }
  for (size_t i = carried; i < repeat.getNumResults(); ++i)
    if (repeat.getResult(i).use_empty()) keepResult[i] = false, changed = true;
  for (BlockArgument arg : repeat.getStackedArgs())
    if (arg.use_empty()) keepArg[arg.getArgNumber()] = false, changed = true;
  if (!changed) return false;
  SmallVector<Type> types;
  SmallVector<Value> yielded, carriedIn, stacked;
  for (size_t i = 0; i < keepResult.size(); ++i)
    if (keepResult[i]) types.push_back(repeat.getResult(i).getType()), yielded.push_back(yield.getValues()[i]);
  for (size_t i = 0; i < carried; ++i)
    if (keepArg[1 + i]) carriedIn.push_back(repeat.getCarried()[i]);
  for (size_t i = 0; i < repeat.getStacked().size(); ++i)
    if (keepArg[1 + carried + i]) stacked.push_back(repeat.getStacked()[i]);
  OpBuilder builder(repeat);
  auto trimmed = RepeatOp::create(builder, repeat.getLoc(), types, repeat.getNameAttr(), repeat.getAxisAttr(),
                                  repeat.getCountAttr(), repeat.getReverseAttr(), carriedIn, stacked);
  yield.getValuesMutable().assign(yielded);
  llvm::BitVector dead(keepArg.size());
  for (size_t i = 0; i < keepArg.size(); ++i) dead[i] = !keepArg[i];
  repeat.getBody().front().eraseArguments(dead);
  trimmed.getBody().takeBody(repeat.getBody());
  unsigned next = 0;
  for (size_t i = 0; i < keepResult.size(); ++i)
    if (keepResult[i]) repeat.getResult(i).replaceAllUsesWith(trimmed.getResult(next++));
  repeat.erase();
  return true;
}

// Takes a parameter that goes out of the rules of the optimizer.
void forget(ModuleOp module, StringRef parameter) {
  auto optimizer = module->getAttrOfType<DictionaryAttr>(kOptimizerAttr);
  if (!optimizer) return;
  Builder builder(module.getContext());
  SmallVector<Attribute> rules;
  for (auto rule : optimizer.getAs<ArrayAttr>("rules").getAsRange<DictionaryAttr>()) {
    SmallVector<Attribute> kept;
    for (auto symbol : rule.getAs<ArrayAttr>("parameters").getAsRange<FlatSymbolRefAttr>())
      if (symbol.getValue() != parameter) kept.push_back(symbol);
    NamedAttrList entries(rule);
    entries.set("parameters", builder.getArrayAttr(kept));
    rules.push_back(entries.getDictionary(module.getContext()));
  }
  NamedAttrList entries(optimizer);
  entries.set("rules", builder.getArrayAttr(rules));
  module->setAttr(kOptimizerAttr, entries.getDictionary(module.getContext()));
}

bool removeOnce(ModuleOp module) {
  std::vector<Operation *> ops = opsOf(module);
  for (Operation *op : llvm::reverse(ops))
    if (op->use_empty()) return op->erase(), true;
  bool changed = false;
  module.walk([&](RepeatOp repeat) {
    if (!trimResults(repeat)) return WalkResult::advance();
    changed = true;
    return WalkResult::interrupt();
  });
  if (changed) return true;
  module.walk([&](RepeatOp repeat) {  // without results it does nothing
    if (repeat.getNumResults()) return WalkResult::advance();
    repeat.erase(), changed = true;
    return WalkResult::interrupt();
  });
  if (changed) return true;
  for (func::FuncOp entry : entriesOf(module))
    for (unsigned i = entry.getNumArguments(); i-- > 0;)
      if (entry.getArgument(i).use_empty()) return succeeded(entry.eraseArgument(i));
  std::set<std::string> used;
  module.walk([&](Operation *op) {
    if (auto read = dyn_cast<ReadOp>(op)) used.insert(read.getVariable().str());
    if (auto write = dyn_cast<WriteOp>(op)) used.insert(write.getVariable().str());
  });
  for (auto variable : module.getOps<VariableOp>())
    if (!used.count(variable.getSymName().str())) return forget(module, variable.getSymName()), variable.erase(), true;
  return false;
}

//===------------------------------------------------------------------------------------------------- edits
Edit dropEntry(size_t i) {
  return [=](ModuleOp module) {
    std::vector<func::FuncOp> entries = entriesOf(module);
    if (entries.size() < 2) return false;
    entries[i].erase();
    return true;
  };
}
Edit dropResult(size_t i, size_t k) {
  return [=](ModuleOp module) {
    func::FuncOp entry = entriesOf(module)[i];
    Operation *end = entry.getBody().front().getTerminator();
    if (end->getNumOperands() < 2) return false;
    end->eraseOperand(k);
    return succeeded(entry.eraseResult(k));
  };
}
Edit keepResult(size_t i, size_t k) {
  return [=](ModuleOp module) {
    func::FuncOp entry = entriesOf(module)[i];
    Operation *end = entry.getBody().front().getTerminator();
    bool changed = false;
    for (unsigned at = end->getNumOperands(); at-- > 0;) {
      auto name = entry.getResultAttrOfType<StringAttr>(at, kNameAttr);
      if (at == k || (name && name.getValue() == "loss.main" && entry->hasAttr(kMinimiseAttr))) continue;
      end->eraseOperand(at);
      if (failed(entry.eraseResult(at))) return false;
      changed = true;
    }
    return changed;
  };
}
Edit dropWrite(size_t k) {
  return [=](ModuleOp module) {
    std::vector<WriteOp> writes;
    module.walk([&](WriteOp write) { writes.push_back(write); });
    writes[k].erase();
    return true;
  };
}
Edit dropAttribute(StringRef name) {
  return [=](ModuleOp module) {
    if (name == kOptimizerAttr && module->hasAttr(name)) return dropOptimizer(module), true;
    if (module->removeAttr(name)) return true;
    for (func::FuncOp entry : entriesOf(module))
      if (entry->removeAttr(name)) return true;
    return false;
  };
}

Value freshArgument(func::FuncOp entry, Tensor type) {
  OpBuilder builder(entry);
  unsigned at = entry.getNumArguments();
  std::set<std::string> names;
  for (unsigned i = 0; i < at; ++i)
    if (auto name = entry.getArgAttrOfType<StringAttr>(i, kNameAttr)) names.insert(name.str());
  int number = 0;
  while (names.count("y" + std::to_string(number))) ++number;
  NamedAttribute attributes[] = {
      builder.getNamedAttr(kNameAttr, builder.getStringAttr("y" + std::to_string(number))),
      builder.getNamedAttr(kLowAttr, builder.getF64FloatAttr(type.isFloat() ? -1 : 0)),
      builder.getNamedAttr(kHighAttr, builder.getF64FloatAttr(type.isInt() ? 0 : 1))};
  if (failed(entry.insertArgument(at, type, builder.getDictionaryAttr(attributes), entry.getLoc()))) return {};
  return entry.getArgument(at);
}

enum class By { argument, constant, operand };
// All results of an op by something simpler.
bool replaceOp(Operation *op, By by) {
  if (isa<ConstantOp, ReadOp>(op)) return false;
  for (OpResult result : op->getResults()) {
    auto type = cast<Tensor>(result.getType());
    Value with;
    OpBuilder builder(op);
    if (by == By::argument) with = freshArgument(op->getParentOfType<func::FuncOp>(), type);
    else if (by == By::constant) with = ConstantOp::create(builder, op->getLoc(), type, type.isFloat() ? 0.75 : 0);
    else
      for (Value operand : op->getOperands())
        if (operand.getType() == type) with = operand;
    if (!with) return false;
    result.replaceAllUsesWith(with);
  }
  return true;
}
Edit replaceOp(size_t k, By by) {
  return [=](ModuleOp module) { return replaceOp(opsOf(module)[k], by); };
}
// Many at once: the ops [first, last), those in loops with their loop.
Edit replaceOps(size_t first, size_t last) {
  return [=](ModuleOp module) {
    std::vector<Operation *> ops = opsOf(module);
    bool changed = false;
    for (size_t k = first; k < last && k < ops.size(); ++k) changed |= replaceOp(ops[k], By::argument);
    return changed;
  };
}

// A loop of one turn becomes its body.
Edit inlineLoop(size_t k) {
  return [=](ModuleOp module) {
    std::vector<RepeatOp> repeats;
    module.walk([&](RepeatOp repeat) { repeats.push_back(repeat); });
    RepeatOp repeat = repeats[k];
    if (repeat.getCount() != 1) return false;
    OpBuilder builder(repeat);
    Location loc = repeat.getLoc();
    auto scalar = cast<Tensor>(repeat.getIndex().getType());
    repeat.getIndex().replaceAllUsesWith(ConstantOp::create(builder, loc, scalar, 0.0).getResult());
    for (auto [arg, value] : llvm::zip(repeat.getCarriedArgs(), repeat.getCarried())) arg.replaceAllUsesWith(value);
    for (auto [arg, value] : llvm::zip(repeat.getStackedArgs(), repeat.getStacked())) {
      if (!cast<Tensor>(arg.getType()).isFloat()) return false;
      auto slice = ReduceOp::create(builder, loc, arg.getType(), builder.getStringAttr("sum"), value,
                                    builder.getArrayAttr({repeat.getAxisAttr()}));
      arg.replaceAllUsesWith(slice.getResult());
    }
    auto yield = cast<YieldOp>(repeat.getYield());
    SmallVector<Value> values(yield.getValues());
    yield.erase();
    Block &body = repeat.getBody().front();
    for (Operation &op : llvm::make_early_inc_range(body)) op.moveBefore(repeat);
    for (auto [result, value] : llvm::zip(repeat.getResults(), values)) {
      Value with = value;
      if (with.getType() != result.getType()) with = BroadcastOp::create(builder, loc, result.getType(), value);
      result.replaceAllUsesWith(with);
    }
    repeat.erase();
    return true;
  };
}
}  // namespace

void heddle::removeUnused(ModuleOp module) {
  while (removeOnce(module)) {}
}

std::vector<Edit> heddle::editsOf(ModuleOp module) {
  std::vector<Edit> edits;
  std::vector<func::FuncOp> entries = entriesOf(module);
  for (size_t i = 0; i < entries.size(); ++i) edits.push_back(dropEntry(i));
  for (StringRef name : {StringRef(kOptimizerAttr), StringRef(kInputGradientsAttr), StringRef(kMinimiseAttr)})
    edits.push_back(dropAttribute(name));
  for (size_t i = 0; i < entries.size(); ++i)
    for (size_t k = 0; k < entries[i].getNumResults(); ++k) edits.push_back(keepResult(i, k));
  for (size_t i = 0; i < entries.size(); ++i)
    for (size_t k = 0; k < entries[i].getNumResults(); ++k) edits.push_back(dropResult(i, k));
  size_t writes = 0, repeats = 0;
  module.walk([&](WriteOp) { edits.push_back(dropWrite(writes++)); });
  size_t count = opsOf(module).size();
  for (size_t size = count / 2; size > 1; size /= 2)
    for (size_t first = 0; first < count; first += size) edits.push_back(replaceOps(first, first + size));
  for (size_t k = count; k-- > 0;)
    for (By by : {By::argument, By::operand, By::constant}) edits.push_back(replaceOp(k, by));
  module.walk([&](RepeatOp) { edits.push_back(inlineLoop(repeats++)); });
  return edits;
}

// Dims that must stay of one size (A and its rename A2) go together; indices that would leave the axis stay in it.
std::vector<std::string> heddle::smallerDims(const std::string &text) {
  std::set<std::pair<std::string, int64_t>> found;
  static const std::regex dim("\\b([A-Z])2?=([0-9]+)[],]");
  for (std::sregex_iterator it(text.begin(), text.end(), dim), end; it != end; ++it)
    found.insert({(*it)[1].str(), std::stoll((*it)[2].str())});
  std::vector<std::string> texts;
  for (auto &[name, size] : found)
    for (int64_t smaller : {int64_t(1), int64_t(2), size / 2, size - 1}) {
      if (smaller < 1 || smaller >= size) continue;
      std::string from = std::to_string(size), to = std::to_string(smaller);
      std::string made = std::regex_replace(text, std::regex("\\b(" + name + "2?=)" + from + "\\b"), "$01" + to);
      made = std::regex_replace(made, std::regex("(over \"" + name + "2?\" = )" + from + "\\b"), "$01" + to);
      // Indices and moduli of the old size.
      std::string inside = made;
      for (auto [value, with] : {std::pair{size, smaller}, std::pair{size - 1, smaller - 1}})
        inside = std::regex_replace(inside, std::regex("(heddle.constant )" + std::to_string(value) + " : "),
                                    "$01" + std::to_string(with) + " : ");
      static const std::regex high("random.high = ([0-9.]+e\\+[0-9]+) : f64");
      std::string clamped;
      std::smatch match;
      std::string rest = inside;
      while (std::regex_search(rest, match, high)) {
        double value = std::stod(match[1].str());
        char number[40];
        if (value == double(size - 1)) value = double(smaller - 1);
        std::snprintf(number, sizeof number, "random.high = %.6e : f64", value);
        clamped += match.prefix().str() + number;
        rest = match.suffix();
      }
      texts.push_back(clamped + rest);
      if (made != texts.back()) texts.push_back(made);
    }
  return texts;
}
