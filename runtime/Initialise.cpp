// See Initialise.h. Logarithm and cosine are written out here: libm's differ in the last bit between CPUs (it picks
// FMA versions at run time) and between versions of libc, and initial values must be the same on any machine.
//
// A large model has 10^8 values, so their loop is vectorised, by the compiler and once for each kind of CPU. For that, a
// value has no branch, and nothing but operations that IEEE 754 defines to the last bit: in vectors they are the same.
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

// Natural logarithm of a normal x > 0. x = 2^k m with m in [sqrt(1/2), sqrt(2)); ln m = 2 atanh(s), s = (m-1)/(m+1),
// by its series: |s| <= 0.1716, so that 11 terms leave less than 1e-17.
constexpr double kAtanh[] = {1, 1. / 3, 1. / 5, 1. / 7, 1. / 9, 1. / 11, 1. / 13, 1. / 15, 1. / 17, 1. / 19, 1. / 21};

HEDDLE_INLINE double naturalLog(double x) {
  uint64_t bits = std::bit_cast<uint64_t>(x);
  int k = int(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFFull) | 0x3FF0000000000000ull);
  bool large = m > 1.4142135623730951;
  m = large ? m * 0.5 : m;
  k = large ? k + 1 : k;
  double s = (m - 1) / (m + 1), z = s * s, sum = 0;
  for (int n = 10; n >= 0; --n) sum = sum * z + kAtanh[n];
  return k * 0.6931471805599453 + 2 * s * sum;
}

// Ratios of successive terms of the two series, n = 8 down to 1: 1 / (2n (2n-1)) and 1 / (2n (2n+1)).
constexpr double kCosine[] = {1. / 240, 1. / 182, 1. / 132, 1. / 90, 1. / 56, 1. / 30, 1. / 12, 1. / 2};
constexpr double kSine[] = {1. / 272, 1. / 210, 1. / 156, 1. / 110, 1. / 72, 1. / 42, 1. / 20, 1. / 6};

// cos(2 pi v) for v in [0, 1): the nearest quarter turn is taken off exactly, then Taylor's series on |x| <= pi/4
// (8 terms leave less than 1e-17).
HEDDLE_INLINE double cosineOfTurns(double v) {
  int quarter = int(v * 4 + 0.5);
  double x = (v - quarter * 0.25) * 6.283185307179586, z = x * x;
  double cosine = 1, sine = 1;
  for (int n = 0; n < 8; ++n) {
    cosine = 1 - cosine * z * kCosine[n];
    sine = 1 - sine * z * kSine[n];
  }
  sine *= x;
  double value = quarter & 1 ? sine : cosine;  // of quarters 0 to 3: cosine, -sine, -cosine, sine
  return (quarter + 1) & 2 ? -value : value;
}

HEDDLE_INLINE PhiloxWords words(uint64_t seed, uint64_t stream, uint64_t element) {
  return philox({uint32_t(element), uint32_t(element >> 32), uint32_t(stream), uint32_t(stream >> 32)}, seed);
}

HEDDLE_INLINE float normal(uint64_t seed, uint64_t stream, uint64_t element, double mean, double deviation) {
  PhiloxWords w = words(seed, stream, element);
  double u = uniform01(w[0], w[1]), v = uniform01(w[2], w[3]);
  return float(mean + deviation * (std::sqrt(-2 * naturalLog(u)) * cosineOfTurns(v)));
}

// Rounding to float may reach `high` itself; it is then the float below.
float most(double low, double high) {
  return low < high ? std::nextafterf(float(high), float(low)) : std::numeric_limits<float>::infinity();
}
HEDDLE_INLINE float uniform(uint64_t seed, uint64_t stream, uint64_t element, double low, double high, float most) {
  PhiloxWords w = words(seed, stream, element);
  float value = float(low + (high - low) * uniform01(w[0], w[1]));
  return value < most ? value : most;
}

// Elements `first`, `first` + 1, ... of a layer.
HEDDLE_INLINE void fill(const HeddleVariable& variable, uint64_t seed, uint64_t stream, uint64_t first, int64_t count,
                        float* out) {
  double a = variable.a, b = variable.b;
  float highest = most(a, b);
  if (variable.init == HEDDLE_NORMAL)
    for (int64_t i = 0; i < count; ++i) out[i] = normal(seed, stream, first + uint64_t(i), a, b);
  else
    for (int64_t i = 0; i < count; ++i) out[i] = uniform(seed, stream, first + uint64_t(i), a, b, highest);
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

// Elements filled by one tile: less than a millisecond.
constexpr int64_t kTile = int64_t(1) << 15;

}  // namespace

float normalValue(uint64_t seed, uint64_t stream, uint64_t element, double mean, double deviation) {
  return normal(seed, stream, element, mean, deviation);
}

float uniformValue(uint64_t seed, uint64_t stream, uint64_t element, double low, double high) {
  return uniform(seed, stream, element, low, high, most(low, high));
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
  uint32_t constant = variable.type == HEDDLE_F32   ? std::bit_cast<uint32_t>(float(variable.a))
                      : variable.type == HEDDLE_I32 ? uint32_t(int32_t(variable.a))
                                                    : uint32_t(variable.a != 0);
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

void initialiseVariables(const HeddleProgram& program, uint64_t seed, void* variables, ThreadPool& pool) {
  for (int i = 0; i < program.variable_count; ++i)
    if (program.variables[i].kind != HEDDLE_CACHE) initialiseVariable(program.variables[i], seed, variables, pool);
}

}  // namespace heddle
