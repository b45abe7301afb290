// Where a value that is NaN or infinite first arises, kernel by kernel: what is told when training stops for one.
#ifndef HEDDLE_RUNTIME_FINDNOTFINITE_H
#define HEDDLE_RUNTIME_FINDNOTFINITE_H
#include "runtime/Session.h"

#include <string>

namespace heddle {

/// Runs `entry` on the variables and inputs that stand in the session, and looks through the results of every kernel
/// call. Returns a sentence: the first result that holds NaN or +inf, by the kernel's place in the source, its layers
/// ("h.3") and element; before that, inputs and variables that are not finite from the start. -inf is what masks are
/// made of, so a call that gives nothing worse is only named beside the first one that does. "" if all is finite.
/// The variables are changed as by any run.
std::string findNotFinite(Session& session, const HeddleEntry& entry);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_FINDNOTFINITE_H
