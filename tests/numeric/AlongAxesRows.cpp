// Rows of contraction, reductions, softmax, norms and the loss. Operands lie in [-4, 4] unless a row says otherwise; n
// is the length of the axis.
#include "tests/numeric/Graph.h"
#include "tests/numeric/OpTable.h"
#include <cmath>

using namespace heddle;

namespace {
// What the polynomials of exp and log may err by, in u: the bounds of their own rows.
constexpr double kExp = 2 * 1.0, kLog = 2 * 0.9;

std::string label(const std::string &op, Shape s) {
  return op + "[" + std::to_string(s.a) + "x" + std::to_string(s.b) + "]";
}
std::string size(const char *name, int64_t value) { return std::string(name) + "=" + std::to_string(value); }
std::string type(const std::vector<std::string> &dims, const char *element = "f") {
  std::string text = std::string(element) + "[";
  for (const std::string &dim : dims) text += (text.back() == '[' ? "" : ", ") + dim;
  return text + "]";
}

// A sum of n products in any order, fused or not, errs by at most n u/(1 - n u) times the sum of their absolute values.
double sumUnits(double n) { return n / (1 - n * kUnit); }

// z + (x @ y + bias): once add-onto has run, a product that adds bias and z.
Case addedSum(const std::string &name, std::vector<std::string> dimsX, std::vector<std::string> dimsY,
                std::vector<std::string> dims, double terms) {
  std::string x = type(dimsX), y = type(dimsY), z = type(dims), bias = type({dims.back()});
  Case made{name, "", {}, magnitude(sumUnits(terms + 2))};
  made.text = "func.func @f(%x: !" + x + ", %y: !" + y + ", %bias: !" + bias + ", %z: !" + z + ") -> !" + z + " {\n" +
              "  %p = heddle.contract %x, %y over [\"B\"] : (!" + x + ", !" + y + ") -> !" + z + "\n" +
              "  %q = heddle.add %p, %bias : (!" + z + ", !" + bias + ") -> !" + z + "\n" +
              "  %r = heddle.add %z, %q : (!" + z + ", !" + z + ") -> !" + z + "\n  return %r : !" + z + "\n}\n";
  for (const std::string &argument : {x, y, bias, z}) made.inputs.push_back(randomArray({argument, -4, 4}, name + std::to_string(made.inputs.size())));
  return made;
}

void contractions(Shape s, std::vector<Case> &out) {
  std::string a = size("A", s.a), b = size("B", s.b), c = size("C", s.a + 2), n = size("N", 3);
  auto add = [&](const std::string &name, const std::string &over, std::string x, std::string y, std::string result,
                 double terms) {
    out.push_back(opCase(label("contract " + name, s), "contract %a0, %a1 over [" + over + "]", {{x, -4, 4}, {y, -4, 4}},
                         result, magnitude(sumUnits(terms))));
  };
  add("rows by columns", "\"B\"", type({a, b}), type({b, c}), type({a, c}), s.b);
  add("both transposed", "\"B\"", type({b, a}), type({c, b}), type({c, a}), s.b);
  add("batched", "\"B\"", type({n, a, b}), type({n, c, b}), type({n, a, c}), s.b);
  add("batch inside", "\"B\"", type({a, n, b}), type({b, n, c}), type({a, n, c}), s.b);
  add("two axes", "\"A\", \"B\"", type({n, a, b}), type({a, b, c}), type({n, c}), s.a * s.b);
  add("vector", "\"B\"", type({a, b}), type({b}), type({a}), s.b);
  add("to a scalar", "\"A\", \"B\"", type({a, b}), type({b, a}), type({}), s.a * s.b);
  add("shared sum", "\"B\"", type({a, b}), type({a, b}), type({a}), s.b);
  out.push_back(addedSum(label("contract onto", s), {a, b}, {b, c}, {a, c}, s.b));
  out.push_back(addedSum(label("contract onto, batched", s), {n, a, b}, {n, c, b}, {n, a, c}, s.b));
  if (s.b != 16) return;
  // Sizes beyond register tiles, panels and blocks, and just beside them.
  for (auto [m, k, w] : {std::array{33, 65, 49}, std::array{130, 257, 97}, std::array{8, 600, 200}, std::array{5, 769, 50},
                         std::array{3, 1600, 17}, std::array{523, 21, 19}}) {
    std::string A = size("A", m), B = size("B", k), C = size("C", w), name = "contract " + A + " " + B + " " + C;
    out.push_back(opCase(name, "contract %a0, %a1 over [\"B\"]", {{type({A, B}), -4, 4}, {type({B, C}), -4, 4}},
                         type({A, C}), magnitude(sumUnits(k))));
    out.back().derivable = false;
    out.push_back(opCase(name + " turned", "contract %a0, %a1 over [\"B\"]",
                         {{type({B, A}), -4, 4}, {type({C, B}), -4, 4}}, type({A, C}), magnitude(sumUnits(k))));
    out.back().derivable = false;
    out.push_back(addedSum(name + " onto", {A, B}, {B, C}, {A, C}, k));
    out.back().derivable = false;
  }
}

void reductions(Shape s, std::vector<Case> &out) {
  std::string a = size("A", s.a), b = size("B", s.b);
  for (std::string kind : {"sum", "max", "min"}) {
    bool sum = kind == "sum";
    auto add = [&](const std::string &name, const std::string &over, const std::string &result, double n) {
      out.push_back(opCase(label("reduce " + kind + name, s), "reduce \"" + kind + "\" %a0 over [" + over + "]",
                           {{type({a, b}), -4, 4}}, result, sum ? magnitude(sumUnits(n)) : exact()));
      out.push_back(opCase(label("reduce " + kind + name + " i", s), "reduce \"" + kind + "\" %a0 over [" + over + "]",
                           {{type({a, b}, "i"), -2147483648.0, 2147483647}}, "i" + result.substr(1), exact()));
    };
    add(" rows", "\"B\"", type({a}), s.b);
    add(" columns", "\"A\"", type({b}), s.a);
    add(" all", "\"A\", \"B\"", type({}), s.a * s.b);
  }
}

// max is exact. x - max errs by u|x - max| <= 8u, which exp turns into a relative error; exp adds its own; the sum of n
// positive terms n more; the division one.
Bound softmaxBound(double n) { return relative((8 + kExp) * 2 + n + 1); }
// The logarithm of a sum that errs relatively by e errs absolutely by e; subtracting from |x - max| <= 8 rounds twice.
Bound logSoftmaxBound(double n) {
  double log = 8 + kExp + n + kLog * std::log(n + 1);
  return absolute(log + 2 * (8 + std::log(n) + 1));
}

// (x - mean) / sqrt(variance + eps). The mean of n numbers up to M errs by d = (n + 2) u M, and each deviation by d and its
// rounding; the variance of the row, sum of squares over n, relatively by (n + 2) u + 2 d/s + (d/s)^2 where s is its root
// with eps (halved by the root); two more operations follow.
Bound layerNormBound(double eps) {
  return [=](const Case &tested, const std::string &, const Array &expected) {
    const Array &x = tested.inputs[0];
    Tensor rows = x.type.without({x.type.getNames()[1]}), line = onlyDims(x.type, {x.type.getNames()[1]});
    std::vector<double> errors(expected.elements.size());
    std::vector<int64_t> from = offsetsIn(x.type, rows), along = offsetsIn(x.type, line);
    std::vector<int64_t> to = offsetsIn(expected.type, rows), landing = offsetsIn(expected.type, line);
    double n = along.size();
    for (size_t r = 0; r < from.size(); ++r) {
      double mean = 0, variance = 0, largest = 0;
      for (int64_t j : along) mean += x.elements[from[r] + j] / n, largest = std::fmax(largest, std::fabs(x.elements[from[r] + j]));
      for (int64_t j : along) variance += std::pow(x.elements[from[r] + j] - mean, 2) / n;
      double scale = std::sqrt(variance + eps), shift = (n + 2) * kUnit * largest / scale;
      for (int64_t j : landing) {
        double y = std::fabs(expected.elements[to[r] + j]);
        errors[to[r] + j] = shift + kUnit * y + y * ((n + 4) * kUnit / 2 + shift + shift * shift) + 3 * kUnit * y;
      }
    }
    return errors;
  };
}

OpRow alongAxis(const std::string &op, const std::string &suffix, Bound (*bound)(double)) {
  return {op, true, [=](Shape s, std::vector<Case> &out) {
            std::string x = type({size("A", s.a), size("B", s.b)}), turned = type({size("B", s.b), size("A", s.a)});
            out.push_back(opCase(label(op, s), op + " %a0 over \"B\"" + suffix, {{x, -4, 4}}, x, bound(s.b)));
            out.push_back(opCase(label(op + " turned", s), op + " %a0 over \"B\"" + suffix, {{x, -4, 4}}, turned, bound(s.b)));
            out.push_back(opCase(label(op + " of columns", s), op + " %a0 over \"B\"" + suffix, {{turned, -4, 4}}, turned, bound(s.b)));
            if (op != "softmax" && op != "log_softmax") return;
            // Masked elements, and rows that are masked as a whole.
            Case masked = opCase(label(op + " masked", s), op + " %a0 over \"B\"", {{x, -4, 4}}, x, bound(s.b));
            for (size_t i = 0; i < masked.inputs[0].elements.size(); ++i)
              if (i % 3 == 1 || static_cast<int64_t>(i) / s.b % 2 == 1) masked.inputs[0].elements[i] = -INFINITY;
            masked.derivable = false;
            out.push_back(masked);
          }};
}
}  // namespace

std::vector<OpRow> heddle::alongAxesRows() {
  return {
      {"contract", true, contractions},
      {"reduce", true, reductions},
      {"argmax", false,
       [](Shape s, std::vector<Case> &out) {
         std::string x = type({size("A", s.a), size("B", s.b)}), result = type({size("A", s.a)}, "i");
         out.push_back(opCase(label("argmax", s), "argmax %a0 over \"B\"", {{x, -4, 4}}, result, exact()));
         out.push_back(opCase(label("argmax of equals", s), "argmax %a0 over \"B\"", {{x, -1, 1, 1}}, result, exact()));
         out.push_back(opCase(label("argmax i", s), "argmax %a0 over \"B\"", {{"i" + x.substr(1), -3, 3}}, result, exact()));
         out.push_back(opCase(label("argmax of columns", s), "argmax %a0 over \"A\"", {{x, -4, 4}},
                              type({size("B", s.b)}, "i"), exact()));
       }},
      alongAxis("softmax", "", softmaxBound),
      alongAxis("log_softmax", "", logSoftmaxBound),
      // Of a row of equal numbers the deviations are rounding errors over the root of eps: hence a large eps.
      alongAxis("layer_norm", " eps 0.01", [](double) { return layerNormBound(0.01); }),
      // The mean square is a sum of positive terms: (n + 1) u, halved by the root; root, division, product.
      alongAxis("rms_norm", " eps 0.01", [](double n) { return relative((n + 2) / 2 + 3); }),
      {"cross_entropy", true,
       [](Shape s, std::vector<Case> &out) {
         std::string a = size("A", s.a), b = size("B", s.b), n = size("N", 2);
         Argument ids{type({a}, "i"), 0, double(s.b - 1)};
         out.push_back(opCase(label("cross_entropy", s), "cross_entropy %a0, %a1 over \"B\"", {{type({a, b}), -4, 4}, ids},
                              type({a}), logSoftmaxBound(s.b)));
         out.push_back(opCase(label("cross_entropy of columns", s), "cross_entropy %a0, %a1 over \"B\"",
                              {{type({b, n, a}), -4, 4}, ids}, type({a, n}), logSoftmaxBound(s.b)));
       }},
  };
}
