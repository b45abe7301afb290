// Random programs in the graph dialect: valid, and tame enough that a bound of their errors says something.
//
// A program grows op by op from a pool of values. Beside each value the generator knows a range that holds every element
// (interval arithmetic on the ops' definitions), and takes ops only where they are defined and far from overflow: a
// logarithm of what is above 0.1, a quotient by what is away from 0. What grows too large is scaled down.
#pragma once
#include "tests/random/Program.h"
#include "mlir/IR/Builders.h"
#include <optional>

namespace heddle {

struct GeneratorOptions {
  int leastOps = 5, mostOps = 22;  // of an entry, loops' bodies included
  int64_t mostElements = 2048;     // of a value
};

/// The program of a seed, at stage `graph`.
mlir::OwningOpRef<mlir::ModuleOp> generateProgram(mlir::MLIRContext &context, uint64_t seed,
                                                  GeneratorOptions options = {});

/// A value that later ops may read.
struct Item {
  mlir::Value value;
  double low = 0, high = 0;
  bool active = false;     // a real that depends on a trained parameter through ops with a gradient
  bool mayBeInf = false;   // -inf where masked: only what expects it may read it
  Tensor type() const { return llvm::cast<Tensor>(value.getType()); }
  double size() const { return std::max(std::abs(low), std::abs(high)); }
};

class Generator {
public:
  Generator(mlir::MLIRContext &context, uint64_t seed, GeneratorOptions options);
  mlir::OwningOpRef<mlir::ModuleOp> run();

private:
  using Names = std::vector<std::string>;
  using Pool = std::vector<Item>;
  struct Layer {
    std::string axis;
    int64_t count;
    mlir::Value index;
  };

  // Generator.cpp: the frame
  void chooseDims();
  void makeVariables();
  void makeEntry(const std::string &name);
  Item makeLoss(Pool &pool);
  void makeResults(Pool &pool, std::vector<mlir::Value> &results, std::vector<mlir::Attribute> &attributes);
  void writeState(Pool &pool);
  Item argument(const std::string &name, Tensor type, double low, double high, double grid = 0);
  Item readVariable(mlir::Operation *variable);
  std::string optimizer();

  // types
  Tensor type(const Names &names, char element);
  Tensor shuffled(Tensor type);
  Names someDims(int most);
  int64_t sizeOf(llvm::StringRef name) const;
  mlir::Type element(char letter);

  // GeneratorOps.cpp: one op, or a few that belong together
  void grow(Pool &pool, int ops);
  bool growOnce(Pool &pool);
  void add(Pool &pool, Item item) { pool.push_back(item); }
  mlir::Value make(llvm::StringRef op, Tensor type, llvm::ArrayRef<mlir::Value> operands,
                   llvm::ArrayRef<mlir::NamedAttribute> attributes = {});
  Item number(double value);
  Item integer(int64_t value);
  Item unary(llvm::StringRef op, const Item &x);
  Item binary(llvm::StringRef op, const Item &x, const Item &y);
  Item compare(llvm::StringRef predicate, const Item &x, const Item &y);
  Item select(const Item &condition, const Item &x, const Item &y);
  Item cast(const Item &x, char to);
  Item reduce(llvm::StringRef kind, const Item &x, Names over);
  Item alongAxis(llvm::StringRef op, const Item &x, const std::string &over);
  Item rename(const Item &x, const std::string &from, const std::string &to);
  Item tamed(Item x, double most = 8);
  Item away(const Item &x, double least);  // a value of x's dims in [least, ...)
  Item as(const Item &x, Tensor type, double most);
  std::optional<Tensor> united(llvm::ArrayRef<Item> items, char element);
  Tensor allDims(llvm::ArrayRef<Item> items, char element);
  std::optional<Item> pick(Pool &pool, char element, bool infinite = false);
  std::optional<Item> pickWith(Pool &pool, char element, llvm::function_ref<bool(const Item &)> fits);
  std::optional<Item> index(Pool &pool, int64_t size, const std::string &without);
  std::optional<Item> mask(Pool &pool);
  std::string someDimOf(Tensor type);

  bool growFunction(Pool &pool);
  bool growBinary(Pool &pool);
  bool growMask(Pool &pool);
  bool growInteger(Pool &pool);
  bool growContract(Pool &pool);
  bool growLogits(Pool &pool);
  bool growReduction(Pool &pool);
  bool growSoftmax(Pool &pool);
  bool growLoss(Pool &pool);
  bool growGather(Pool &pool);
  bool growScatter(Pool &pool);
  bool growDropout(Pool &pool);
  bool growRename(Pool &pool);
  bool growSource(Pool &pool);

  // GeneratorRegroup.cpp
  void addRegroupedDims();
  bool growRegroup(Pool &pool);
  bool growConcat(Pool &pool);

  // GeneratorLoops.cpp
  bool growRepeat(Pool &pool);
  std::optional<Item> stack(Pool &pool, const Layer &layer);

  mlir::MLIRContext &context;
  mlir::OpBuilder builder;
  Random random;
  uint64_t seed;
  GeneratorOptions options;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp entry;
  std::vector<std::pair<std::string, int64_t>> dims;    // of ordinary axes
  std::vector<Layer> layers;                            // what loops may run over
  std::vector<Layer> open;                              // the loops that the builder stands in
  std::vector<mlir::Operation *> variables;
  Item seedInput, stepInput;
  int inputs = 0, stream = 0, budget = 0;
};

}  // namespace heddle
