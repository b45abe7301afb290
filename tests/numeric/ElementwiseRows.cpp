// Rows of the elementwise ops. Broadcasting and the order of the result's dims vary with the shape.
//
// Where bounds come from: + - * / and sqrt are correctly rounded; rsqrt is two such operations; exp, log and the other
// functions are polynomials whose error passes/kernel/MathFunctions.h states in units in the last place, of which one
// is at most 2 u of the result; floor, compare, select and their like are exact.
#include "tests/numeric/OpTable.h"
#include <cmath>

using namespace heddle;

namespace {
std::string label(const std::string &op, Shape s) {
  return op + "[" + std::to_string(s.a) + "x" + std::to_string(s.b) + "]";
}
std::string rows(Shape s) { return "[A=" + std::to_string(s.a) + "]"; }
std::string columns(Shape s) { return "[B=" + std::to_string(s.b) + "]"; }
std::string both(Shape s) { return "[A=" + std::to_string(s.a) + ", B=" + std::to_string(s.b) + "]"; }
std::string turned(Shape s) { return "[B=" + std::to_string(s.b) + ", A=" + std::to_string(s.a) + "]"; }

// Values at which functions tend to fail. Without `extremes` no quotient of two of them overflows or underflows: where
// subnormal numbers are zero, floor(-1e-30 / 3e38) is 0.
Case withSpecials(Case made, bool extremes = true) {
  const double inf = std::numeric_limits<double>::infinity(), none = std::numeric_limits<double>::quiet_NaN();
  const double large = extremes ? 3e38 : 8, small = extremes ? 1e-30 : 0.25;
  const double specials[] = {0.0, -0.0, inf, -inf, none, 1.0, -1.0, 88.5, -87.0, large, -large, small, 2.0, 0.5};
  size_t shift = 0;
  for (Array &input : made.inputs) {
    for (size_t i = 0; i < input.elements.size(); ++i)
      if (input.type.isFloat()) input.elements[i] = static_cast<float>(specials[(i * (1 + 4 * shift) + shift) % 14]);
    ++shift;
  }
  made.name += " specials";
  made.derivable = false;
  return made;
}

// Of sin and cos: the polynomials' bound for arguments to 10^4; beyond 2^18 only the range is promised.
Bound trigonometric() {
  return [](const Case &tested, const std::string &, const Array &expected) {
    std::vector<double> errors, x = reordered(tested.inputs[0], expected.type).elements;
    for (size_t i = 0; i < x.size(); ++i)
      errors.push_back(std::fabs(x[i]) > 1e4 ? 2 : (2 * 2.4 * std::fabs(expected.elements[i]) + 0.5) * kUnit);
    return errors;
  };
}

// A float function of one operand: where it is tame enough for finite differences, in a wide range, and once with
// special values.
OpRow function(const std::string &op, double low, double high, double wideLow, double wideHigh, Bound bound,
               bool differentiable = true) {
  return {op, differentiable, [=](Shape s, std::vector<Case> &out) {
            std::string result = "f" + (s.a % 2 ? both(s) : turned(s));
            out.push_back(opCase(label(op, s), op + " %a0", {{"f" + both(s), low, high}}, result, bound));
            out.push_back(opCase(label(op + " wide", s), op + " %a0", {{"f" + both(s), wideLow, wideHigh}}, result, bound));
            out.back().derivable = false;
            if (s.b == 16) out.push_back(withSpecials(out.back()));
          }};
}

// The second operand in all the forms of a broadcast: full, a row, a column, a scalar.
std::string second(const std::string &element, Shape s) {
  switch (s.b % 4) {
    case 1: return element + columns(s);
    case 3: return element + (s.a % 2 ? rows(s) : turned(s));
    case 0: return element + both(s);
    default: return element + "[]";
  }
}
struct Range {
  double low, high, grid = 0;
};
OpRow binary(const std::string &op, Range x, Range y, Bound bound, bool ints, bool differentiable = true) {
  return {op, differentiable, [=](Shape s, std::vector<Case> &out) {
            Argument first{"f" + both(s), x.low, x.high, x.grid};
            out.push_back(opCase(label(op, s), op + " %a0, %a1", {first, {second("f", s), y.low, y.high, y.grid}},
                                 "f" + (s.a % 2 ? both(s) : turned(s)), bound));
            out.push_back(opCase(label(op + " swapped", s), op + " %a1, %a0",
                                 {{"f" + both(s), y.low, y.high, y.grid}, {second("f", s), x.low, x.high, x.grid}},
                                 "f" + both(s), bound));
            // The op's text names %a1 first: the types follow.
            Case &swapped = out.back();
            std::string a = "!f" + both(s), b = "!" + second("f", s), from = ": (" + a + ", " + b + ")";
            if (size_t at = swapped.text.rfind(from); at != std::string::npos)
              swapped.text.replace(at, from.size(), ": (" + b + ", " + a + ")");
            if (s.b == 16) out.push_back(withSpecials(out[out.size() - 2], op != "floordiv" && op != "mod"));
            if (!ints) return;
            for (double large : {9.0, 2147483647.0})
              out.push_back(opCase(label(op + (large > 9 ? " wide i" : " i"), s), op + " %a0, %a1",
                                   {{"i" + both(s), -large, large}, {second("i", s), -large, large}}, "i" + both(s),
                                   exact()));
          }};
}
OpRow logical(const std::string &op, bool two) {
  return {op, false, [=](Shape s, std::vector<Case> &out) {
            std::vector<Argument> arguments{{"b" + both(s), 0, 1}};
            if (two) arguments.push_back({second("b", s), 0, 1});
            out.push_back(opCase(label(op, s), op + (two ? " %a0, %a1" : " %a0"), arguments, "b" + both(s), exact()));
          }};
}
OpRow ofNumber(const std::string &op, bool differentiable) {
  return {op, differentiable, [=](Shape s, std::vector<Case> &out) {
            out.push_back(opCase(label(op, s), op + " %a0", {{"f" + both(s), -4, 4}}, "f" + turned(s), exact()));
            if (s.b == 16) out.push_back(withSpecials(out.back()));
            out.push_back(opCase(label(op + " i", s), op + " %a0", {{"i" + both(s), -2147483648.0, 2147483647}},
                                 "i" + both(s), exact()));
          }};
}
// On the grid of floordiv the remainder is exact, but a derivative does not exist where it is 0; off the grid the product
// y * floor(x / y) and the difference round, each by at most u times about |x| <= 4 (and y, one turn more).
OpRow mod() {
  OpRow onGrid = binary("mod", {-8, 8, 0.25}, {-8, 8, 0.25}, exact(), true);
  return {"mod", true, [=](Shape s, std::vector<Case> &out) {
            size_t first = out.size();
            onGrid.cases(s, out);
            for (size_t i = first; i < out.size(); ++i) out[i].derivable = false;
            out.push_back(opCase(label("mod off grid", s), "mod %a0, %a1",
                                 {{"f" + both(s), -4, 4}, {second("f", s), 0.5, 4}}, "f" + both(s), absolute(16)));
          }};
}
}  // namespace

std::vector<OpRow> heddle::elementwiseRows() {
  const Range any{-4, 4}, positive{0.25, 4}, grid{-8, 8, 0.25};
  return {
      binary("add", any, any, exact(), true),
      binary("sub", any, any, exact(), true),
      binary("mul", any, any, exact(), true),
      binary("div", any, positive, exact(), false),
      // On a grid of quarters a quotient is a whole number or at least 1/32 away from one: floor is then exact.
      binary("floordiv", grid, grid, exact(), true, false),
      mod(),
      binary("pow", positive, any, relative(2 * 3.6), false),
      binary("min", any, any, exact(), true),
      binary("max", any, any, exact(), true),
      ofNumber("neg", true),
      ofNumber("abs", true),
      function("floor", -4, 4, -1e9, 1e9, exact(), false),
      function("exp", -2, 2, -86, 88, relative(2 * 1.0)),
      function("expm1", -2, 2, -20, 20, relative(2 * 1.5)),
      function("log", 0.1, 4, 1e-30, 1e30, relative(2 * 0.9)),
      function("log1p", -0.9, 4, -1e-3, 1e-3, relative(2 * 1.5)),
      function("sqrt", 0.1, 4, 0, 1e30, exact()),
      function("rsqrt", 0.1, 4, 1e-30, 1e30, relative(2.01)),
      function("sin", -4, 4, -1e4, 1e4, trigonometric()),
      function("cos", -4, 4, -1e4, 1e4, trigonometric()),
      function("tanh", -2, 2, -12, 12, relative(2 * 1.4)),
      function("sigmoid", -4, 4, -87, 100, relative(4)),  // e^-x within 2, the sum and the quotient 1 each
      function("erf", -2, 2, -6, 6, relative(2 * 1.2)),
      logical("not", false),
      logical("and", true),
      logical("or", true),
      {"broadcast", true,
       [](Shape s, std::vector<Case> &out) {
         out.push_back(opCase(label("broadcast row", s), "broadcast %a0", {{"f" + columns(s), -4, 4}}, "f" + both(s), exact()));
         out.push_back(opCase(label("broadcast column", s), "broadcast %a0", {{"f" + rows(s), -4, 4}}, "f" + both(s), exact()));
         out.push_back(opCase(label("broadcast scalar", s), "broadcast %a0", {{"f[]", -4, 4}}, "f" + both(s), exact()));
         out.push_back(opCase(label("broadcast i", s), "broadcast %a0", {{"i" + rows(s), -9, 9}}, "i" + both(s), exact()));
         out.push_back(opCase(label("broadcast b", s), "broadcast %a0", {{"b" + columns(s), 0, 1}}, "b" + both(s), exact()));
       }},
      function("stop_grad", -4, 4, -3e38, 3e38, exact(), false),
      {"compare", false,
       [](Shape s, std::vector<Case> &out) {
         for (std::string predicate : {"eq", "ne", "lt", "le", "gt", "ge"}) {
           std::string op = "compare \"" + predicate + "\" %a0, %a1", name = "compare " + predicate;
           out.push_back(opCase(label(name, s), op, {{"f" + both(s), -1, 1, 0.5}, {second("f", s), -1, 1, 0.5}},
                                "b" + both(s), exact()));
           if (s.b == 16) out.push_back(withSpecials(out.back()));
           out.push_back(opCase(label(name + " i", s), op, {{"i" + both(s), -2, 2}, {second("i", s), -2, 2}},
                                "b" + both(s), exact()));
           if (predicate == "eq" || predicate == "ne")
             out.push_back(opCase(label(name + " b", s), op, {{"b" + both(s), 0, 1}, {second("b", s), 0, 1}},
                                  "b" + both(s), exact()));
         }
       }},
      {"select", true,
       [](Shape s, std::vector<Case> &out) {
         for (std::string element : {"f", "i", "b"})
           out.push_back(opCase(label("select " + element, s), "select %a0, %a1, %a2",
                                {{second("b", s), 0, 1},
                                 {element + both(s), 0, element == "b" ? 1.0 : 9.0},
                                 {second(element, s), 0, element == "b" ? 1.0 : 9.0}},
                                element + both(s), exact()));
         Case special = withSpecials(out[out.size() - 3]);
         out.push_back(special);
       }},
      {"cast", true,
       [](Shape s, std::vector<Case> &out) {
         out.push_back(opCase(label("cast f i", s), "cast %a0", {{"f" + both(s), -9, 9}}, "i" + both(s), exact()));
         if (s.b == 16) out.push_back(withSpecials(out.back()));
         // Two of these values are the limits of an int; the others saturate.
         out.push_back(opCase(label("cast f i limits", s), "cast %a0", {{"f" + both(s), -0x1p32, 0x1p32, 0x1p31}},
                              "i" + both(s), exact()));
         out.push_back(opCase(label("cast f f", s), "cast %a0", {{"f" + both(s), -9, 9}}, "f" + turned(s), exact()));
         out.push_back(opCase(label("cast i f", s), "cast %a0", {{"i" + both(s), -2147483648.0, 2147483647}},
                              "f" + both(s), exact()));
         out.push_back(opCase(label("cast b f", s), "cast %a0", {{"b" + both(s), 0, 1}}, "f" + both(s), exact()));
         out.push_back(opCase(label("cast b i", s), "cast %a0", {{"b" + both(s), 0, 1}}, "i" + turned(s), exact()));
       }},
  };
}
