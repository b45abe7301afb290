// Rows of repeat: carried, stacked, captured and collected values, both directions, nested.
#include "tests/numeric/OpTable.h"

using namespace heddle;

namespace {
std::string replaceAll(std::string text, const std::string &from, const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}
std::string label(const std::string &op, Shape s) {
  return op + "[" + std::to_string(s.a) + "x" + std::to_string(s.b) + "]";
}

// x <- x * w[h] + c * h; collects the products. c is captured.
const char *kLoop = R"(
func.func @f(%x: !f[A=$a, B=$b], %w: !f[L=3, B=$b], %c: !f[A=$a]) -> (!f[A=$a, B=$b], !f[L=3, A=$a, B=$b]) {
  %r:2 = heddle.repeat "h" over "L" = 3 $direction carry(%x) stack(%w) : (!f[A=$a, B=$b], !f[L=3, B=$b]) -> (!f[A=$a, B=$b], !f[L=3, A=$a, B=$b]) {
  ^bb0(%h: !i[], %y: !f[A=$a, B=$b], %v: !f[B=$b]):
    %p = heddle.mul %y, %v : (!f[A=$a, B=$b], !f[B=$b]) -> !f[A=$a, B=$b]
    %i = heddle.cast %h : (!i[]) -> !f[]
    %s = heddle.mul %c, %i : (!f[A=$a], !f[]) -> !f[A=$a]
    %n = heddle.add %p, %s : (!f[A=$a, B=$b], !f[A=$a]) -> !f[A=$a, B=$b]
    heddle.yield %n, %p : !f[A=$a, B=$b], !f[A=$a, B=$b]
  }
  return %r#0, %r#1 : !f[A=$a, B=$b], !f[L=3, A=$a, B=$b]
}
)";

// p <- p + q, q <- q * s, s <- s * x: z reaches the result through two carried values, and x is captured, carried and
// used behind the loop.
const char *kChain = R"(
func.func @f(%x: !f[A=$a, B=$b], %y: !f[A=$a, B=$b], %z: !f[A=$a, B=$b]) -> !f[A=$a, B=$b] {
  %r:3 = heddle.repeat "h" over "L" = 4 $direction carry(%x, %y, %z) stack() : (!f[A=$a, B=$b], !f[A=$a, B=$b], !f[A=$a, B=$b]) -> (!f[A=$a, B=$b], !f[A=$a, B=$b], !f[A=$a, B=$b]) {
  ^bb0(%h: !i[], %p: !f[A=$a, B=$b], %q: !f[A=$a, B=$b], %s: !f[A=$a, B=$b]):
    %n = heddle.add %p, %q : (!f[A=$a, B=$b], !f[A=$a, B=$b]) -> !f[A=$a, B=$b]
    %m = heddle.mul %q, %s : (!f[A=$a, B=$b], !f[A=$a, B=$b]) -> !f[A=$a, B=$b]
    %t = heddle.mul %s, %x : (!f[A=$a, B=$b], !f[A=$a, B=$b]) -> !f[A=$a, B=$b]
    heddle.yield %n, %m, %t : !f[A=$a, B=$b], !f[A=$a, B=$b], !f[A=$a, B=$b]
  }
  %u = heddle.add %r#0, %x : (!f[A=$a, B=$b], !f[A=$a, B=$b]) -> !f[A=$a, B=$b]
  return %u : !f[A=$a, B=$b]
}
)";

// A loop over matrices in a loop: x <- x @ w[h, g] renamed back, with a weight of its own captured by both.
const char *kNested = R"(
func.func @f(%x: !f[A=$a, B=$b], %w: !f[L=2, M=2, B=$b, C=$b], %c: !f[B=$b]) -> !f[A=$a, B=$b] {
  %r = heddle.repeat "h" over "L" = 2 carry(%x) stack(%w) : (!f[A=$a, B=$b], !f[L=2, M=2, B=$b, C=$b]) -> !f[A=$a, B=$b] {
  ^bb0(%h: !i[], %y: !f[A=$a, B=$b], %v: !f[M=2, B=$b, C=$b]):
    %q = heddle.mul %y, %c : (!f[A=$a, B=$b], !f[B=$b]) -> !f[A=$a, B=$b]
    %s = heddle.repeat "g" over "M" = 2 $direction carry(%q) stack(%v) : (!f[A=$a, B=$b], !f[M=2, B=$b, C=$b]) -> !f[A=$a, B=$b] {
    ^bb0(%g: !i[], %z: !f[A=$a, B=$b], %u: !f[B=$b, C=$b]):
      %m = heddle.contract %z, %u over ["B"] : (!f[A=$a, B=$b], !f[B=$b, C=$b]) -> !f[A=$a, C=$b]
      %n = heddle.rename %m["C" -> "B"] : (!f[A=$a, C=$b]) -> !f[A=$a, B=$b]
      %o = heddle.mul %n, %c : (!f[A=$a, B=$b], !f[B=$b]) -> !f[A=$a, B=$b]
      heddle.yield %o : !f[A=$a, B=$b]
    }
    heddle.yield %s : !f[A=$a, B=$b]
  }
  return %r : !f[A=$a, B=$b]
}
)";

Case loop(const char *text, const std::string &name, Shape s, const std::string &direction,
          std::vector<Argument> arguments, double units) {
  std::string a = std::to_string(s.a), b = std::to_string(s.b);
  auto fill = [&](std::string in) {
    return replaceAll(replaceAll(replaceAll(in, "$direction", direction), "$a", a), "$b", b);
  };
  Case made{label(name, s), fill(text), {}, magnitude(units)};
  for (size_t i = 0; i < arguments.size(); ++i) {
    arguments[i].type = fill(arguments[i].type);
    made.inputs.push_back(randomArray(arguments[i], made.name + std::to_string(i)));
  }
  return made;
}
}  // namespace

std::vector<OpRow> heddle::structureRows() {
  return {{"repeat", true, [](Shape s, std::vector<Case> &out) {
             for (std::string direction : {"", "reverse"}) {
               // Each turn multiplies and adds once: at most three roundings on the way of any term.
               out.push_back(loop(kLoop, "repeat " + direction, s, direction,
                                  {{"f[A=$a, B=$b]", -1, 1}, {"f[L=3, B=$b]", -1, 1}, {"f[A=$a]", -1, 1}}, 3 * 3.0));
               // The longest term is q * s * (s * x) * (s * x * x): six roundings of products, five of sums.
               out.push_back(loop(kChain, "repeat chain " + direction, s, direction,
                                  {{"f[A=$a, B=$b]", -1, 1}, {"f[A=$a, B=$b]", -1, 1}, {"f[A=$a, B=$b]", -1, 1}}, 1.01 * 11));
               // Four products of matrices (b roundings each) and six with the captured weight.
               out.push_back(loop(kNested, "repeat nested " + direction, s, direction,
                                  {{"f[A=$a, B=$b]", -1, 1}, {"f[L=2, M=2, B=$b, C=$b]", -1, 1}, {"f[B=$b]", -1, 1}},
                                  1.01 * (4.0 * s.b + 6)));
             }
           }}};
}
