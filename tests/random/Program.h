// What a random program is run on. Everything that a run depends on stands in the module itself, so that the text of a
// program is a complete test: `random.seed` of the module, and the range of every input at its argument.
#pragma once
#include "ir/graph/interpreter/Interpreter.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace heddle {

/// i64 of the module: all values are functions of it.
inline constexpr llvm::StringLiteral kSeedAttr = "random.seed";
/// f64 of an argument: its elements lie in [low, high]; reals are multiples of a grid, where there is one.
inline constexpr llvm::StringLiteral kLowAttr = "random.low";
inline constexpr llvm::StringLiteral kHighAttr = "random.high";
inline constexpr llvm::StringLiteral kGridAttr = "random.grid";

using Arrays = std::map<std::string, Array>;

/// A generator of its own for every name: the same numbers with every standard library.
class Random {
public:
  explicit Random(uint64_t seed, llvm::StringRef salt = "");
  uint64_t next();
  double uniform();                                                // [0, 1)
  int64_t below(int64_t n) { return next() % n; }                  // [0, n)
  bool chance(double probability) { return uniform() < probability; }
  template <typename T>
  const T &of(const std::vector<T> &choices) { return choices[below(choices.size())]; }
  template <typename T>
  void shuffle(T &items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

private:
  uint64_t state;
};

/// Values of an entry's inputs by name. Integers are whole, bools 0 or 1, reals of single precision.
Arrays inputsOf(mlir::func::FuncOp entry);
/// Values of all variables before the step: a parameter or state lies in [a, b] of its declaration; an optimizer's first
/// moment is small, and its second moment positive.
Arrays variablesOf(mlir::ModuleOp module);

/// The entries of a module at a stage before `kernel`, in order.
std::vector<mlir::func::FuncOp> entriesOf(mlir::ModuleOp module);

/// The program of a text, verified; null, with the reason in `error`.
mlir::OwningOpRef<mlir::ModuleOp> parseProgram(mlir::MLIRContext &context, llvm::StringRef text, std::string &error);
std::string textOf(mlir::ModuleOp module);

}  // namespace heddle
