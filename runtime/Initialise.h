// Initial values of variables: constant, normal or uniform.
#ifndef HEDDLE_RUNTIME_INITIALISE_H
#define HEDDLE_RUNTIME_INITIALISE_H
#include "runtime/Abi.h"
#include "runtime/ThreadPool.h"

#include <cstdint>

namespace heddle {

/// Element `element` (row-major, within its layer) of a variable of stream `stream`: a + b * z with z standard normal
/// (Box and Muller 1958: sqrt(-2 ln u) cos(2 pi v), in double), rounded once to float.
float normalValue(uint64_t seed, uint64_t stream, uint64_t element, double mean, double deviation);
/// The same for the uniform distribution on [low, high).
float uniformValue(uint64_t seed, uint64_t stream, uint64_t element, double low, double high);

/// Layers that a variable's leading `repeats` dims stack, and the elements of one of them.
int64_t layerCount(const HeddleVariable& variable);
int64_t layerElements(const HeddleVariable& variable);

/// Fills one variable in the arena `variables`, as its `init` says. The result depends on the seed, the variable's
/// stream and the logical element alone: neither on the number of threads nor on the CPU (no libm is involved).
void initialiseVariable(const HeddleVariable& variable, uint64_t seed, void* variables, ThreadPool& pool);
void initialiseVariables(const HeddleProgram& program, uint64_t seed, void* variables, ThreadPool& pool);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_INITIALISE_H
