// See Permutation.h. The two halves differ by at most one bit, and each is changed by a function of the other in turn.
#include "runtime/Permutation.h"

#include "runtime/Philox.h"

#include <bit>

namespace heddle {
namespace {
// A round over few bits mixes little: with 8 rounds, six records would follow one another unevenly.
uint32_t roundsOf(int bits) { return bits < 12 ? 24 : 8; }
}  // namespace

Permutation::Permutation(uint64_t count, uint64_t seed, uint32_t stream, uint64_t epoch)
    : count(count), seed(seed), epoch(epoch), stream(stream) {
  int bits = count <= 2 ? 1 : std::bit_width(count - 1);
  highBits = bits / 2, lowBits = bits - highBits;
}

uint64_t Permutation::walk(uint64_t value) const {
  uint64_t low = value & ((uint64_t(1) << lowBits) - 1), high = value >> lowBits;
  uint32_t rounds = roundsOf(lowBits + highBits);
  for (uint32_t round = 0; round < rounds; ++round) {
    uint64_t& changed = round % 2 ? high : low;
    uint64_t other = round % 2 ? low : high;
    PhiloxWords w = philox({uint32_t(other), uint32_t(epoch), uint32_t(epoch >> 32) << 8 | round, stream}, seed);
    changed ^= w[0] & ((uint64_t(1) << (round % 2 ? highBits : lowBits)) - 1);
  }
  return high << lowBits | low;
}

uint64_t Permutation::operator()(uint64_t index) const {
  do index = walk(index);
  while (index >= count);
  return index;
}

}  // namespace heddle
