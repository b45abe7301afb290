// The bounds as functions of the case and the expected result.
#include "tests/numeric/Bounds.h"
#include "tests/numeric/Graph.h"
#include "tests/numeric/OpTable.h"
#include <cmath>

using namespace heddle;

static Bound ofElements(std::function<double(double)> errorOf) {
  return [=](const Case &, const std::string &, const Array &expected) {
    std::vector<double> errors;
    for (double y : expected.elements) errors.push_back(errorOf(std::fabs(y)));
    return errors;
  };
}

Bound heddle::exact() {
  return ofElements([](double) { return 0.0; });
}
Bound heddle::relative(double units) {
  return ofElements([=](double y) { return units * kUnit * y; });
}
Bound heddle::absolute(double units) {
  return ofElements([=](double) { return units * kUnit; });
}
Bound heddle::magnitude(double units) {
  return [=](const Case &tested, const std::string &result, const Array &) {
    std::map<std::string, Array> inputs = inputsOf(tested);
    for (auto &[name, input] : inputs)
      for (double &element : input.elements) element = std::fabs(element);
    auto module = parseGraph(tested.text);
    auto outcome = llvm::cantFail(interpret(entryOf(*module), inputs));
    std::vector<double> errors;
    for (double y : outcome.results.at(result).elements) errors.push_back(units * kUnit * std::fabs(y));
    return errors;
  };
}
