// See Roofs.h. Each function is compiled for its instructions, whatever this file is compiled for.
#include "runtime/Roofs.h"

#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace heddle {
namespace {

constexpr int kChains = 12;
constexpr int64_t kRounds = 1 << 16;  // of a tile
constexpr int64_t kPiece = 16384;     // elements of an array that make a tile
constexpr int64_t kPieces = RoofMeter::kBytes / 4 / 3 / kPiece;

// Without a use of their sums the loops would go.
void keep(float x) { asm volatile("" : : "x"(x)); }

__attribute__((target("avx512f"))) void multiplyAdd512() {
  __m512 sums[kChains], x = _mm512_set1_ps(0.5f), y = _mm512_set1_ps(0.25f);
  for (__m512& sum : sums) sum = y;
  for (int64_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) sums[c] = _mm512_fmadd_ps(sums[c], x, y);
    asm volatile("" : "+v"(x));
  }
  for (int c = 1; c < kChains; ++c) sums[0] = _mm512_add_ps(sums[0], sums[c]);
  keep(_mm512_cvtss_f32(sums[0]));
}

__attribute__((target("avx2,fma"))) void multiplyAdd256() {
  __m256 sums[kChains], x = _mm256_set1_ps(0.5f), y = _mm256_set1_ps(0.25f);
  for (__m256& sum : sums) sum = y;
  for (int64_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) sums[c] = _mm256_fmadd_ps(sums[c], x, y);
    asm volatile("" : "+x"(x));
  }
  for (int c = 1; c < kChains; ++c) sums[0] = _mm256_add_ps(sums[0], sums[c]);
  keep(_mm256_cvtss_f32(sums[0]));
}

void multiplyAdd128() {
  __m128 sums[kChains], x = _mm_set1_ps(0.5f), y = _mm_set1_ps(0.25f);
  for (__m128& sum : sums) sum = y;
  for (int64_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) sums[c] = _mm_add_ps(_mm_mul_ps(sums[c], x), y);
    asm volatile("" : "+x"(x));
  }
  for (int c = 1; c < kChains; ++c) sums[0] = _mm_add_ps(sums[0], sums[c]);
  keep(_mm_cvtss_f32(sums[0]));
}

// x = y + s z, of whole cache lines.
__attribute__((target("avx512f"))) void triad512(float* x, const float* y, const float* z, int64_t n) {
  const __m512 s = _mm512_set1_ps(3);
  for (int64_t i = 0; i < n; i += 16) _mm512_stream_ps(x + i, _mm512_fmadd_ps(s, _mm512_load_ps(z + i), _mm512_load_ps(y + i)));
}

void triad128(float* x, const float* y, const float* z, int64_t n) {
  const __m128 s = _mm_set1_ps(3);
  for (int64_t i = 0; i < n; i += 4) _mm_stream_ps(x + i, _mm_add_ps(_mm_mul_ps(s, _mm_load_ps(z + i)), _mm_load_ps(y + i)));
}

template <typename F> double bestOf(int attempts, F&& run) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < attempts; ++i) {
    auto start = std::chrono::steady_clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace

RoofMeter::RoofMeter(ThreadPool& pool, const std::string& targetClass)
    : pool(pool), width(targetClass == "avx512" ? 64 : targetClass == "avx2" ? 32 : 16), memory(kBytes, "measuring bandwidth") {
  // Pages that nobody has written are all one page, of zeros.
  pool.forEachTile(kPieces, [&](int64_t begin, int64_t end, int) {
    for (int array = 0; array < 3; ++array) std::fill(piece(array, begin), piece(array, end), 1.f);
  });
}

float* RoofMeter::piece(int array, int64_t number) const {
  return reinterpret_cast<float*>(memory.data()) + (array * kPieces + number) * kPiece;
}

Roofs RoofMeter::measure() {
  const int64_t tiles = 8 * pool.threads();  // of some 0.5 ms
  auto multiplyAdd = width == 64 ? multiplyAdd512 : width == 32 ? multiplyAdd256 : multiplyAdd128;
  double seconds = bestOf(6, [&] {
    pool.forEachTile(tiles, [&](int64_t begin, int64_t end, int) {
      for (int64_t tile = begin; tile < end; ++tile) multiplyAdd();
    });
  });
  Roofs roofs;
  roofs.flops = 2.0 * (width / 4) * kChains * double(kRounds) * double(tiles) / seconds;

  auto triad = width == 64 ? triad512 : triad128;
  seconds = bestOf(4, [&] {
    pool.forEachTile(kPieces, [&](int64_t begin, int64_t end, int) {
      triad(piece(0, begin), piece(1, begin), piece(2, begin), (end - begin) * kPiece);
    });
  });
  roofs.bytes = 12.0 * double(kPieces * kPiece) / seconds;
  return roofs;
}

}  // namespace heddle
