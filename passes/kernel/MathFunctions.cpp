// See MathFunctions.h for bounds and method. Each function says what it computes where, then how the ends behave.
#include "passes/kernel/MathFunctions.h"
#include <limits>

namespace heddle::lanes {

static constexpr float kInfinity = std::numeric_limits<float>::infinity();
static constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
static constexpr float kLeast = std::numeric_limits<float>::min();  // normal
static constexpr float kLog2E = 1.44269504f;
// ln 2 in two parts; the first has 9 bits, so that its product with an exponent is exact.
static constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
// x + 1.5 * 2^23 has the nearest whole number of x in its low bits (|x| < 2^22), and no conversion can go out of range.
static constexpr float kRound = 12582912.0f;

namespace {
struct Rounded {
  F whole;  // as a float
  I bits;   // as an integer
};
}  // namespace

static Rounded roundToWhole(F shifted) {
  return {shifted - kRound, bitsOf(shifted) - std::bit_cast<int32_t>(kRound)};
}

// 2^n by its exponent bits, n in [-126, 127].
static F powerOfTwo(I n) { return floatOf((n + 127) << 23); }

// x * 2^n for n in [-252, 254], overflowing and flushing only where the result does.
static F scale(F x, I n) {
  I half = n >> 1;
  return x * powerOfTwo(half) * powerOfTwo(n - half);
}

// e^r - 1 for |r| <= 0.35, within 2^-29.5: r + r^2 P(r).
static F expm1Reduced(F r) {
  F p = polynomial(r, {5.000000000e-01f, 1.666666567e-01f, 4.166628048e-02f, 8.333525620e-03f, 1.394571038e-03f,
                       1.977911597e-04f});
  return fma(r * r, p, r);
}

// x = n ln 2 + r.
static Rounded reduceByLn2(F x, F &r) {
  Rounded n = roundToWhole(fma(x, kLog2E, like(x, kRound)));
  r = fma(n.whole, -kLn2High, x);
  r = fma(n.whole, -kLn2Low, r);
  return n;
}

// e^r with n added to its exponent, which is exact wherever e^x is normal; else inf or 0, and NaN by x - x, since the bits
// of a NaN and its n may add up to anything.
F exp(F x) {
  F r = x;
  Rounded n = reduceByLn2(x, r);
  F result = floatOf(bitsOf(expm1Reduced(r) + 1.0f) + (n.bits << 23)) + (x - x);
  constexpr float kMost = 0x1.62e42ep6f, kLowest = -0x1.5d589ep6f;  // whose powers are normal
  return select(x > kMost, kInfinity, select(x < kLowest, 0.0f, result));
}

// 2^n (e^r - 1 + (1 - 2^-n)): exact where 2^n - 1 is, and e^r - 1 itself for n = 0.
F expm1(F x) {
  F r = x;
  Rounded n = reduceByLn2(atLeast(atMost(x, 89.0f), -80.0f), r);
  F inverse = powerOfTwo(integer(*x.at, 0) - select(atMost(n.whole, 100.0f) == n.whole, n.bits, integer(*x.at, 100)));
  F result = scale(expm1Reduced(r) + (number(*x.at, 1.0f) - inverse), n.bits);
  return select(abs(x) < 0x1p-25f, x, result);
}

// x = 2^e (1 + f), 1 + f in [sqrt(1/2), sqrt(2)), for normal x > 0.
static F splitExponent(F x, F &f) {
  constexpr int32_t kSqrtHalf = 0x3f3504f3;
  I bits = bitsOf(x);
  I e = (bits - kSqrtHalf) >> 23;
  f = floatOf(bits - (e << 23)) - 1.0f;
  return toFloat(e);
}

// f - f^2/2 + f^3 Q(f) + e ln 2 for normal, finite x > 0.
static F logNormal(F x) {
  F f = x;
  F e = splitExponent(x, f);
  F square = f * f;
  F q = polynomial(f, {3.333331347e-01f, -2.500000894e-01f, 2.000211924e-01f, -1.666800082e-01f, 1.421955824e-01f,
                       -1.240548939e-01f, 1.188800782e-01f, -1.167618781e-01f, 6.747651845e-02f});
  F tail = fma(e, kLn2Low, square * f * q);
  tail = fma(square, -0.5f, tail);
  return fma(e, kLn2High, f + tail);
}

// -inf at 0, NaN below, x at inf and NaN.
static F logEnds(F x, F inside) {
  F below = select(x > -kLeast, -kInfinity, like(x, kNan));
  F finite = select(x >= kLeast, inside, below);
  return select(x == kInfinity, x, finite);
}

F log(F x) { return logEnds(x, logNormal(x)); }

// log(u) + (x - (u - 1)) / u with u = 1 + x rounded.
F log1p(F x) {
  F u = x + 1.0f;
  F inside = logNormal(u) + (x - (u - 1.0f)) / u;
  return select(u == 1.0f, x, logEnds(u, inside));
}

// x = n pi/2 + r, |r| <= pi/4. Parts of pi/2 of 8 and 11 bits have exact products with n < 2^13.
static I reduceByHalfPi(F x, F &r) {
  Rounded n = roundToWhole(fma(x, 0.636619747f, like(x, kRound)));
  r = fma(n.whole, -1.5703125f, x);
  r = fma(n.whole, -4.8375129699707e-4f, r);
  r = fma(n.whole, -7.54953362047672e-8f, r);
  r = fma(n.whole, -2.563344e-12f, r);
  r = atLeast(atMost(r, 0.79f), -0.79f);  // holds for |x| < 2^18 by itself
  return n.bits;
}

// sin(r) for even quadrants and cos(r) for odd ones, negated in the upper two.
static F sinOfQuadrant(F r, I quadrant) {
  F z = r * r;
  F sine = fma(r * z, polynomial(z, {-1.666666716e-01f, 8.333329111e-03f, -1.983923430e-04f, 2.717239113e-06f}), r);
  F cosine = fma(z * z, polynomial(z, {4.166664556e-02f, -1.388730714e-03f, 2.443127232e-05f}),
                 fma(z, -0.5f, like(z, 1.0f)));
  F value = select((quadrant & 1) == 0, sine, cosine);
  return floatOf(bitsOf(value) ^ ((quadrant & 2) << 30));
}

F sin(F x) {
  F r = x;
  I quadrant = reduceByHalfPi(x, r);
  return select(abs(x) < 0x1p-13f, x, sinOfQuadrant(r, quadrant));
}

F cos(F x) {
  F r = x;
  I quadrant = reduceByHalfPi(x, r);
  return sinOfQuadrant(r, quadrant + 1);
}

// x + x^3 T(x^2) below 0.625, else 1 - 2 / (e^2x + 1), which is 1 from 9.02 on.
F tanh(F x) {
  F a = abs(x);
  F z = a * a;
  F near = fma(a * z,
               polynomial(z, {-3.333333135e-01f, 1.333321035e-01f, -5.394719914e-02f, 2.170296200e-02f,
                              -8.182689548e-03f, 2.147557680e-03f}),
               a);
  F r = x;
  Rounded n = reduceByLn2(atMost(a, 9.1f) * 2.0f, r);
  F power = (expm1Reduced(r) + 1.0f) * powerOfTwo(n.bits);
  F far = number(*x.at, 1.0f) - number(*x.at, 2.0f) / (power + 1.0f);
  return copySign(select(a < 0.625f, near, far), x);
}

// x + x E(x^2) below 1, else 1 - e^-G(x), which is 1 from 3.92 on.
F erf(F x) {
  F a = abs(x);
  F near = fma(a,
               polynomial(a * a, {1.283791661e-01f, -3.761262596e-01f, 1.128360033e-01f, -2.685445361e-02f,
                                  5.189551041e-03f, -8.020967362e-04f, 7.889502740e-05f}),
               a);
  F g = polynomial(atMost(a, 4.0f), {3.425223404e-04f, 1.127084970e+00f, 6.381520629e-01f, 1.031002551e-01f,
                                     -2.183487266e-02f, 2.946844324e-03f, -1.862949721e-04f});
  F r = x;
  Rounded n = reduceByLn2(number(*x.at, 0.0f) - g, r);
  F far = number(*x.at, 1.0f) - (expm1Reduced(r) + 1.0f) * powerOfTwo(n.bits);
  return copySign(select(a < 1.0f, near, far), x);
}

//===------------------------------------------------------------------------------------------------- pow
namespace {
// The unevaluated sum of two floats: twice the digits.
struct Pair {
  F high, low;
};
}  // namespace

// The exact sum (Knuth 1969).
static Pair sum(F x, F y) {
  F s = x + y, t = s - x;
  return {s, (x - (s - t)) + (y - t)};
}
// The exact product by halves of 12 bits: the same bits with and without fma.
static Pair product(F x, F y) {
  F xh = floatOf(bitsOf(x) & static_cast<int32_t>(0xFFFFF000)), yh = floatOf(bitsOf(y) & static_cast<int32_t>(0xFFFFF000));
  F xl = x - xh, yl = y - yh, p = x * y;
  return {p, ((xh * yh - p) + xh * yl + xl * yh) + xl * yl};
}

// log2 of a normal x > 0: e + (2 / ln 2) atanh(s), s = f / (2 + f), within 2^-30 of itself.
static Pair log2Pair(F x) {
  F f = x;
  F e = splitExponent(x, f);
  F m = f + 1.0f;
  Pair d = sum(m, like(m, 1.0f));
  F s = f / d.high;
  Pair back = product(s, d.high);
  F sLow = (((f - back.high) - back.low) - s * d.low) / d.high;
  F z = s * s;
  F tail = s * (z * polynomial(z, {3.333333135e-01f, 2.000017613e-01f, 1.426810622e-01f, 1.180145741e-01f}));
  F high = s + tail;
  F low = ((s - high) + tail) + sLow;
  constexpr float kHigh = 2.88539004f, kLow = 3.85192596e-8f;  // 2 / ln 2
  Pair g = product(high, like(high, kHigh));
  F gLow = g.low + (high * kLow + low * kHigh);
  Pair all = sum(e, g.high);
  F rest = all.low + gLow;
  F top = all.high + rest;
  return {top, (all.high - top) + rest};
}

// 2^(y log2 |x|), the sign by whether y is odd. As in C: x^0 = 1 and 1^y = 1 for all x and y, NaN for x < 0 unless y is
// whole.
F pow(F x, F y) {
  F a = abs(x);
  Pair l = log2Pair(a);
  Pair p = product(l.high, y);
  F low = select(abs(p.high) < 256.0f, p.low + l.low * y, 0.0f);
  F high = atLeast(atMost(p.high, 160.0f), -160.0f);
  Rounded n = roundToWhole(high + kRound);
  F r = ((high - n.whole) + low) * 0.693147182f;
  F result = scale(expm1Reduced(r) + 1.0f, n.bits);

  M falling = y < 0.0f;
  F zero = number(*x.at, 0.0f), infinity = number(*x.at, kInfinity);
  result = select(a == 1.0f, 1.0f, result);
  result = select(a < kLeast, select(falling, infinity, zero), result);
  result = select(a == kInfinity, select(falling, zero, infinity), result);
  F half = y * 0.5f;
  M whole = floor(y) == y, even = floor(half) == half;
  I sign = bitsOf(x) & std::numeric_limits<int32_t>::min();
  sign = select(even, integer(*x.at, 0), select(whole, sign, integer(*x.at, 0)));
  result = floatOf(bitsOf(result) ^ sign);
  F ofNegative = select(whole, result, select(a == kInfinity, result, kNan));
  result = select(x < 0.0f, ofNegative, result);
  result = select(x == x, select(y == y, result, y), x);
  result = select(y == 0.0f, 1.0f, result);
  return select(x == 1.0f, 1.0f, result);
}

}  // namespace heddle::lanes
