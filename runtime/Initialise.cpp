// See Initialise.h. Logarithm and cosine are written out here: libm's differ in the last bit between CPUs (it picks
// FMA versions at run time) and between versions of libc, and initial values must be the same on any machine.
#include "runtime/Initialise.h"

#include "runtime/Philox.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace heddle {
namespace {

// Natural logarithm of a normal x > 0. x = 2^k m with m in [sqrt(1/2), sqrt(2)); ln m = 2 atanh(s), s = (m-1)/(m+1),
// by its series: |s| <= 0.1716, so that 11 terms leave less than 1e-17.
constexpr double kAtanh[] = {1, 1. / 3, 1. / 5, 1. / 7, 1. / 9, 1. / 11, 1. / 13, 1. / 15, 1. / 17, 1. / 19, 1. / 21};

double naturalLog(double x) {
  uint64_t bits = std::bit_cast<uint64_t>(x);
  int k = int(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFFull) | 0x3FF0000000000000ull);
  if (m > 1.4142135623730951) m *= 0.5, k += 1;
  double s = (m - 1) / (m + 1), z = s * s, sum = 0;
  for (int n = 10; n >= 0; --n) sum = sum * z + kAtanh[n];
  return k * 0.6931471805599453 + 2 * s * sum;
}

// Ratios of successive terms of the two series, n = 8 down to 1: 1 / (2n (2n-1)) and 1 / (2n (2n+1)).
constexpr double kCosine[] = {1. / 240, 1. / 182, 1. / 132, 1. / 90, 1. / 56, 1. / 30, 1. / 12, 1. / 2};
constexpr double kSine[] = {1. / 272, 1. / 210, 1. / 156, 1. / 110, 1. / 72, 1. / 42, 1. / 20, 1. / 6};

// cos(2 pi v) for v in [0, 1): the nearest quarter turn is taken off exactly, then Taylor's series on |x| <= pi/4
// (8 terms leave less than 1e-17).
double cosineOfTurns(double v) {
  int quarter = int(v * 4 + 0.5);
  double x = (v - quarter * 0.25) * 6.283185307179586, z = x * x;
  double cosine = 1, sine = 1;
  for (int n = 0; n < 8; ++n) {
    cosine = 1 - cosine * z * kCosine[n];
    sine = 1 - sine * z * kSine[n];
  }
  sine *= x;
  switch (quarter & 3) {
    case 0: return cosine;
    case 1: return -sine;
    case 2: return -cosine;
    default: return sine;
  }
}

PhiloxWords words(uint64_t seed, uint64_t stream, uint64_t element) {
  return philox({uint32_t(element), uint32_t(element >> 32), uint32_t(stream), uint32_t(stream >> 32)}, seed);
}

// Elements filled by one tile: some 2 ms of Box-Muller.
constexpr int64_t kTile = int64_t(1) << 15;

}  // namespace

float normalValue(uint64_t seed, uint64_t stream, uint64_t element, double mean, double deviation) {
  PhiloxWords w = words(seed, stream, element);
  double u = uniform01(w[0], w[1]), v = uniform01(w[2], w[3]);
  return float(mean + deviation * (std::sqrt(-2 * naturalLog(u)) * cosineOfTurns(v)));
}

float uniformValue(uint64_t seed, uint64_t stream, uint64_t element, double low, double high) {
  PhiloxWords w = words(seed, stream, element);
  float value = float(low + (high - low) * uniform01(w[0], w[1]));
  // Rounding to float may reach `high` itself.
  return value < float(high) || !(low < high) ? value : std::nextafterf(float(high), float(low));
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
  pool.forEachTile((total + kTile - 1) / kTile, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin * kTile; i < std::min(total, end * kTile); ++i) {
      uint64_t stream = variable.stream + uint64_t(i / elements), element = uint64_t(i % elements);
      uint32_t word = constant;
      if (variable.init == HEDDLE_NORMAL)
        word = std::bit_cast<uint32_t>(normalValue(seed, stream, element, variable.a, variable.b));
      else if (variable.init == HEDDLE_UNIFORM)
        word = std::bit_cast<uint32_t>(uniformValue(seed, stream, element, variable.a, variable.b));
      memcpy(base + i * 4, &word, 4);
    }
  });
}

void initialiseVariables(const HeddleProgram& program, uint64_t seed, void* variables, ThreadPool& pool) {
  for (int i = 0; i < program.variable_count; ++i)
    if (program.variables[i].kind != HEDDLE_CACHE) initialiseVariable(program.variables[i], seed, variables, pool);
}

}  // namespace heddle
