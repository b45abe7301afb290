// Prints the fp32 roof of one core in GFLOP/s: fused multiply-adds on registers alone, in chains enough to hide their
// latency, the best of several attempts. Compile with -O3 -march=native.
#include <algorithm>
#include <chrono>
#include <cstdio>

#if defined(__AVX512F__)
constexpr int bytes = 64;
#elif defined(__AVX__)
constexpr int bytes = 32;
#else
constexpr int bytes = 16;
#endif
constexpr int chains = 12, rounds = 1 << 20, attempts = 12;
typedef float Vector __attribute__((vector_size(bytes)));

int main(int argc, char**) {
  Vector sums[chains] = {}, x = 0.5f * float(argc) - Vector{}, y = x;  // argc: unknown to the compiler
  double best = 1e9;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i)
      for (Vector& sum : sums) sum = sum * x + y;
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  float total = 0;
  for (Vector& sum : sums) total += sum[0];
  if (total < 0) return 1;  // never; without a use the loop would go
  printf("%.1f\n", 2.0 * (bytes / sizeof(float)) * chains * rounds / best * 1e-9);
}
