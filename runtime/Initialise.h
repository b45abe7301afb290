// Initial values of variables: constant, normal or uniform.
#ifndef HEDDLE_RUNTIME_INITIALISE_H
#define HEDDLE_RUNTIME_INITIALISE_H
#include "runtime/Abi.h"
#include "runtime/ThreadPool.h"

#include <cstdint>

namespace heddle {

/// Element `element` (row-major, within its layer) of a variable of stream `stream`: a + b * z with z standard normal,
/// in double, rounded once to float. Four elements share the four words of one Philox counter, and two of them a radius
/// and a direction (Box and Muller 1958: sqrt(-2 ln u) cos(2 pi v) and sqrt(-2 ln u) sin(2 pi v)); with 32 bits in u,
/// |z| <= 6.8.
float normalValue(uint64_t seed, uint64_t stream, uint64_t element, double mean, double deviation);
/// The same for the uniform distribution on [low, high): one word for each element.
float uniformValue(uint64_t seed, uint64_t stream, uint64_t element, double low, double high);

/// Layers that a variable's leading `repeats` dims stack, and the elements of one of them.
int64_t layerCount(const HeddleVariable& variable);
int64_t layerElements(const HeddleVariable& variable);

/// Fills one variable in the arena `variables`, as its `init` says. The result depends on the seed, the variable's
/// stream and the logical element alone: neither on the number of threads nor on the CPU (no libm is involved).
void initialiseVariable(const HeddleVariable& variable, uint64_t seed, void* variables, ThreadPool& pool);
/// Fills all but caches in an arena of zeros, where zeros, the moments of an optimizer, are left as they are.
void initialiseZeroed(const HeddleProgram& program, uint64_t seed, void* variables, ThreadPool& pool);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_INITIALISE_H
