// What a trial of programs found, and how much of it was worth finding nothing.
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace heddle {

/// One difference. Findings of one kind are taken to have one cause, while a program is shrunk.
struct Finding {
  std::string kind;    // what differs from what: "jit", "unfused", "native", "interpreter fused", "gradient", ...
  std::string detail;  // the first element that does
};

/// Counts that add up over programs.
struct Statistics {
  int64_t programs = 0, rejected = 0, untested = 0, native = 0;
  int64_t results = 0, vacuousResults = 0;    // compared with a bound; a result is vacuous if one of its elements is
  int64_t elements = 0, vacuousElements = 0;  // whose bound is above a tenth of the largest element of its result
  int64_t gradients = 0, gradientsSkipped = 0;  // directional derivatives compared; those at a kink or jump
  int64_t deepest = 0;                          // loops in loops
  int64_t blocked = 0;                          // products that were computed by blocks of rows
  std::map<std::string, int64_t> ops;           // of programs as generated

  void add(const Statistics &other) {
    programs += other.programs, rejected += other.rejected, untested += other.untested, native += other.native;
    results += other.results, vacuousResults += other.vacuousResults;
    elements += other.elements, vacuousElements += other.vacuousElements;
    gradients += other.gradients, gradientsSkipped += other.gradientsSkipped;
    deepest = std::max(deepest, other.deepest);
    blocked += other.blocked;
    for (auto &[op, count] : other.ops) ops[op] += count;
  }
};

}  // namespace heddle
