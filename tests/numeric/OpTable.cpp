// Puts the families' rows together and makes the cases' inputs.
#include "tests/numeric/OpTable.h"
#include "tests/numeric/Graph.h"
#include <cmath>
#include <random>

using namespace heddle;

Array heddle::randomArray(const Argument &argument, const std::string &salt) {
  // Not std::hash or a std:: distribution: the values should be the same with every standard library.
  uint64_t seed = 1469598103934665603u;  // FNV-1a
  for (unsigned char c : salt) seed = (seed ^ c) * 1099511628211u;
  std::mt19937_64 generator(seed);
  Array result(tensorType(argument.type));
  for (double &element : result.elements) {
    double uniform = (generator() >> 11) * 0x1p-53;  // [0, 1)
    if (!result.type.isFloat()) {
      element = std::floor(argument.low + uniform * (argument.high - argument.low + 1));
    } else if (argument.grid > 0) {
      element = std::round((argument.low + uniform * (argument.high - argument.low)) / argument.grid) * argument.grid;
      if (element == 0) element = argument.grid;
    } else {
      element = static_cast<float>(argument.low + uniform * (argument.high - argument.low));
    }
  }
  return result;
}

Case heddle::opCase(const std::string &name, const std::string &op, std::vector<Argument> arguments,
                    const std::string &result, Bound bound) {
  Case made{name, "", {}, std::move(bound)};
  std::string parameters, types;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string number = std::to_string(i);
    parameters += (i ? ", %a" : "%a") + number + ": !" + arguments[i].type;
    types += (i ? ", !" : "!") + arguments[i].type;
    made.inputs.push_back(randomArray(arguments[i], name + number));
  }
  std::string signature = arguments.empty() ? "!" + result : "(" + types + ") -> !" + result;
  made.text = "func.func @f(" + parameters + ") -> !" + result + " {\n  %r = heddle." + op + " : " + signature +
              "\n  return %r : !" + result + "\n}\n";
  return made;
}

std::map<std::string, Array> heddle::inputsOf(const Case &tested) {
  std::map<std::string, Array> inputs;
  for (size_t i = 0; i < tested.inputs.size(); ++i) inputs.insert({"arg" + std::to_string(i), tested.inputs[i]});
  return inputs;
}

const std::vector<OpRow> &heddle::opTable() {
  static const std::vector<OpRow> table = [] {
    std::vector<OpRow> rows;
    for (auto family : {sourceRows, elementwiseRows, alongAxesRows, indexingRows, structureRows})
      for (OpRow &row : family()) rows.push_back(std::move(row));
    return rows;
  }();
  return table;
}

std::vector<Case> heddle::casesOf(const OpRow &row) {
  std::vector<Case> cases;
  for (Shape shape : kShapes) row.cases(shape, cases);
  return cases;
}

const std::vector<StructuralOp> &heddle::structuralOps() {
  static const std::vector<StructuralOp> ops{
      {"variable", "declares; what reads and writes it is compared bit by bit in tests/identity"},
      {"read", "an alias of a variable; every parameter of tests/reference and tests/identity is one"},
      {"write", "a store into a variable; every update of tests/reference and tests/identity is one"},
      {"yield", "a terminator; part of every repeat"},
      {"fused", "made by a pass from the ops of the other rows, after their gradients are derived"},
      {"attention", "made by a pass from the ops of the other rows; tests/numeric/AttentionTest.cpp"},
      {"attention_backward", "the gradient of attention; tests/numeric/AttentionTest.cpp"},
      {"part", "an address in a kernel, behind all computation on graphs"},
      {"entry", "the plan, behind all computation on graphs"},
      {"call", "the plan, behind all computation on graphs"},
      {"loop", "the plan, behind all computation on graphs"},
  };
  return ops;
}
