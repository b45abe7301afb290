// The algebra of sizes. Coefficients that leave 64 bits make the result a symbol: then nothing is provable, which is
// safe. See Axis.h.
#include "frontend/Axis.h"

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
      __builtin_add_overflow(left, right, &num) || __builtin_mul_overflow(sum.den, c.den, &den))
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

Formula operator+(const Formula &a, const Formula &b) {
  Formula result = a;
  for (auto &[monomial, c] : b.terms)
    if (!result.add(monomial, c))
      return Formula::opaque(a, "+", b);
  return result;
}
Formula operator-(const Formula &a, const Formula &b) {
  Formula result = a;
  for (auto &[monomial, c] : b.terms)
    if (c.num == INT64_MIN || !result.add(monomial, {-c.num, c.den}))
      return Formula::opaque(a, "-", b);
  return result;
}
Formula operator*(const Formula &a, const Formula &b) {
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
  return result;
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
  return symbol(fmt::format("({} {} {})", a.key(), op, b.key()));
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
