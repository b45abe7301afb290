// Random numbers from a counter, to the bit: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as
// 1, 2, 3"). The interpreter calls these functions; the kernels' lowering emits the same arithmetic; the runtime has
// its own copy of `philox` (it links nothing of the compiler) and fills parameters with it.
#pragma once
#include <array>
#include <cstdint>

namespace heddle {

/// Philox4x32-10 of a counter and a key.
inline std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = uint64_t(0xD2511F53u) * counter[0], p1 = uint64_t(0xCD9E8D57u) * counter[2];
    counter = {uint32_t(p1 >> 32) ^ counter[1] ^ key[0], uint32_t(p1), uint32_t(p0 >> 32) ^ counter[3] ^ key[1],
               uint32_t(p0)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

/// The two upper counter words of `heddle.bernoulli`: one Philox call mixes stream and step, then one per repeat index.
/// Starts from philox({stream_lo, stream_hi, step, 0}, seed) and, for each index in order, takes
/// philox({word0, word1, index, 1}, seed); words 0 and 1 of the last are the result.
template <typename Indices>
std::array<uint32_t, 2> bernoulliStream(std::array<uint32_t, 2> seed, uint64_t stream, uint32_t step,
                                        const Indices &indices) {
  auto words = philox({uint32_t(stream), uint32_t(stream >> 32), step, 0}, seed);
  for (uint32_t index : indices) words = philox({words[0], words[1], index, 1}, seed);
  return {words[0], words[1]};
}

/// An element is kept iff word `element mod 4` of philox({counter_lo, counter_hi, stream words}, seed) is below this, where
/// the counter is element / 4.
inline uint32_t bernoulliThreshold(double keep) { return uint32_t(keep * 4294967296.0); }

/// Whether `heddle.bernoulli` is true at a logical element.
inline bool bernoulli(std::array<uint32_t, 2> seed, std::array<uint32_t, 2> stream, uint64_t element, double keep) {
  auto words = philox({uint32_t(element >> 2), uint32_t(element >> 34), stream[0], stream[1]}, seed);
  return words[element & 3] < bernoulliThreshold(keep);
}

}  // namespace heddle
