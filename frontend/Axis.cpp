// The algebra of sizes. Coefficients that leave 64 bits make the result a symbol: then nothing is provable, which is
// safe. So does a formula that grows too large: a few lines can double one thirty times. See Axis.h.
#include "frontend/Axis.h"

#include <cstdlib>
#include <fmt/format.h>
#include <numeric>

namespace heddle {

Formula Formula::symbol(std::string name) {
  Formula f;
  f.terms[{{std::move(name), 1}}] = {1, 1};
  return f;
}
Formula Formula::number(int64_t value) {
  Formula f;
  if (value)
    f.terms[{}] = {value, 1};
  return f;
}

// Adds a term; false if a coefficient overflows.
bool Formula::add(const Monomial &monomial, Rational c) {
  Rational &sum = terms[monomial];
  int64_t left, right, num, den;
  if (__builtin_mul_overflow(sum.num, c.den, &left) || __builtin_mul_overflow(c.num, sum.den, &right) ||
      __builtin_add_overflow(left, right, &num) || __builtin_mul_overflow(sum.den, c.den, &den) ||
      num == INT64_MIN || den == INT64_MIN) // neither has a negative
    return false;
  if (num == 0) {
    terms.erase(monomial);
    return true;
  }
  int64_t divisor = std::gcd(num, den);
  sum = {num / divisor, den / divisor};
  if (sum.den < 0)
    sum = {-sum.num, -sum.den};
  return true;
}

constexpr size_t mostFactors = 256; // of all terms together: far beyond any model's sizes
constexpr int mostExponent = 1 << 16;
constexpr size_t longestKey = 4096;

Formula Formula::unprovable() {
  static uint64_t count = 0;
  return symbol(fmt::format("size@{}", ++count));
}

Formula Formula::bounded() const {
  size_t factors = 0;
  for (auto &[monomial, c] : terms) {
    factors += 1 + monomial.size();
    for (auto &[name, exponent] : monomial)
      if (std::abs(exponent) > mostExponent)
        return unprovable();
  }
  return factors > mostFactors ? unprovable() : *this;
}

Formula operator+(const Formula &a, const Formula &b) {
  Formula result = a;
  for (auto &[monomial, c] : b.terms)
    if (!result.add(monomial, c))
      return Formula::opaque(a, "+", b);
  return result.bounded();
}
Formula operator-(const Formula &a, const Formula &b) {
  Formula result = a;
  for (auto &[monomial, c] : b.terms)
    if (c.num == INT64_MIN || !result.add(monomial, {-c.num, c.den}))
      return Formula::opaque(a, "-", b);
  return result.bounded();
}
Formula operator*(const Formula &a, const Formula &b) {
  if (a.terms.size() * b.terms.size() > mostFactors)
    return Formula::unprovable();
  Formula result;
  for (auto &[ma, ca] : a.terms)
    for (auto &[mb, cb] : b.terms) {
      Formula::Monomial product = ma;
      for (auto &[name, exponent] : mb)
        if ((product[name] += exponent) == 0)
          product.erase(name);
      Formula::Rational c;
      if (__builtin_mul_overflow(ca.num, cb.num, &c.num) || __builtin_mul_overflow(ca.den, cb.den, &c.den) ||
          !result.add(product, c))
        return Formula::opaque(a, "*", b);
    }
  return result.bounded();
}
Formula operator/(const Formula &a, const Formula &b) {
  if (b.terms.size() != 1)
    return Formula::opaque(a, "/", b);
  auto &[monomial, c] = *b.terms.begin();
  Formula inverse;
  Formula::Monomial m;
  for (auto &[name, exponent] : monomial)
    m[name] = -exponent;
  inverse.terms[m] = c.num < 0 ? Formula::Rational{-c.den, -c.num} : Formula::Rational{c.den, c.num};
  return a * inverse;
}
Formula Formula::opaque(const Formula &a, const char *op, const Formula &b) {
  std::string left = a.key(), right = b.key();
  return left.size() + right.size() > longestKey ? unprovable() : symbol(fmt::format("({} {} {})", left, op, right));
}

std::string Formula::key() const {
  std::string text;
  for (auto &[monomial, c] : terms) {
    text += fmt::format("{}{}/{}", text.empty() ? "" : "+", c.num, c.den);
    for (auto &[name, exponent] : monomial)
      text += fmt::format("*{}^{}", name, exponent);
  }
  return text.empty() ? "0" : text;
}

} // namespace heddle
