// Flush-to-zero and denormals-are-zero, for the life of an object, on the thread that holds it.
//
// An operation with a subnormal operand costs some 130 normal ones. The setting belongs to the meaning of a program
// too: with it, every thread computes the same bits, whatever the host process had set before.
#ifndef HEDDLE_RUNTIME_FLOATMODE_H
#define HEDDLE_RUNTIME_FLOATMODE_H
#include <xmmintrin.h>

namespace heddle {

class FloatMode {
public:
  // Round to nearest, all exceptions masked, FTZ (bit 15) and DAZ (bit 6).
  static constexpr unsigned kKernels = 0x1F80u | 0x8000u | 0x0040u;

  FloatMode() : saved(_mm_getcsr()) {
    if ((saved & ~0x3Fu) != kKernels) _mm_setcsr(kKernels);
  }
  ~FloatMode() {
    if ((saved & ~0x3Fu) != kKernels) _mm_setcsr(saved);
  }
  FloatMode(const FloatMode&) = delete;
  FloatMode& operator=(const FloatMode&) = delete;

private:
  unsigned saved;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_FLOATMODE_H
