// Axes and the algebra of their sizes.
//
// An axis is an identity: two axes of equal size are still two. Its size is a number, if known yet, and a formula in
// the symbols of the declared dims: a Laurent polynomial, in which `4 * D`, `D / H` and `GY * GX` have one form
// however they are written. "Provably equal" (a rename needs it) means: equal formulas. A dim declared with a plain
// number is a symbol of its own, so `dim A = 8, B = 8` are equal by chance only.
#pragma once
#include "frontend/Ast.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace heddle {

class Formula {
public:
  static Formula symbol(std::string name);
  static Formula number(int64_t value);

  friend Formula operator+(const Formula &a, const Formula &b);
  friend Formula operator-(const Formula &a, const Formula &b);
  friend Formula operator*(const Formula &a, const Formula &b);
  /// Exact division. A divisor of several terms makes the quotient a symbol of its own.
  friend Formula operator/(const Formula &a, const Formula &b);
  /// An operation without an algebra here (`//`, `%`): a symbol that equals only itself written the same way.
  static Formula opaque(const Formula &a, const char *op, const Formula &b);

  bool isNumber() const { return terms.empty() || (terms.size() == 1 && terms.begin()->first.empty()); }
  bool operator==(const Formula &) const = default;
  std::string key() const;

private:
  using Monomial = std::map<std::string, int>; // symbol -> exponent, never 0
  struct Rational {
    int64_t num = 0, den = 1;
    bool operator==(const Rational &) const = default;
  };
  bool add(const Monomial &monomial, Rational coefficient);
  /// Itself, or a symbol of its own if it has grown too large to be worth proving anything with.
  Formula bounded() const;
  static Formula unprovable();
  std::map<Monomial, Rational> terms; // never a coefficient of 0
};

struct Axis {
  std::string name; // as the source says it; `..` for what a module's rest takes
  std::string id;   // its name in the graph: unique among the axes that can meet
  std::optional<int64_t> size;
  Formula formula;
  Span declared;
  const ast::Module *owner = nullptr; // the generic module whose own it is
  const ast::DimDecl *decl = nullptr;
  bool ofFile = false;
  bool rest = false;
};

} // namespace heddle
