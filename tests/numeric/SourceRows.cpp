// Rows of constant, position and bernoulli.
#include "tests/numeric/OpTable.h"

using namespace heddle;

std::vector<OpRow> heddle::sourceRows() {
  auto named = [](const std::string &op, Shape s) {
    return op + "[" + std::to_string(s.a) + "x" + std::to_string(s.b) + "]";
  };
  auto dims = [](Shape s) { return "[A=" + std::to_string(s.a) + ", B=" + std::to_string(s.b) + "]"; };
  return {
      {"constant", false,
       [=](Shape s, std::vector<Case> &out) {
         out.push_back(opCase(named("constant f", s), "constant 0.1", {}, "f" + dims(s), exact()));
         out.push_back(opCase(named("constant -inf", s), "constant -inf", {}, "f" + dims(s), exact()));
         out.push_back(opCase(named("constant i", s), "constant -7", {}, "i" + dims(s), exact()));
         out.push_back(opCase(named("constant b", s), "constant true", {}, "b" + dims(s), exact()));
       }},
      {"position", false,
       [=](Shape s, std::vector<Case> &out) {
         out.push_back(opCase(named("position", s), "position", {}, "i[B=" + std::to_string(s.b) + "]", exact()));
       }},
      {"bernoulli", false,
       [=](Shape s, std::vector<Case> &out) {
         Argument seed{"i[word=2]", -2147483648.0, 2147483647}, step{"i[]", 0, 1e6}, index{"i[]", 0, 11};
         out.push_back(opCase(named("bernoulli", s), "bernoulli %a0, %a1 keep 0.9 stream 5 order [\"A\", \"B\"]",
                              {seed, step}, "b" + dims(s), exact()));
         out.push_back(opCase(named("bernoulli in repeats", s),
                              "bernoulli %a0, %a1 indices(%a2, %a3) keep 0.5 stream 4294967301 order [\"B\", \"A\"]",
                              {seed, step, index, index}, "b" + dims(s), exact()));
       }},
  };
}
