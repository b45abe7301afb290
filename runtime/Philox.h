// Philox4x32-10, the counter-based generator behind every random number of a run.
//
// Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011), figure 4 and section 4.
// A pure function of (key, counter): any thread may compute any number, in any order, at any time, and a resumed run
// needs no generator state. Checked against the known answers of Random123. The key is always the run's seed; words 2
// and 3 of the counter tell the users apart:
//   variables    {element / 4 lo, hi, stream lo, stream hi}            stream = HeddleVariable::stream + layer
//   batches      {row of the step's micro-batches, 0, step, kDataStream}
//   records      {half, epoch lo, epoch hi and round, kOrderStream}; kSplitStream, key 0: training or evaluation
//   masking      {token, row of the run lo, hi, kMaskStream}; of evaluation: kMaskStream + 1, key 0
//   sampling     {token, 0, 0, kSampleStream}
//   dropout      {element lo, element hi, and two words mixed from the stream, step, micro-batch and repeat indices}
#ifndef HEDDLE_RUNTIME_PHILOX_H
#define HEDDLE_RUNTIME_PHILOX_H
#include <array>
#include <cstdint>

namespace heddle {

using PhiloxWords = std::array<uint32_t, 4>;

constexpr uint32_t kDataStream = 0xDA7A0000u;
constexpr uint32_t kOrderStream = 0x0D3E7000u;
constexpr uint32_t kSplitStream = 0x0D3E7001u;
constexpr uint32_t kMaskStream = 0x3A5C0000u;
constexpr uint32_t kSampleStream = 0x5A3B1E00u;

/// Ten rounds on `counter` with the key {low word, high word} of `seed`.
constexpr PhiloxWords philox(PhiloxWords counter, uint64_t seed) {
  uint32_t key0 = uint32_t(seed), key1 = uint32_t(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    uint64_t a = uint64_t(0xD2511F53u) * counter[0], b = uint64_t(0xCD9E8D57u) * counter[2];
    counter = {uint32_t(b >> 32) ^ counter[1] ^ key0, uint32_t(b), uint32_t(a >> 32) ^ counter[3] ^ key1,
               uint32_t(a)};
    key0 += 0x9E3779B9u, key1 += 0xBB67AE85u;
  }
  return counter;
}

/// Uniform in (0, 1), never 0 or 1: the middle of one of 2^52 equal intervals.
constexpr double uniform01(uint32_t low, uint32_t high) {
  return ((double(high) * 0x1p20 + double(low >> 12)) + 0.5) * 0x1p-52;  // by sums that vectors have too, all exact
}

/// Uniform in [0, count), with a bias below count * 2^-64: the high half of a 128-bit product.
inline uint64_t uniformBelow(uint32_t low, uint32_t high, uint64_t count) {
  __extension__ typedef unsigned __int128 Wide;
  return uint64_t((Wide(uint64_t(high) << 32 | low) * count) >> 64);
}

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_PHILOX_H
