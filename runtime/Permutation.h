// The order of records: a permutation that is computed, not stored.
//
// A balanced Feistel network over the smallest power of two that holds all records, walked until it lands on one
// (Black and Rogaway: "Ciphers with Arbitrary Finite Domains", CT-RSA 2002, section 4). The round function is Philox,
// so the permutation is a pure function of (seed, stream, epoch): any place of any epoch is known at once, which is
// what makes a batch a function of its step. On average fewer than two walks are needed.
#ifndef HEDDLE_RUNTIME_PERMUTATION_H
#define HEDDLE_RUNTIME_PERMUTATION_H
#include <cstdint>

namespace heddle {

class Permutation {
public:
  /// Of [0, count), count from 1. `stream` is one of Philox.h; `epoch` counts from 0.
  Permutation(uint64_t count, uint64_t seed, uint32_t stream, uint64_t epoch);

  /// The element at place `index`, below count.
  uint64_t operator()(uint64_t index) const;

private:
  uint64_t walk(uint64_t value) const;

  uint64_t count, seed, epoch;
  uint32_t stream;
  int lowBits, highBits;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_PERMUTATION_H
