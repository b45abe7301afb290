// Losses over the validation data, which leave training's state alone.
#ifndef HEDDLE_RUNTIME_EVALUATE_H
#define HEDDLE_RUNTIME_EVALUATE_H
#include "runtime/DataSource.h"
#include "runtime/Session.h"

#include <cstdint>
#include <map>
#include <string>

namespace heddle {

/// The losses that an entry gives: outputs called "loss.NAME", by NAME.
std::map<std::string, float> readLosses(Session& session, const HeddleEntry& entry);

/// Runs the entry `eval` over `batches` batches of the source's evaluation part and returns the means of its losses
/// (in double, in the order of the batches). Model state starts from its initial values and is put back afterwards.
std::map<std::string, double> evaluate(Session& session, DataSource& source, uint64_t seed, int64_t batches);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_EVALUATE_H
