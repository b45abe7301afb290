// What an expression stands for while a file is checked and its graph is built.
#pragma once
#include "frontend/Axis.h"
#include "mlir/IR/Value.h"

#include <vector>

namespace heddle {

/// A number known to the compiler: a literal, a dim used as a number, a constant, or arithmetic on these. Not `known`
/// where a generic module is checked and the number depends on its dims or constants.
struct Number {
  enum class Kind { Int, Float, Bool } kind = Kind::Int;
  bool known = true;
  int64_t i = 0; // Int, Bool
  double d = 0;  // Float

  static Number ofInt(int64_t value, bool known = true) { return {Kind::Int, known, value, 0}; }
  static Number ofFloat(double value, bool known = true) { return {Kind::Float, known, 0, value}; }
  static Number ofBool(bool value, bool known = true) { return {Kind::Bool, known, value, 0}; }
  bool isInt() const { return kind == Kind::Int; }
  bool isFloat() const { return kind == Kind::Float; }
  bool isBool() const { return kind == Kind::Bool; }
  /// Of a tensor that holds it.
  ast::Element element() const { return isFloat() ? ast::Element::F32 : isBool() ? ast::Element::Bool : ast::Element::I32; }
  double real() const { return isFloat() ? d : static_cast<double>(i); }
};

/// Bounds of an i32 value, both included. The default says nothing.
struct Interval {
  int64_t lo = INT32_MIN, hi = INT32_MAX;
};

struct Value {
  enum class Kind {
    Unknown, // an error was reported: silences what depends on it
    Number,
    Tensor,
    Tuple,
    String,
    Data, // the word `data` of a train block
  };
  Kind kind = Kind::Unknown;
  Number number;
  ast::Element element = ast::Element::F32;
  std::vector<Axis *> dims; // the language's order; the graph's value may hold them in another
  mlir::Value ir;           // null while only checking
  bool index = false;       // made of pos, constants, i32 and bool alone: spreads freely (rule 3)
  Interval range;           // of an i32 tensor
  int input = -1;           // the entry's argument that it is, under whatever dims: its ids are checked on arrival
  std::vector<Value> parts; // of a tuple
  std::string text;         // of a string
  std::string name;         // what the source calls it; empty if nothing
  Span made;                // where
  Span source;              // the expression that it was named for, in a `let`

  bool isUnknown() const { return kind == Kind::Unknown; }
  bool isNumber() const { return kind == Kind::Number; }
  bool isTensor() const { return kind == Kind::Tensor; }
  bool isF32() const { return isTensor() && element == ast::Element::F32; }
  bool isI32() const { return isTensor() && element == ast::Element::I32; }
  bool isBool() const { return isTensor() && element == ast::Element::Bool; }
  bool has(const Axis *axis) const {
    for (const Axis *dim : dims)
      if (dim == axis)
        return true;
    return false;
  }
  static Value of(Number number) {
    Value v;
    v.kind = Kind::Number;
    v.number = number;
    return v;
  }
  static Value tensor(ast::Element element, std::vector<Axis *> dims) {
    Value v;
    v.kind = Kind::Tensor;
    v.element = element;
    v.dims = std::move(dims);
    return v;
  }
};

} // namespace heddle
