// One row for every op of the graph dialect: graphs that use it, and how far an executor may be from the interpreter.
// Finite differences and the executors' tests walk this table; a test fails when the dialect has an op without a row.
#pragma once
#include "tests/numeric/Bounds.h"
#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace heddle {

/// The two dims of a case: A rows of length B.
struct Shape {
  int64_t a, b;
};
/// 1, primes, and the lane counts of all target classes (4, 8, 16) and one more and less.
inline constexpr Shape kShapes[] = {{1, 1}, {2, 3}, {3, 5}, {5, 7}, {1, 9}, {2, 15}, {3, 17}, {4, 16}};

/// An argument of a case: a short type (`f[A=2]`), and the range of its elements: reals, rounded to single precision,
/// or whole numbers for i and b.
struct Argument {
  std::string type;
  double low, high;
  double grid = 0;  // where positive: reals are multiples of it, never 0
};

/// A function to run: its module's text with short types, values for its arguments, and the bound of its results.
struct Case {
  std::string name;  // unique: "exp[2x3]"
  std::string text;
  std::vector<Array> inputs;  // arg0, arg1, ...
  Bound bound;
  bool derivable = true;  // finite differences may run it (if the op has a gradient): small and away from kinks
};

/// A case of one op: `op` is its text between "heddle." and the types, with operands %a0, %a1, ...
Case opCase(const std::string &name, const std::string &op, std::vector<Argument> arguments, const std::string &result,
            Bound bound);
/// Its inputs by the names that the interpreter gives to arguments without one: arg0, arg1, ...
std::map<std::string, Array> inputsOf(const Case &tested);
/// Random values of an argument; the same for the same salt.
Array randomArray(const Argument &argument, const std::string &salt);

struct OpRow {
  std::string op;       // without "heddle."
  bool differentiable;  // with respect to its float operands
  std::function<void(Shape, std::vector<Case> &)> cases;
};

inline void PrintTo(const OpRow &row, std::ostream *out) { *out << row.op; }  // for GoogleTest

/// Rows of one family each.
std::vector<OpRow> sourceRows();
std::vector<OpRow> elementwiseRows();
std::vector<OpRow> alongAxesRows();
std::vector<OpRow> indexingRows();
std::vector<OpRow> structureRows();

/// All rows.
const std::vector<OpRow> &opTable();
/// All cases of a row, over all shapes.
std::vector<Case> casesOf(const OpRow &row);

/// Ops that compute nothing by themselves, and why they have no row.
struct StructuralOp {
  std::string op, reason;
};
const std::vector<StructuralOp> &structuralOps();

}  // namespace heddle
