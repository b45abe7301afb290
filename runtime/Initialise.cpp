// See Initialise.h. Logarithm, sine and cosine are written out here: libm's differ in the last bit between CPUs (it picks
// FMA versions at run time) and between versions of libc, and initial values must be the same on any machine. Their
// series end where what is left is below 1e-12, since values are rounded to float.
//
// A large model has 10^8 values, so loops over them are vectorised, by the compiler and once for each kind of CPU. For
// that, a value has no branch, and nothing but operations that IEEE 754 defines to the last bit: in vectors they are the
// same.
#include "runtime/Initialise.h"

#include "runtime/Philox.h"
#include "runtime/TargetClass.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#define HEDDLE_INLINE inline __attribute__((always_inline))  // into functions for another kind of CPU

namespace heddle {
namespace {

constexpr int kTerms = 7;
HEDDLE_INLINE double series(const double (&coefficients)[kTerms], double z) {
  double sum = coefficients[kTerms - 1];
  for (int n = kTerms - 2; n >= 0; --n) sum = sum * z + coefficients[n];
  return sum;
}

// Natural logarithm of a normal x > 0. x = 2^k m with m in [sqrt(1/2), sqrt(2)); ln m = 2 atanh(s), s = (m-1)/(m+1),
// by its series: |s| <= 0.1716.
constexpr double kAtanh[kTerms] = {1, 1. / 3, 1. / 5, 1. / 7, 1. / 9, 1. / 11, 1. / 13};

HEDDLE_INLINE double naturalLog(double x) {
  uint64_t bits = std::bit_cast<uint64_t>(x);
  int k = int(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFFull) | 0x3FF0000000000000ull);
  bool large = m > 1.4142135623730951;
  m = large ? m * 0.5 : m;
  k = large ? k + 1 : k;
  double s = (m - 1) / (m + 1);
  return k * 0.6931471805599453 + 2 * s * series(kAtanh, s * s);
}

// Taylor's, in x^2: of cos x, and of sin x / x.
constexpr double kCosine[kTerms] = {1, -1. / 2, 1. / 24, -1. / 720, 1. / 40320, -1. / 3628800, 1. / 479001600};
constexpr double kSine[kTerms] = {1, -1. / 6, 1. / 120, -1. / 5040, 1. / 362880, -1. / 39916800, 1. / 6227020800};

struct Point {
  double x, y;
};
// On the unit circle at the angle 2 pi v, v in [0, 1): the nearest quarter turn is taken off exactly, then |x| <= pi/4.
HEDDLE_INLINE Point atTurns(double v) {
  int quarter = int(v * 4 + 0.5);
  double x = (v - quarter * 0.25) * 6.283185307179586;
  double cosine = series(kCosine, x * x), sine = x * series(kSine, x * x);
  double across = quarter & 1 ? sine : cosine, up = quarter & 1 ? cosine : sine;
  return {(quarter + 1) & 2 ? -across : across, quarter & 2 ? -up : up};
}

// Uniform in (0, 1): the middle of one of 2^32 equal intervals. Signed words are those that all vectors convert.
HEDDLE_INLINE double unit(uint32_t word) { return (double(int32_t(word ^ 0x80000000u)) + 2147483648.5) * 0x1p-32; }

// Four elements of a layer share a block of random words.
HEDDLE_INLINE PhiloxWords words(uint64_t seed, uint64_t stream, uint64_t block) {
  return philox({uint32_t(block), uint32_t(block >> 32), uint32_t(stream), uint32_t(stream >> 32)}, seed);
}

// Box and Muller 1958: both coordinates are normal, and independent.
HEDDLE_INLINE Point normals(uint32_t radius, uint32_t turns) {
  double r = std::sqrt(-2 * naturalLog(unit(radius)));
  Point onCircle = atTurns(unit(turns));
  return {r * onCircle.x, r * onCircle.y};
}

// Rounding to float may reach `high` itself; it is then the float below.
float most(double low, double high) {
  return low < high ? std::nextafterf(float(high), float(low)) : std::numeric_limits<float>::infinity();
}
HEDDLE_INLINE float uniform(uint32_t word, double low, double high, float most) {
  float value = float(low + (high - low) * unit(word));
  return value < most ? value : most;
}

// So many blocks are computed together, each step of the way for all of them.
constexpr int kBlocks = 64, kValues = 4 * kBlocks;

HEDDLE_INLINE void fillBlocks(const HeddleVariable& variable, uint64_t seed, uint64_t stream, uint64_t first, float* out) {
  double a = variable.a, b = variable.b;
  float highest = most(a, b);
  uint32_t random[4][kBlocks];
  float values[4][kBlocks];
  for (int i = 0; i < kBlocks; ++i) {
    PhiloxWords w = words(seed, stream, first + uint64_t(i));
    for (int k = 0; k < 4; ++k) random[k][i] = w[size_t(k)];
  }
  if (variable.init == HEDDLE_NORMAL)
    for (int k = 0; k < 4; k += 2)
      for (int i = 0; i < kBlocks; ++i) {
        Point pair = normals(random[k][i], random[k + 1][i]);
        values[k][i] = float(a + b * pair.x);
        values[k + 1][i] = float(a + b * pair.y);
      }
  else
    for (int k = 0; k < 4; ++k)
      for (int i = 0; i < kBlocks; ++i) values[k][i] = uniform(random[k][i], a, b, highest);
  for (int i = 0; i < kBlocks; ++i)
    for (int k = 0; k < 4; ++k) out[4 * i + k] = values[k][i];
}

// Elements `first`, `first` + 1, ... of a layer.
HEDDLE_INLINE void fill(const HeddleVariable& variable, uint64_t seed, uint64_t stream, uint64_t first, int64_t count,
                        float* out) {
  float values[kValues];
  while (count > 0) {
    int64_t skipped = int64_t(first % kValues), some = std::min(kValues - skipped, count);
    fillBlocks(variable, seed, stream, (first - uint64_t(skipped)) / 4, values);
    std::copy_n(values + skipped, some, out);
    first += uint64_t(some), out += some, count -= some;
  }
}
using Fill = decltype(fill);
__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"))) void fillAvx512(
    const HeddleVariable& variable, uint64_t seed, uint64_t stream, uint64_t first, int64_t count, float* out) {
  fill(variable, seed, stream, first, count, out);
}
__attribute__((target("avx2"))) void fillAvx2(const HeddleVariable& variable, uint64_t seed, uint64_t stream,
                                              uint64_t first, int64_t count, float* out) {
  fill(variable, seed, stream, first, count, out);
}
void fillBaseline(const HeddleVariable& variable, uint64_t seed, uint64_t stream, uint64_t first, int64_t count,
                  float* out) {
  fill(variable, seed, stream, first, count, out);
}

uint32_t constantBits(const HeddleVariable& variable) {
  return variable.type == HEDDLE_F32   ? std::bit_cast<uint32_t>(float(variable.a))
         : variable.type == HEDDLE_I32 ? uint32_t(int32_t(variable.a))
                                       : uint32_t(variable.a != 0);
}

// Elements filled by one tile: less than a millisecond.
constexpr int64_t kTile = int64_t(1) << 15;

}  // namespace

float normalValue(uint64_t seed, uint64_t stream, uint64_t element, double mean, double deviation) {
  PhiloxWords w = words(seed, stream, element / 4);
  Point pair = element & 2 ? normals(w[2], w[3]) : normals(w[0], w[1]);
  return float(mean + deviation * (element & 1 ? pair.y : pair.x));
}

float uniformValue(uint64_t seed, uint64_t stream, uint64_t element, double low, double high) {
  return uniform(words(seed, stream, element / 4)[element % 4], low, high, most(low, high));
}

int64_t layerCount(const HeddleVariable& variable) {
  int64_t n = 1;
  for (int d = 0; d < variable.repeats; ++d) n *= variable.dims[d].size;
  return n;
}

int64_t layerElements(const HeddleVariable& variable) {
  int64_t n = 1;
  for (int d = variable.repeats; d < variable.rank; ++d) n *= variable.dims[d].size;
  return n;
}

void initialiseVariable(const HeddleVariable& variable, uint64_t seed, void* variables, ThreadPool& pool) {
  char* base = static_cast<char*>(variables) + variable.offset;
  int64_t elements = layerElements(variable), total = layerCount(variable) * elements;
  uint32_t constant = constantBits(variable);
  Fill* values = cpuRuns("avx512") ? fillAvx512 : cpuRuns("avx2") ? fillAvx2 : fillBaseline;
  pool.forEachTile((total + kTile - 1) / kTile, [&](int64_t begin, int64_t end, int) {
    int64_t i = begin * kTile, stop = std::min(total, end * kTile);
    if (variable.init == HEDDLE_CONSTANT)
      return std::fill(reinterpret_cast<uint32_t*>(base) + i, reinterpret_cast<uint32_t*>(base) + stop, constant);
    for (int64_t count; i < stop; i += count) {  // to the end of a layer
      int64_t layer = i / elements, first = i % elements;
      count = std::min(elements - first, stop - i);
      values(variable, seed, variable.stream + uint64_t(layer), uint64_t(first), count, reinterpret_cast<float*>(base) + i);
    }
  });
}

void initialiseZeroed(const HeddleProgram& program, uint64_t seed, void* variables, ThreadPool& pool) {
  for (int i = 0; i < program.variable_count; ++i) {
    const HeddleVariable& variable = program.variables[i];
    bool isZeros = variable.init == HEDDLE_CONSTANT && constantBits(variable) == 0;
    if (variable.kind != HEDDLE_CACHE && !isZeros) initialiseVariable(variable, seed, variables, pool);
  }
}

}  // namespace heddle
